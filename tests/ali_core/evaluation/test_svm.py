"""Scores on data whose answer is known."""

import numpy as np
import pytest

from ali_core import AliError, LabelledEmbedding, Session
from ali_core.evaluation import svm_scores


def clouds(rng, gap, n=60, groups=None):
    labels = np.repeat([0, 1, 2], n)
    vectors = rng.normal(size=(3 * n, 4)) + gap * np.eye(3, 4)[labels]
    return LabelledEmbedding(vectors, labels, groups=groups)


def test_separate_classes_score_one_and_identical_ones_chance(rng):
    apart = svm_scores(Session(clouds(rng, 20.0)))
    assert apart.macro_f1.min() == 1.0
    mixed = svm_scores(Session(clouds(rng, 0.0)))
    assert abs(mixed.macro_f1.mean() - 1 / 3) < 0.12
    assert set(apart.condition) == {"untouched"}


def test_the_oracle_reaches_one_even_on_noise_and_says_that_labels_moved_the_points(rng):
    """Classes drawn from one distribution cannot be told apart; only the labels pull them apart."""
    session = Session(clouds(rng, 0.0))
    session.run(60)
    table = svm_scores(session).groupby("condition").agg({"macro_f1": "mean", "labels_move_points": "all"})
    assert table.macro_f1["oracle"] == 1.0
    assert table.macro_f1["untouched"] < 0.5
    assert bool(table.labels_move_points["oracle"])
    assert not table.labels_move_points["untouched"]


def test_groups_are_kept_whole_when_there_are_enough(rng):
    """When a group fixes the noise of its samples, splitting groups leaks and keeping them whole does not."""
    n_groups, size = 24, 10
    group = np.repeat(np.arange(n_groups), size)
    vectors = rng.normal(size=(n_groups, 6))[group] + 0.01 * rng.normal(size=(n_groups * size, 6))
    labels = rng.integers(0, 2, size=n_groups)[group]
    leaking = svm_scores(Session(LabelledEmbedding(vectors, labels)))
    honest = svm_scores(Session(LabelledEmbedding(vectors, labels, groups=group)))
    assert leaking.macro_f1.mean() > 0.95
    assert honest.macro_f1.mean() < 0.8
    assert honest.folds.iloc[0] == "6 stratified folds, 24 groups kept whole"
    few = svm_scores(Session(LabelledEmbedding(vectors, labels, groups=group % 2)))
    assert "2 groups are too few" in few.folds.iloc[0]


def test_the_same_seed_gives_the_same_numbers_and_every_sample_is_validated_once(rng):
    session = Session(clouds(rng, 1.0))
    first, again = svm_scores(session, seed=4), svm_scores(session, seed=4)
    assert first.equals(again)
    assert first.n_validation.sum() == len(session.before)
    assert not first.macro_f1.equals(svm_scores(session, seed=5).macro_f1)


def test_a_rare_class_does_not_stop_the_score(rng):
    embedding = LabelledEmbedding(rng.normal(size=(41, 3)), [0] * 20 + [1] * 20 + [2])
    assert svm_scores(Session(embedding)).macro_f1.notna().all()


@pytest.mark.parametrize("n_folds", [1, 100])
def test_impossible_folds_are_refused(rng, n_folds):
    with pytest.raises(AliError, match=f"largest class, which is 60; got {n_folds}"):
        svm_scores(Session(clouds(rng, 1.0)), n_folds=n_folds)


def test_a_fold_that_cannot_train_is_named(rng):
    embedding = LabelledEmbedding(rng.normal(size=(13, 3)), [0] * 12 + [1])
    with pytest.raises(AliError, match=r"fold \d holds one class only"):
        svm_scores(Session(embedding))
