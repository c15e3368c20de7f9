"""Which samples an epoch sees."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ali_core.training.sampling import batch_order
from tests.ali_core.training.samples import small

LABELS = np.repeat([0, 1, 2], [50, 9, 2])


@given(seed=st.integers(0, 2**32), size=st.integers(2, 70))
def test_shuffling_takes_no_sample_twice_and_leaves_less_than_a_batch(seed, size):
    order = batch_order(LABELS, small(batch_size=size), seed)
    rows = order.ravel()
    assert len(set(rows.tolist())) == len(rows)
    assert len(LABELS) - len(rows) < min(size, len(LABELS))


@given(seed=st.integers(0, 2**32))
def test_m_per_class_fills_each_batch_with_m_of_each_class_it_draws(seed):
    settings = small(sampler="m-per-class", batch_size=8, samples_per_class=4)
    order = batch_order(LABELS, settings, seed)
    assert order.shape == (61 // 8, 8)
    for batch in order:
        classes, counts = np.unique(LABELS[batch], return_counts=True)
        assert (len(classes), set(counts.tolist())) == (2, {4})
        for code in classes.tolist():  # twice the same only where there are fewer than m
            members = set(batch[LABELS[batch] == code].tolist())
            assert len(members) == 4 or code == 2


def test_the_seed_decides():
    settings = small(sampler="m-per-class", batch_size=8)
    assert np.array_equal(batch_order(LABELS, settings, 1), batch_order(LABELS, settings, 1))
    assert not np.array_equal(batch_order(LABELS, settings, 1), batch_order(LABELS, settings, 2))
