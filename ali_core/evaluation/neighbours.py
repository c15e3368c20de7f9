"""Which samples have got other neighbours."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from ali_core.errors import AliError

__all__ = ["MOST_SAMPLES", "changed_neighbours", "nearest_neighbours"]

MOST_SAMPLES = 20_000
"""Neighbours are searched exactly, in O(N² D); with more samples than this it is refused."""

SPARE = 4
"""Neighbours that the fast search gives beyond those wanted, so that the exact one can choose."""
CHUNK = 512
ROUNDING = 1e-11
"""Error of the fast search, as a share of the largest squared norm."""


def changed_neighbours(
    before: NDArray[np.floating[Any]], after: NDArray[np.floating[Any]], k: int = 10
) -> NDArray[np.float64]:
    """Return for each sample the share of its k nearest neighbours that are not among them any more.

    Parameters
    ----------
    before, after
        The same samples in two states, shapes (N, D) and (N, any D), finite.
    k
        Neighbours that are looked at; at most N - 1, all others, are.

    Returns
    -------
    numpy.ndarray
        Shape (N,), float64, from 0 (the same neighbours) to 1.

    Raises
    ------
    AliError
        For another number of samples before and after, or what :func:`nearest_neighbours` refuses.
    """
    if len(before) != len(after):
        raise AliError(f"before and after must hold the same samples; got {len(before)} and {len(after)} rows")
    first, second = nearest_neighbours(before, k), nearest_neighbours(after, k)
    both = np.sort(np.concatenate([first, second], axis=1), axis=1)
    shared = np.sum(both[:, 1:] == both[:, :-1], axis=1)
    return np.asarray(1.0 - shared / first.shape[1], dtype=np.float64)


def nearest_neighbours(vectors: NDArray[np.floating[Any]], k: int) -> NDArray[np.int64]:
    """Return the k nearest other samples of each, by Euclidean distance.

    Parameters
    ----------
    vectors
        Shape (N, D), finite, at most 20,000 rows.
    k
        At least 1; at most N - 1 are returned.

    Returns
    -------
    numpy.ndarray
        Row numbers, shape (N, min(k, N - 1)), int64, nearest first; of equal distances the lower row number first.

    Raises
    ------
    AliError
        For fewer than two samples, more than 20,000, or ``k`` below 1.

    Notes
    -----
    scikit-learn's brute-force search takes distances from scalar products, whose rounding depends on the order of the
    rows. Its answer, with a few to spare, is put in order by distances from differences of vectors; a sample whose
    spare neighbours are as near as the last one wanted is compared with all others this way.
    """
    n_samples = len(vectors)
    if not 2 <= n_samples <= MOST_SAMPLES:
        raise AliError(
            f"neighbours are searched among 2 to {MOST_SAMPLES:,} samples; got {n_samples:,}: give a subset of the rows"
        )
    if k < 1:
        raise AliError(f"k must be at least 1; got {k}")
    wanted = min(k, n_samples - 1)
    points = vectors.astype(np.float64)
    if wanted + SPARE >= n_samples:
        return _compared_with_all(points, np.arange(n_samples), wanted)
    central = points - points.mean(axis=0)  # scalar products of short vectors lose fewest digits
    search = NearestNeighbors(algorithm="brute").fit(central)
    candidates = search.kneighbors(n_neighbors=wanted + SPARE, return_distance=False).astype(np.int64)
    distances = np.concatenate([_squared(points, candidates, at) for at in range(0, n_samples, CHUNK)])
    order = np.lexsort((candidates, distances))
    candidates, distances = (np.take_along_axis(values, order, axis=1) for values in (candidates, distances))
    rounding = ROUNDING * float(np.max(np.einsum("nd,nd->n", central, central)))
    tied = np.flatnonzero(distances[:, -1] <= distances[:, wanted - 1] + rounding)
    neighbours = candidates[:, :wanted]
    neighbours[tied] = _compared_with_all(points, tied, wanted)
    return neighbours


def _squared(points: NDArray[np.float64], candidates: NDArray[np.int64], start: int) -> NDArray[np.float64]:
    """Return squared distances of a chunk of rows to their candidates."""
    rows = slice(start, start + CHUNK)
    differences = points[candidates[rows]] - points[rows, None]
    return np.asarray(np.einsum("nkd,nkd->nk", differences, differences))


def _compared_with_all(points: NDArray[np.float64], rows: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
    found = np.empty((len(rows), wanted), dtype=np.int64)
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        distances = cdist(points[chunk], points, "sqeuclidean")
        distances[np.arange(len(chunk)), chunk] = np.inf
        found[start : start + CHUNK] = np.argsort(distances, axis=1, kind="stable")[:, :wanted]
    return found
