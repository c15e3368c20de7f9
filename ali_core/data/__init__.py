"""Images in: collections on disk in their usual layouts, and synthetic marrow."""

from ali_core.data.images import CellImages, contact_sheet
from ali_core.data.layouts import CsvOptions, from_class_folders, from_csv, open_images
from ali_core.data.medmnist import from_medmnist
from ali_core.data.synthetic import render_marrow, write_marrow
from ali_core.data.synthetic_classes import MARROW_CLASSES

__all__ = [
    "MARROW_CLASSES",
    "CellImages",
    "CsvOptions",
    "contact_sheet",
    "from_class_folders",
    "from_csv",
    "from_medmnist",
    "open_images",
    "render_marrow",
    "write_marrow",
]
