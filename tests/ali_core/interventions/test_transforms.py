"""Contract, rotate and shift on points where the answer can be drawn on paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core.interventions.transforms import contract, ortho_direction, rotate, shift, shift_direction


@given(strength=st.floats(0, 1), seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_contraction_scales_distances_to_the_center(strength, seed):
    points = np.random.default_rng(seed).normal(size=(9, 4))
    center = points.mean(axis=0)
    moved = contract(center, strength).apply(points)
    np.testing.assert_allclose(moved.mean(axis=0), center, atol=1e-12)
    np.testing.assert_allclose(moved - center, (1 - strength) * (points - center), atol=1e-12)


def test_shift_points_away_from_the_neighbours():
    center = np.array([1.0, 1.0])
    np.testing.assert_allclose(shift_direction(center, np.array([[0.0, 1.0]])), [1, 0])
    np.testing.assert_allclose(shift_direction(center, np.array([[0.0, 1.0], [1.0, -7.0]])), [1, 1])
    np.testing.assert_allclose(shift_direction(center, np.array([[0.0, 1.0], [9.0, 1.0]])), [0, 0], atol=1e-15)


def test_ortho_points_from_the_line_between_two_neighbours():
    neighbours = np.array([[0.0, 0.0], [4.0, 0.0]])
    np.testing.assert_allclose(ortho_direction(np.array([1.0, 3.0]), neighbours), [0, 1], atol=1e-15)
    np.testing.assert_allclose(ortho_direction(np.array([9.0, -2.0]), neighbours), [0, -1], atol=1e-15)


def test_what_is_undefined_contributes_nothing():
    center = np.array([2.0, 0.0])
    on_the_line = np.array([[0.0, 0.0], [4.0, 0.0]])
    np.testing.assert_array_equal(ortho_direction(center, on_the_line), [0, 0])
    np.testing.assert_array_equal(ortho_direction(center, np.array([[0.0, 1.0], [0.0, 1.0]])), [0, 0])
    np.testing.assert_array_equal(ortho_direction(center, np.array([[0.0, 1.0]])), [0, 0])
    np.testing.assert_allclose(shift_direction(center, np.array([[2.0, 0.0], [0.0, 0.0]])), [1, 0])
    np.testing.assert_array_equal(shift(center, on_the_line, spread=1.0, strength=2.0, shift_mix=0.5), [0, 0])


@given(mix=st.floats(0, 1), strength=st.floats(0.01, 8), spread=st.floats(0.01, 10))
@settings(max_examples=40)
def test_the_shift_is_strength_times_spread_long(mix, strength, spread):
    neighbours = np.array([[0.0, 0.0, 1], [4.0, 0.0, 0], [1.0, -1.0, 2]])
    vector = shift(np.array([1.0, 3.0, 0.5]), neighbours, spread=spread, strength=strength, shift_mix=mix)
    assert np.linalg.norm(vector) == pytest.approx(strength * spread, rel=1e-12)


def test_the_mix_blends_both_directions():
    center, neighbours = np.array([1.0, 3.0]), np.array([[0.0, 0.0], [4.0, 0.0]])
    pure = shift(center, neighbours, spread=1, strength=1, shift_mix=1.0)
    away = shift_direction(center, neighbours)
    np.testing.assert_allclose(pure, away / np.linalg.norm(away))
    np.testing.assert_allclose(shift(center, neighbours, spread=1, strength=1, shift_mix=0.0), [0, 1], atol=1e-15)
    both = 0.25 * away + 0.75 * np.array([0.0, 1.0])
    half = shift(center, neighbours, spread=1, strength=1, shift_mix=0.25)
    np.testing.assert_allclose(half, both / np.linalg.norm(both))


def test_one_neighbour_leaves_the_mix_without_effect():
    center, neighbour = np.array([1.0, 3.0]), np.array([[0.0, 3.0]])
    for mix in (0.0, 0.5, 1.0):
        np.testing.assert_allclose(shift(center, neighbour, spread=2, strength=1, shift_mix=mix), [2, 0])


def test_the_nearest_neighbours_factor_acts_first(rng):
    from ali_core.geometry import rotation_away

    center, near, far = rng.normal(size=(3, 5))
    points = rng.normal(size=(4, 5))
    expected = rotation_away(center, far, 0.4).apply(rotation_away(center, near, 0.4).apply(points))
    np.testing.assert_allclose(rotate(center, np.array([near, far]), 0.4).apply(points), expected, atol=1e-13)
    assert rotate(center, np.array([near, far]), 0.0) is None
    assert rotate(center, np.array([center, np.zeros(5)]), 0.4) is None
