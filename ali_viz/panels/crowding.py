"""What part of the plane is worth showing, and how small and how faint points must be to be told apart there."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_viz.panels.class_scatter import marker_area
from ali_viz.panels.print_style import points_to_mm

__all__ = ["Limits", "count_outside", "in_view", "point_look"]

Limits = tuple[tuple[float, float], tuple[float, float]]
QUANTILES = (0.005, 0.995)
CUT_ABOVE = 1.25
"""An axis is cut when all points together reach this many times further than those within the quantiles."""

OPAQUE, FAINTEST = 0.85, 0.35


def in_view(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the positions (x, y) of ``rows``, drawn in to where nearly all points of each state are.

    Each axis is cut on its own, to the quantiles 0.005 to 0.995 of every state, and only where a few points would
    otherwise take more than a fifth of its length from all others.
    """
    positions = rows[["x", "y"]].to_numpy(dtype=np.float64)
    ends = np.array([np.quantile(state[["x", "y"]], QUANTILES, axis=0) for _, state in rows.groupby("state")])
    low, high = ends[:, 0].min(axis=0), ends[:, 1].max(axis=0)
    is_cut = np.ptp(positions, axis=0) > CUT_ABOVE * (high - low)
    is_cut &= high > low
    clipped: NDArray[np.float64] = np.where(is_cut, np.clip(positions, low, high), positions)
    return clipped


def count_outside(rows: pd.DataFrame, limits: Limits) -> int:
    """Count the points that lie beyond these limits."""
    inside = rows["x"].between(*limits[0]) & rows["y"].between(*limits[1])
    return int((~inside).sum())


def point_look(rows: pd.DataFrame, limits: Limits, panel_mm: float) -> tuple[float, float]:
    """Choose the marker area in square points and the opacity that all states in ``rows`` share.

    Notes
    -----
    Markers are as large as fits the part of the panel that the points take up, counted on a grid that holds about
    four points a cell if they were spread evenly; where that is below the smallest legible size, they become faint.
    """
    n_samples = len(rows) // rows["state"].nunique()
    cells = int(np.clip(round(np.sqrt(n_samples) / 2), 2, 32))
    taken = [
        np.histogram2d(state["x"], state["y"], bins=cells, range=limits)[0] > 0 for _, state in rows.groupby("state")
    ]
    share = max(float(np.mean(taken)), 1.0 / cells**2)
    area = marker_area(n_samples, panel_mm, share=share)
    crowding = n_samples * area / (share * (panel_mm / points_to_mm(1.0)) ** 2)
    return area, float(np.clip(OPAQUE / max(crowding, 1.0), FAINTEST, OPAQUE))
