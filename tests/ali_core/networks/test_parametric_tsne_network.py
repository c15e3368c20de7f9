"""The network of parametric t-SNE, against plain numpy."""

import numpy as np
import pytest
import torch

from ali_core.networks.parametric_tsne import TsneNetwork


def network(rng, *, n_landmarks=80, dim=6, components=4):
    sizes = {
        "center": (dim,),
        "axes": (dim, components),
        "landmarks": (n_landmarks, components),
        "places": (n_landmarks, 2),
        "slope": (components, 2),
    }
    return TsneNetwork(**{name: torch.tensor(rng.normal(size=size)) for name, size in sizes.items()})


def literal(net, vector):
    known = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    inputs = known["axes"].T @ (vector - known["center"])
    squares = np.array([np.sum((inputs - landmark) ** 2) for landmark in known["landmarks"]])
    voters = np.argsort(squares)[:15]
    shares = np.exp(-squares[voters]) / np.exp(-squares[voters]).sum()
    total, mean = 0.0, np.zeros(2)
    for k, share in zip(voters, shares, strict=True):
        heard = sum(
            other / (1 + np.sum((known["places"][k] - known["places"][j]) ** 2) / 10)
            for j, other in zip(voters, shares, strict=True)
        )
        weight = share * heard**8
        total += weight
        mean += weight * (known["places"][k] + known["slope"].T @ (inputs - known["landmarks"][k]))
    return mean / total


@pytest.mark.parametrize("n_landmarks", [1, 7, 80])
def test_the_network_is_the_formula(rng, n_landmarks):
    net, vectors = network(rng, n_landmarks=n_landmarks), rng.normal(size=(9, 6))
    expected = [literal(net, vector) for vector in vectors]
    np.testing.assert_allclose(net(torch.tensor(vectors)).numpy(), expected, atol=1e-10)


def test_gradients_pass_through_the_network(rng):
    assert torch.autograd.gradcheck(network(rng), torch.tensor(rng.normal(size=(5, 6)), requires_grad=True))


def test_with_votes_held_a_sample_moves_along_the_slope_alone(rng):
    net, vectors = network(rng), torch.tensor(rng.normal(size=(5, 6)), requires_grad=True)
    held, ways = net(vectors, hold_votes=True), torch.tensor([2.0, -3.0], dtype=torch.float64)
    assert torch.equal(held, net(vectors))
    (found,) = torch.autograd.grad(held @ ways, vectors, torch.ones(5))
    expected = net.axes.numpy() @ net.slope.numpy() @ ways.numpy()
    np.testing.assert_allclose(found.numpy(), np.tile(expected, (5, 1)), atol=1e-12)


def test_a_sample_between_two_groups_of_landmarks_lies_with_the_greater_one(rng):
    landmarks = torch.tensor(rng.normal(size=(10, 2)) * 0.01)
    places = torch.tensor([[0.0, 0.0]] * 6 + [[40.0, 0.0]] * 4, dtype=torch.float64) + landmarks
    origin, no_slope = torch.zeros(2, dtype=torch.float64), torch.zeros(2, 2, dtype=torch.float64)
    net = TsneNetwork(
        center=origin, axes=torch.eye(2, dtype=torch.float64), landmarks=landmarks, places=places, slope=no_slope
    )
    assert net(origin[None])[0].norm() < 3.0  # their mean lies at 16


def test_a_landmark_far_from_all_others_lies_at_its_place_and_beyond_it_the_slope_leads(rng):
    net = network(rng, components=2, dim=2)
    net.landmarks *= 100.0
    net.axes, net.center = torch.eye(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    torch.testing.assert_close(net(net.landmarks), net.places, atol=1e-6, rtol=0)
    outermost = net.landmarks[:, 0].argmax()
    beyond = net.landmarks[outermost] + torch.tensor([900.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(net(beyond[None])[0], net.places[outermost] + 900.0 * net.slope[0])


def test_in_single_precision_places_are_those_of_double_precision(rng):
    net, vectors = network(rng), torch.tensor(rng.normal(size=(50, 6)))
    exact = net(vectors)
    assert (net.float()(vectors.float()) - exact).norm() < 1e-4 * exact.norm()
