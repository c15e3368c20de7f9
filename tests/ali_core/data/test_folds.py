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
        (np.repeat([0, 1], [20, 1]), {"class_names": ["a", "blast"]}, "fold . has no sample of 'blast'"),
        (np.arange(8) % 4, {}, "6 folds need a class with as many samples; the largest has 2"),
        (LABELS, {"groups": np.minimum(np.arange(60) // 10, 5)}, "has no sample of class"),
    ],
)
def test_impossible_folds_are_refused(labels, arguments, message):
    with pytest.raises(AliError, match=message):
        grouped_folds(labels, **arguments)
