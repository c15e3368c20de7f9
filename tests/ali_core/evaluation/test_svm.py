"""Scores on data whose answer is known."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.svm import SVC

from ali_core import AliError, LabelledEmbedding, Session
from ali_core.data import grouped_folds
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
    assert honest.folds.iloc[0] == "6 folds. No group of the 24 is in training and validation at once."
    few = svm_scores(Session(LabelledEmbedding(vectors, labels, groups=group % 2)))
    assert "there are only 2" in few.folds.iloc[0]


def test_each_score_is_that_of_an_svc_whose_parameters_the_validation_part_chose(rng):
    embedding = clouds(rng, 1.5, n=20)
    table = svm_scores(Session(embedding), n_folds=3, seed=2)
    for row, split in zip(table.itertuples(), grouped_folds(embedding.labels, n_folds=3, seed=2), strict=True):
        train, validation, test = (embedding.subset(rows) for rows in (split.train, split.validation, split.test))
        unit = 1 / np.square(train.vectors - train.vectors.mean(axis=0)).sum(axis=1).mean()
        tried = {}
        for C, multiple in itertools.product((1.0, 10.0, 100.0), (0.0625, 0.25, 1.0)):
            model = SVC(C=C, gamma=multiple * unit, class_weight="balanced").fit(train.vectors, train.labels)
            chosen, scored = (
                f1_score(part.labels, model.predict(part.vectors), average="macro") for part in (validation, test)
            )
            tried[C, multiple] = chosen, scored
        assert tried[row.C, row.gamma_multiple][0] == pytest.approx(max(chosen for chosen, _ in tried.values()))
        assert row.macro_f1 == pytest.approx(tried[row.C, row.gamma_multiple][1])
        assert (row.n_train, row.n_validation, row.n_test) == (len(train), len(validation), len(test))


def test_the_same_seed_gives_the_same_numbers_and_every_sample_is_validated_once(rng):
    session = Session(clouds(rng, 1.0))
    first, again = svm_scores(session, seed=4), svm_scores(session, seed=4)
    assert first.equals(again)
    assert first.n_test.sum() == len(session.before)
    assert not first.macro_f1.equals(svm_scores(session, seed=5).macro_f1)


def test_a_rare_class_only_trains(rng):
    table = svm_scores(Session(LabelledEmbedding(rng.normal(size=(41, 3)), [0] * 20 + [1] * 20 + [2])))
    assert table.macro_f1.notna().all()
    assert table.n_test.sum() == 40
    assert (table.n_train + table.n_validation + table.n_test == 41).all()
    assert "only train and have no F1 of their own: 2" in table.folds.iloc[0]


@pytest.mark.parametrize(("counts", "n_folds"), [((12, 5), 6), ((60, 60, 60), 100), ((13, 1), 3)])
def test_too_few_samples_are_refused_with_the_numbers(rng, counts, n_folds):
    labels = np.repeat(np.arange(len(counts)), counts)
    embedding = LabelledEmbedding(rng.normal(size=(len(labels), 3)), labels)
    with pytest.raises(AliError, match=f"at least two classes of {n_folds} samples or more.*have {max(counts)}"):
        svm_scores(Session(embedding), n_folds=n_folds)


def test_two_folds_are_refused(rng):
    with pytest.raises(AliError, match="n_folds must be at least 3"):
        svm_scores(Session(clouds(rng, 1.0)), n_folds=2)
