"""Planning in closed form against the literal loop, and the behaviour any correct implementation shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import preset
from ali_core.interventions import PRESETS, ClassStatistics, InterventionSettings, plan
from tests.oracles import literal


def blobs(rng, n_classes=6, dim=5, n=20, gap=2.0):
    centers = gap * rng.normal(size=(n_classes, dim)) + 0.5
    counts = rng.integers(3, n, size=n_classes)
    labels = np.repeat(np.arange(n_classes), counts)
    return centers[labels] + rng.normal(size=(len(labels), dim)), labels


def planned(vectors, labels, chosen):
    return plan(ClassStatistics.from_samples(vectors, labels, labels.max() + 1), chosen)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dim", [2, 8, 64])
def test_planning_equals_the_literal_loop(rng, name, dim):
    vectors, labels = blobs(rng, n_classes=7, dim=dim)
    chosen = preset(name, dim).changed(n_iterations=12)
    moved, maps, classes = literal.literal_interventions(vectors, labels, chosen)
    result = planned(vectors, labels, chosen)
    assert [step.classes[0] for step in result.steps] == classes
    np.testing.assert_allclose(result.transforms.apply(vectors, labels), moved, rtol=0, atol=1e-9)
    for index, (linear, offset) in enumerate(maps):
        np.testing.assert_allclose(result.transforms[index].linear, linear, rtol=0, atol=1e-9)
        np.testing.assert_allclose(result.transforms[index].offset, offset, rtol=0, atol=1e-9)


@given(
    seed=st.integers(0, 10_000),
    contract=st.floats(0.05, 0.9),
    rotate=st.sampled_from([0.0, 0.1, 0.7]),
    shift=st.floats(0.0, 4.0),
    shift_mix=st.floats(0.0, 1.0),
    n_neighbours=st.integers(1, 20),
    criterion=st.sampled_from(["mean-std", "mean-all", "product"]),
)
@settings(max_examples=40)
def test_any_strengths_equal_the_literal_loop(seed, contract, rotate, shift, shift_mix, n_neighbours, criterion):
    vectors, labels = blobs(np.random.default_rng(seed), n_classes=5, dim=4)
    chosen = InterventionSettings(
        contract=contract,
        rotate=rotate,
        shift=shift,
        shift_mix=shift_mix,
        n_neighbours=n_neighbours,
        criterion=criterion,
        n_iterations=6,
    )
    moved, _, _ = literal.literal_interventions(vectors, labels, chosen)
    result = planned(vectors, labels, chosen).transforms.apply(vectors, labels)
    np.testing.assert_allclose(result, moved, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("norm_keeping", ["offsets", "uniform"])
@pytest.mark.parametrize("name", PRESETS)
def test_the_norm_is_kept_after_every_iteration(rng, name, norm_keeping):
    vectors, labels = blobs(rng, dim=16)
    for count in (1, 2, 5, 20):
        chosen = preset(name, 16).changed(n_iterations=count, norm_keeping=norm_keeping)
        moved = planned(vectors, labels, chosen).transforms.apply(vectors, labels)
        assert np.sum(moved**2) == pytest.approx(np.sum(vectors**2), rel=1e-12)


def test_without_norm_keeping_a_contraction_keeps_the_centers(rng):
    vectors, labels = blobs(rng)
    before = ClassStatistics.from_samples(vectors, labels, labels.max() + 1)
    result = plan(before, InterventionSettings(contract=0.5, norm_keeping="none", n_iterations=10))
    moved = result.transforms.apply(vectors, labels)
    after = ClassStatistics.from_samples(moved, labels, labels.max() + 1)
    np.testing.assert_allclose(after.centers, before.centers, atol=1e-12)
    times = np.bincount([step.classes[0] for step in result.steps], minlength=len(before.counts))
    np.testing.assert_allclose(after.spreads, before.spreads * 0.5**times, rtol=1e-12)


def test_the_state_knows_the_statistics_of_the_moved_samples(rng):
    vectors, labels = blobs(rng, dim=10)
    result = planned(vectors, labels, preset("all", 10))
    moved = result.transforms.apply(vectors, labels)
    fresh = ClassStatistics.from_samples(moved, labels, labels.max() + 1)
    np.testing.assert_allclose(result.state.statistics.centers, fresh.centers, atol=1e-10)
    np.testing.assert_allclose(result.state.statistics.spreads, fresh.spreads, rtol=1e-9)


@pytest.mark.parametrize("name", PRESETS)
def test_renaming_the_classes_renames_the_result(rng, name):
    vectors, labels = blobs(rng, dim=6)
    order = rng.permutation(labels.max() + 1)
    chosen = preset(name, 6)
    first, second = planned(vectors, labels, chosen), planned(vectors, order[labels], chosen)
    assert [int(order[step.classes[0]]) for step in first.steps] == [step.classes[0] for step in second.steps]
    np.testing.assert_allclose(
        first.transforms.apply(vectors, labels), second.transforms.apply(vectors, order[labels]), atol=1e-9
    )


def test_the_order_of_the_samples_does_not_matter(rng):
    vectors, labels = blobs(rng, dim=6)
    shuffle = rng.permutation(len(labels))
    chosen = preset("all", 6)
    first = planned(vectors, labels, chosen).transforms.apply(vectors, labels)
    second = planned(vectors[shuffle], labels[shuffle], chosen).transforms.apply(vectors[shuffle], labels[shuffle])
    np.testing.assert_allclose(first[shuffle], second, atol=1e-9)


def test_strengths_of_zero_change_nothing(rng):
    vectors, labels = blobs(rng)
    result = planned(vectors, labels, InterventionSettings(contract=0, rotate=0, shift=0, n_iterations=5))
    np.testing.assert_array_equal(result.transforms.apply(vectors, labels), vectors)


def test_probabilistic_draws_repeat_with_the_seed_and_differ_without(rng):
    vectors, labels = blobs(rng, n_classes=9)
    chosen = preset("c,s", 5).changed(selection="probabilistic", n_iterations=30)

    def classes(seed):
        return [step.classes[0] for step in planned(vectors, labels, chosen.changed(seed=seed)).steps]

    assert classes(1) == classes(1)
    assert classes(1) != classes(2)


@pytest.mark.parametrize(("dim", "least", "most"), [(2, 5, 60), (256, 3, 40)])
def test_oracle_nearest_center_becomes_perfect(rng, dim, least, most):
    """Fifteen overlapping classes are told apart by their moved centers after some tens of interventions."""
    gap = 1.2 if dim == 2 else 0.09
    vectors, labels = blobs(rng, n_classes=15, dim=dim, n=60, gap=gap)

    def accuracy(count):
        chosen = preset("c,s", dim).changed(n_iterations=count)
        moved = planned(vectors, labels, chosen).transforms.apply(vectors, labels)
        centers = np.array([moved[labels == c].mean(axis=0) for c in range(15)])
        nearest = np.argmin(((moved[:, None] - centers) ** 2).sum(-1), axis=1)
        return np.mean(nearest == labels)

    assert accuracy(least) < 0.99
    assert accuracy(most) == 1.0


def test_a_plan_is_told_in_three_lines(rng):
    vectors, labels = blobs(rng)
    told = repr(planned(vectors, labels, preset("c,s", 5).changed(n_iterations=7)))
    assert len(told.splitlines()) == 3
    assert told.startswith("Plan of 7 steps, ")
    assert f"{len(labels)} samples, 5 dimensions" in told
    assert repr(planned(vectors, labels, preset("c,s", 5).changed(n_iterations=0))).startswith(
        "Plan of 0 steps, 0 of 6"
    )
