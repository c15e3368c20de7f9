"""Folds for scoring follow a split that is given, and leave out what has no class."""

import numpy as np

from ali_core import LabelledEmbedding
from ali_core.evaluation.folds import scoring_folds


def test_a_given_split_is_used_and_samples_without_a_class_are_left_out(rng):
    labels = np.where(np.arange(80) % 9 == 0, -1, np.arange(80) % 2)
    split = np.array(["train", "train", "validation", "test"])[np.arange(80) // 2 % 4]
    given = LabelledEmbedding(rng.normal(size=(80, 2)), labels, ("a", "b"), split=split, unlabelled="keep")
    ((fold,), (words,)) = scoring_folds(given)
    assert fold.train.tolist() == np.flatnonzero((split == "train") & (labels >= 0)).tolist()
    assert words == "No groups are known; divided by the split that is given."
    folds, _ = scoring_folds(LabelledEmbedding(given.vectors, labels, ("a", "b"), unlabelled="keep"))
    for fold in folds:
        rows = np.concatenate([fold.train, fold.validation, fold.test])
        assert np.sort(rows).tolist() == np.flatnonzero(labels >= 0).tolist()
