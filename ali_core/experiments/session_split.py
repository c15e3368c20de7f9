"""Which samples of an embedding learn a session's steps, and which are scored."""

import warnings
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ali_core.data import FoldSplit, FoldWarning, grouped_folds
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError

__all__ = ["SessionSplit", "split_for_session"]

N_FOLDS = 6
LEAST_GROUPS = 3
LEAST_OF_CLASS = 2 * N_FOLDS
"""A class keeps so many samples when a subset is drawn, or all that it has."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SessionSplit:
    """Rows of an embedding, and what is to be known about them.

    Parameters
    ----------
    train, validation, tuning
        Row numbers, int64, ascending, none in two of them: those that train, that are scored, that choose parameters.
    words
        Sentences on how they were chosen.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    tuning: NDArray[np.int64]
    words: tuple[str, ...]


def split_for_session(
    embedding: LabelledEmbedding, *, seed: int = 0, fold: int = 0, max_samples: int = 3000
) -> SessionSplit:
    """Divide an embedding into a training, a validation and a tuning part, with every class in the training part.

    Parameters
    ----------
    embedding
        With groups, if they are known: no group is in two parts, where that can be.
    seed
        Of the draw and of the folds.
    fold
        Which of the six folds of :func:`~ali_core.data.grouped_folds`; with three to five groups there are as many
        folds as groups. The test part of the fold is the tuning part.
    max_samples
        With more samples than this, a subset is drawn, each class by its share, but at least 12 of each or all it has.

    Raises
    ------
    AliError
        When fewer than two classes have six samples, or there is no such fold.
    """
    rows, drawn = _drawn(embedding, seed, max_samples)
    part = embedding.subset(rows)
    split, grouped = _split_by_group(part, seed, fold)
    words = (*drawn, grouped)
    if split is None:
        split, rare = _split_freely(part, seed, fold)
        words = (*words, *rare)
    return SessionSplit(
        train=rows[split.train],
        validation=rows[split.validation],
        tuning=rows[split.test],
        words=tuple(filter(None, words)),
    )


def _drawn(embedding: LabelledEmbedding, seed: int, most: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the rows that take part, and a sentence when these are not all."""
    n_samples = len(embedding)
    if n_samples <= most:
        return np.arange(n_samples), ()
    rng, chosen = np.random.default_rng(seed), []
    for code, count in enumerate(embedding.counts.tolist()):
        quota = min(count, max(ceil(count * most / n_samples), LEAST_OF_CLASS))
        chosen.append(rng.permutation(np.flatnonzero(embedding.labels == code))[:quota])
    rows = np.sort(np.concatenate(chosen))
    return rows, (f"To save time, {len(rows):,} of {n_samples:,} samples were drawn by class.",)


def _split_by_group(embedding: LabelledEmbedding, seed: int, fold: int) -> tuple[FoldSplit | None, str]:
    """Return a fold that keeps groups whole, or None, and a sentence."""
    if embedding.groups is None:
        return None, "No groups are known: cells of one patient may be in training and validation at once."
    count = len(np.unique(embedding.groups))
    split_up = "so samples of one group are in training and validation at once."
    if count < LEAST_GROUPS:
        return None, f"Groups could not be kept whole, because there are only {count}, {split_up}"
    n_folds = min(N_FOLDS, count)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FoldWarning)  # a class that this validation part lacks has no F1
            splits = grouped_folds(
                embedding.labels,
                groups=embedding.groups,
                n_folds=n_folds,
                seed=seed,
                class_names=embedding.class_names,
            )
    except AliError:  # some class is in too few groups
        return None, f"Groups could not be kept whole, because some class is in too few of the {count}, {split_up}"
    return _fold_of(splits, fold), f"No group of the {count} is in training and validation at once."


def _split_freely(embedding: LabelledEmbedding, seed: int, fold: int) -> tuple[FoldSplit, tuple[str, ...]]:
    """Return a fold without regard to groups; classes with too few samples to be divided only train."""
    rare = (embedding.counts > 0) & (embedding.counts < N_FOLDS)
    if int(np.sum(embedding.counts >= N_FOLDS)) < 2:
        raise AliError(
            f"a score needs at least two classes of {N_FOLDS} samples or more; "
            f"the largest classes here have {', '.join(map(str, np.sort(embedding.counts)[::-1][:2]))}"
        )
    common = np.flatnonzero(~rare[embedding.labels])
    splits = grouped_folds(embedding.labels[common], n_folds=N_FOLDS, seed=seed, class_names=embedding.class_names)
    split = _fold_of(splits, fold)
    train = np.union1d(common[split.train], np.flatnonzero(rare[embedding.labels]))
    words: tuple[str, ...] = ()
    if rare.any():
        names = ", ".join(embedding.class_names[code] for code in np.flatnonzero(rare))
        words = (f"Fewer than {N_FOLDS} samples, so they only train and have no F1 of their own: {names}.",)
    return FoldSplit(fold=fold, train=train, validation=common[split.validation], test=common[split.test]), words


def _fold_of(splits: tuple[FoldSplit, ...], fold: int) -> FoldSplit:
    if not 0 <= fold < len(splits):
        raise AliError(f"fold must be from 0 to {len(splits) - 1}; got {fold}")
    return splits[fold]
