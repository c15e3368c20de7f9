"""Class weights against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ali_core.losses import inverse_frequency

COUNTS = st.lists(st.integers(0, 500), min_size=1, max_size=20).filter(any)


@given(counts=COUNTS)
def test_weights_average_to_one_over_the_samples_and_every_class_weighs_the_same(counts):
    counts = np.array(counts)
    weights = inverse_frequency(counts)
    np.testing.assert_allclose((weights * counts).sum(), counts.sum(), rtol=1e-12)
    masses = (weights * counts)[counts > 0]
    np.testing.assert_allclose(masses, masses[0], rtol=1e-12)
    assert (weights[counts == 0] == 0).all()


def test_equals_balanced_weights_of_scikit_learn():
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.repeat([0, 1, 2], [3, 10, 47])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(inverse_frequency(np.bincount(labels)), expected, rtol=1e-14)


def test_balanced_classes_weigh_one_and_absent_ones_do_not_count():
    assert inverse_frequency(np.array([7, 7, 7])).tolist() == [1.0, 1.0, 1.0]
    assert inverse_frequency(np.array([1, 0, 3])).tolist() == [2.0, 0.0, pytest.approx(2 / 3)]
    assert inverse_frequency(np.array([0, 0])).tolist() == [0.0, 0.0]
