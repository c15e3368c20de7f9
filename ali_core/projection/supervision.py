"""The label-aware affinities of supervised t-SNE."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ali_core.errors import AliError

__all__ = ["DEFAULT_SUPERVISION", "weaken_between_classes"]

DEFAULT_SUPERVISION = 0.8

Matrix = TypeVar("Matrix", bound="sparse.csr_matrix")


def weaken_between_classes(
    affinities: Matrix, labels: NDArray[np.int64], supervision: float = DEFAULT_SUPERVISION
) -> Matrix:
    r"""Weaken the affinities of samples of different classes.

    .. math:: P'_{ij} \propto P_{ij} \, (1 - s \, [y_i \ne y_j]), \qquad \sum_{ij} P'_{ij} = 1

    Parameters
    ----------
    affinities
        Symmetric t-SNE affinities P, sparse (N, N).
    labels
        Class codes y (N,).
    supervision
        s in [0, 1): 0 is plain t-SNE.

    Returns
    -------
    scipy.sparse.csr_matrix
        P', sparse (N, N), as symmetric as P.

    Raises
    ------
    AliError
        If ``supervision`` lies outside [0, 1).

    Notes
    -----
    The paper shows a "supervised t-SNE" (Fig. 6) and does not define it; this definition is ours.
    It makes classes look better separated than they are, so it is for looking only: nothing may be
    scored on it. s = 1 is refused: a sample whose neighbours all belong to other classes would be
    held by nothing.
    """
    if not 0.0 <= supervision < 1.0:
        raise AliError(
            f"supervision is {supervision}, but must lie in [0, 1); "
            f"{DEFAULT_SUPERVISION} is the default and 0 is plain t-SNE."
        )
    weakened = affinities.copy()
    rows = np.repeat(np.arange(weakened.shape[0]), np.diff(weakened.indptr))
    own, others = labels[rows], labels[weakened.indices]
    alike = (own == others) | (own < 0) | (others < 0)  # of samples without a label nothing is known
    weakened.data = weakened.data * np.where(alike, 1.0, 1.0 - supervision)
    weakened.data /= weakened.data.sum()
    return weakened
