"""Classes in the order in which they lie in space."""

import itertools

import numpy as np
import pytest

from ali_core.interventions import ClassStatistics, distance_order


def at(centers, counts=None):
    centers = np.asarray(centers, dtype=float)
    counts = np.full(len(centers), 5) if counts is None else np.asarray(counts)
    return ClassStatistics(counts=counts, centers=centers, squares=np.ones(len(centers)))


def test_centers_on_a_line_are_walked_along_from_the_end_of_the_lower_code():
    places = [4.0, 0.0, 9.5, 1.0, 2.2, 7.0]
    line = np.outer(places, [1.0, 2.0, -1.0]) + [3.0, 0.0, 5.0]
    assert distance_order(at(line)) == [1, 3, 4, 0, 5, 2]
    assert distance_order(at(-line)) == [1, 3, 4, 0, 5, 2]


def test_absent_classes_come_last_and_do_not_count():
    places = np.array([[4.0], [0.0], [2.0], [1.0], [5.0]])
    assert distance_order(at(places, [5, 5, 0, 5, 0])) == [0, 3, 1, 2, 4]


@pytest.mark.parametrize("n_present", [0, 1, 2])
def test_few_classes(n_present):
    assert distance_order(at(np.eye(3), [1] * n_present + [0] * (3 - n_present))) == [0, 1, 2]


def test_no_order_of_two_pairs_is_shorter(rng):
    centers = np.array([[0.0, 0.0], [1.0, 0.0], [10.0, 0.5], [10.5, 3.0]])
    shuffled = rng.permutation(4)

    def length(order):
        return np.linalg.norm(np.diff(centers[shuffled][list(order)], axis=0), axis=1).sum()

    found = distance_order(at(centers[shuffled]))
    assert length(found) == pytest.approx(min(map(length, itertools.permutations(range(4)))))
    assert found == distance_order(at(centers[shuffled]))
    assert found[0] < found[-1]
