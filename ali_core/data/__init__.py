"""Images in: collections on disk, and synthetic marrow."""

from ali_core.data.images import CellImages, contact_sheet
from ali_core.data.synthetic import render_marrow, write_marrow
from ali_core.data.synthetic_classes import MARROW_CLASSES

__all__ = [
    "MARROW_CLASSES",
    "CellImages",
    "contact_sheet",
    "render_marrow",
    "write_marrow",
]
