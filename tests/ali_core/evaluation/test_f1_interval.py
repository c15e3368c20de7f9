"""Intervals of a macro F1 beside a literal bootstrap with scikit-learn, and cases that are known."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from ali_core.evaluation.f1_interval import f1_interval


@pytest.fixture
def labelled(rng):
    """Three classes, two classifiers whose mistakes are partly the same."""
    true = np.repeat([0, 1, 2], [60, 30, 12])
    hard = rng.random(102) < 0.3
    first, second = (np.where(hard & (rng.random(102) < 0.8), rng.integers(0, 3, 102), true) for _ in range(2))
    return true, first, second


def literal(true, predicted, minus, rng):
    found = []
    for _ in range(600):
        rows = np.concatenate(
            [rng.choice(own, len(own)) for own in (np.flatnonzero(true == code) for code in range(3))]
        )
        f1 = [f1_score(true[rows], codes[rows], average="macro") for codes in (predicted, minus) if codes is not None]
        found.append(f1[0] - sum(f1[1:]))
    return np.quantile(found, [0.025, 0.975])


@pytest.mark.parametrize("paired", [False, True])
def test_it_is_that_of_a_literal_bootstrap(labelled, rng, paired):
    true, first, second = labelled
    minus = second if paired else None
    found = f1_interval(true, first, 3, minus=minus, rng=rng)
    value = f1_score(true, first, average="macro") - (f1_score(true, second, average="macro") if paired else 0.0)
    assert found.value == pytest.approx(value)
    low, high = literal(true, first, minus, rng)
    np.testing.assert_allclose(found[1:], [low, high], atol=0.15 * (high - low))


def test_what_is_equal_differs_by_nothing_and_what_is_right_is_certain(labelled, rng):
    true, first, _ = labelled
    assert f1_interval(true, first, 3, minus=first, rng=rng) == (0.0, 0.0, 0.0)
    assert f1_interval(true, true, 3, rng=rng) == (1.0, 1.0, 1.0)


def test_pairs_tell_more_than_two_intervals(labelled, rng):
    true, first, second = labelled
    apart = [f1_interval(true, codes, 3, rng=rng) for codes in (first, second)]
    paired = f1_interval(true, first, 3, minus=second, rng=rng)
    assert paired.high - paired.low < sum(one.high - one.low for one in apart) / 2**0.5


def test_classes_that_are_absent_or_only_predicted(rng):
    true, predicted = np.array([0, 0, 2, 2, 2]), np.array([0, 1, 2, 2, 2])
    found = f1_interval(true, predicted, 5, rng=rng)
    assert found.value == pytest.approx(f1_score(true, predicted, average="macro"))  # class 1 counts with 0
    assert found.low < found.value < found.high == 1.0  # some draws are without the mistake


def test_half_of_the_hits_of_one_large_class_by_the_normal_law(rng):
    true, predicted = np.zeros(10_000, np.int64), np.repeat([0, 0, 0, 1], 2_500)
    # Macro F1 is half of 2h / (1 + h) for the share h of hits; its slope is 1 / (1 + h)².
    h = 0.75
    width = 2 * 1.96 * np.sqrt(h * (1 - h) / 10_000) / (1 + h) ** 2
    found = f1_interval(true, predicted, 2, rng=rng)
    assert found.value == pytest.approx(h / (1 + h))
    assert found.high - found.low == pytest.approx(width, rel=0.12)
