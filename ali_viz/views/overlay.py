"""What lies over the points: titles, arrows, the classes' names, and the handles by which they are dragged."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ali_viz.label_places import label_places, label_size, label_text
from ali_viz.views.figure_start import GAP, HEIGHT, MARGIN, domains
from ali_viz.views.figure_style import INK, MUTED, RIM

__all__ = ["Names", "arrows", "handle_shape", "names", "side_width", "title"]

FloatArray = NDArray[np.float64]

MAX_RIMS = 40
MOST_NAMES = 25
FAR = 18.0
"""From how many pixels on a name is joined to what it names by a line."""

LEGEND_MARK = 45.0
HEAD, HANDLE = 10.0, 22.0
RADIUS, CURVE = 9.0, 9.0 * 0.5523
CIRCLE = (
    f"M {RADIUS},0 C {RADIUS},{CURVE} {CURVE},{RADIUS} 0,{RADIUS} C {-CURVE},{RADIUS} {-RADIUS},{CURVE} {-RADIUS},0 "
    f"C {-RADIUS},{-CURVE} {-CURVE},{-RADIUS} 0,{-RADIUS} C {CURVE},{-RADIUS} {RADIUS},{-CURVE} {RADIUS},0 Z"
)
"""A path, as plotly would resize a circle that is grasped near its rim."""

Limits = tuple[tuple[float, float], tuple[float, float]]


def side_width(width: float, labels: Iterable[str], n_sides: int) -> float:
    """Return how wide each picture is, in pixels, in a figure of this width whose legend has these labels."""
    legend = LEGEND_MARK + max((label_size([text])[0] for text in labels), default=0.0)
    room = width - MARGIN["l"] - MARGIN["r"] - legend
    return max(room * (1 - GAP * (n_sides - 1)) / n_sides, 1.0)


def title(text: str, side: int, n_sides: int, width: float) -> dict[str, Any]:
    """Return the annotation that stands as a title over a side (from 0), ``width`` pixels wide."""
    start, end = domains(n_sides)[side]
    size = 14.0 if 8.0 * len(text) < width else 11.0
    longest = int(width / (0.56 * size))
    return {
        "text": f"<b>{escape(text if len(text) <= longest else text[: max(longest - 1, 1)] + '…')}</b>",
        "hovertext": escape(text) if len(text) > longest else None,
        "x": (start + end) / 2,
        "y": 1.0,
        "yshift": 4,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": size},
    }


def arrows(tails: FloatArray, heads: FloatArray, *, planned: bool = False) -> list[dict[str, Any]]:
    """Return annotations that are arrows on side 2, each with a rim; thinner and paler when only planned.

    Notes
    -----
    Not a trace: the browser draws every SVG trace, ``quiver`` included (seen with plotly 7.1), underneath all
    ``scattergl`` points.
    """
    ends = list(zip(tails.tolist(), heads.tolist(), strict=True))
    width, colour = (1.3, MUTED) if planned else (2.0, INK)
    rims = [_arrow(tail, head, RIM, width + 3.0, 0.6) for tail, head in ends] if len(ends) <= MAX_RIMS else []
    return [*rims, *(_arrow(tail, head, colour, width, 1.0) for tail, head in ends)]


def _arrow(tail: Sequence[float], head: Sequence[float], colour: str, width: float, size: float) -> dict[str, Any]:
    return {
        "text": "",
        "x": float(head[0]),
        "y": float(head[1]),
        "ax": float(tail[0]),
        "ay": float(tail[1]),
        "xref": "x2",
        "yref": "y2",
        "axref": "x2",
        "ayref": "y2",
        "showarrow": True,
        "arrowhead": 2,
        "arrowsize": size,
        "arrowwidth": width,
        "arrowcolor": colour,
    }


@dataclass(frozen=True, kw_only=True)
class Names:
    """What names must know.

    Parameters
    ----------
    labels
        The names, by class code.
    limits, equal_units, width
        Of one side: what it shows at least, whether both axes have the same unit, and its pixels.
    first
        Codes, those first whose names are the most wanted.
    bold
        Codes of names in bold.
    """

    labels: Mapping[int, str]
    limits: Limits
    equal_units: bool
    width: float
    first: Sequence[int]
    bold: Collection[int]


def names(spec: Names, side: int, centers: FloatArray, heads: FloatArray, handles: FloatArray) -> list[dict[str, Any]]:
    """Return annotations with the names of the classes on one side (from 0), beside their centers.

    Parameters
    ----------
    spec
        What is the same on all sides.
    side
        From 0.
    centers
        Of each class (C, 2); NaN for a class that is not there.
    heads, handles
        Heads of arrows (k, 2) and handles (h, 2), to keep clear of.

    Notes
    -----
    At most 25 names, and only those for which there is room; the others are in the legend.
    """
    room = np.array([spec.width, HEIGHT - MARGIN["t"] - MARGIN["b"]])
    codes = [code for code in spec.first if np.isfinite(centers[code]).all()][:MOST_NAMES]
    if not codes:
        return []
    lines = [label_text(spec.labels[code]) for code in codes]
    sizes = np.array([label_size(text) for text in lines])
    anchors = _pixels(centers[codes], spec, room)
    obstacles = [
        np.column_stack([_pixels(points, spec, room), np.full((len(points), 2), size)])
        for points, size in ((heads, HEAD), (handles, HANDLE))
    ]
    places = label_places(anchors, sizes, (room[0], room[1]), np.concatenate(obstacles))
    axis = "" if side == 0 else str(side + 1)
    return [
        _name(text, centers[code], place - anchor, axis, bold=code in spec.bold)
        for code, text, anchor, place in zip(codes, lines, anchors, places, strict=True)
        if np.isfinite(place).all()
    ]


def _pixels(points: FloatArray, spec: Names, room: FloatArray) -> FloatArray:
    """Return where points of the plane (n, 2) are in the picture, in pixels from the lower left corner."""
    low, high = np.array(spec.limits).T
    scale = (high - low) / room
    scale = np.full(2, scale.max()) if spec.equal_units else scale
    pixels: FloatArray = (points - (low + high) / 2) / scale + room / 2
    return pixels


def _name(lines: Sequence[str], center: FloatArray, shift: FloatArray, axis: str, *, bold: bool) -> dict[str, Any]:
    text = "<br>".join(map(escape, lines))
    right, up = round(float(shift[0]), 1), round(float(shift[1]), 1)
    beside: dict[str, Any] = {"showarrow": False, "xshift": right, "yshift": up}
    if np.hypot(right, up) >= FAR:
        line = {"arrowhead": 0, "arrowwidth": 0.8, "arrowcolor": INK, "standoff": 2, "borderpad": 0}
        beside = {"showarrow": True, "ax": right, "ay": -up} | line
    return {
        "text": f"<b>{text}</b>" if bold else text,
        "x": float(center[0]),
        "y": float(center[1]),
        "xref": f"x{axis}",
        "yref": f"y{axis}",
        "font": {"size": 11, "color": INK},
        **beside,
    }


def handle_shape(place: tuple[float, float], colour: str) -> dict[str, Any]:
    """Return the shape by which a class is dragged on side 2: a ring of fixed size."""
    return {
        "type": "path",
        "path": CIRCLE,
        "xref": "x2",
        "yref": "y2",
        "xsizemode": "pixel",
        "ysizemode": "pixel",
        "xanchor": place[0],
        "yanchor": place[1],
        "line": {"color": colour, "width": 3},
        "fillcolor": "rgba(255,255,255,0.45)",
        "label": {"text": "drag", "font": {"size": 9}, "textposition": "bottom center", "yanchor": "top", "padding": 0},
    }
