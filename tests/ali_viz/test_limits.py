"""What a picture shows holds all points, without wasting space on strips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ali_viz.limits import is_strip, shared_limits

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
