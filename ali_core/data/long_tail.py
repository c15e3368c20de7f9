"""The imbalance of rare diseases, made from balanced data."""

from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError

__all__ = ["long_tail"]


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
    if not 1 <= smallest <= largest:
        raise AliError(f"smallest must lie between 1 and largest ({largest}); got {smallest}")
    if seed < 0:
        raise AliError(f"seed must be at least 0; got {seed}")
    counts = data.counts
    ranked = [code for code in np.argsort(-counts, kind="stable").tolist() if counts[code]]
    sizes = np.rint(np.geomspace(largest, smallest, len(ranked))).astype(np.int64)
    kept = [
        np.random.default_rng([seed, code]).permutation(np.flatnonzero(data.labels == code))[:size]
        for code, size in zip(ranked, sizes.tolist(), strict=True)
    ]
    return data.subset(np.sort(np.concatenate(kept)))
