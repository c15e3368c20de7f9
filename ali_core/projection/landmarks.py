"""How the landmarks of parametric t-SNE become a network: their principal axes, the unit of nearness, the slope."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ali_core.errors import AliError
from ali_core.networks.parametric_tsne import TsneNetwork

__all__ = ["landmark_network", "principal_axes"]

FloatArray = NDArray[np.float64]

COMPONENTS = 50
"""Principal components in which neighbours are looked for."""
NEIGHBOUR, NEARNESS, SAMPLED = 10, 0.3, 500
"""The unit of distance, squared, is this part of the median squared distance to that neighbour, of so many samples."""
SLOPE = 0.05
"""The slope is this part of a ridge regression of the places."""
FAR, FEW = 10.0, 0.05
"""Samples this many times as far from the median as half of them are outliers, when they are at most this share."""


def near(vectors: FloatArray) -> NDArray[np.bool_]:
    """Tell which samples are no outliers: all, when more than a few lie ten times as far out as half of them do."""
    distances = np.linalg.norm(vectors - np.median(vectors, axis=0), axis=1)
    found: NDArray[np.bool_] = distances <= (FAR * np.median(distances) or np.inf)  # 0: half of them are equal
    return found if found.mean() >= 1.0 - FEW else np.ones(len(vectors), dtype=np.bool_)


def principal_axes(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the center (D,) of different ``vectors`` (K, D), and their first axes (D, d) in the unit of nearness.

    Raises
    ------
    AliError
        When they are equal to the precision of float32.
    """
    kept = vectors[near(vectors)]
    center = kept.mean(axis=0)
    size = float(np.sqrt(np.square(kept - center).mean()))
    if not size > np.finfo(np.float32).eps * np.abs(center).max():
        raise AliError(
            f"the samples are equal, to the precision of float32: each is about {vectors[0, :3]}…; "
            "a layout needs samples that differ, and less of a common offset"
        )
    deviations = (kept - center) / size
    axes = np.linalg.eigh(deviations.T @ deviations)[1][:, ::-1][:, :COMPONENTS] / size
    inputs = (vectors - center) @ axes
    some = inputs[:: 1 + len(inputs) // SAMPLED]
    squares = np.partition(cdist(some, inputs, "sqeuclidean"), min(NEIGHBOUR, len(inputs) - 1), axis=1)
    unit = np.median(squares[:, min(NEIGHBOUR, len(inputs) - 1)])
    return center, axes / np.sqrt(NEARNESS * unit)


def landmark_network(center: FloatArray, axes: FloatArray, inputs: FloatArray, places: FloatArray) -> TsneNetwork:
    """Return the network with landmarks at ``inputs`` (K, d) and their ``places`` (K, 2)."""
    kept = near(inputs)
    deviations = inputs[kept] - inputs[kept].mean(axis=0)
    scatter = deviations.T @ deviations
    ridge = np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    slope = SLOPE * np.linalg.solve(scatter + ridge, deviations.T @ places[kept])
    known = {"center": center, "axes": axes, "landmarks": inputs, "places": places, "slope": slope}
    return TsneNetwork(**{name: torch.tensor(values, dtype=torch.float32) for name, values in known.items()}).eval()
