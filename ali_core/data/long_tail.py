"""The imbalance of rare diseases, made from balanced data."""

from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.data.folds import FoldSplit, grouped_folds
from ali_core.errors import AliError

__all__ = ["long_tail", "long_tail_split"]


class Labelled(Protocol):
    """What can be thinned: samples with class codes, of which rows can be taken."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class codes, shape (N,)."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """Samples per class, shape (C,)."""

    def subset(self, rows: Any, /) -> Self:  # noqa: ANN401  # row numbers or a mask, as numpy takes them
        """Return the samples at ``rows``."""


LabelledT = TypeVar("LabelledT", bound=Labelled)


def long_tail(data: LabelledT, *, largest: int = 500, smallest: int = 24, seed: int = 0) -> LabelledT:
    r"""Thin the classes so that their sizes fall off log-uniformly.

    The classes with samples are ranked by size, of equal sizes the lower code first. Rank k of K keeps
    :math:`\mathrm{largest} \cdot (\mathrm{smallest} / \mathrm{largest})^{k / (K - 1)}` samples, rounded, or all that
    it has if these are fewer.

    Parameters
    ----------
    data
        A ``LabelledEmbedding`` or ``CellImages``.
    largest, smallest
        Sizes of the most and the least frequent class.
    seed
        Of the draw. With one seed, the rows kept for a smaller size are among those kept for a larger one.

    Returns
    -------
    LabelledEmbedding or CellImages
        As given: the rows kept, in their order; all class names stay.

    Raises
    ------
    AliError
        Unless 1 ≤ ``smallest`` ≤ ``largest`` and ``seed`` ≥ 0.
    """
    return data.subset(_kept(data.labels, largest, smallest, seed))


def long_tail_split(
    labels: ArrayLike, *, largest: int = 500, smallest: int = 24, draw: int = 0, n_parts: int = 6
) -> FoldSplit:
    """Thin the classes as :func:`long_tail` does, and test on all that is left out.

    The sample that is tested on is as large as the data allows, whatever the size of the rare classes in training: a
    difference between two methods scatters far less from draw to draw than it does from fold to fold of a rare class.

    Parameters
    ----------
    labels
        Class codes of N samples, integers of shape (N,). Groups are not looked at: what is left out comes from the
        same ones.
    largest, smallest
        Sizes of the most and the least frequent class that are kept.
    draw
        Number of the draw, the ``seed`` of :func:`long_tail`.
    n_parts
        One of so many parts of what is kept validates, the others train; similar class distribution.

    Returns
    -------
    FoldSplit
        With ``draw`` as its number.

    Raises
    ------
    AliError
        As :func:`long_tail` and :func:`~ali_core.data.grouped_folds`; when a class is kept whole, so that none of it
        is left for the test.

    Notes
    -----
    Draws share samples, in training as in the test, so that they are not independent: intervals over draws tell how
    sure a difference is for data like these, not for other patients or another laboratory.
    """
    codes = np.asarray(labels)
    kept = _kept(codes, largest, smallest, draw)
    left = np.setdiff1d(np.arange(len(codes)), kept).astype(np.int64)
    whole = np.setdiff1d(codes[kept], codes[left]).tolist()
    if whole:
        raise AliError(
            f"{len(whole)} classes are kept whole (the first has {np.sum(codes == whole[0])} samples), so that none is "
            f"left to test on; take smaller classes than {largest}:{smallest}, or leave small classes out"
        )
    parts = grouped_folds(codes[kept], n_folds=n_parts, seed=draw)[0]
    train = np.sort(np.concatenate([parts.train, parts.test]))
    return FoldSplit(fold=draw, train=kept[train], validation=kept[parts.validation], test=left)


def _kept(labels: NDArray[np.int64], largest: int, smallest: int, seed: int) -> NDArray[np.int64]:
    """Return the rows that a thinning keeps, ascending."""
    if not 1 <= smallest <= largest:
        raise AliError(f"smallest must lie between 1 and largest ({largest}); got {smallest}")
    if seed < 0:
        raise AliError(f"seed must be at least 0; got {seed}")
    counts = np.bincount(labels)
    ranked = [code for code in np.argsort(-counts, kind="stable").tolist() if counts[code]]
    sizes = np.rint(np.geomspace(largest, smallest, len(ranked))).astype(np.int64)
    kept = [
        np.random.default_rng([seed, code]).permutation(np.flatnonzero(labels == code))[:size]
        for code, size in zip(ranked, sizes.tolist(), strict=True)
    ]
    return np.sort(np.concatenate(kept)).astype(np.int64)
