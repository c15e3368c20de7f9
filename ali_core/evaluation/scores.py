"""How often each class is recognised."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClassificationScores"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassificationScores:
    r"""Counts of true against predicted classes, and the F1 that follow.

    Parameters
    ----------
    confusion
        Samples of each true class (rows) by predicted class (columns), shape (C, C), int64.

    Notes
    -----
    The F1 of a class is :math:`2 TP / (2 TP + FP + FN)`.

    Examples
    --------
    >>> import numpy as np
    >>> scores = ClassificationScores.of(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), n_classes=2)
    >>> scores.confusion.tolist(), scores.class_f1.round(3).tolist()
    ([[1, 1], [0, 2]], [0.667, 0.8])
    """

    confusion: NDArray[np.int64]

    @classmethod
    def of(cls, true: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int) -> "ClassificationScores":
        """Count the pairs of ``true`` and ``predicted`` codes, both of shape (N,), below ``n_classes``."""
        pairs = np.bincount(true * n_classes + predicted, minlength=n_classes**2)
        return cls(confusion=pairs.reshape(n_classes, n_classes).astype(np.int64))

    @property
    def class_f1(self) -> NDArray[np.float64]:
        """F1 of each class, shape (C,); NaN for a class that neither occurs nor is predicted."""
        both = self.confusion.sum(axis=0) + self.confusion.sum(axis=1)
        f1 = np.full(len(both), np.nan)
        np.divide(2.0 * self.confusion.diagonal(), both, out=f1, where=both > 0)
        return f1

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that occur or are predicted, as scikit-learn takes it."""
        return float(np.nanmean(self.class_f1))
