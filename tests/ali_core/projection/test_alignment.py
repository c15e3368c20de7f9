import numpy as np
import pytest

from ali_core import AliError
from ali_core.projection import aligned, rigid_motion, stayed


def turned(points, degrees, *, mirrored=False, offset=(3.0, -7.0)):
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    if mirrored:
        matrix = np.diag([1.0, -1.0]) @ matrix
    return points @ matrix + np.array(offset)


@pytest.mark.parametrize("degrees", [0, 30, 90, 179, 250])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_and_moved_cloud_comes_back(rng, degrees, mirrored):
    cloud = rng.normal(size=(40, 2))
    motion = rigid_motion(turned(cloud, degrees, mirrored=mirrored), cloud)
    np.testing.assert_allclose(motion.apply(turned(cloud, degrees, mirrored=mirrored)), cloud, atol=1e-12)


def test_lengths_are_kept_even_where_scaling_would_fit_better(rng):
    cloud = rng.normal(size=(30, 2))
    back = rigid_motion(3.0 * cloud, cloud).apply(3.0 * cloud)
    np.testing.assert_allclose(np.linalg.norm(back[0] - back[1]), 3.0 * np.linalg.norm(cloud[0] - cloud[1]))


def test_only_the_anchors_decide(rng):
    cloud = rng.normal(size=(50, 2))
    moved = turned(cloud, 70)
    anchors = np.arange(50) < 10
    moved[~anchors] += 100.0
    back = aligned(moved, cloud, anchors)
    np.testing.assert_allclose(back[anchors], cloud[anchors], atol=1e-12)


def test_with_two_anchors_all_samples_decide(rng):
    cloud = rng.normal(size=(50, 2))
    back = aligned(turned(cloud, 20, mirrored=True), cloud, np.arange(50) < 2)
    np.testing.assert_allclose(back, cloud, atol=1e-12)


def test_coincident_points_are_only_moved_together():
    back = rigid_motion(np.ones((4, 2)), np.zeros((4, 2))).apply(np.array([[1.0, 1.0], [2.0, 1.0]]))
    np.testing.assert_allclose(back[0], [0.0, 0.0], atol=1e-12)
    assert np.linalg.norm(back[1] - back[0]) == pytest.approx(1.0)


def test_stayed_marks_the_rows_that_did_not_move(rng):
    before = rng.normal(size=(20, 5))
    after = before.copy()
    after[[3, 8]] += 1.0
    after[5] += 1e-6
    assert np.flatnonzero(~stayed(before, after)).tolist() == [3, 8]


def test_states_of_different_shapes_are_refused(rng):
    with pytest.raises(AliError, match=r"shape \(4, 3\) cannot follow one of shape \(4, 2\)"):
        stayed(np.zeros((4, 2)), np.zeros((4, 3)))
