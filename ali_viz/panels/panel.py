"""A print figure with the numbers that it shows, and the files that it is written to."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ali_core.files import atomic_path, write_text
from ali_viz.panels.fonts import boxes_allowed, fit_fonts
from ali_viz.panels.print_style import print_style

__all__ = ["Panel", "save_panel"]

PNG_DPI, RASTER_DPI = 400, 600
NO_DATES: dict[str, dict[str, str | None]] = {
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}
"""Metadata by file type: without dates the same numbers give the same bytes."""
KINDS = (*NO_DATES, "csv", "txt")
"""Types of the files of a panel."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A figure, the numbers in it, and what is to be said about it.

    Attributes
    ----------
    figure
        What is printed.
    table
        What is drawn, in long form.
    caption
        What data, how many samples, which settings, and whether labels placed the points.
    """

    figure: Figure
    table: pd.DataFrame
    caption: str

    def save(self, folder: str | Path, name: str) -> list[Path]:
        """Write the five files of `save_panel`."""
        return save_panel(self.figure, self.table, folder, name, caption=self.caption)


def save_panel(figure: Figure, table: pd.DataFrame, folder: str | Path, name: str, *, caption: str) -> list[Path]:
    """Write a figure with its numbers and its caption; each file is whole or absent.

    Parameters
    ----------
    figure
        What is printed; drawn under `print_style`.
    table
        The plotted numbers.
    folder, name
        The files are ``folder/name.pdf``, ``.svg``, ``.png`` (400 dpi), ``.csv`` and ``.txt``.
    caption
        Text of the last one.

    Returns
    -------
    list of pathlib.Path
        The five files.

    Notes
    -----
    Fonts are embedded in the PDF (TrueType, Type 42) and named in the SVG, whose text stays text.
    With one version of matplotlib the same input gives the same bytes. Names in other scripts take an installed font
    that has their letters; a :class:`~ali_viz.panels.fonts.FontWarning` says when there is none.
    """
    written = []
    fit_fonts(figure)
    for kind, metadata in NO_DATES.items():
        path = Path(folder) / f"{name}.{kind}"
        with atomic_path(path) as temporary, print_style(), boxes_allowed():
            dpi = PNG_DPI if kind == "png" else RASTER_DPI
            figure.savefig(temporary, format=kind, dpi=dpi, metadata=metadata)
        written.append(path)
    texts = (table.to_csv(index=False, lineterminator="\n"), caption)
    for kind, text in zip(KINDS[len(NO_DATES) :], texts, strict=True):
        written.append(write_text(text, Path(folder) / f"{name}.{kind}"))
    return written
