"""Stratified rows keep proportions and rare classes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ali_core.sampling import stratified_rows


@given(counts=st.lists(st.integers(0, 400), min_size=1, max_size=8), n=st.integers(1, 600), seed=st.integers(0, 9))
def test_every_class_keeps_its_share_and_at_least_six(counts, n, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = stratified_rows(labels, n, seed=seed)
    assert len(np.unique(rows)) == len(rows)
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, stratified_rows(labels, n, seed=seed))
    kept = np.bincount(labels[rows], minlength=len(counts))
    if n >= len(labels):
        np.testing.assert_array_equal(kept, counts)
        return
    share = n * np.array(counts) / len(labels)
    assert (np.abs(kept - share) <= np.maximum(0.5, 6)).all()
    assert (kept >= np.minimum(counts, 6)).all()
