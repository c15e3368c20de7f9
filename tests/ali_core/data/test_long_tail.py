"""Sizes computed by hand, and what thinning must leave alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ali_core import LabelledEmbedding
from ali_core.data import CellImages, long_tail, long_tail_split
from ali_core.errors import AliError


def embedding(sizes, rng):
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return LabelledEmbedding(
        rng.normal(size=(len(labels), 2)), labels, class_names=[f"c{i}" for i in range(len(sizes))]
    )


def test_sizes_fall_off_by_one_factor_from_the_most_frequent_class(rng):
    """64, 16, 4: a factor of 4 each; equal counts keep the order of the codes, the absent class has no rank."""
    assert long_tail(embedding([70, 0, 70, 90], rng), largest=64, smallest=4).counts.tolist() == [16, 0, 4, 64]


def test_a_class_is_never_enlarged(rng):
    assert long_tail(embedding([30, 100, 2], rng), largest=64, smallest=4).counts.tolist() == [16, 64, 2]


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), st.integers(1, 20), st.integers(0, 40), st.integers(0, 9))
def test_rows_are_a_subset_in_order_and_nested(sizes, smallest, more, seed):
    data = embedding(sizes, np.random.default_rng(seed))
    thin = long_tail(data, largest=smallest + more, smallest=smallest, seed=seed)
    rows = thin.sample_names.astype(int)
    assert np.all(np.diff(rows) > 0)
    assert np.array_equal(thin.vectors, data.vectors[rows])
    assert thin.class_names == data.class_names
    assert thin.counts.max() <= smallest + more
    assert thin.counts.min() >= min(*sizes, smallest)
    more_kept = long_tail(data, largest=smallest + more + 5, smallest=smallest + 3, seed=seed)
    assert set(thin.sample_names) <= set(more_kept.sample_names)


def test_the_seed_draws_the_rows(rng):
    data = embedding([50, 50], rng)
    first, again, other = (
        long_tail(data, largest=20, smallest=5, seed=seed).sample_names.tolist() for seed in (0, 0, 1)
    )
    assert first == again != other


def test_images_are_thinned_as_embeddings_are(rng):
    data = embedding([30, 40], rng)
    pixels = np.zeros((70, 2, 2, 3), np.uint8)
    images = CellImages(labels=data.labels, class_names=data.class_names, ids=data.sample_names, pixels=pixels)
    thin = long_tail(images, largest=10, smallest=5)
    assert thin.ids.tolist() == long_tail(data, largest=10, smallest=5).sample_names.tolist()
    assert len(thin.pixels) == 15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"smallest": 0}, r"between 1 and largest \(500\); got 0"),
        ({"largest": 5, "smallest": 6}, r"between 1 and largest \(5\); got 6"),
        ({"seed": -1}, "seed must be at least 0; got -1"),
    ],
)
def test_impossible_sizes_are_refused(rng, arguments, message):
    with pytest.raises(AliError, match=message):
        long_tail(embedding([30, 40], rng), **arguments)


@given(st.lists(st.integers(30, 60), min_size=2, max_size=5), st.integers(8, 12), st.integers(0, 9), st.integers(0, 5))
def test_a_split_tests_on_all_that_thinning_leaves_out(sizes, smallest, more, draw):
    data = embedding(sizes, np.random.default_rng(draw))
    split = long_tail_split(data.labels, largest=smallest + more, smallest=smallest, draw=draw, n_parts=4)
    parts = (split.train, split.validation, split.test)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(data)))
    thin = long_tail(data, largest=smallest + more, smallest=smallest, seed=draw)
    kept = {vector.tobytes() for vector in data.vectors[np.concatenate(parts[:2])]}
    assert {vector.tobytes() for vector in thin.vectors} == kept
    counts = [np.bincount(data.labels[rows], minlength=len(sizes)) for rows in parts]
    assert np.all(np.abs(counts[1] - thin.counts / 4) < 2)  # one of four parts, stratified
    assert np.all(counts[2] > 0)


def test_a_class_that_is_kept_whole_leaves_nothing_to_test_on(rng):
    with pytest.raises(AliError, match="1 classes are kept whole \\(the first has 12 samples\\)"):
        long_tail_split(embedding([60, 12, 50], rng).labels, largest=40, smallest=12, draw=0)
