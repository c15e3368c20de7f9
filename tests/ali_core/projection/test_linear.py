import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from ali_core.projection import layout, plane_through, principal_plane, project


@pytest.mark.parametrize("shape", [(60, 7), (12, 30), (5, 2)])
def test_pca_is_that_of_scikit_learn_up_to_sign(rng, shape):
    vectors = rng.normal(size=shape) * np.linspace(3.0, 1.0, shape[1])
    ours = layout(vectors, "pca").positions
    theirs = PCA(n_components=2).fit_transform(vectors)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-9)


def test_the_plane_of_many_float32_samples_is_that_of_scikit_learn(rng, monkeypatch):
    monkeypatch.setattr("ali_core.projection.linear.CHUNK", 16)
    vectors = (rng.normal(size=(100, 6)) * [5.0, 4.0, 2.0, 1.0, 1.0, 1.0] + 30.0).astype(np.float32)
    ours, theirs = principal_plane(vectors), PCA(n_components=2).fit(vectors.astype(np.float64))
    np.testing.assert_allclose(ours.origin, theirs.mean_, rtol=1e-12)
    np.testing.assert_allclose(np.abs(ours.axes.T), np.abs(theirs.components_), atol=1e-9)


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


def overlapping_classes(rng, shape, n_classes):
    codes = np.arange(shape[0]) % n_classes
    spreads = np.linspace(0.5, 3.0, shape[1])
    return rng.normal(size=shape) * spreads + rng.normal(size=(n_classes, shape[1]))[codes], codes


@pytest.mark.parametrize("shape", [(92, 6), (24, 40)])
def test_discriminants_are_those_of_scikit_learn_up_to_sign(rng, shape):
    vectors, codes = overlapping_classes(rng, shape, 4)
    centers = np.stack([vectors[codes == code].mean(axis=0) for code in range(4)])
    deviations = vectors - centers[codes]
    amount = ledoit_wolf_shrinkage(deviations, assume_centered=True)
    # shrinking the covariance within classes is adding samples on both sides of each center, along each axis
    length = np.sqrt(amount / (1 - amount) * np.square(deviations).sum() / (8 * shape[1]))
    added = np.concatenate([center + sign * length * np.eye(shape[1]) for center in centers for sign in (1, -1)])
    everything = np.concatenate([vectors, added])
    theirs = LinearDiscriminantAnalysis().fit(
        everything, np.concatenate([codes, np.repeat(np.arange(4), 2 * shape[1])])
    )
    expected = theirs.transform(vectors)[:, :2]
    ours = layout(vectors, "discriminant", labels=codes).positions
    unit = np.sqrt(((ours**2).sum(axis=0)) / (expected**2).sum(axis=0))
    assert unit[0] == pytest.approx(unit[1])
    np.testing.assert_allclose(np.abs(ours), np.abs(expected) * unit, atol=1e-7)


@pytest.mark.parametrize(("n_classes", "dim"), [(1, 5), (2, 5), (3, 2), (2, 1)])
def test_discriminant_axes_are_uncorrelated_within_classes_and_their_unit_is_the_spread(rng, n_classes, dim):
    vectors, codes = overlapping_classes(rng, (6000, dim), n_classes)
    positions = layout(vectors, "discriminant", labels=codes).positions
    centers = np.stack([positions[codes == code].mean(axis=0) for code in range(n_classes)])
    deviations = positions - centers[codes]
    expected = np.eye(2) if dim > 1 else np.diag([1.0, 0.0])
    np.testing.assert_allclose(deviations.T @ deviations / len(vectors), expected, atol=0.02)


@pytest.mark.parametrize("size", [1e-59, 1e58])
@pytest.mark.parametrize("view", ["pca", "discriminant"])
def test_very_small_and_very_large_numbers_are_laid_out_as_others(rng, view, size):
    vectors, codes = overlapping_classes(rng, (90, 6), 4)
    unit = size if view == "pca" else 1.0
    expected = layout(vectors, view, labels=codes).positions
    np.testing.assert_allclose(
        layout(size * vectors, view, labels=codes).positions / unit, expected, rtol=1e-6, atol=1e-9
    )


def test_the_discriminant_plane_is_that_of_the_first_state(rng):
    vectors, codes = overlapping_classes(rng, (90, 6), 4)
    first = layout(vectors, "discriminant", labels=codes)
    second = layout(vectors * (1.0 + (codes == 1))[:, None], "discriminant", labels=codes, previous=first)
    np.testing.assert_array_equal(second.positions[codes != 1], first.positions[codes != 1])


@pytest.mark.parametrize("n_samples", [1, 2, 3])
def test_few_samples_or_classes_of_one_point_have_a_discriminant_plane(n_samples):
    vectors = np.eye(3)[np.arange(n_samples)]
    assert np.isfinite(layout(vectors, "discriminant", labels=np.arange(n_samples)).positions).all()
    assert np.isfinite(layout(np.zeros((4, 3)), "discriminant", labels=[0, 0, 1, 1]).positions).all()
