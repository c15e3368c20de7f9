"""Plane rotations against their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core.geometry import AffineMap, SpanRotation, plane_rotation, rotation_away


def angle(a, b):
    return np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))


def test_a_quarter_turn_by_hand():
    turn = plane_rotation(np.array([2.0, 0, 0]), np.array([1.0, 3.0, 0]), np.pi / 2)
    np.testing.assert_allclose(turn.apply(np.array([[1.0, 0, 5.0]])), [[0, 1, 5]], atol=1e-15)


@given(seed=st.integers(0, 10_000), dim=st.integers(2, 9), strength=st.floats(0, 1))
@settings(max_examples=60)
def test_rotating_away_keeps_lengths_and_widens_the_angle_by_the_share(seed, dim, strength):
    rng = np.random.default_rng(seed)
    center, neighbour = rng.normal(size=(2, dim))
    turn = rotation_away(center, neighbour, strength)
    turned = turn.apply(center[None])[0]
    before, after = angle(center, neighbour), angle(turned, neighbour)
    assert after == pytest.approx(before + strength * (np.pi - before), abs=1e-6)
    points = rng.normal(size=(20, dim))
    moved = turn.apply(points)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), np.linalg.norm(points, axis=1), rtol=1e-12)
    np.testing.assert_allclose(moved @ moved.T, points @ points.T, atol=1e-10)
    np.testing.assert_allclose(turn.matrix @ turn.matrix.T, np.eye(dim), atol=1e-12)


def test_full_strength_ends_on_the_opposite_side():
    center, neighbour = np.array([1.0, 0.2, 0]), np.array([0.5, 2.0, 0])
    turned = rotation_away(center, neighbour, 1.0).apply(center[None])[0]
    expected = -neighbour / np.linalg.norm(neighbour) * np.linalg.norm(center)
    np.testing.assert_allclose(turned, expected, atol=1e-14)


@pytest.mark.parametrize("other", [[0.0, 0, 0], [2.0, 4, 6], [-1.0, -2, -3]])
def test_without_a_plane_there_is_no_rotation(other):
    assert rotation_away(np.array([1.0, 2, 3]), np.array(other), 0.5) is None


def test_a_product_of_rotations_equals_the_product_of_their_matrices(rng):
    center, *neighbours = rng.normal(size=(6, 12))
    factors = [rotation_away(center, k, 0.3) for k in neighbours]
    matrix = np.eye(12)
    for factor in factors:
        matrix = factor.matrix @ matrix
    product = SpanRotation.product(factors)
    points = rng.normal(size=(30, 12))
    np.testing.assert_allclose(product.apply(points), points @ matrix.T, atol=1e-12)
    np.testing.assert_allclose(product.after(None), matrix, atol=1e-12)
    earlier = plane_rotation(*rng.normal(size=(2, 12)), 0.7).matrix
    np.testing.assert_allclose(product.after(earlier), matrix @ earlier, atol=1e-12)


def test_a_product_within_a_plane_where_all_vectors_are_dependent(rng):
    factors = [rotation_away(np.array([1.0, 0.1]), k, 0.4) for k in rng.normal(size=(5, 2))]
    matrix = np.linalg.multi_dot([factor.matrix for factor in reversed(factors)])
    np.testing.assert_allclose(SpanRotation.product(factors).after(None), matrix, atol=1e-12)


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
def test_one_map_after_another_equals_both_in_order(rng, turned):
    maps = [
        AffineMap(
            scale=rng.uniform(0.2, 2),
            rotation=plane_rotation(*rng.normal(size=(2, 4)), 0.9).matrix if turn else None,
            offset=rng.normal(size=4),
        )
        for turn in turned
    ]
    first, then = maps
    points = rng.normal(size=(7, 4))
    total = then.after(first)
    np.testing.assert_allclose(total.apply(points), then.apply(first.apply(points)), atol=1e-13)
    np.testing.assert_allclose(total.apply(points), points @ total.linear.T + total.offset, atol=1e-13)
    identity = AffineMap.identity(4)
    np.testing.assert_array_equal(identity.apply(points), points)
    np.testing.assert_allclose(identity.after(first).apply(points), first.apply(points))
