"""Images in: collections on disk in their usual layouts, and synthetic marrow; batches of them for training.

``Augmentation`` is looked up when first used, so that importing this package does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ali_core.data.folds import FoldSplit, FoldWarning, grouped_folds
from ali_core.data.images import CellImages, contact_sheet
from ali_core.data.layouts import CsvOptions, from_class_folders, from_csv, holds_images, open_images
from ali_core.data.long_tail import long_tail, long_tail_split
from ali_core.data.medmnist import from_medmnist
from ali_core.data.pixels import PixelSource
from ali_core.data.synthetic import render_marrow, write_marrow
from ali_core.data.synthetic_classes import MARROW_CLASSES

if TYPE_CHECKING:
    from ali_core.data.augmentation import Augmentation

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
    "from_medmnist",
    "grouped_folds",
    "holds_images",
    "long_tail",
    "long_tail_split",
    "open_images",
    "render_marrow",
    "write_marrow",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # as in ali_core.networks
    if name != "Augmentation":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.augmentation").Augmentation
