"""How far a macro F1, or the difference of two on the same samples, can be trusted."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["F1Interval", "f1_interval"]

DRAWS = 1_000


class F1Interval(NamedTuple):
    """A macro F1, or a difference of two, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def f1_interval(
    true: NDArray[np.int64],
    predicted: NDArray[np.int64],
    n_classes: int,
    *,
    minus: NDArray[np.int64] | None = None,
    rng: np.random.Generator,
) -> F1Interval:
    """Return the macro F1 of predictions, or what it is above that of others on the same samples.

    Parameters
    ----------
    true, predicted
        Class codes below ``n_classes``, shape (N,).
    n_classes
        C.
    minus
        Codes that another classifier predicts for the same samples, shape (N,); None for the F1 itself.
    rng
        Draws the samples.

    Notes
    -----
    Bootstrap: the samples of each class are drawn with replacement, as many as there are, each with both of its
    predictions; the interval holds the middle 95 % of 1,000 draws. It says how far other samples of the same classes
    would differ, not other trainings. With a handful of samples in a class it is too narrow.
    """
    others = predicted if minus is None else minus
    tallies = np.zeros((2, DRAWS + 1, 2, n_classes))  # of each classifier: hits, predictions; the data themselves first
    counts = np.bincount(true, minlength=n_classes)
    for code in np.flatnonzero(counts):
        own = true == code
        pairs, times = np.unique(predicted[own] * n_classes + others[own], return_counts=True)
        drawn = np.vstack([times, rng.multinomial(counts[code], times / counts[code], size=DRAWS)])
        for tally, given in zip(tallies, np.divmod(pairs, n_classes), strict=True):
            tally[:, 0, code] = drawn[:, given == code].sum(axis=1)
            np.add.at(tally[:, 1].T, given, drawn.T)
    both = counts + tallies[:, :, 1]
    f1 = np.full(both.shape, np.nan)
    np.divide(2.0 * tallies[:, :, 0], both, out=f1, where=both > 0)
    first, second = np.nanmean(f1, axis=2)
    found = first if minus is None else first - second
    low, high = np.quantile(found[1:], [0.025, 0.975])
    return F1Interval(float(found[0]), float(low), float(high))
