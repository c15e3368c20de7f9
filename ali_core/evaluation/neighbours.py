"""Samples whose nearest neighbours differ between two states of an embedding."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from ali_core.errors import AliError

__all__ = ["MOST_SAMPLES", "NeighbourProgress", "changed_neighbours", "nearest_neighbours"]

NeighbourProgress = Callable[[int, int], None]
"""Called with the samples done and their number; what it raises ends the work."""

MOST_SAMPLES = 20_000
"""Neighbours are searched exactly, in O(N² D); with more samples than this it is refused."""

SPARE = 4
"""Neighbours that the fast search gives beyond those wanted, so that the exact one can choose."""
CHUNK = 512
ROUNDING = 1e-11
"""Error of the fast search, as a share of the largest squared norm."""


def changed_neighbours(
    before: NDArray[np.floating[Any]],
    after: NDArray[np.floating[Any]],
    k: int = 10,
    *,
    progress: NeighbourProgress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> NDArray[np.float64]:
    """Return for each sample the share of its k nearest neighbours before that are not so after.

    Parameters
    ----------
    before, after
        The same samples in two states, shapes (N, D) and (N, any D), finite.
    k
        Neighbours that are looked at; at most N - 1, all others, are.
    progress, stopped
        See :func:`nearest_neighbours`; samples count twice, since each is looked at before and after.

    Returns
    -------
    numpy.ndarray
        Shape (N,), float64, from 0 (the same neighbours) to 1.

    Raises
    ------
    AliError
        For another number of samples before and after, or what :func:`nearest_neighbours` refuses.
    """
    n_samples = len(before)
    if n_samples != len(after):
        raise AliError(f"before and after must hold the same samples; got {n_samples} and {len(after)} rows")

    tell = progress or (lambda *_: None)
    first = nearest_neighbours(before, k, stopped=stopped, progress=lambda done, _: tell(done, 2 * n_samples))
    second = nearest_neighbours(
        after, k, stopped=stopped, progress=lambda done, _: tell(n_samples + done, 2 * n_samples)
    )
    both = np.sort(np.concatenate([first, second], axis=1), axis=1)
    shared = np.sum(both[:, 1:] == both[:, :-1], axis=1)
    return np.asarray(1.0 - shared / first.shape[1], dtype=np.float64)


def nearest_neighbours(
    vectors: NDArray[np.floating[Any]],
    k: int,
    *,
    progress: NeighbourProgress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> NDArray[np.int64]:
    """Return the k nearest other samples of each, by Euclidean distance.

    Parameters
    ----------
    vectors
        Shape (N, D), finite, at most 20,000 rows.
    k
        At least 1; at most N - 1 are returned.
    progress
        Told how many samples are done, after every 512.
    stopped
        Asked before every 512 samples whether the work is to end.

    Returns
    -------
    numpy.ndarray
        Row numbers, shape (N, min(k, N - 1)), int64, nearest first; of equal distances the lower row number first.

    Raises
    ------
    AliError
        For fewer than two samples, more than 20,000, NaN or infinity, or ``k`` below 1; or when the work was stopped.

    Notes
    -----
    scikit-learn's brute-force search takes distances from scalar products, whose rounding depends on the order of the
    rows. Its answer, with a few to spare, is put in order by distances from differences of vectors; a sample whose
    spare neighbours are as near as the last one wanted is compared with all others this way. With classes contracted
    to points these are most samples, and the search takes some twenty times as long.
    """
    points = _checked(vectors, k)
    n_samples = len(points)
    wanted = min(k, n_samples - 1)
    central = points - points.mean(axis=0)  # scalar products of short vectors lose fewest digits
    search = NearestNeighbors(n_neighbors=min(wanted + SPARE + 1, n_samples), algorithm="brute").fit(central)
    rounding = ROUNDING * float(np.max(np.einsum("nd,nd->n", central, central)))
    neighbours = np.empty((n_samples, wanted), dtype=np.int64)
    for start in range(0, n_samples, CHUNK):
        if stopped is not None and stopped():
            raise AliError("the search for neighbours was stopped; start it again for an answer")
        rows = np.arange(start, min(start + CHUNK, n_samples))
        candidates = search.kneighbors(central[rows], return_distance=False).astype(np.int64)
        neighbours[rows], tied = _in_order(points, rows, candidates, wanted, rounding)
        neighbours[rows[tied]] = _compared_with_all(points, rows[tied], wanted)
        if progress is not None:
            progress(int(rows[-1]) + 1, n_samples)
    return neighbours


def _checked(vectors: NDArray[np.floating[Any]], k: int) -> NDArray[np.float64]:
    n_samples = len(vectors)
    if not 2 <= n_samples <= MOST_SAMPLES:
        raise AliError(
            f"neighbours are searched among 2 to {MOST_SAMPLES:,} samples; got {n_samples:,}: give a subset of the rows"
        )
    if k < 1:
        raise AliError(f"k must be at least 1; got {k}")
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise AliError(
            f"vectors must be finite; {len(bad)} rows hold NaN or infinity (first: row {bad[0]}): leave them out"
        )
    return vectors.astype(np.float64)


def _in_order(
    points: NDArray[np.float64],
    rows: NDArray[np.int64],
    candidates: NDArray[np.int64],
    wanted: int,
    rounding: float,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the nearest of the candidates of each row, and which rows have others as near, perhaps no candidates."""
    differences = points[candidates] - points[rows, None]
    distances = np.einsum("nkd,nkd->nk", differences, differences)
    distances[candidates == rows[:, None]] = np.inf
    order = np.lexsort((candidates, distances))
    candidates, distances = (np.take_along_axis(values, order, axis=1) for values in (candidates, distances))
    # The last one is the row itself, or one more than was asked for.
    tied = distances[:, -2] <= distances[:, wanted - 1] + rounding
    return candidates[:, :wanted], tied & (candidates.shape[1] < len(points))


def _compared_with_all(points: NDArray[np.float64], rows: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
    found = np.empty((len(rows), wanted), dtype=np.int64)
    distances = cdist(points[rows], points, "sqeuclidean")
    distances[np.arange(len(rows)), rows] = np.inf
    farthest = np.partition(distances, wanted - 1, axis=1)[:, wanted - 1]
    for place, own in enumerate(distances):
        near = np.flatnonzero(own <= farthest[place])
        found[place] = near[np.argsort(own[near], kind="stable")[:wanted]]
    return found
