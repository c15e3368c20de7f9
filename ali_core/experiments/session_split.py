"""Division of an embedding: samples from which a session's steps are computed, and samples that are scored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.evaluation.folds import N_FOLDS, scoring_folds
from ali_core.sampling import stratified_part

__all__ = ["SessionSplit", "split_for_session"]

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
        Which of the folds of :func:`~ali_core.evaluation.folds.scoring_folds`. Its test part is the tuning part.
    max_samples
        With more samples than this, a subset is drawn, each class by its share in each part of a given split, but
        at least 12 of it there, or all it has.

    Raises
    ------
    AliError
        When fewer than two classes have six samples, or there is no such fold.
    """
    rows = stratified_part(embedding, max_samples, seed=seed, at_least=LEAST_OF_CLASS)
    n_samples = int(embedding.counts.sum())
    drawn = f"To save time, {len(rows):,} of {n_samples:,} samples were drawn by class."
    splits, words = scoring_folds(embedding.subset(rows), seed=seed)
    if not 0 <= fold < len(splits):
        raise AliError(f"fold must be from 0 to {len(splits) - 1}; got {fold}")
    split = splits[fold]
    return SessionSplit(
        train=rows[split.train],
        validation=rows[split.validation],
        tuning=rows[split.test],
        words=words if len(rows) == n_samples else (drawn, *words),
    )
