"""The folds in which an embedding is scored, whatever groups and classes it has."""

import warnings

import numpy as np

from ali_core.data import FoldSplit, FoldWarning, grouped_folds
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError

__all__ = ["N_FOLDS", "scoring_folds"]

N_FOLDS, LEAST_FOLDS = 6, 3


def scoring_folds(
    embedding: LabelledEmbedding, *, n_folds: int = N_FOLDS, seed: int = 0
) -> tuple[tuple[FoldSplit, ...], tuple[str, ...]]:
    """Divide an embedding into folds as well as its groups and classes allow, and say how.

    With fewer groups than folds there are as many folds as groups, at least three. Where groups cannot be kept whole,
    because there are fewer than three or a class is in too few of them, they are not looked at. Classes with fewer
    samples than folds then only train. A split that came with the embedding is used instead, as it is; samples without
    a label are in no part.

    Parameters
    ----------
    embedding
        With groups, if they are known.
    n_folds, seed
        See :func:`~ali_core.data.grouped_folds`.

    Returns
    -------
    tuple of FoldSplit
        The folds; those of :func:`~ali_core.data.grouped_folds` where nothing had to be given up.
    tuple of str
        Sentences: what became of the groups, then what became of rare classes, if there are any.

    Raises
    ------
    AliError
        When ``n_folds`` is below three, or fewer than two classes have as many samples.
    """
    if embedding.split is not None:
        splits = grouped_folds(
            embedding.labels,
            groups=embedding.groups,
            split=embedding.split,
            n_folds=n_folds,
            seed=seed,
            class_names=embedding.class_names,
        )
        known = "are known" if embedding.groups is None else "are in two of its parts"
        return splits, (f"No groups {known}; divided by {splits[0].origin}.",)
    splits, words = _of_whole_groups(embedding, n_folds, seed)
    if splits:
        return splits, (words,)
    splits, rare = _of_samples(embedding, n_folds, seed)
    if not rare:
        return splits, (words,)
    return splits, (
        words,
        f"Fewer than {n_folds} samples, so they only train and have no F1 of their own: {', '.join(rare)}.",
    )


def _of_whole_groups(embedding: LabelledEmbedding, n_folds: int, seed: int) -> tuple[tuple[FoldSplit, ...], str]:
    """Return folds that keep groups whole, none where that cannot be, and a sentence about it."""
    if embedding.groups is None:
        return (), "No groups are known: cells of one patient may be in training and validation at once."
    count = len(np.unique(embedding.groups))
    lost = "so samples of one group are in training and validation at once."
    if count < LEAST_FOLDS:
        return (), f"Groups could not be kept whole, because there are only {count}, {lost}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FoldWarning)  # a class that a part lacks has no F1 there
            splits = grouped_folds(
                embedding.labels,
                groups=embedding.groups,
                n_folds=min(n_folds, count),
                seed=seed,
                class_names=embedding.class_names,
            )
    except AliError:
        return (), f"Groups could not be kept whole, because some class is in too few of the {count}, {lost}"
    return splits, f"No group of the {count} is in training and validation at once."


def _of_samples(embedding: LabelledEmbedding, n_folds: int, seed: int) -> tuple[tuple[FoldSplit, ...], list[str]]:
    """Return folds without regard to groups, and the names of rare classes, which only train."""
    counts = embedding.counts
    if int(np.sum(counts >= n_folds)) < 2:
        raise AliError(
            f"a score needs at least two classes of {n_folds} samples or more, one for each fold; "
            f"the largest classes here have {', '.join(map(str, np.sort(counts)[::-1][:2]))}"
        )
    rare = np.flatnonzero((counts > 0) & (counts < n_folds))
    labelled = np.flatnonzero(embedding.labelled)
    is_rare = np.isin(embedding.labels[labelled], rare)
    common, rest = labelled[~is_rare], labelled[is_rare]
    splits = tuple(
        FoldSplit(
            fold=split.fold,
            train=np.union1d(common[split.train], rest),
            validation=common[split.validation],
            test=common[split.test],
        )
        for split in grouped_folds(
            embedding.labels[common], n_folds=n_folds, seed=seed, class_names=embedding.class_names
        )
    )
    return splits, [embedding.class_names[code] for code in rare]
