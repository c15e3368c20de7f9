"""Neighbours before and after, against a loop over all pairs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import AliError
from ali_core.evaluation.neighbours import changed_neighbours, nearest_neighbours


def literal_neighbours(vectors, k):
    """Sort all others by distance, then by row number."""
    found = []
    for row, own in enumerate(vectors):
        others = [(math.dist(own, other), at) for at, other in enumerate(vectors) if at != row]
        found.append([at for _, at in sorted(others)[:k]])
    return found


@given(seed=st.integers(0, 10_000), n=st.integers(2, 60), k=st.integers(1, 12), dim=st.integers(1, 6))
@settings(max_examples=40)
def test_neighbours_are_those_of_a_loop(seed, n, k, dim):
    vectors = np.random.default_rng(seed).normal(size=(n, dim))
    assert nearest_neighbours(vectors, k).tolist() == literal_neighbours(vectors, k)


@given(seed=st.integers(0, 10_000), n=st.integers(20, 60), k=st.integers(1, 8))
@settings(max_examples=40)
def test_of_equal_distances_the_lower_row_comes_first(seed, n, k):
    """On a small grid most distances are tied, and many samples are equal."""
    vectors = np.random.default_rng(seed).integers(-1, 2, size=(n, 2)).astype(np.float64)
    assert nearest_neighbours(vectors, k).tolist() == literal_neighbours(vectors, k)


@given(seed=st.integers(0, 10_000), k=st.integers(1, 9))
@settings(max_examples=20)
def test_the_share_is_that_of_sets(seed, k):
    rng = np.random.default_rng(seed)
    before = rng.normal(size=(40, 4))
    after = before + rng.normal(size=before.shape)
    pairs = zip(literal_neighbours(before, k), literal_neighbours(after, k), strict=True)
    expected = [1 - len(set(first) & set(second)) / k for first, second in pairs]
    np.testing.assert_allclose(changed_neighbours(before, after, k), expected, atol=1e-12)


def test_a_similarity_changes_no_neighbour_and_another_dimension_may():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(300, 8)).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    assert not changed_neighbours(before, 3.0 * before.astype(np.float64) @ turn + 5.0).any()
    assert changed_neighbours(before, before[:, :2]).mean() > 0.5


def test_a_class_in_one_point_has_the_same_neighbours_each_time():
    before = np.random.default_rng(1).normal(size=(400, 5))
    before[100:200] = before[100]
    assert nearest_neighbours(before, 10)[150].tolist() == list(range(100, 110))
    assert not changed_neighbours(before, before.copy()).any()


def test_ties_are_put_in_order_across_many_rows():
    """Squared distances between whole numbers are exact; a stable sort of them keeps the order of the rows."""
    vectors = np.random.default_rng(2).integers(-2, 3, size=(1100, 3))
    distances = np.sum((vectors[:, None] - vectors) ** 2, axis=2)
    np.fill_diagonal(distances, distances.max() + 1)
    expected = np.argsort(distances, axis=1, kind="stable")[:, :10]
    np.testing.assert_array_equal(nearest_neighbours(vectors.astype(np.float64), 10), expected)


def test_progress_is_told_and_the_search_can_be_stopped():
    vectors, told = np.random.default_rng(3).normal(size=(600, 2)), []
    changed_neighbours(vectors, vectors, progress=lambda *done: told.append(done))
    assert told == [(512, 1200), (600, 1200), (1112, 1200), (1200, 1200)]
    asked = iter([False, False, True])
    with pytest.raises(AliError, match="was stopped; start it again"):
        changed_neighbours(vectors, vectors, progress=lambda *done: told.append(done), stopped=lambda: next(asked))
    assert told[4:] == told[:2]


def test_with_few_samples_all_others_are_the_neighbours():
    vectors = np.array([[0.0], [1.0], [3.0]])
    assert nearest_neighbours(vectors, 10).tolist() == [[1, 2], [0, 2], [1, 0]]
    assert changed_neighbours(vectors, vectors[::-1]).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("before", "after", "k", "message"),
    [
        (np.zeros((3, 1)), np.zeros((4, 1)), 1, "same samples; got 3 and 4"),
        (np.zeros((1, 1)), np.zeros((1, 1)), 1, "2 to 20,000 samples; got 1"),
        (np.zeros((20_001, 1)), np.zeros((20_001, 1)), 1, "got 20,001: give a subset"),
        (np.zeros((3, 1)), np.zeros((3, 1)), 0, "k must be at least 1; got 0"),
        (
            np.zeros((3, 1)),
            np.diag([0, np.nan, np.inf]),
            1,
            "finite; 2 rows hold NaN or infinity .first: row 1",
        ),
        (np.zeros((30, 1)), np.full((30, 1), np.nan), 1, "must be finite; 30 rows"),
    ],
)
def test_what_cannot_be_compared_is_refused(before, after, k, message):
    with pytest.raises(AliError, match=message):
        changed_neighbours(before, after, k)
