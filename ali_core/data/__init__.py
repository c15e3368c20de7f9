"""Images in: collections on disk in their usual layouts, and synthetic marrow; batches of them for training.

``Augmentation`` is looked up when first used, so that importing this package does not import torch.
"""

from typing import TYPE_CHECKING

from ali_core.data.folds import FoldSplit, FoldWarning, grouped_folds
from ali_core.data.images import CellImages, contact_sheet
from ali_core.data.layouts import CsvOptions, from_class_folders, from_csv, from_ids, holds_images, open_images
from ali_core.data.long_tail import long_tail, long_tail_split
from ali_core.data.medmnist import from_medmnist
from ali_core.data.pixels import PixelSource
from ali_core.data.synthetic import render_marrow, write_marrow
from ali_core.data.synthetic_classes import MARROW_CLASSES
from ali_core.lazy import lazy_names

if TYPE_CHECKING:
    from ali_core.data.augmentation import Augmentation
else:
    __getattr__ = lazy_names(__name__, {"Augmentation": "augmentation"})

__all__ = [
    "MARROW_CLASSES",
    "Augmentation",
    "CellImages",
    "CsvOptions",
    "FoldSplit",
    "FoldWarning",
    "PixelSource",
    "contact_sheet",
    "from_class_folders",
    "from_csv",
    "from_ids",
    "from_medmnist",
    "grouped_folds",
    "holds_images",
    "long_tail",
    "long_tail_split",
    "open_images",
    "render_marrow",
    "write_marrow",
]
