"""How the configurations of a dry run are told apart: colour, lightness and dashes, and their legend."""

from typing import Any

import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from ali_viz.panels.print_style import INK

__all__ = ["BEST_WIDTH", "COLOURS", "LINE_WIDTH", "STAR", "STYLES", "line_colour", "line_handles"]

COLOURS = {"deterministic": "#0072b2", "probabilistic": "#d55e00"}
Dashes = tuple[float, tuple[float, ...] | None]
STYLES: dict[str, Dashes] = {
    "mean-std": (0, None),
    "mean-all": (0, (7, 2.5)),
    "product": (0, (7, 2, 1.5, 2)),
    "closest": (0, (1.5, 1.8)),
}
"""Line style of each criterion, in line widths."""
PALEST = 0.22
"""Share of the colour that the weakest strengths keep; the rest is white."""
LINE_WIDTH, BEST_WIDTH = 0.5, 1.2
STAR: dict[str, Any] = {"marker": "*", "ms": 5.5, "mfc": INK, "mec": "white", "mew": 0.5, "ls": "none"}


def line_colour(selection: str, strength: float) -> tuple[float, float, float]:
    """Mix the colour of a way to select with white: the weaker, the paler."""
    share = PALEST + (1.0 - PALEST) * float(strength)
    red, green, blue = (1.0 - share * (1.0 - part) for part in to_rgb(COLOURS[selection]))
    return red, green, blue


def line_handles(table: pd.DataFrame) -> list[list[Line2D]]:
    """Make the legend of what ``table`` (selection, criterion) holds: in columns, filled up to the same length."""
    found, used = set(table["selection"]), set(table["criterion"])
    main = next(name for name in COLOURS if name in found)
    best = STAR | {"color": line_colour(main, 1.0), "ls": "-", "lw": BEST_WIDTH}
    shades = {"Weak": 0.0, "Medium": 0.5, "Strong": 1.0}
    columns = [
        [_line(name.capitalize(), color=colour) for name, colour in COLOURS.items() if name in found],
        [_line(f"{name} λ", color=line_colour(main, shade)) for name, shade in shades.items()],
        [_line(name.capitalize(), ls=style) for name, style in STYLES.items() if name in used],
        [_line("Untouched", lw=0.4), Line2D([0, 1], [0, 0], label="Best oracle F1", **best)],
    ]
    longest = max(map(len, columns))
    return [[*column, *(_line("", lw=0.0) for _ in range(longest - len(column)))] for column in columns]


def _line(label: str, *, color: Any = INK, ls: Any = "-", lw: float = 0.9) -> Line2D:  # noqa: ANN401
    return Line2D([0, 1], [0, 0], label=label, color=color, ls=ls, lw=lw)
