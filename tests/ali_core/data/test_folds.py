"""Folds against scikit-learn, and what must hold for any labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ali_core.data import FoldWarning, grouped_folds
from ali_core.errors import AliError

LABELS = np.repeat([0, 1, 2], [30, 18, 12])


@given(
    sizes=st.lists(st.integers(8, 40), min_size=2, max_size=5),
    n_folds=st.integers(3, 8),
    seed=st.integers(0, 99),
)
def test_every_sample_is_tested_once_validated_once_and_never_in_two_parts(sizes, n_folds, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    splits = grouped_folds(labels, n_folds=n_folds, seed=seed)
    assert [split.fold for split in splits] == list(range(n_folds))
    everything = np.arange(len(labels))
    for role in ("test", "validation"):
        assert np.array_equal(np.sort(np.concatenate([getattr(split, role) for split in splits])), everything)
    for split in splits:
        parts = (split.train, split.validation, split.test)
        assert np.array_equal(np.sort(np.concatenate(parts)), everything)
        assert all(part.dtype == np.int64 for part in parts)
    for split, following in zip(splits, (*splits[1:], splits[0]), strict=True):
        assert np.array_equal(split.validation, following.test)
    for code, size in enumerate(sizes):
        per_test = [np.sum(labels[split.test] == code) for split in splits]
        assert max(per_test) <= -(-size // n_folds)


def test_tests_are_the_folds_of_scikit_learn(rng):
    vectors = rng.normal(size=(len(LABELS), 2))
    theirs = StratifiedKFold(6, shuffle=True, random_state=3).split(vectors, LABELS)
    for split, (_, test) in zip(grouped_folds(LABELS, seed=3), theirs, strict=True):
        assert np.array_equal(split.test, test)


def test_groups_stay_whole_and_tests_are_the_grouped_folds_of_scikit_learn(rng):
    groups = rng.integers(0, 25, size=len(LABELS)).astype(str)
    theirs = StratifiedGroupKFold(4, shuffle=True, random_state=3).split(LABELS[:, None], LABELS, groups)
    for split, (_, test) in zip(grouped_folds(LABELS, groups=groups, n_folds=4, seed=3), theirs, strict=True):
        assert np.array_equal(split.test, test)
        parts = [set(groups[rows]) for rows in (split.train, split.validation, split.test)]
        assert sum(map(len, parts)) == len(set(groups))


def test_the_seed_decides():
    first, again, other = (grouped_folds(LABELS, seed=seed)[0].test for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rare_classes_are_named_in_one_warning():
    labels = np.repeat([0, 1, 2, 3], [30, 3, 6, 4])
    with pytest.warns(FoldWarning, match=r"fewer samples than the 6 folds.*: 'b' \(3\), 'd' \(4\)$") as caught:
        grouped_folds(labels, class_names=["a", "b", "c", "d"])
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_class_of_many_samples_in_few_groups_is_rare():
    groups = np.concatenate([np.arange(30) % 10, 10 + np.arange(18) % 3, np.arange(12) % 10])
    with pytest.warns(FoldWarning, match=r"fewer groups than the 4 folds.*: class 1 \(3\)$"):
        splits = grouped_folds(LABELS, groups=groups, n_folds=4)
    assert all(set(LABELS[split.train]) == {0, 1, 2} for split in splits)


@pytest.mark.filterwarnings("ignore::ali_core.data.FoldWarning")
def test_a_part_that_grouping_leaves_empty_is_refused():
    """Five groups in five folds: scikit-learn puts two into one part, as their classes balance each other."""
    sizes = [2, 21, 5, 15, 14]
    labels, groups = np.repeat([0, 1, 0, 1, 1], sizes), np.repeat(np.arange(5), sizes)
    parts = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(labels[:, None], labels, groups)
    assert [len(test) for _, test in parts] == [15, 14, 2, 0, 26]
    with pytest.raises(AliError, match="the validation part of fold 2 has no sample"):
        grouped_folds(labels, groups=groups, n_folds=5)


@pytest.mark.filterwarnings("ignore::ali_core.data.FoldWarning")
@pytest.mark.parametrize(
    ("labels", "arguments", "message"),
    [
        (LABELS, {"n_folds": 2}, "n_folds must be at least 3.*got 2"),
        (LABELS[:, None], {}, r"one per sample; got the shape \(60, 1\)"),
        (LABELS / 2, {}, "integer class codes.*float64"),
        (LABELS[:0], {}, r"got the shape \(0,\)"),
        (LABELS - 1, {}, "from 0 to 1; got values from -1 to 1"),
        (LABELS, {"class_names": ["a", "b"]}, "from 0 to 1; got values from 0 to 2"),
        (LABELS, {"groups": LABELS}, "3 groups cannot be kept whole in 6 folds; take at most 3 folds"),
        (LABELS, {"groups": LABELS[1:]}, r"groups must be one per sample, shape \(60,\); got \(59,\)"),
        (
            np.repeat([0, 1], [20, 1]),
            {"class_names": ["a", "blast"]},
            r"fold . has no sample of 'blast' \(1 in all\).*exclude it \(--exclude 'blast'\)",
        ),
        (np.arange(8) % 4, {}, "6 folds need a class with as many samples; the largest has 2"),
        (LABELS, {"groups": np.minimum(np.arange(60) // 10, 5)}, "has no sample of class"),
    ],
)
def test_impossible_folds_are_refused(labels, arguments, message):
    with pytest.raises(AliError, match=message):
        grouped_folds(labels, **arguments)


PARTS = np.array(["train", "test", "train", "validation"])[np.arange(60) % 4]


def test_a_given_split_is_the_one_fold():
    (fold,) = grouped_folds(LABELS, split=PARTS)
    for part in ("train", "validation", "test"):
        assert getattr(fold, part).tolist() == np.flatnonzero(part == PARTS).tolist()
    assert fold.origin == "the split that is given"


def test_without_a_validation_part_one_is_cut_from_training_with_groups_whole():
    split, groups, labels = np.where(np.arange(60) < 48, "train", "test"), np.arange(60) // 4, np.arange(60) % 3
    (fold,) = grouped_folds(labels, split=split, groups=groups, n_folds=4)
    assert fold.test.tolist() == list(range(48, 60))
    assert sorted([*fold.train, *fold.validation]) == list(range(48))
    assert not set(groups[fold.train]) & set(groups[fold.validation])
    assert "validation" in fold.origin


def test_fold_numbers_are_tested_in_turn():
    numbers = np.arange(60) // 3 % 4
    folds = grouped_folds(LABELS, split=numbers)
    assert len(folds) == 4
    for fold in folds:
        assert set(numbers[fold.test]) == {fold.fold}
        assert set(numbers[fold.validation]) == {(fold.fold + 1) % 4}
        assert len(fold.train) + len(fold.validation) + len(fold.test) == 60


def test_groups_that_a_given_split_divides_are_named():
    groups = np.array([f"P{i // 6}" for i in range(60)])
    with pytest.raises(AliError, match=r"divides 10 of 10 groups \(P0 in test and train and validation, .*, …\)"):
        grouped_folds(LABELS, split=PARTS, groups=groups)
    assert len(grouped_folds(LABELS, split=PARTS)) == 1


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (
            np.where(np.arange(60) % 2, "train", "validation"),
            "needs samples in train and in test; got train, validation",
        ),
        (np.arange(60) % 2, "at least three fold numbers; got 0, 1"),
        (PARTS[1:], r"split must be one per sample, shape \(60,\); got \(59,\)"),
        (np.where(LABELS == 2, "test", PARTS), r"the split that is given has no sample of class 2 \(12 in all\)"),
    ],
)
def test_given_splits_that_cannot_be_used_are_refused(split, message):
    with pytest.raises(AliError, match=message):
        grouped_folds(LABELS, split=split)


@pytest.mark.parametrize("split", [None, PARTS])
def test_unlabelled_samples_are_in_no_part(split):
    labels = np.where(np.arange(60) % 7 == 3, -1, LABELS)
    for fold in grouped_folds(labels, split=split, class_names=list("abc"), n_folds=3):
        rows = np.concatenate([fold.train, fold.validation, fold.test])
        assert np.sort(rows).tolist() == np.flatnonzero(labels >= 0).tolist()
