"""Criteria that look at samples, which class statistics do not hold: experiments, none of them the paper's.

An experiment is made of the samples of one embedding and is then a criterion like any other. It sees them as they are
before the first step: what the steps do to the classes, it knows from the statistics alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ali_core.interventions.criteria import Criterion, mean_std
from ali_core.interventions.statistics import ClassStatistics

__all__ = ["EXPERIMENTS", "EXPERIMENTS_HELP", "class_errors", "confusion", "experiment"]

Experiment = Callable[[NDArray[np.floating[Any]], NDArray[np.integer[Any]], int], Criterion]
"""From vectors (N, D), class codes (N,) and the number of classes to a criterion."""

NEIGHBOURS = 10


def class_errors(
    vectors: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], n_classes: int, *, k: int = NEIGHBOURS
) -> NDArray[np.float64]:
    """Return the share of each class that its k nearest other samples vote into another class; shape (C,).

    Parameters
    ----------
    vectors, labels
        Samples of shape (N, D) with class codes (N,). Samples without a label, whose code is -1, have no share.
    n_classes
        C; a class without samples has the error 0.
    k
        Neighbours that vote, at most all others; of equal votes the lowest class code wins.

    Notes
    -----
    Leave-one-out error of a k-nearest-neighbour classifier, in O(N² D).
    """
    from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415  # slow to import

    vectors, labels = vectors[labels >= 0], labels[labels >= 0]
    counts = np.bincount(labels, minlength=n_classes)
    if len(labels) < 2:  # nobody votes
        return np.zeros(n_classes)
    search = NearestNeighbors(n_neighbors=min(k, len(labels) - 1), algorithm="brute").fit(vectors)
    around = labels[search.kneighbors(return_distance=False)]
    votes = np.stack([np.bincount(own, minlength=n_classes) for own in around])
    wrong = labels[votes.argmax(axis=1) != labels]
    errors: NDArray[np.float64] = np.bincount(wrong, minlength=n_classes) / np.maximum(counts, 1)
    return errors


def confusion(vectors: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], n_classes: int) -> Criterion:
    r"""Return the criterion :math:`e_i\,s_i / \min_j d_{ij}`: confused classes, wide and near to others, come first.

    The score is mean-std times :func:`class_errors` of these samples. Where no class has both an error and a spread, it
    is mean-std.
    """
    errors = class_errors(vectors, labels, n_classes)

    def confusion(statistics: ClassStatistics) -> NDArray[np.float64]:
        scores = mean_std(statistics)
        with np.errstate(invalid="ignore"):  # no error and a coincident neighbour
            weighted: NDArray[np.float64] = np.where(errors == 0.0, 0.0, errors * scores)
        weighted = np.where(statistics.present, weighted, np.nan)
        return weighted if np.nanmax(weighted, initial=0.0) > 0.0 else scores

    return confusion


_TABLE: dict[str, tuple[Experiment, str]] = {
    "confusion": (confusion, "an experiment; mean-std times the leave-one-out error of 10 nearest neighbours"),
}
EXPERIMENTS: dict[str, Experiment] = {name: made for name, (made, _) in _TABLE.items()}
"""The criteria that are made of samples, by name."""
EXPERIMENTS_HELP: dict[str, str] = {name: words for name, (_, words) in _TABLE.items()}
"""What each of them looks for, in a few words."""


def experiment(
    name: str, vectors: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], n_classes: int
) -> Criterion | None:
    """Return the experiment called ``name`` on these samples; None where there is none of that name."""
    return EXPERIMENTS[name](vectors, labels, n_classes) if name in EXPERIMENTS else None
