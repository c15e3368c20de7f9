import numpy as np
import pytest
from sklearn.decomposition import PCA

from ali_core.projection import layout, plane_through, principal_plane, project


@pytest.mark.parametrize("shape", [(60, 7), (12, 30), (5, 2)])
def test_pca_is_that_of_scikit_learn_up_to_sign(rng, shape):
    vectors = rng.normal(size=shape) * np.linspace(3.0, 1.0, shape[1])
    ours = layout(vectors, "pca").positions
    theirs = PCA(n_components=2).fit_transform(vectors)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-9)


def test_the_largest_loading_is_positive(rng):
    vectors = rng.normal(size=(40, 6))
    for sign in (1.0, -1.0):
        axes = principal_plane(sign * vectors).axes
        assert (axes[np.abs(axes).argmax(axis=0), [0, 1]] > 0).all()
        np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-12)


def test_pca_of_later_states_is_the_plane_of_the_first(rng):
    first = rng.normal(size=(30, 4)) * [5.0, 3.0, 1.0, 1.0]
    second = first[:, ::-1] + 2.0
    model = PCA(n_components=2).fit(first)
    positions = project([first, second], "pca")
    np.testing.assert_allclose(np.abs(positions[1]), np.abs(model.transform(second)), atol=1e-9)


def test_samples_that_stay_do_not_move_on_linear_views(rng):
    first = rng.normal(size=(30, 4))
    second = first.copy()
    second[:5] += 3.0
    for view in ("dims", "pca"):
        before, after = project([first, second], view)
        np.testing.assert_array_equal(before[5:], after[5:])


def test_dims_are_the_first_two_columns(rng):
    vectors = rng.normal(size=(9, 4)).astype(np.float32)
    positions = layout(vectors, "dims").positions
    np.testing.assert_array_equal(positions, vectors[:, :2])
    assert positions.dtype == np.float64


@pytest.mark.parametrize("view", ["dims", "pca"])
def test_one_dimension_lies_on_a_line(rng, view):
    vectors = rng.normal(size=(9, 1))
    positions = layout(vectors, view).positions
    np.testing.assert_array_equal(positions[:, 1], 0.0)
    np.testing.assert_allclose(np.diff(positions[:, 0]), np.diff(vectors[:, 0]), atol=1e-12)


@pytest.mark.parametrize("view", ["dims", "pca"])
@pytest.mark.parametrize("n_samples", [1, 2, 3])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_few_or_equal_samples_have_a_place(view, n_samples, dim):
    positions = layout(np.ones((n_samples, dim)), view).positions
    assert positions.shape == (n_samples, 2)
    assert np.isfinite(positions).all()
    assert np.ptp(positions, axis=0).max() < 1e-12


def test_a_plane_through_three_points_keeps_their_distances(rng):
    points = rng.normal(size=(3, 7))
    flat = plane_through(points, points).project(points)
    for one, two in ((0, 1), (0, 2), (1, 2)):
        np.testing.assert_allclose(np.linalg.norm(flat[one] - flat[two]), np.linalg.norm(points[one] - points[two]))
    np.testing.assert_allclose(flat[0], 0.0, atol=1e-12)
    assert flat[1][1] == pytest.approx(flat[2][1])
    assert flat[1][1] < 0


@pytest.mark.parametrize("points", [np.outer([0.0, 1.0, 3.0], [1.0, 2.0, 0.0]), np.zeros((3, 3)), np.eye(3)[:2]])
def test_points_that_span_no_plane_get_one_from_the_samples(rng, points):
    samples = rng.normal(size=(30, 3))
    axes = plane_through(points, samples).axes
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-9)
    flat = (points - points[0]) @ axes
    expected = np.linalg.norm(points - points[0], axis=1)
    np.testing.assert_allclose(np.linalg.norm(flat, axis=1), expected, atol=1e-9)


def test_in_two_dimensions_the_plane_is_the_space_itself(rng):
    points = rng.normal(size=(3, 2))
    np.testing.assert_array_equal(plane_through(points, points).axes, np.eye(2))
