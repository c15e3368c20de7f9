"""Linear views: the first two dimensions, and the plane of the first two principal components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlaneFrame", "first_dimensions", "plane_through", "principal_plane"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlaneFrame:
    """A plane in embedding space with its own axes.

    Attributes
    ----------
    origin
        Point (D,) that is drawn at (0, 0).
    axes
        Orthonormal columns (D, 2); the second is zero if the space has one dimension only.
    """

    origin: FloatArray
    axes: FloatArray

    def project(self, vectors: FloatArray) -> FloatArray:
        """Drop each row of ``vectors`` (n, D) orthogonally onto the plane; returns (n, 2)."""
        return (vectors - self.origin) @ self.axes


def first_dimensions(vectors: FloatArray) -> FloatArray:
    """Take the first two columns of ``vectors`` (N, D); with D = 1 the second coordinate is 0."""
    positions = np.zeros((len(vectors), 2))
    width = min(2, vectors.shape[1])
    positions[:, :width] = vectors[:, :width]
    return positions


def principal_plane(vectors: FloatArray) -> PlaneFrame:
    """Find the plane of the first two principal components of ``vectors`` (N, D).

    Returns
    -------
    PlaneFrame
        Origin at the mean; each axis points so that its loading of largest size is positive, which
        makes the signs reproducible.

    Notes
    -----
    For D <= N the axes come from the D x D covariance, whose cost does not grow with N beyond one
    product, otherwise from the singular value decomposition of the centered rows.
    """
    origin = vectors.mean(axis=0)
    centered = vectors - origin
    n_samples, dim = vectors.shape
    if dim <= n_samples:
        _, columns = np.linalg.eigh(centered.T @ centered)
        leading = columns[:, ::-1][:, :2]
    else:
        leading = np.linalg.svd(centered, full_matrices=False)[2][:2].T
    axes = np.zeros((dim, 2))
    axes[:, : leading.shape[1]] = leading * _signs(leading)
    return PlaneFrame(origin, axes)


def _signs(columns: FloatArray) -> FloatArray:
    largest = np.abs(columns).argmax(axis=0)
    return np.where(columns[largest, np.arange(columns.shape[1])] < 0, -1.0, 1.0)


def plane_through(points: FloatArray, samples: FloatArray) -> PlaneFrame:
    """Find the plane through three points of embedding space, such as class centers.

    Parameters
    ----------
    points
        Two or three points (2..3, D): the first is the one of interest.
    samples
        Rows (n, D) that choose the second axis if the points lie on one line or are only two.

    Returns
    -------
    PlaneFrame
        Origin at the first point, which lies above: the first axis runs along the line through the
        other two, the second from that line towards the first point. Distances within the plane are
        exact. With D = 2 the axes are those of the space itself.
    """
    origin, dim = points[0], points.shape[1]
    if dim <= 2:
        return PlaneFrame(origin, np.eye(dim, 2))
    along = points[-1] - points[1] if len(points) > 2 else origin - points[1]
    upward = origin - points[1]
    size = np.abs(points).max(initial=0.0)
    first = _unit(along, size)
    second = _unit(upward - first * (first @ upward), size)
    if not (first.any() and second.any()):
        first = first if first.any() else _unit(upward, size)
        rest = samples - origin
        spare = principal_plane(rest - np.outer(rest @ first, first)).axes
        first, second = (first, spare[:, 0]) if first.any() else (spare[:, 0], spare[:, 1])
    return PlaneFrame(origin, np.stack([first, second], axis=1))


def _unit(vector: FloatArray, size: float) -> FloatArray:
    length = np.linalg.norm(vector)
    return vector / length if length > 1e-9 * size else np.zeros_like(vector)
