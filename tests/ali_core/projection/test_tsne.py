import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from ali_core import AliError
from ali_core.projection import layout, project, tsne, weaken_between_classes

TSNE_VIEWS = ["tsne", "supervised_tsne"]


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return data.data[:360], data.target[:360]


@pytest.fixture(scope="module")
def first(digits):
    vectors, labels = digits
    return {view: layout(vectors, view, labels=labels) for view in TSNE_VIEWS}


def knn_accuracy(positions, labels):
    return KNeighborsClassifier(6).fit(positions, labels).score(positions, labels)


def overlapping(rng):
    """Two classes with the same distribution: nothing in the vectors separates them."""
    return rng.normal(size=(120, 5)), np.arange(120) % 2


def test_neighbours_are_kept(digits, first):
    vectors, labels = digits
    positions = first["tsne"].positions
    assert trustworthiness(vectors, positions, n_neighbors=10) > 0.95
    assert trustworthiness(vectors, vectors[:, 20:22], n_neighbors=10) < 0.8
    assert knn_accuracy(positions, labels) > 0.9


def test_without_labels_the_labels_play_no_part(digits, first):
    vectors, labels = digits
    again = layout(vectors, "tsne", labels=labels[::-1])
    np.testing.assert_array_equal(again.positions, first["tsne"].positions)


@pytest.mark.parametrize("view", TSNE_VIEWS)
def test_same_numbers_twice_watched_or_not(digits, first, view):
    vectors, labels = digits
    again = layout(vectors, view, labels=labels, progress=lambda done, total: None)
    np.testing.assert_array_equal(again.positions, first[view].positions)


