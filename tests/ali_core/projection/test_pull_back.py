"""From a place in the picture back to embedding space."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ali_core import AliError
from ali_core.projection import layout, pull_back

ROWS = np.arange(0, 40, 2)


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(9)
    return rng.normal(size=(40, 6)) + 4.0 * np.eye(6)[np.arange(40) % 2]


@pytest.fixture(scope="module")
def fitted(vectors):
    return layout(vectors, "parametric")


def size(positions):
    return np.sqrt(np.square(positions - positions.mean(axis=0)).sum(axis=1).mean())


@pytest.mark.parametrize("view", ["dims", "pca", "discriminant"])
@given(target=st.tuples(*[st.floats(-50, 50)] * 2))
def test_on_linear_views_it_is_the_least_squares_solution_of_least_norm(vectors, view, target):
    drawn = layout(vectors, view, labels=np.arange(40) % 3)
    found = pull_back(drawn, ROWS, target)
    # oracle: mean((x + d) - o) A = t, solved for d by numpy
    axes, origin = drawn.frame.axes, drawn.frame.origin
    right = np.array(target) - (vectors[ROWS].mean(axis=0) - origin) @ axes
    expected = np.linalg.lstsq(axes.T, right, rcond=None)[0]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(drawn.place(vectors[ROWS] + found).mean(axis=0), target, atol=1e-9)


def test_the_first_two_dimensions_move_and_no_other(vectors):
    drawn = layout(vectors, "dims")
    center = vectors[ROWS].mean(axis=0)
    found = pull_back(drawn, ROWS, center[:2] + [3.0, -2.0])
    np.testing.assert_allclose(found, [3.0, -2.0, 0.0, 0.0, 0.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("view", ["dims", "pca"])
def test_one_dimension_moves_along_its_line(vectors, view):
    line = vectors[:, :1]
    found = pull_back(layout(line, view), ROWS, layout(line, view).positions[ROWS].mean(axis=0) + [1.5, 7.0])
    np.testing.assert_allclose(found, [1.5])


def test_on_the_parametric_view_the_moved_samples_are_where_they_were_sent(vectors, fitted):
    arrived = 0
    for place in np.stack(np.meshgrid(*[np.linspace(-1.5, 1.5, 7)] * 2), axis=-1).reshape(-1, 2):
        target = fitted.positions.mean(axis=0) + size(fitted.positions) * place
        try:
            found = pull_back(fitted, ROWS, target)
        except AliError:
            continue
        after = fitted.projector.transform(vectors[ROWS] + found).mean(axis=0)
        assert np.linalg.norm(after - target) < 2e-3 * size(fitted.positions)
        arrived += 1
    assert arrived >= 46  # of 49


def test_a_class_that_is_there_already_does_not_move(fitted):
    assert not pull_back(fitted, ROWS, fitted.positions[ROWS].mean(axis=0)).any()


def test_a_small_step_is_the_shortest_of_its_kind(vectors, fitted):
    size_ = size(fitted.positions)
    target = fitted.positions[ROWS].mean(axis=0) + [0.02 * size_, 0.0]
    found = pull_back(fitted, ROWS, target)
    # oracle: the Jacobian by central differences; to first order the least-norm solution lies in its row space
    rise = 1e-2 * np.eye(6)
    ends = [[fitted.projector.transform(vectors[ROWS] + sign * row).mean(axis=0) for row in rise] for sign in (1, -1)]
    jacobian = (np.array(ends[0]) - np.array(ends[1])).T / 2e-2
    within = np.linalg.pinv(jacobian) @ (jacobian @ found)
    assert np.linalg.norm(found - within) < 0.1 * np.linalg.norm(found)


def test_samples_that_are_sent_to_another_group_end_near_its_samples(vectors, fitted):
    distances = np.linalg.norm(fitted.positions - fitted.positions[ROWS].mean(axis=0), axis=1)
    far = np.argsort(distances)[-20:]
    target = fitted.positions[far].mean(axis=0)
    moved = vectors[ROWS] + pull_back(fitted, ROWS, target)
    around = vectors[np.argsort(np.linalg.norm(fitted.positions - target, axis=1))[:20]]
    spread = np.sqrt(np.square(vectors - vectors.mean(axis=0)).sum(axis=1).mean())
    assert np.linalg.norm(moved.mean(axis=0) - around.mean(axis=0)) < spread


def test_the_network_stays_as_it_is(fitted):
    before = {name: tensor.clone() for name, tensor in fitted.projector.network_.state_dict().items()}
    pull_back(fitted, ROWS, fitted.positions.mean(axis=0))
    after = fitted.projector.network_.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_place_that_is_not_reached_is_said(vectors):
    flat = layout(vectors, "parametric", seed=1)
    flat.projector.network_.places.zero_()
    flat.projector.network_.slope.zero_()
    with pytest.raises(AliError, match=r"does not reach \(3, 4\): the class gets no nearer than 5; drag it less far"):
        pull_back(flat, ROWS, flat.projector.transform(vectors).mean(axis=0) + [3.0, 4.0])


@pytest.mark.parametrize(
    ("rows", "target", "message"),
    [
        ([], (0.0, 0.0), "no sample is drawn"),
        (ROWS, (0.0, np.nan), "two finite numbers"),
        (ROWS, (0.0, 0.0, 0.0), "two finite numbers"),
    ],
)
def test_wrong_input_is_named(vectors, rows, target, message):
    with pytest.raises(AliError, match=message):
        pull_back(layout(vectors, "pca"), rows, target)


def test_a_view_that_is_no_map_is_refused(vectors):
    with pytest.raises(AliError, match="'tsne' is no map"):
        pull_back(layout(vectors[:10], "tsne"), [0], (0.0, 0.0))
