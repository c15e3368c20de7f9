"""The map that moves samples of unknown class, against kernel ridge regression of scikit-learn."""

import itertools

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge

from ali_core import AliError
from ali_core.experiments.transfer_map import GAMMAS, RIDGES, TransferMap
from tests.ali_core.experiments.dry_run_samples import clouds


def left_out_error(vectors, members, gamma, ridge):
    """Each sample predicted by a map that was learnt without it."""
    errors = []
    for row in range(len(vectors)):
        others = np.arange(len(vectors)) != row
        model = KernelRidge(kernel="rbf", gamma=gamma, alpha=ridge).fit(vectors[others], members[others])
        errors.append((model.predict(vectors[[row]])[0] - members[row]) ** 2)
    return np.mean(errors)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_weights_give_what_kernel_ridge_predicts_of_displacements(rng, n_classes):
    vectors, labels = clouds((20,) * n_classes, seed=3)
    found = TransferMap.fit(vectors, labels, n_classes=n_classes)
    displacements, others = rng.normal(size=vectors.shape), rng.normal(size=(9, vectors.shape[1]))
    model = KernelRidge(kernel="rbf", gamma=found.gamma, alpha=found.ridge).fit(vectors, displacements)
    weights = found.weights(others)
    assert weights.shape == (9, len(vectors))
    np.testing.assert_allclose(weights @ displacements, model.predict(others), rtol=0, atol=1e-9)


def test_each_row_of_weights_is_of_its_sample_alone(rng):
    vectors, labels = clouds((15, 12), seed=4)
    found = TransferMap.fit(vectors, labels, n_classes=2)
    others = rng.normal(size=(7, vectors.shape[1]))
    alone = np.concatenate([found.weights(one[None]) for one in others])
    np.testing.assert_allclose(found.weights(others), alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("gap", "seed"), [(0.3, 0), (1.0, 1), (4.0, 2)])
def test_the_choice_is_the_best_of_all_pairs_when_samples_are_really_left_out(gap, seed):
    vectors, labels = clouds((9, 7, 4), seed=seed, gap=gap)
    found = TransferMap.fit(vectors, labels, n_classes=3)
    unit = 1 / np.sum(vectors.var(axis=0))
    errors = {
        (multiple * unit, ridge): left_out_error(vectors, np.eye(3)[labels], multiple * unit, ridge)
        for multiple, ridge in itertools.product(GAMMAS, RIDGES)
    }
    best = min(errors, key=errors.get)
    assert (found.gamma, found.ridge) == pytest.approx(best)
    assert found.error == pytest.approx(errors[best], rel=1e-9)


def test_a_class_without_samples_changes_no_choice():
    vectors, labels = clouds((12, 9), seed=5)
    few, more = (TransferMap.fit(vectors, labels, n_classes=n) for n in (2, 3))
    assert (few.gamma, few.ridge) == (more.gamma, more.ridge)
    np.testing.assert_array_equal(few.inverse, more.inverse)


def test_far_from_all_training_samples_nothing_moves():
    vectors, labels = clouds((12, 9), seed=6)
    found = TransferMap.fit(vectors, labels, n_classes=2)
    np.testing.assert_allclose(found.weights(vectors[:3] + 1e3), 0.0, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_vectors_are_refused(value):
    """The mean of many 0.1 is not quite 0.1, so their variance is not quite 0."""
    with pytest.raises(AliError, match="all training vectors are equal"):
        TransferMap.fit(np.full((13, 3), value), np.arange(13) % 2, n_classes=2)
