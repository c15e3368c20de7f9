"""Weights that make every class count the same."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["inverse_frequency"]


def inverse_frequency(counts: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    r"""Return :math:`w_c = N / (C N_c)` (Sec. III-E of the paper); their mean over the N samples is 1.

    Parameters
    ----------
    counts
        :math:`N_c`, samples of each class in the training fold, shape (C,).

    Returns
    -------
    numpy.ndarray
        Shape (C,), float64; 0 for a class without a sample, which does not count in C either.
    """
    counts = np.asarray(counts)
    present = counts > 0
    return np.where(present, counts.sum() / (max(int(present.sum()), 1) * np.maximum(counts, 1)), 0.0)
