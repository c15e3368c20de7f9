"""Class statistics against numpy on the samples."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import AliError, LabelledEmbedding, Session, preset
from ali_core.interventions import ClassStatistics, statistics


def samples(seed, n=60, dim=3, n_classes=4):
    rng = np.random.default_rng(seed)
    return 3 * rng.normal(size=(n, dim)) + 100, rng.integers(0, n_classes, size=n)


@pytest.mark.parametrize("spread", ["rms", "radius"])
def test_statistics_equal_numpy(spread):
    vectors, labels = samples(0)
    found = ClassStatistics.from_samples(vectors, labels, 4, spread=spread)
    for c in range(4):
        own = vectors[labels == c]
        assert found.counts[c] == len(own)
        np.testing.assert_allclose(found.centers[c], own.mean(axis=0), rtol=1e-13)
        expected = np.sqrt(own.var(axis=0).mean() if spread == "rms" else own.var(axis=0).sum())
        assert found.spreads[c] == pytest.approx(expected, rel=1e-10)
    assert found.distances[1, 2] == pytest.approx(np.linalg.norm(found.centers[1] - found.centers[2]))


@given(seed=st.integers(0, 1000), cut=st.integers(0, 60))
@settings(max_examples=40)
def test_merging_two_shards_is_exact(seed, cut):
    vectors, labels = samples(seed)
    whole = ClassStatistics.from_samples(vectors, labels, 5)
    parts = [ClassStatistics.from_samples(vectors[rows], labels[rows], 5) for rows in (slice(cut), slice(cut, None))]
    merged = parts[0].merged(parts[1])
    np.testing.assert_array_equal(merged.counts, whole.counts)
    np.testing.assert_allclose(merged.centers, whole.centers, rtol=1e-12)
    np.testing.assert_allclose(merged.squares, whole.squares, rtol=1e-9, atol=1e-9)


def test_many_chunks_equal_one(monkeypatch):
    vectors, labels = samples(3, n=500)
    whole = ClassStatistics.from_samples(vectors, labels, 4)
    monkeypatch.setattr(statistics, "CHUNK", 37)
    parts = ClassStatistics.from_samples(vectors, labels, 4)
    np.testing.assert_allclose(parts.spreads, whole.spreads, rtol=1e-11)


def test_translation_moves_the_centers_and_nothing_else():
    vectors, labels = samples(1)
    here = ClassStatistics.from_samples(vectors, labels, 4)
    there = ClassStatistics.from_samples(vectors + [5.0, -7.0, 2.0], labels, 4)
    np.testing.assert_allclose(there.centers, here.centers + [5.0, -7.0, 2.0], rtol=1e-12)
    np.testing.assert_allclose(there.spreads, here.spreads, rtol=1e-9)


def test_a_class_of_one_sample_has_no_spread_and_an_absent_one_no_neighbours():
    vectors = np.array([[0.0, 0], [1, 0], [0, 2], [9, 9]])
    found = ClassStatistics.from_samples(vectors, np.array([0, 0, 1, 3]), 5)
    assert found.spreads[1] == 0.0
    assert found.present.tolist() == [True, True, False, True, False]
    assert found.neighbours(0, 15) == (1, 3)
    assert found.neighbours(3, 1) == (1,)
    assert np.isinf(found.distances[2]).all()


def test_shards_of_different_shape_do_not_merge():
    vectors, labels = samples(0)
    with pytest.raises(AliError, match=r"\(4, 3\) and \(5, 3\)"):
        ClassStatistics.from_samples(vectors, labels, 4).merged(ClassStatistics.from_samples(vectors, labels, 5))


def test_samples_without_a_label_count_nowhere_and_stay_where_they_are(rng):
    vectors, labels = rng.normal(size=(30, 3)), np.arange(30) % 4 - 1
    known = labels >= 0
    found = ClassStatistics.from_samples(vectors, labels, 3)
    alone = ClassStatistics.from_samples(vectors[known], labels[known], 3)
    assert found.counts.tolist() == alone.counts.tolist()
    np.testing.assert_array_equal(found.centers, alone.centers)
    np.testing.assert_array_equal(found.squares, alone.squares)
    embedding = LabelledEmbedding(vectors, labels, ("a", "b", "c"), unlabelled="keep")
    session = Session(embedding, preset("c,s,r", dim=3))
    session.run(5)
    np.testing.assert_array_equal(session.after.vectors[~known], vectors[~known])
    other = Session(embedding.subset(known), preset("c,s,r", dim=3))
    other.run(5)
    np.testing.assert_array_equal(session.after.vectors[known], other.after.vectors)
    moved = session.transforms.apply(torch.tensor(vectors), torch.tensor(labels)).numpy()
    np.testing.assert_allclose(moved, session.after.vectors, atol=1e-12)
