"""Distances of classes, promised and found, against loops over pairs and cases computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import AliError
from ali_core.interventions import ClassStatistics
from ali_core.interventions.class_distances import MEASURES, class_distances, effect_table


def clouds(seed, n_classes=4, dim=3, empty=()):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.full(5 + code, code) for code in range(n_classes) if code not in empty])
    vectors = 3 * rng.normal(size=(n_classes, dim))[labels] + rng.normal(size=(len(labels), dim))
    return vectors, labels


def statistics_of(vectors, labels, n_classes=4, spread="rms"):
    return ClassStatistics.from_samples(vectors, labels, n_classes, spread=spread)


@given(seed=st.integers(0, 10_000), empty=st.sampled_from([(), (0,), (1, 3)]))
@settings(max_examples=30)
def test_measures_are_those_of_a_loop_over_pairs(seed, empty):
    vectors, labels = clouds(seed, empty=empty)
    table = class_distances(statistics_of(vectors, labels)).set_index("class")
    centers = {code: vectors[labels == code].mean(axis=0) for code in range(4) if code not in empty}
    pairs = [math.dist(a, b) for one, a in centers.items() for other, b in centers.items() if one != other]
    mean = sum(pairs) / len(pairs)
    assert table.index.tolist() == list(centers)
    for code, center in centers.items():
        row = table.loc[code]
        others = {other: math.dist(center, found) for other, found in centers.items() if other != code}
        nearest = min(others, key=others.get)
        spread = math.sqrt(np.var(vectors[labels == code], axis=0).mean())
        assert (row["n"], row["nearest"]) == (5 + code, nearest)
        expected = (spread, others[nearest], spread / others[nearest], spread / mean, others[nearest] / mean)
        np.testing.assert_allclose(row[list(MEASURES)].to_numpy(dtype=float), expected, rtol=1e-10)


@given(seed=st.integers(0, 10_000), factor=st.sampled_from([0.01, 0.5, 7.0]))
@settings(max_examples=20)
def test_scaling_everything_changes_neither_the_overlap_nor_the_relative_measures(seed, factor):
    vectors, labels = clouds(seed)
    first, second = (class_distances(statistics_of(scale * vectors, labels)) for scale in (1.0, factor))
    free = ["overlap", "relative_spread", "relative_distance"]
    np.testing.assert_allclose(second[free], first[free], rtol=1e-9)
    np.testing.assert_allclose(second[["spread", "distance"]], factor * first[["spread", "distance"]], rtol=1e-9)


def test_one_class_has_no_nearest_and_coincident_centers_no_unit():
    alone = class_distances(statistics_of(np.array([[0.0], [2.0]]), np.array([1, 1])))
    assert alone["nearest"].tolist() == [-1]
    assert alone["distance"].tolist() == [math.inf]
    assert alone["relative_spread"].isna().all()
    together = class_distances(statistics_of(np.array([[-1.0], [1.0], [0.0]]), np.array([0, 0, 1])))
    assert together["overlap"].tolist() == [math.inf, 0.0]
    assert together["relative_distance"].isna().all()


def test_the_effect_of_a_case_computed_by_hand():
    """Class 0 is promised half its spread at twice the distance; what happened is all of it, in twice the units."""
    labels = np.array([0, 0, 1])
    before = statistics_of(np.array([[-1.0], [1.0], [4.0]]), labels)
    predicted = statistics_of(np.array([[-0.5], [0.5], [8.0]]), labels)
    happened = statistics_of(np.array([[-1.0], [1.0], [16.0]]), labels)
    table = effect_table(before, predicted, happened).set_index(["class", "measure"])
    spread, distance, overlap = (table.loc[(0, measure)] for measure in ("spread", "distance", "overlap"))
    assert spread[["before", "predicted", "happened"]].tolist() == [1.0, 0.5, 1.0]
    assert spread[["predicted_change", "happened_change", "missed", "kept"]].tolist() == [-0.5, 0.0, 0.5, 0.0]
    assert distance[["before", "predicted", "happened", "kept"]].tolist() == [4.0, 8.0, 16.0, 3.0]
    assert overlap[["before", "predicted", "happened", "missed", "kept"]].tolist() == [1 / 4, 1 / 16, 1 / 16, 0.0, 1.0]
    assert table.loc[(1, "spread"), ["before", "predicted", "happened"]].tolist() == [0.0, 0.0, 0.0]
    assert math.isnan(table.loc[(1, "spread"), "kept"])


def test_what_has_not_happened_is_unknown():
    state = statistics_of(*clouds(0))
    table = effect_table(state, state)
    assert len(table) == 4 * len(MEASURES)
    assert (table["predicted_change"] == 0.0).all()
    assert table[["happened", "happened_change", "missed", "kept"]].isna().all().all()


def test_states_of_other_classes_or_another_spread_are_refused():
    vectors, labels = clouds(0)
    state = statistics_of(vectors, labels)
    with pytest.raises(AliError, match=r"predicted must have the same classes.*3 of 4 against 4 of 4"):
        effect_table(state, statistics_of(*clouds(0, empty=(2,))))
    with pytest.raises(AliError, match=r"happened must measure spread.*'rms'; got 'radius'"):
        effect_table(state, state, statistics_of(vectors, labels, spread="radius"))
