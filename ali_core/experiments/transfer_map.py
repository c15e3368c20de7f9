"""Displacements of samples of unknown class in an intervention: a smooth map, learnt from the samples that were moved.

Synopsis::

    blind = TransferMap.fit(train_vectors, train_labels, n_classes=15)
    moved = vectors + blind.weights(vectors) @ (moved_train_vectors - train_vectors)
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from ali_core.errors import AliError

__all__ = ["TransferMap"]

GAMMAS = (0.25, 1.0, 4.0, 16.0, 64.0)
"""Tried multiples of 1 / (mean squared distance of the training vectors to their mean)."""
RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferMap:
    r"""Kernel ridge regression from where a sample was to how far it was moved.

    With K the RBF kernel between training samples and :math:`\Delta` their displacements, a sample x is displaced by
    :math:`k(x)^T (K + \alpha I)^{-1} \Delta`. Its own label is never asked for.

    Parameters
    ----------
    vectors
        Training samples before any intervention, shape (N, D), float64.
    inverse
        :math:`(K + \alpha I)^{-1}`, shape (N, N), float64.
    gamma, ridge
        Of the kernel, and α; chosen by :meth:`fit`.
    error
        Mean squared leave-one-out error of the class membership, which chose them.

    Notes
    -----
    Not in the paper, whose validation samples are moved by the map of their true class.
    """

    vectors: NDArray[np.float64]
    inverse: NDArray[np.float64]
    gamma: float
    ridge: float
    error: float

    @classmethod
    def fit(cls, vectors: NDArray[np.float64], labels: NDArray[np.int64], *, n_classes: int) -> Self:
        r"""Choose γ and α by how well they predict the class membership of left-out training samples.

        Displacements follow from position and class, so the map is as good as its idea of the class. With
        :math:`H = K (K + \alpha I)^{-1}`, the leave-one-out residual of a target y is
        :math:`(y - Hy)_i / (1 - H_{ii})`, and no sample has to be left out in fact.

        Parameters
        ----------
        vectors, labels
            Training samples, shapes (N, D), float64, and (N,), codes below ``n_classes``.
        n_classes
            Number of classes C.

        Raises
        ------
        AliError
            When all vectors are equal.

        Notes
        -----
        O(N³) time, once for each γ, and O(N²) memory.
        """
        if np.array_equal(vectors.min(axis=0), vectors.max(axis=0)):
            raise AliError("all training vectors are equal, so no map can be learnt from them; check the embedding")
        squared = float(np.mean(np.sum((vectors - vectors.mean(axis=0)) ** 2, axis=1)))
        distances = euclidean_distances(vectors, squared=True)
        members = np.eye(n_classes)[labels]
        best, inverse = (np.inf, 0.0, 0.0), np.empty(0)
        for gamma in (multiple / squared for multiple in GAMMAS):
            values, basis = np.linalg.eigh(np.exp(-gamma * distances))
            for ridge in RIDGES:
                error = _left_out_error(values, basis, members, ridge)
                if error < best[0]:
                    best, inverse = (error, gamma, ridge), (basis / (values + ridge)) @ basis.T
        error, gamma, ridge = best
        return cls(vectors=vectors, inverse=inverse, gamma=gamma, ridge=ridge, error=error)

    def weights(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much each training sample's displacement counts for each row of ``vectors``, shape (M, N)."""
        kernel = np.exp(-self.gamma * euclidean_distances(vectors, self.vectors, squared=True))
        return np.asarray(kernel @ self.inverse)


def _left_out_error(
    values: NDArray[np.float64], basis: NDArray[np.float64], members: NDArray[np.float64], ridge: float
) -> float:
    shares = values / (values + ridge)
    predicted = basis @ (shares[:, None] * (basis.T @ members))
    own = np.einsum("nk,k,nk->n", basis, shares, basis)
    residuals = (members - predicted) / np.maximum(1.0 - own, 1e-12)[:, None]
    return float(np.mean(residuals**2))
