"""What is known of every class: count, center, spread. It is all that planning needs."""

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError

__all__ = ["ClassStatistics", "Spread"]

Spread = Literal["rms", "radius"]
"""How the spread of a class is measured; see :class:`ClassStatistics`."""

CHUNK = 16_384
"""Samples that are converted to float64 at a time."""

ROWS = 256
"""Rows of the distances that are looked at at a time."""


class DistanceTable:
    """Distances between centers, for the statistics that follow from each other step by step.

    All of them share one C × C matrix, that of the centers asked about last. For other centers, only the rows and
    columns of those that differ are computed anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._centers: NDArray[np.float64] = np.empty((0, 0))
        self._distances: NDArray[np.float64] = np.empty((0, 0))

    def __reduce__(self) -> tuple[type["DistanceTable"], tuple[()]]:
        return type(self), ()  # another process begins with an empty one

    def near_and_mean(
        self, centers: NDArray[np.float64], present: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the least and the mean of each row of the distances to other present classes, shape (C,) each."""
        nearest, means = np.full(len(centers), np.inf), np.zeros(len(centers))
        with self._lock:
            same = self._centers.shape == centers.shape
            moved = np.flatnonzero((self._centers != centers).any(axis=1)) if same else np.arange(len(centers))
            if len(moved) > len(centers) // 2:
                self._distances = _cdist(centers, centers)
            else:
                self._distances[moved] = _cdist(centers[moved], centers)
                self._distances[:, moved] = self._distances[moved].T
            self._centers = centers
            for start in range(0, len(centers), ROWS):
                rows = np.arange(start, min(start + ROWS, len(centers)))
                block = self._distances[rows]
                block[:, ~present] = 0.0
                block[~present[rows]] = 0.0
                means[rows] = block.sum(axis=1) / max(int(present.sum()) - 1, 1)
                block[:, ~present] = np.inf
                block[~present[rows]] = np.inf
                block[np.arange(len(rows)), rows] = np.inf
                nearest[rows] = block.min(axis=1)
        for array in (nearest, means):
            array.flags.writeable = False
        return nearest, means


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassStatistics:
    r"""Counts, centers and sums of squares of C classes: sufficient for every similarity.

    Parameters
    ----------
    counts
        Samples per class, shape (C,), int64; 0 for a class that is absent.
    centers
        Mean of each class, shape (C, D), float64; zeros for an absent class.
    squares
        :math:`\sum_i |x_i - \bar c|^2` of each class, shape (C,), float64.
    spread
        ``rms``: :math:`s_c = \sqrt{\mathrm{mean}_i |x_i - \bar c|^2 / D}`, the root mean square per axis;
        ``radius``: the same without the division by D.

    Notes
    -----
    The paper writes std(X) of a set of vectors without saying over what; ``rms`` does not depend on the axes.

    Examples
    --------
    >>> import numpy as np
    >>> vectors, labels = np.array([[0.0, 0.0], [2.0, 0.0], [5.0, 5.0]]), np.array([0, 0, 1])
    >>> statistics = ClassStatistics.from_samples(vectors, labels, n_classes=2)
    >>> statistics.centers.tolist(), statistics.squares.tolist()
    ([[1.0, 0.0], [5.0, 5.0]], [2.0, 0.0])
    """

    counts: NDArray[np.int64]
    centers: NDArray[np.float64]
    squares: NDArray[np.float64]
    spread: Spread = "rms"
    _table: DistanceTable = field(default_factory=DistanceTable, repr=False)

    @classmethod
    def from_samples(
        cls,
        vectors: NDArray[np.floating[Any]],
        labels: NDArray[np.integer[Any]],
        n_classes: int,
        *,
        spread: Spread = "rms",
    ) -> Self:
        """Compute the statistics of samples ``vectors`` (N, D) with class codes ``labels`` (N,) in O(N D).

        Samples without a label, whose code is -1, count nowhere.
        """
        dim = vectors.shape[1]
        total = cls(
            counts=np.zeros(n_classes, np.int64),
            centers=np.zeros((n_classes, dim)),
            squares=np.zeros(n_classes),
            spread=spread,
        )
        for start in range(0, len(vectors), CHUNK):
            rows = slice(start, start + CHUNK)
            total = total.merged(cls._of_chunk(vectors[rows].astype(np.float64), labels[rows], n_classes, spread))
        return total

    @classmethod
    def _of_chunk(
        cls, vectors: NDArray[np.float64], labels: NDArray[np.integer[Any]], n_classes: int, spread: Spread
    ) -> Self:
        from scipy.sparse import csr_array  # noqa: PLC0415  # slow to import

        if len(labels) and labels.min() < 0:
            vectors, labels = vectors[labels >= 0], labels[labels >= 0]
        counts = np.bincount(labels, minlength=n_classes).astype(np.int64)
        member = csr_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=(n_classes, len(labels)))
        centers = (member @ vectors) / np.maximum(counts, 1)[:, None]
        deviations = vectors - centers[labels]
        squares = member @ np.einsum("nd,nd->n", deviations, deviations)
        return cls(counts=counts, centers=centers, squares=squares, spread=spread)

    def merged(self, other: "ClassStatistics") -> Self:
        """Return the statistics of both sets of samples together, exactly.

        Notes
        -----
        T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
        variances", 1979.
        """
        if self.centers.shape != other.centers.shape:
            raise AliError(
                f"statistics merge only with the same classes and dimensions; got {self.centers.shape} "
                f"and {other.centers.shape}"
            )
        counts = self.counts + other.counts
        share = other.counts / np.maximum(counts, 1)
        gap = other.centers - self.centers
        squares = self.squares + other.squares + np.einsum("cd,cd->c", gap, gap) * self.counts * share
        return replace(self, counts=counts, centers=self.centers + share[:, None] * gap, squares=squares)

    @property
    def dim(self) -> int:
        """Number of dimensions D."""
        return int(self.centers.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes C."""
        return len(self.counts)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Whether a class has samples, shape (C,)."""
        return self.counts > 0

    @cached_property
    def spreads(self) -> NDArray[np.float64]:
        """Spread of each class, shape (C,); 0 for a class of one sample."""
        axes = self.dim if self.spread == "rms" else 1
        spreads: NDArray[np.float64] = np.sqrt(self.squares / np.maximum(self.counts, 1) / axes)
        spreads.flags.writeable = False
        return spreads

    @property
    def distances(self) -> NDArray[np.float64]:
        """L2 distances between centers, shape (C, C); infinite on the diagonal and to absent classes. Made anew."""
        distances = _cdist(self.centers, self.centers)
        np.fill_diagonal(distances, np.inf)
        distances[~self.present] = np.inf
        distances[:, ~self.present] = np.inf
        return distances

    def distances_from(self, class_index: int) -> NDArray[np.float64]:
        """Return one row of :attr:`distances`, shape (C,), in O(C D)."""
        row: NDArray[np.float64] = _cdist(self.centers[[class_index]], self.centers)[0]
        row[~self.present if self.present[class_index] else slice(None)] = np.inf
        row[class_index] = np.inf
        return row

    @cached_property
    def nearest(self) -> NDArray[np.float64]:
        """Distance to the nearest other class, shape (C,): the least of each row of :attr:`distances`."""
        return self._near_and_mean[0]

    @cached_property
    def mean_distances(self) -> NDArray[np.float64]:
        """Mean distance to the other classes with samples, shape (C,); 0 for an absent class."""
        return self._near_and_mean[1]

    @cached_property
    def _near_and_mean(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._table.near_and_mean(self.centers, self.present)

    def neighbours(self, class_index: int, n_neighbours: int) -> tuple[int, ...]:
        """Return the ``n_neighbours`` nearest other classes, nearest first, at most all that are present."""
        row = self.distances_from(class_index)
        others = [int(other) for other in np.argsort(row, kind="stable") if np.isfinite(row[other])]
        return tuple(others[:n_neighbours])


def _cdist(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.spatial.distance import cdist  # noqa: PLC0415  # slow to import

    distances: NDArray[np.float64] = cdist(first, second)
    return distances
