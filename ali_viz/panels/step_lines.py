"""Lines, arrows, circles and the scale bar of the figure of one step."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke

from ali_viz.panels.print_style import INK

__all__ = ["ARROWS", "LINES", "draw_line", "scale_bar"]

LINES: dict[str, tuple[str, dict[str, Any]]] = {
    "neighbour": ("To nearest neighbours", {"color": INK, "lw": 0.6, "ls": (0, (3, 2))}),
    "between": ("Line of the neighbours", {"color": INK, "lw": 0.6, "ls": (0, (6, 2))}),
    "spread_before": ("Spread before", {"color": INK, "lw": 0.6, "ls": (0, (1, 1.5))}),
    "spread_after": ("Spread after contraction", {"color": INK, "lw": 0.6, "ls": "-"}),
    "rotation": ("Rotation of the center", {"color": "#7c7903", "lw": 0.8, "ls": "-"}),
    "v_shift": ("Part away from neighbours", {"color": "#8f2b0d", "lw": 0.8, "ls": "-"}),
    "v_ortho": ("Part off their lines", {"color": "#225c62", "lw": 0.8, "ls": "-"}),
    "shift": ("Shift of the class", {"color": INK, "lw": 1.8, "ls": "-"}),
    "motion": (
        "Motion of the center",
        {"color": "white", "lw": 1.0, "ls": "-", "path_effects": [withStroke(linewidth=2.4, foreground=INK)]},
    ),
}
"""Legend text and look of each kind of line; those from rotation on are arrows, the motion a hollow one."""
ARROWS = ("rotation", "v_shift", "v_ortho", "shift", "motion")
HOLLOW: dict[str, Any] = {
    "arrowstyle": "simple,head_length=0.7,head_width=0.9,tail_width=0.3",
    "fc": "white",
    "ec": INK,
    "lw": 0.7,
    "path_effects": [withStroke(linewidth=1.8, foreground="white")],
}
"""The motion as an arrow: to be seen on the mark of a center and on dark samples."""


def draw_line(axes: Axes, kind: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw one line of the table: a stroke, an arrow, or a circle with it as radius."""
    if kind not in LINES:
        return
    look = LINES[kind][1]
    if kind.startswith("spread"):
        radius = float(np.hypot(end[0] - start[0], end[1] - start[1]))
        axes.add_patch(Circle(start, radius, fill=False, zorder=4, **look))
    elif kind in ARROWS:
        length = float(np.hypot(end[0] - start[0], end[1] - start[1])) * _points_per_unit(axes)
        arrow = {
            "arrowstyle": "-|>",
            "mutation_scale": float(np.clip(0.7 * length, 1.0, 6.0)),
            "shrinkA": 0.0,
            "shrinkB": 0.0,
        }
        arrow |= HOLLOW if kind == "motion" else look
        axes.annotate("", xy=end, xytext=start, arrowprops=arrow, zorder=7 if kind.startswith("v_") else 6)
    else:
        axes.plot(*zip(start, end, strict=True), zorder=4, **look)


def _points_per_unit(axes: Axes) -> float:
    (left, right), figure = axes.get_xlim(), axes.get_figure(root=True)
    inches = axes.get_position().width * (figure.get_size_inches()[0] if figure is not None else 1.0)
    return float(72.0 * inches / (right - left))


def scale_bar(axes: Axes) -> None:
    """Draw a bar of a round length: distances in the plane are those of the embedding space."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    raw = (right - left) / 5
    power = 10.0 ** np.floor(np.log10(raw))
    length = float(max(step for step in (1, 2, 5) if step * power <= raw) * power)
    x, y = left + 0.04 * (right - left), bottom + 0.05 * (top - bottom)
    halo = [withStroke(linewidth=2.5, foreground="white")]
    axes.plot([x, x + length], [y, y], color=INK, lw=1.0, solid_capstyle="butt", zorder=7, path_effects=halo)
    label_y = y + 0.015 * (top - bottom)
    axes.text(x + length / 2, label_y, f"{length:g}", ha="center", va="bottom", zorder=7, path_effects=halo)
