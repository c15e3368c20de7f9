"""Numbers at the classes in a scatter, clear of each other."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from ali_viz.panels.print_style import INK

__all__ = ["MOST_NUMBERS", "class_numbers", "draw_numbers", "place_numbers"]

MOST_NUMBERS = 25
"""With more classes than this, numbers would hide the points."""

DIGIT_PT, HEIGHT_PT, APART_PT, STEP_PT, N_ANGLES, N_RINGS = 4.3, 5.2, 1.2, 2.0, 16, 60
COMPACT_PT, BESIDE_PT = 6.0, 6.0
"""A class whose points reach less far than this keeps its number off them; one further off gets a line."""


def class_numbers(table: pd.DataFrame) -> dict[str, int]:
    """Return the number of each class of ``table`` in the order of the legend, from 1; none where they are too many."""
    names = table.drop_duplicates("class_name").sort_values("order", kind="stable")["class_name"]
    return {name: number for number, name in enumerate(names, start=1)} if len(names) <= MOST_NUMBERS else {}


def draw_numbers(axes: Axes, rows: pd.DataFrame, numbers: dict[str, int], size_pt: tuple[float, float]) -> None:
    """Write the number of each class at the median of its points, or beside it with a line where that is taken.

    Parameters
    ----------
    rows
        Samples (x, y, class_name, colour) in axes whose limits are set.
    numbers
        By class name.
    size_pt
        Width and height of the axes in points.
    """
    if not numbers:
        return
    classes = rows.groupby("class_name")
    names = [str(name) for name in classes.groups]
    anchors, reaches = _anchors(axes, [classes.get_group(name) for name in names], size_pt)
    texts = [str(numbers[name]) for name in names]
    clear = np.where(reaches < COMPACT_PT, reaches + 1.0, 0.0)
    places = place_numbers(anchors, [len(text) for text in texts], size_pt, clear=clear)
    halo = [withStroke(linewidth=1.6, foreground="white")]
    far = np.linalg.norm(places - anchors, axis=1) > clear + BESIDE_PT
    for name, text, anchor, place, is_far in zip(names, texts, anchors / size_pt, places / size_pt, far, strict=True):
        look: dict[str, Any] = {"transform": axes.transAxes, "path_effects": halo}
        if is_far:
            colour = str(classes.get_group(name)["colour"].iloc[0])
            axes.plot(*zip(anchor, place, strict=True), color=colour, lw=0.8, zorder=5, **look)
        middle: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
        axes.text(float(place[0]), float(place[1]), text, color=INK, fontweight="bold", zorder=6, **middle, **look)


def _anchors(
    axes: Axes, classes: list[pd.DataFrame], size_pt: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the median of each class and how far most of its points are from it, in points of the axes."""
    to_axes = axes.transData + axes.transAxes.inverted()
    positions = [to_axes.transform(rows[["x", "y"]].to_numpy(dtype=np.float64)) * size_pt for rows in classes]
    medians = np.array([np.median(points, axis=0) for points in positions])
    reaches = [
        float(np.quantile(np.linalg.norm(points - median, axis=1), 0.9))
        for points, median in zip(positions, medians, strict=True)
    ]
    return medians, np.array(reaches)


def place_numbers(
    anchors: NDArray[np.float64], n_digits: list[int], size: tuple[float, float], *, clear: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Choose the middle of each number so that no two overlap and none leaves the axes.

    Parameters
    ----------
    anchors
        Where they would stand best (n, 2), in points from the lower left corner.
    n_digits
        Of each number.
    size
        Width and height of the axes in points.
    clear
        How far around each anchor no number may stand (n,), in points; 0 where one may.

    Returns
    -------
    numpy.ndarray
        (n, 2), in points: each number takes the free place nearest to its anchor, in the order given; where none is
        free, the anchor itself.
    """
    kept = clear > 0
    extents = np.array([[DIGIT_PT * digits + APART_PT, HEIGHT_PT + APART_PT] for digits in n_digits])
    placed: list[NDArray[np.float64]] = []
    for anchor, extent in zip(anchors, extents, strict=True):
        taken = np.concatenate([np.reshape(placed, (-1, 2)), anchors[kept]])
        apart = np.concatenate([(extents[: len(placed)] + extent) / 2, extent / 2 + clear[kept, None]])
        free = (
            place
            for place in _around(np.clip(anchor, extent / 2, size - extent / 2))
            if (place >= extent / 2).all()
            and (place <= size - extent / 2).all()
            and not (np.abs(taken - place) < apart).all(axis=1).any()
        )
        placed.append(next(free, anchor))
    return np.array(placed)


def _around(anchor: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield places on rings around ``anchor``, nearest first."""
    yield anchor
    for ring in range(1, N_RINGS + 1):
        for angle in 2 * np.pi * np.arange(N_ANGLES) / N_ANGLES:
            yield anchor + ring * STEP_PT * np.array([np.cos(angle), np.sin(angle)])
