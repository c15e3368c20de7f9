"""How print figures look: journal widths, type sizes, thin lines; set locally, never globally."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ali_core.errors import AliError

__all__ = [
    "INK",
    "WIDTHS_MM",
    "Width",
    "add_axes_mm",
    "new_figure",
    "panel_letter",
    "points_to_mm",
    "print_style",
]

Width = Literal["single", "double"]
WIDTHS_MM: dict[Width, float] = {"single": 88.0, "double": 181.0}
"""One column of Nature (88 mm; IEEE has 88.9 mm) and two columns of both (181 mm)."""

MM_PER_INCH = 25.4
SMALL, NORMAL, LETTER = 6.0, 7.0, 8.0
INK, FRAME = "#222222", "#999999"

RC: dict[Any, Any] = {
    # DejaVu Sans comes with matplotlib: the same glyphs and the same bytes on every machine.
    "font.family": ["DejaVu Sans"],
    "font.size": SMALL,
    "axes.titlesize": NORMAL,
    "axes.labelsize": SMALL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": FRAME,
    "ytick.color": FRAME,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.edgecolor": FRAME,
    "axes.linewidth": 0.4,
    "xtick.major.width": 0.4,
    "ytick.major.width": 0.4,
    "xtick.major.size": 1.8,
    "ytick.major.size": 1.8,
    "xtick.major.pad": 1.5,
    "ytick.major.pad": 1.5,
    "axes.labelpad": 1.5,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "ali-interventions",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "path.simplify": False,
}


@contextmanager
def print_style() -> Iterator[None]:
    """Draw and write under matplotlib's defaults with the print settings, whatever the user has set."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """Make an empty figure of this size in millimetres; it belongs to no window and no global state."""
    return Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH))


def width_in_mm(width: Width) -> float:
    """Return the width of one or two journal columns."""
    if width not in get_args(Width):
        raise AliError(f"the width {width!r} is unknown; choose 'single' or 'double'.")
    return WIDTHS_MM[width]


def add_axes_mm(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a place given in millimetres from the top left corner of the figure."""
    total_width, total_height = figure.get_size_inches() * MM_PER_INCH
    bottom = total_height - top - height
    return figure.add_axes((left / total_width, bottom / total_height, width / total_width, height / total_height))


def text_mm(figure: Figure, left: float, top: float, text: str, **settings: object) -> None:
    """Write at a place given in millimetres from the top left corner of the figure."""
    total_width, total_height = figure.get_size_inches() * MM_PER_INCH
    placed: dict[str, Any] = {"ha": "left", "va": "top", "fontsize": SMALL} | settings
    figure.text(left / total_width, 1.0 - top / total_height, text, **placed)


def panel_letter(figure: Figure, left: float, top: float, letter: str) -> None:
    """Write the bold letter of a panel, its top left corner at this place in millimetres."""
    text_mm(figure, left, top, letter, fontsize=LETTER, fontweight="bold")


def points_to_mm(points: float) -> float:
    """Convert typographic points to millimetres."""
    return points * MM_PER_INCH / 72.0
