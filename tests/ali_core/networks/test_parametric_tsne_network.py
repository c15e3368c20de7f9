"""The network of parametric t-SNE and its divergence, against plain numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core.networks.parametric_tsne import SparseAffinities, TsneNetwork, kl_divergence, kl_gradient


def random_affinities(rng, n):
    affinities = rng.random((n, n)) * (rng.random((n, n)) < 0.4)
    affinities = affinities + affinities.T
    np.fill_diagonal(affinities, 0.0)
    return affinities / affinities.sum()


def literal_divergence(positions, affinities):
    n = len(positions)
    similarities = np.array(
        [[0.0 if i == j else 1 / (1 + np.sum((positions[i] - positions[j]) ** 2)) for j in range(n)] for i in range(n)]
    )
    similarities /= similarities.sum()
    some = affinities > 0
    return np.sum(affinities[some] * np.log(affinities[some] / similarities[some]))


def sparse(affinities):
    rows, columns = np.nonzero(affinities)
    weights = torch.tensor(affinities[rows, columns])
    return SparseAffinities(torch.tensor(rows), torch.tensor(columns), weights, len(affinities))


@pytest.mark.parametrize("size", [0.1, 3.0, 40.0])
def test_divergence_is_that_of_the_definition(rng, size):
    positions, affinities = size * rng.normal(size=(23, 2)), random_affinities(rng, 23)
    expected = literal_divergence(positions, affinities)
    assert kl_divergence(torch.tensor(positions), torch.tensor(affinities)).item() == pytest.approx(expected, rel=1e-10)
    assert sparse(affinities).kl_divergence(torch.tensor(positions)) == pytest.approx(expected, rel=1e-10)


def test_divergence_in_pieces_is_that_in_one(rng):
    positions, affinities = 5 * rng.normal(size=(1100, 2)), random_affinities(rng, 1100)
    whole = kl_divergence(torch.tensor(positions), torch.tensor(affinities)).item()
    assert sparse(affinities).kl_divergence(torch.tensor(positions)) == pytest.approx(whole, rel=1e-10)


def test_three_points_at_equal_distances_match_equal_affinities():
    triangle = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]], dtype=torch.float64)
    affinities = (1.0 - torch.eye(3, dtype=torch.float64)) / 6
    assert kl_divergence(triangle, affinities).item() == pytest.approx(0.0, abs=1e-12)
    torch.testing.assert_close(kl_gradient(triangle, affinities), torch.zeros(3, 2, dtype=torch.float64))


@settings(deadline=None)  # the first call pays for torch's start
@given(seed=st.integers(0, 10_000), n=st.integers(2, 30), exaggeration=st.floats(1.0, 12.0))
def test_gradient_is_that_of_automatic_differentiation(seed, n, exaggeration):
    rng = np.random.default_rng(seed)
    affinities = rng.random((n, n)) * (1 - np.eye(n))
    affinities = torch.tensor((affinities + affinities.T) / affinities.sum() / 2)
    positions = torch.tensor(4 * rng.normal(size=(n, 2)), requires_grad=True)
    # With exaggerated attraction: Σ e p log(1 + d²) + log Z.
    attraction = (affinities * (positions[:, None] - positions[None]).square().sum(2).log1p()).sum()
    (kl_divergence(positions, affinities) + (exaggeration - 1) * attraction).backward()
    found = kl_gradient(positions.detach(), affinities, exaggeration)
    torch.testing.assert_close(found, positions.grad, rtol=1e-8, atol=1e-10)


def test_gradient_holds_in_single_precision_on_a_wide_layout(rng):
    positions, affinities = 40 * rng.normal(size=(200, 2)), random_affinities(rng, 200)
    exact = kl_gradient(torch.tensor(positions), torch.tensor(affinities))
    single = kl_gradient(torch.tensor(positions).float(), torch.tensor(affinities).float())
    assert (single - exact).norm() < 1e-3 * exact.norm()


def test_points_on_top_of_each_other_give_finite_numbers():
    positions, affinities = torch.ones(5, 2), (1 - torch.eye(5)) / 20
    assert kl_divergence(positions, affinities).item() == pytest.approx(0.0, abs=1e-6)
    assert kl_gradient(positions, affinities).abs().max() == 0


@settings(deadline=None)  # the first call pays for torch's start
@given(n=st.integers(1, 60), size=st.integers(1, 25), seed=st.integers(0, 100))
def test_batches_part_the_samples_and_hold_their_affinities(n, size, seed):
    affinities = np.random.default_rng(seed).random((n, n)) * (1 - np.eye(n))
    batches = list(sparse(affinities).batches(size, torch.Generator().manual_seed(seed)))
    assert sorted(torch.cat([samples for samples, _ in batches]).tolist()) == list(range(n))
    for samples, shares in batches:
        assert size <= len(samples) < 2 * size or len(batches) == 1
        within = affinities[np.ix_(samples, samples)]
        expected = within / within.sum() if within.any() else within
        np.testing.assert_allclose(shares.numpy(), expected, atol=1e-14)


def test_a_batch_without_neighbours_has_no_affinities_and_a_finite_gradient():
    pairs = torch.zeros(0, dtype=torch.int64)
    empty = SparseAffinities(pairs, pairs, torch.zeros(0), 3)
    ((_, shares),) = empty.batches(5, torch.Generator())
    assert shares.abs().sum() == 0
    assert torch.isfinite(kl_gradient(torch.randn(3, 2, generator=torch.Generator().manual_seed(0)), shares)).all()


def test_the_network_is_the_formula(rng):
    net = TsneNetwork(3, (5, 4), generator=torch.Generator().manual_seed(1)).double()
    net.standardise(torch.tensor([1.0, 2.0, 3.0]), torch.tensor(0.5))
    vectors = rng.normal(size=(7, 3))
    weights = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    hidden = (vectors - [1, 2, 3]) / 0.5
    for layer in (0, 2):
        hidden = np.log1p(np.exp(hidden @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"]))
    expected = hidden @ weights["layers.4.weight"].T + weights["layers.4.bias"]
    np.testing.assert_allclose(net(torch.tensor(vectors)).detach().numpy(), expected, atol=1e-12)


def test_gradients_pass_through_the_network(rng):
    net = TsneNetwork(4, (6, 5), generator=torch.Generator().manual_seed(2)).double().requires_grad_(False)
    net.standardise(torch.ones(4), torch.tensor(0.3))
    assert torch.autograd.gradcheck(net, torch.tensor(rng.normal(size=(5, 4)), requires_grad=True))


def test_weights_come_from_the_generator_alone():
    before = torch.random.get_rng_state()
    first, second, other = (
        TsneNetwork(6, (8,), generator=torch.Generator().manual_seed(seed)).layers[0].weight for seed in (3, 3, 4)
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert first.abs().max() <= 6**-0.5
    assert first.std().item() == pytest.approx(6**-0.5 / 3**0.5, rel=0.2)
