"""Where names stand beside what they name, so that they do not cover each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["boxes_overlap", "label_places", "label_size", "label_text"]

FloatArray = NDArray[np.float64]

CHARACTER, LINE, PADDING = 5.9, 12.5, 3.0
"""Width of a character, height of a line and margin around both, in pixels, of a font of 11 pixels."""

LONG = 14
RINGS = (0.0, 1.0, 1.6, 2.4)
ROUND = np.deg2rad([90, 270, 0, 180, 45, 135, 225, 315])


def label_text(name: str) -> tuple[str, ...]:
    """Return the lines of a label: a long name is broken at the space nearest to its middle."""
    spaces = [place for place, letter in enumerate(name) if letter == " "]
    if len(name) <= LONG or not spaces:
        return (name,)
    place = min(spaces, key=lambda space: abs(space - len(name) / 2))
    return name[:place], name[place + 1 :]


def label_size(lines: Sequence[str]) -> tuple[float, float]:
    """Return about how wide and high a label of these lines is, in pixels."""
    return CHARACTER * max(map(len, lines)) + PADDING, LINE * len(lines) + PADDING


def boxes_overlap(centers: FloatArray, sizes: FloatArray, center: FloatArray, size: FloatArray) -> NDArray[np.bool_]:
    """Return which boxes, (m, 2) centers and sizes, share an inner point with one box, (2,) center and size.

    With centers (n, 1, 2) of n boxes of that one size the answer has shape (n, m).
    """
    overlap: NDArray[np.bool_] = np.all(np.abs(centers - center) < (sizes + size) / 2 - 1e-9, axis=-1)
    return overlap


def label_places(
    anchors: FloatArray, sizes: FloatArray, room: tuple[float, float], obstacles: FloatArray | None = None
) -> FloatArray:
    """Return where labels stand: greedily, each in the free place nearest to its anchor.

    Parameters
    ----------
    anchors
        What is named, in pixels from the lower left corner, (m, 2); the most important first.
    sizes
        Width and height of the labels, (m, 2).
    room
        Width and height of the picture.
    obstacles
        Boxes to keep clear of, as (x, y, width, height), (k, 4).

    Returns
    -------
    ndarray of shape (m, 2)
        Centers of the labels, NaN for those without a free place. No two boxes overlap, and none an obstacle; all lie
        in the room when they fit into it.

    Notes
    -----
    Each label tries 25 places, against at most m others: O(m² + m k). Equal input gives equal output.
    """
    boxes = np.empty((0, 4)) if obstacles is None else np.asarray(obstacles, dtype=np.float64)
    taken = np.concatenate([boxes[:, :2], np.full((len(anchors), 2), np.nan)])  # a label without a place is in no way
    extents = np.concatenate([boxes[:, 2:], sizes])
    for index, (anchor, size) in enumerate(zip(anchors, sizes, strict=True)):
        candidates = _candidates(anchor, size, room)
        free = np.flatnonzero(~boxes_overlap(taken, extents, candidates[:, None], size).any(axis=1))
        if len(free):
            taken[len(boxes) + index] = candidates[free[0]]
    return taken[len(boxes) :]


def _candidates(anchor: FloatArray, size: FloatArray, room: tuple[float, float]) -> FloatArray:
    """Return places around ``anchor``, the nearest first, moved into the room where they reach out of it."""
    directions = np.stack([np.cos(ROUND), np.sin(ROUND)], axis=1)
    offsets = np.concatenate([[[0.0, 0.0]], *(ring * directions for ring in RINGS[1:])])
    step = np.array([(size[0] + 12.0) / 2, (size[1] + 12.0) / 2])
    limits = np.asarray(room) - size / 2
    places: FloatArray = np.clip(anchor + offsets * step, np.minimum(size / 2, limits), np.maximum(size / 2, limits))
    return places[np.argsort(np.linalg.norm(places - anchor, axis=1), kind="stable")]