def test_same_numbers_on_one_thread_and_on_two(digits, monkeypatch):
    # Few iterations: on a busy machine two threads wait for each other most of the time.
    monkeypatch.setattr(tsne, "EARLY_ITERATIONS", 15)
    monkeypatch.setattr(tsne, "MAIN_ITERATIONS", 15)
    one, two = (layout(digits[0], "tsne", n_jobs=n_jobs).positions for n_jobs in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_another_seed_gives_another_layout(rng):
    vectors = rng.normal(size=(40, 6))
    first, second = (layout(vectors, "tsne", seed=seed).positions for seed in (0, 1))
    assert np.abs(first - second).max() > 0


def test_supervision_separates_what_the_vectors_do_not(rng):
    vectors, labels = overlapping(rng)
    plain = layout(vectors, "tsne").positions
    weak = layout(vectors, "supervised_tsne", labels=labels, supervision=0.0).positions
    strong = layout(vectors, "supervised_tsne", labels=labels, supervision=0.95).positions
    np.testing.assert_allclose(weak, plain, atol=1e-6 * np.abs(plain).max() + 1e-6)
    assert knn_accuracy(plain, labels) < 0.75
    assert knn_accuracy(strong, labels) > 0.9


@pytest.mark.parametrize("view", TSNE_VIEWS)
def test_an_unchanged_state_does_not_move(digits, first, view):
    vectors, labels = digits
    again = layout(vectors.copy(), view, labels=labels, previous=first[view])
    np.testing.assert_array_equal(again.positions, first[view].positions)


@pytest.mark.parametrize("view", TSNE_VIEWS)
def test_classes_that_stay_do_not_move_and_the_one_that_moves_does(digits, first, view):
    vectors, labels = digits
    chosen, center = labels == 3, vectors[labels == 3].mean(axis=0)
    nearest = vectors[labels == 8].mean(axis=0)
    moved = vectors.copy()
    moved[chosen] = center + 0.5 * (vectors[chosen] - center) + 1.5 * (center - nearest)
    before = first[view].positions
    after = layout(moved, view, labels=labels, previous=first[view]).positions
    radius = np.sqrt(np.square(before - before.mean(axis=0)).sum(axis=1).mean())
    distance = np.linalg.norm(after - before, axis=1) / radius
    assert np.median(distance[~chosen]) < 0.05
    assert np.median(distance[chosen]) > 2 * np.median(distance[~chosen])
    assert trustworthiness(moved, after, n_neighbors=10) > 0.94


def test_when_all_samples_move_neighbours_are_still_found(digits, first):
    vectors, labels = digits
    centers = np.stack([vectors[labels == label].mean(axis=0) for label in range(10)])
    moved = centers[labels] + 0.3 * (vectors - centers[labels]) + 5.0
    after = layout(moved, "tsne", previous=first["tsne"]).positions
    assert knn_accuracy(after, labels) > 0.98
    assert trustworthiness(moved, after, n_neighbors=10) > 0.94


def test_project_is_layout_after_layout(rng):
    states = [rng.normal(size=(30, 3))]
    states.append(states[0] + np.where(np.arange(30) < 6, 2.0, 0.0)[:, None])
    one = layout(states[0], "tsne")
    two = layout(states[1], "tsne", previous=one)
    both = project(states, "tsne")
    np.testing.assert_array_equal(both[0], one.positions)
    np.testing.assert_array_equal(both[1], two.positions)


@pytest.mark.parametrize("view", TSNE_VIEWS)
@pytest.mark.parametrize("n_samples", [4, 5, 6, 7, 10])
@pytest.mark.parametrize("dim", [1, 2, 12])
def test_few_samples_have_finite_places(rng, view, n_samples, dim):
    labels = np.arange(n_samples) % 2
    state = rng.normal(size=(n_samples, dim))
    for positions in project([state, state + (labels == 0)[:, None]], view, labels=labels):
        assert positions.shape == (n_samples, 2)
        assert np.isfinite(positions).all()


@pytest.mark.parametrize("view", TSNE_VIEWS)
@pytest.mark.parametrize("kind", ["constant", "pairs"])
def test_duplicates_have_finite_places(rng, view, kind):
    rows = np.zeros((1, 4)) if kind == "constant" else rng.normal(size=(25, 4))
    vectors = np.repeat(rows, 50 // len(rows), axis=0)
    positions = layout(vectors, view, labels=np.arange(50) % 3).positions
    assert np.isfinite(positions).all()


@pytest.mark.parametrize("n_samples", [1, 2, 3])
def test_too_few_samples_are_refused_with_a_way_out(n_samples):
    with pytest.raises(AliError, match=f"got {n_samples} samples.*take the layout 'pca'"):
        layout(np.zeros((n_samples, 2)), "tsne")


def test_weakened_affinities_follow_the_formula(rng):
    full = rng.random((6, 6))
    full = full + full.T
    np.fill_diagonal(full, 0.0)
    labels = np.array([0, 0, 1, 1, 2, 2])
    expected = full.copy()
    for i in range(6):
        for j in range(6):
            expected[i, j] *= 1.0 if labels[i] == labels[j] else 0.25
    expected /= expected.sum()
    weakened = weaken_between_classes(sparse.csr_matrix(full), labels, 0.75)
    np.testing.assert_allclose(weakened.toarray(), expected)


def test_progress_counts_to_the_end_and_may_cancel(rng):
    calls = []
    vectors = rng.normal(size=(20, 3))
    layout(vectors, "tsne", progress=lambda done, total: calls.append((done, total)))
    assert calls[-1][0] == calls[-1][1]
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})

    def stop(done, total):
        raise InterruptedError(f"stopped at {done} of {total}")

    with pytest.raises(InterruptedError, match="stopped at 10 of"):
        layout(vectors, "tsne", progress=stop)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"view": "umap"}, "'umap' is unknown"),
        ({"vectors": np.zeros((0, 3))}, r"shape \(0, 3\)"),
        ({"vectors": np.zeros(5)}, r"shape \(5,\)"),
        ({"vectors": np.full((5, 2), np.nan)}, "not finite in 5 rows, first in row 0"),
        ({"vectors": np.full((5, 2), 1e200)}, r"largest number of vectors is 1e\+200 in size, .* at most 1e\+60"),
        ({"labels": None}, "got no labels"),
        ({"labels": [0, 1]}, r"labels have shape \(2,\)"),
        ({"supervision": 1.0}, r"must lie in \[0, 1\)"),
        ({"perplexity": 0.5}, "must be at least 1"),
        ({"perplexity": float("nan")}, "must be at least 1"),
        ({"previous": layout(np.zeros((5, 2)), "pca")}, "cannot follow one of 'pca'"),
    ],
)
def test_wrong_input_is_named(change, message):
    given = {"vectors": np.eye(5), "view": "supervised_tsne", "labels": [0, 0, 1, 1, 1]} | change
    with pytest.raises(AliError, match=message) as caught:
        layout(given.pop("vectors"), given.pop("view"), **given)
    assert "\n" not in str(caught.value)


def test_no_states_are_refused():
    with pytest.raises(AliError, match="no states"):
        project([], "dims")
