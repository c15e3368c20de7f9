"""Criteria on centers whose scores are computed by hand."""

import numpy as np
import pytest

from ali_core import AliError
from ali_core.interventions import CRITERIA, ClassStatistics, choose_class, class_probabilities
from ali_core.interventions.criteria import closest, criterion_name, mean_all, mean_std, product


def on_a_line(positions, spreads, counts=None):
    """Classes with centers on the x axis of the plane; the spread is per axis."""
    counts = np.array(counts or [2] * len(positions))
    centers = np.stack([np.array(positions, float), np.zeros(len(positions))], axis=1)
    return ClassStatistics(counts=counts, centers=centers, squares=2 * counts * np.array(spreads, float) ** 2)


def test_scores_by_hand():
    now = on_a_line([0, 1, 4], [2, 1, 6])
    np.testing.assert_allclose(mean_std(now), [2 / 1, 1 / 1, 6 / 3])
    np.testing.assert_allclose(mean_all(now), [2 / 5, 2 / 4, 2 / 7])
    np.testing.assert_allclose(product(now), [0.8, 0.5, 4 / 7])
    np.testing.assert_allclose(closest(now), [2, 1, np.nan])


def test_closest_moves_the_wider_one_of_the_pair():
    rng = np.random.default_rng(0)
    assert choose_class(closest(on_a_line([0, 1, 4], [1, 2, 90])), "deterministic", rng) == 1
    assert choose_class(closest(on_a_line([9, 0, 1], [9, 0, 0])), "deterministic", rng) == 1


def test_probabilities_are_the_normalised_scores():
    np.testing.assert_allclose(class_probabilities(np.array([1.0, np.nan, 3.0])), [0.25, 0, 0.75])
    np.testing.assert_allclose(class_probabilities(np.array([1.0, np.inf, 3.0])), [0, 1, 0])
    np.testing.assert_allclose(class_probabilities(np.array([0.0, np.nan, 0.0])), [0.5, 0, 0.5])


def test_draws_follow_the_probabilities(rng):
    scores = np.array([1.0, np.nan, 3.0, 0.0])
    drawn = np.bincount([choose_class(scores, "probabilistic", rng) for _ in range(4000)], minlength=4)
    np.testing.assert_allclose(drawn / 4000, [0.25, 0, 0.75, 0], atol=0.03)


@pytest.mark.parametrize("name", CRITERIA)
def test_every_criterion_answers_the_same_questions(name):
    criterion = CRITERIA[name]
    absent = criterion(on_a_line([0, 1, 4, 0], [2, 1, 6, 0], counts=[2, 2, 2, 0]))
    assert absent.shape == (4,)
    assert absent.dtype == np.float64
    assert np.isnan(absent[3])
    np.testing.assert_allclose(absent[:3], criterion(on_a_line([0, 1, 4], [2, 1, 6])))
    for positions, spreads in ([[0, 0, 3], [1, 1, 1]], [[0, 0, 3], [0, 0, 0]], [[5, 5, 5], [1, 0, 2]]):
        scores = criterion(on_a_line(positions, spreads))
        probabilities = class_probabilities(scores)
        assert probabilities.sum() == pytest.approx(1)
        assert np.nan_to_num(probabilities, nan=-1).min() >= 0
    two = class_probabilities(criterion(on_a_line([0, 1], [1, 3])))
    assert two.sum() == pytest.approx(1)


@pytest.mark.parametrize("scores", [[np.nan, np.nan], [1.0, -0.5]])
def test_scores_that_choose_nothing_are_refused(scores):
    with pytest.raises(AliError, match="scores of at least 0"):
        class_probabilities(np.array(scores))


def test_a_name_in_place_of_a_function_is_refused_with_the_remedy():
    with pytest.raises(AliError, match=r"criterion is 'confusion', but must be a function .* settings\.changed"):
        criterion_name("confusion")
