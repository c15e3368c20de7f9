"""What part of the plane a picture shows."""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Limits", "is_strip", "shared_limits", "steady_limits"]

MARGIN = 0.04
STRIP_ABOVE = 4.0

Limits = tuple[tuple[float, float], tuple[float, float]]
"""(left, right), (bottom, top)."""


def is_strip(positions: NDArray[np.float64]) -> bool:
    """Tell whether ``positions`` (n, 2) reach so much further along one axis that equal units would hide the other."""
    spans = np.ptp(positions, axis=0)
    return bool(spans.max() > STRIP_ABOVE * spans.min() > 0)


def shared_limits(positions: NDArray[np.float64], aspect: float = 1.0, *, equal_units: bool = True) -> Limits:
    """Return limits of x and y that hold ``positions`` with a margin.

    Parameters
    ----------
    positions
        Shape (n, 2).
    aspect
        Height over width of the box that is drawn in.
    equal_units
        Whether both axes have the same units; otherwise each is as long as its values need.

    Returns
    -------
    tuple
        (left, right), (bottom, top); never without an extent.
    """
    low, high = positions.min(axis=0), positions.max(axis=0)
    middle, half = (low + high) / 2, (1 + MARGIN) * (high - low) / 2
    if equal_units:
        width = max(half[0], half[1] / aspect)
        half = np.array([width, width * aspect])
    half = np.maximum(np.where(half > 0, half, half.max() or 1.0), 8 * np.spacing(np.abs(middle)))
    left, bottom, right, top = (float(value) for value in (*(middle - half), *(middle + half)))
    return (left, right), (bottom, top)


def steady_limits(limits: Limits) -> Limits:
    """Return limits on a grid around ``limits``, so that most steps of a session leave the axes as they are.

    The unit of the grid is a power of two; ``limits`` are 16 to 32 units long in each axis.
    """
    ends = []
    for low, high in limits:
        unit = 2.0 ** math.floor(math.log2((high - low) / 16))
        ends.append((math.floor(low / unit) * unit, math.ceil(high / unit) * unit))
    return ends[0], ends[1]
