"""How wide text is in print, text broken into lines that fit, and such lines written below each other."""

from functools import lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from ali_viz.panels.print_style import SMALL, points_to_mm, text_mm

__all__ = ["LINE_MM", "text_width_mm", "wrapped", "write_lines"]

LINE_MM = 2.6
"""From one line of small text to the next."""


@lru_cache(maxsize=4096)
def text_width_mm(text: str, size: float = SMALL) -> float:
    """Return the width of one line of text in millimetres; ``size`` in points."""
    font = FontProperties(family="DejaVu Sans", size=size)
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
