"""What is known of every class: count, center, spread. It is all that planning needs."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from ali_core.errors import AliError

__all__ = ["ClassStatistics", "Spread"]

Spread = Literal["rms", "radius"]
"""How the spread of a class is measured; see :class:`ClassStatistics`."""

CHUNK = 16_384
"""Samples that are converted to float64 at a time."""


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
    """

    counts: NDArray[np.int64]
    centers: NDArray[np.float64]
    squares: NDArray[np.float64]
    spread: Spread = "rms"

    @classmethod
    def from_samples(
        cls,
        vectors: NDArray[np.floating[Any]],
        labels: NDArray[np.integer[Any]],
        n_classes: int,
        *,
        spread: Spread = "rms",
    ) -> Self:
        """Compute the statistics of samples ``vectors`` (N, D) with class codes ``labels`` (N,) in O(N D)."""
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

    @cached_property
    def distances(self) -> NDArray[np.float64]:
        """L2 distances between centers, shape (C, C); infinite on the diagonal and to absent classes."""
        distances: NDArray[np.float64] = cdist(self.centers, self.centers)
        np.fill_diagonal(distances, np.inf)
        distances[~self.present] = np.inf
        distances[:, ~self.present] = np.inf
        distances.flags.writeable = False
        return distances

    def neighbours(self, class_index: int, n_neighbours: int) -> tuple[int, ...]:
        """Return the ``n_neighbours`` nearest other classes, nearest first, at most all that are present."""
        order = np.argsort(self.distances[class_index], kind="stable")
        others = [int(other) for other in order if np.isfinite(self.distances[class_index, other])]
        return tuple(others[:n_neighbours])
