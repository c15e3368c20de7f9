"""θ applied to arrays and tensors."""

import numpy as np
import pytest
import torch

from ali_core import AliError
from ali_core.geometry import AffineMap, plane_rotation
from ali_core.interventions import ClassTransforms

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 2e-2, torch.bfloat16: 1e-1}


@pytest.fixture
def theta(rng):
    turn = plane_rotation(*rng.normal(size=(2, 5)), 0.8).matrix
    maps = ClassTransforms.identity(3, 5)
    maps = maps.updated(0, AffineMap(scale=0.5, rotation=turn, offset=rng.normal(size=5)))
    return maps.updated(2, AffineMap(scale=0.7, rotation=None, offset=rng.normal(size=5)))


@pytest.fixture
def samples(rng):
    return rng.normal(size=(20, 5)), rng.integers(0, 3, size=20)


def by_hand(theta, vectors, labels):
    return np.array([theta[c].linear @ x + theta[c].offset for x, c in zip(vectors, labels, strict=True)])


def test_each_sample_is_moved_by_the_map_of_its_class(theta, samples):
    vectors, labels = samples
    np.testing.assert_allclose(theta.apply(vectors, labels), by_hand(theta, vectors, labels), atol=1e-13)
    unmoved = labels == 1
    np.testing.assert_array_equal(theta.apply(vectors, labels)[unmoved], vectors[unmoved])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_keep_their_dtype_and_are_not_written_to(theta, samples, dtype):
    vectors, labels = samples[0].astype(dtype), samples[1]
    original = vectors.copy()
    assert theta.apply(vectors, labels).dtype == dtype
    np.testing.assert_array_equal(vectors, original)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_tensors_give_the_numbers_of_arrays(theta, samples, dtype):
    vectors, labels = samples
    moved = theta.apply(torch.tensor(vectors, dtype=dtype), torch.tensor(labels))
    assert moved.dtype == dtype
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(moved.double().numpy(), by_hand(theta, vectors, labels), rtol=tolerance, atol=tolerance)


def test_tensors_are_differentiable(theta, samples):
    vectors, labels = samples
    x = torch.tensor(vectors[:6], requires_grad=True)
    assert torch.autograd.gradcheck(lambda points: theta.apply(points, labels[:6]), (x,))


@pytest.mark.gpu
def test_tensors_stay_on_their_device(theta, samples):
    vectors, labels = samples
    moved = theta.apply(torch.tensor(vectors, device="cuda"), torch.tensor(labels, device="cuda"))
    assert moved.device.type == "cuda"
    np.testing.assert_allclose(moved.cpu().numpy(), by_hand(theta, vectors, labels), atol=1e-12)


def test_no_samples_give_no_samples(theta):
    assert theta.apply(np.zeros((0, 5)), np.zeros(0, int)).shape == (0, 5)
    assert theta.apply(torch.zeros(0, 5), torch.zeros(0, dtype=torch.long)).shape == (0, 5)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_wrong_shapes_and_labels_are_named(theta, kind):
    with pytest.raises(AliError, match=r"shape \(2, 5\).*got \(2, 4\)"):
        theta.apply(kind(np.zeros((2, 4))), kind(np.zeros(2, int)))
    with pytest.raises(AliError, match="codes from 0 to 2; got values from 0 to 7"):
        theta.apply(kind(np.zeros((2, 5))), kind(np.array([0, 7])))
    with pytest.raises(AliError, match=r"shape \(2,\); got \(2, 1\)"):
        theta.apply(kind(np.zeros((2, 5))), kind(np.zeros((2, 1), int)))
    with pytest.raises(AliError, match="class codes, integers"):
        theta.apply(kind(np.zeros((2, 5))), kind(np.zeros(2)))
    with pytest.raises(AliError, match="class codes, integers"):
        theta.apply(kind(np.zeros((2, 5))), ["blast", "blast"])
    with pytest.raises(AliError, match="floating point"):
        theta.apply(kind(np.zeros((2, 5), int)), kind(np.zeros(2, int)))
