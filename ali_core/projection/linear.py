"""Linear layouts: the first two dimensions, the first two principal components, the first two discriminants."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

__all__ = ["PlaneFrame", "discriminant_plane", "first_dimensions", "plane_through", "principal_plane"]

FloatArray = NDArray[np.float64]

CHUNK = 16_384
"""Samples that are centered at a time."""


@dataclass(frozen=True, slots=True)
class PlaneFrame:
    """A linear map from embedding space to the plane.

    Attributes
    ----------
    origin
        Point (D,) that is drawn at (0, 0).
    axes
        Columns (D, 2); the second is zero if the space has one dimension only. They are orthonormal in all layouts
        but the discriminant one.
    """

    origin: FloatArray
    axes: FloatArray

    def project(self, vectors: FloatArray) -> FloatArray:
        """Return where each row of ``vectors`` (n, D) is drawn, (n, 2)."""
        return (vectors - self.origin) @ self.axes


def first_dimensions(dim: int) -> PlaneFrame:
    """Return the plane of the first two of ``dim`` dimensions; with one dimension the second coordinate is 0."""
    return PlaneFrame(np.zeros(dim), np.eye(dim, 2))


def principal_plane(vectors: NDArray[np.floating]) -> PlaneFrame:
    """Find the plane of the first two principal components of ``vectors`` (N, D), in double precision.

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
    origin = vectors.mean(axis=0, dtype=np.float64)
    n_samples, dim = vectors.shape
    if dim <= n_samples:
        parts = (vectors[start : start + CHUNK] - origin for start in range(0, n_samples, CHUNK))
        _, columns = np.linalg.eigh(sum(part.T @ part for part in parts))
        leading = columns[:, ::-1][:, :2]
    else:
        leading = np.linalg.svd(vectors - origin, full_matrices=False)[2][:2].T
    axes = np.zeros((dim, 2))
    axes[:, : leading.shape[1]] = leading * _signs(leading)
    return PlaneFrame(origin, axes)


def _signs(columns: FloatArray) -> FloatArray:
    largest = np.abs(columns).argmax(axis=0)
    return np.where(columns[largest, np.arange(columns.shape[1])] < 0, -1.0, 1.0)


def discriminant_plane(vectors: NDArray[np.floating], codes: NDArray[np.int64]) -> PlaneFrame:
    r"""Find the plane in which the classes of ``vectors`` (N, D) with ``codes`` (N,) are separated best.

    The axes are the first two solutions of Fisher's problem

    .. math:: S_b\, w = \lambda\, S_w\, w, \qquad w^\top S_w\, w = 1

    with the covariance between classes :math:`S_b` (centers weighted by their class sizes) and the pooled covariance
    within classes :math:`S_w`, shrunk towards a multiple of the identity.

    Returns
    -------
    PlaneFrame
        Origin at the mean of all samples; the unit of both axes is the standard deviation within a class.

    Notes
    -----
    The amount of shrinkage is that of Ledoit and Wolf for the deviations from the class centers. Without it a class of
    N < D samples is drawn as one point. C classes have C - 1 discriminants; where these are fewer than two, the axes
    that are left are the directions of largest variance within classes.

    References
    ----------
    R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7 (1936).
    O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
    Multivariate Analysis 88 (2004).
    """
    from sklearn.covariance import ledoit_wolf  # noqa: PLC0415  # slow to import

    vectors = np.asarray(vectors, dtype=np.float64)
    if codes.min() < 0:  # samples without a class separate nothing
        vectors, codes = vectors[codes >= 0], codes[codes >= 0]
    classes, rows, counts = np.unique(codes, return_inverse=True, return_counts=True)
    centers = np.zeros((len(classes), vectors.shape[1]))
    np.add.at(centers, rows, vectors)
    centers /= counts[:, None]
    origin, dim = vectors.mean(axis=0), vectors.shape[1]
    deviations = vectors - centers[rows]
    size = float(np.abs(deviations).max())  # fourth powers are computed with
    if size > 0.0:
        deviations, centers, origin = deviations / size, centers / size, origin / size
    else:
        size = 1.0
    within = ledoit_wolf(deviations, assume_centered=True)[0] if deviations.any() else np.eye(dim)
    between = (centers - origin).T @ ((centers - origin) * (counts / len(vectors))[:, None])
    n_discriminants = min(len(classes) - 1, dim, 2)
    axes = np.zeros((dim, 2))
    axes[:, :n_discriminants] = eigh(between, within)[1][:, ::-1][:, :n_discriminants]
    for spare in range(n_discriminants, min(dim, 2)):
        used = axes[:, :spare]
        rest = within - within @ used @ used.T @ within
        direction = eigh(rest)[1][:, -1]
        direction -= used @ (used.T @ within @ direction)
        axes[:, spare] = direction / np.sqrt(direction @ within @ direction)
    return PlaneFrame(origin * size, axes * _signs(axes) / size)


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
