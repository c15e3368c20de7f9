"""What a picture shows holds all points, without wasting space on strips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ali_viz.limits import is_strip, shared_limits, steady_limits

SQUEEZE = st.just(0.0) | st.floats(1e-290, 1)  # below, a margin is less than the next number


@given(seed=st.integers(0, 999), aspect=st.floats(0.3, 3), equal=st.booleans(), squeeze=SQUEEZE)
def test_all_points_are_inside(seed, aspect, equal, squeeze):
    points = np.random.default_rng(seed).normal(size=(9, 2)) * [1, squeeze]
    (left, right), (bottom, top) = shared_limits(points, aspect, equal_units=equal)
    assert left < points[:, 0].min() <= points[:, 0].max() < right
    assert bottom < points[:, 1].min() <= points[:, 1].max() < top
    if equal:
        assert (top - bottom) / (right - left) == pytest.approx(aspect)


def test_a_strip_is_five_times_as_long_as_wide():
    assert is_strip(np.array([[0.0, 0], [5, 1]]))
    assert is_strip(np.array([[0.0, 0], [1, 5]]))
    assert not is_strip(np.array([[0.0, 0], [3, 1]]))
    assert not is_strip(np.array([[0.0, 0], [3, 0]]))
    assert not is_strip(np.zeros((3, 2)))


def test_steady_limits_are_a_little_wider_and_stay_where_points_move_a_little():
    assert steady_limits(((-6.8, 8.13), (-0.21, 0.4))) == ((-7.0, 8.5), (-0.21875, 0.40625))
    assert steady_limits(((-6.9, 8.4), (-0.21, 0.4))) == steady_limits(((-6.8, 8.13), (-0.21, 0.4)))
    for offset, size in ((0.0, 1e-60), (1e9, 1e-3), (-3.0, 1e60)):
        tight = ((offset, offset + size), (offset - size, offset + size))
        for (low, high), (left, right) in zip(tight, steady_limits(tight), strict=True):
            assert left <= low < high <= right
            assert right - left <= 1.125 * (high - low)


def test_equal_points_far_out_have_limits_as_well():
    limits = steady_limits(shared_limits(np.full((3, 2), 1e20)))
    assert all(low < high for low, high in limits)
