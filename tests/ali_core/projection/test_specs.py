"""What every layout has in common, the control of supervised t-SNE, and parametric t-SNE as a fixed map."""

import subprocess
import sys
from typing import get_args

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from ali_core import AliError
from ali_core.projection import LAYOUTS, ParametricTSNE, View, layout, project


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(4)
    labels = np.arange(60) % 3
    return rng.normal(size=(60, 6)) + 6.0 * np.eye(6)[labels], labels


@pytest.fixture(scope="module")
def fitted(blobs):
    return layout(blobs[0], "parametric", seed=3)


def size(positions):
    return np.sqrt(np.square(positions - positions.mean(axis=0)).sum(axis=1).mean())


def knn_accuracy(positions, labels):
    return KNeighborsClassifier(6).fit(positions, labels).score(positions, labels)


def test_every_name_has_an_entry():
    assert list(LAYOUTS) == list(get_args(View))


@pytest.mark.parametrize("view", LAYOUTS)
def test_a_layout_has_words_and_places_vectors_by_themselves_only_if_it_is_a_map(blobs, fitted, view):
    vectors, labels = blobs
    made = fitted if view == "parametric" else layout(vectors, view, labels=labels)
    assert made.positions.shape == (60, 2)
    assert made.positions.dtype == np.float64
    placed = made.place(vectors[:7])
    assert (placed is not None) == LAYOUTS[view].is_map
    if placed is not None:
        np.testing.assert_allclose(placed, made.positions[:7], rtol=1e-5, atol=1e-4)
    assert LAYOUTS[view].help.endswith(".")


def test_labels_take_part_where_the_words_say_so(blobs):
    using = [view for view, spec in LAYOUTS.items() if spec.uses_labels]
    assert using == [view for view, spec in LAYOUTS.items() if "label" in spec.help]
    assert using == [view for view, spec in LAYOUTS.items() if "labels" in spec.badge and "labels" in spec.note]
    for view in using:
        with pytest.raises(AliError, match=f"{view!r} got no labels"):
            layout(blobs[0], view)


def test_the_control_is_supervised_by_labels_in_the_order_of_the_seed(blobs):
    vectors, labels = blobs
    shuffled = np.random.default_rng(5).permutation(labels)
    control = layout(vectors, "shuffled_tsne", labels=labels, seed=5).positions
    np.testing.assert_array_equal(control, layout(vectors, "supervised_tsne", labels=shuffled, seed=5).positions)


def test_samples_without_a_class_are_none_of_their_own_for_supervised_tsne(blobs):
    vectors, labels = blobs
    bare = np.where(np.arange(len(labels)) % 2, 4, -1)
    found = layout(vectors, "supervised_tsne", labels=bare).positions
    np.testing.assert_array_equal(found, layout(vectors, "supervised_tsne", labels=np.zeros_like(labels)).positions)


def test_the_control_separates_only_what_it_was_told(rng):
    vectors, labels = rng.normal(size=(120, 5)), np.arange(120) % 2
    settings = {"labels": labels, "supervision": 0.95}
    supervised, control = (layout(vectors, view, **settings).positions for view in ("supervised_tsne", "shuffled_tsne"))
    assert knn_accuracy(supervised, labels) > 0.9
    assert knn_accuracy(control, labels) < 0.75
    assert knn_accuracy(control, np.random.default_rng(0).permutation(labels)) > 0.9


def test_parametric_is_the_estimator_fitted_to_the_first_state(blobs, fitted):
    model = ParametricTSNE(random_state=3, warm_start=True).fit(blobs[0])
    np.testing.assert_array_equal(fitted.positions, model.transform(blobs[0]))


def test_parametric_is_one_map_for_all_states_and_what_did_not_change_stays_exactly(blobs, fitted):
    vectors, labels = blobs
    moved = vectors + 2.0 * (labels == 1)[:, None]
    after = layout(moved, "parametric", previous=fitted)
    assert after.projector is fitted.projector
    np.testing.assert_array_equal(after.positions[labels != 1], fitted.positions[labels != 1])
    np.testing.assert_array_equal(after.positions, fitted.projector.transform(moved))
    assert np.abs(after.positions - fitted.positions)[labels == 1].min() > 0


def test_after_training_parametric_goes_on_from_a_copy(blobs, fitted):
    vectors = blobs[0] + np.random.default_rng(6).normal(size=blobs[0].shape)
    before = fitted.projector.transform(vectors)
    after = layout(vectors, "parametric", previous=fitted, retrained=True)
    np.testing.assert_array_equal(fitted.projector.transform(vectors), before)
    assert after.projector is not fitted.projector
    jump = size(after.positions - before) / size(before)
    fresh = layout(vectors, "parametric", seed=8).positions
    assert 0 < jump < 0.3
    assert size(fresh - before) / size(before) > 2 * jump


def test_project_fits_parametric_once(blobs, fitted):
    vectors, labels = blobs
    states = [vectors, vectors + 2.0 * (labels == 1)[:, None]]
    one, two = project(states, "parametric", seed=3)
    np.testing.assert_array_equal(one, fitted.positions)
    np.testing.assert_array_equal(two, fitted.projector.transform(states[1]))


def test_progress_of_a_fit_counts_to_the_end_and_may_cancel(blobs):
    calls = []
    model = ParametricTSNE(n_iterations=25, refit_iterations=15, warm_start=True)
    model.fit(blobs[0], progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 25) for done in (10, 20, 25)]
    watched = model.transform(blobs[0])
    np.testing.assert_array_equal(watched, ParametricTSNE(n_iterations=25).fit_transform(blobs[0]))

    def stop(done, total):
        raise InterruptedError(f"stopped at {done} of {total}")

    with pytest.raises(InterruptedError, match="stopped at 10 of 15"):
        model.fit(blobs[0] + 1.0, progress=stop)
    np.testing.assert_array_equal(model.transform(blobs[0]), watched)


def test_a_view_of_pca_does_not_load_torch():
    code = (
        "import sys, numpy; from ali_core.projection import layout, pull_back;"
        "pull_back(layout(numpy.eye(5), 'pca'), [0], (0, 0)); layout(numpy.eye(5), 'dims');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
