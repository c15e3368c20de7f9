"""How print figures look: journal widths, type sizes, thin lines; set locally, never globally."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Literal, get_args

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from ali_core.errors import AliError
from ali_viz.panels.fonts import boxes_allowed, families_for

__all__ = [
    "INK",
    "LINE_MM",
    "WIDTHS_MM",
    "Width",
    "add_axes_mm",
    "new_figure",
    "panel_letter",
    "points_to_mm",
    "print_style",
    "text_width_mm",
    "wrapped",
    "write_lines",
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


LINE_MM = 2.6
"""From one line of small text to the next."""


@lru_cache(maxsize=4096)
def text_width_mm(text: str, size: float = SMALL) -> float:
    """Return the width of one line of text in millimetres; ``size`` in points."""
    font = FontProperties(family=list(families_for(text)), size=size)
    with boxes_allowed():
        width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return points_to_mm(float(width))


def wrapped(text: str, width_mm: float, size: float = SMALL) -> str:
    """Break text between words, and within words that are too long, so that no line is wider than ``width_mm``."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if text_width_mm(joined, size) <= width_mm:
            lines[-1] = joined
        else:
            lines += _pieces(word, width_mm, size)
    return "\n".join(line for line in lines if line)


def write_lines(figure: Figure, middle: float, baseline: float, text: str) -> None:
    """Write the lines of a text, centred; the first stands on ``baseline``, millimetres from the top of the figure.

    Matplotlib aligns the last line of a text with the baseline, so that short and long names would not start level.
    """
    for number, line in enumerate(text.split("\n")):
        text_mm(figure, middle, baseline + number * LINE_MM, line, ha="center", va="baseline")


def _pieces(word: str, width_mm: float, size: float) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width_mm(pieces[-1] + letter, size) > width_mm:
            pieces.append("")
        pieces[-1] += letter
    return pieces
