"""Which samples are drawn when there are too many: some of every class, the same ones each time."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["class_quotas", "drawn_rows"]


def class_quotas(counts: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Return how many samples of each class are drawn, shape (C,).

    Parameters
    ----------
    counts
        Samples of each class, shape (C,).
    limit
        Most samples in all. Every class keeps a quarter of an equal share, at least one sample; the rest goes in
        proportion to what is left of the classes. With more classes than ``limit`` the limit gives way.
    """
    if counts.sum() <= limit:
        return counts.copy()
    share = max(1, limit // (4 * len(counts)))
    quotas: NDArray[np.int64] = np.minimum(counts, share)
    left = counts - quotas
    wanted = max(limit - int(quotas.sum()), 0) * left / left.sum()
    quotas = quotas + wanted.astype(np.int64)
    missing = max(limit - int(quotas.sum()), 0)
    by_remainder = np.argsort(-(wanted % 1.0), kind="stable")
    quotas[[index for index in by_remainder if quotas[index] < counts[index]][:missing]] += 1
    return quotas


def drawn_rows(labels: NDArray[np.int64], n_classes: int, limit: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the sorted indices of at most ``limit`` samples, stratified by class.

    Parameters
    ----------
    labels
        Class codes, shape (N,).
    n_classes
        Number of classes C.
    limit
        See :func:`class_quotas`.
    seed
        Of the order in which the samples of a class are taken; a smaller limit takes a part of the same samples.
    """
    quotas = class_quotas(np.bincount(labels, minlength=n_classes).astype(np.int64), limit)
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels, minlength=n_classes)
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows: NDArray[np.int64] = np.sort(order[rank < quotas[labels[order]]])
    return rows
