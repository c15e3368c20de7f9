"""What each method minimises, against formulas written out."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from ali_core.interventions import ClassTransforms
from ali_core.losses import triplet_margin_loss
from ali_core.training.methods import BASES
from ali_core.training.objectives import make_objective
from tests.ali_core.training.samples import small

COUNTS = np.array([16, 8, 2])
WEIGHTS = torch.tensor(26 / (3 * COUNTS), dtype=torch.float32)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    points = functional.normalize(torch.randn(18, 6, generator=generator), dim=1)
    labels = torch.arange(3).repeat(6)
    return points.requires_grad_(), labels, torch.arange(18)


def made(weights=None, **changes):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make_objective(small(class_weights=weights is not None, **changes), COUNTS)


def test_tml_weighs_triplets_and_the_control_of_ali_does_not(batch):
    points, labels, _ = batch
    weighted = made(WEIGHTS, method="tml", margin=0.3)(*batch)
    plain = made(WEIGHTS, method="ali", control=True, margin=0.3)(*batch)
    assert torch.equal(weighted["total"], triplet_margin_loss(points, labels, margin=0.3, class_weights=WEIGHTS))
    assert torch.equal(plain["total"], triplet_margin_loss(points, labels, margin=0.3))
    assert weighted["total"] != plain["total"]


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_ali_is_the_sum_of_its_parts(batch, weight):
    points, labels, _ = batch
    objective = made(WEIGHTS, method="ali", intervention_weight=weight, margin=0.3)
    objective.pull.loss.transforms = ClassTransforms(
        scales=np.array([0.5, 1.0, 0.1]), rotations=(None,) * 3, offsets=np.full((3, 6), 0.2)
    )
    scales = torch.tensor([0.5, 1.0, 0.1])[labels][:, None]
    distance = ((points * scales + 0.2 - points).abs().mean(dim=1) * WEIGHTS[labels]).mean()
    expected = (1 - weight) * triplet_margin_loss(points, labels, margin=0.3) + weight * distance
    terms = objective(*batch)
    torch.testing.assert_close(terms["total"], expected)
    torch.testing.assert_close(terms["intervention"], distance.detach())
    assert terms["base"].isnan() == (weight == 1.0)


def test_cross_entropy_divides_by_the_temperature_and_weighs_classes(batch):
    points, labels, _ = batch
    objective = made(WEIGHTS, method="ce", temperature=0.25)
    logits = (points @ objective.classify.weight.T + objective.classify.bias) / 0.25
    losses = -torch.log_softmax(logits, dim=1)[torch.arange(18), labels]
    expected = (losses * WEIGHTS[labels]).sum() / WEIGHTS[labels].sum()
    torch.testing.assert_close(objective(*batch)["total"], expected)


def test_logit_adjustment_adds_the_log_of_the_class_shares(batch):
    points, labels, _ = batch
    objective = made(method="logit-adjusted", temperature=0.25)
    weights = objective.classify.weight, objective.classify.bias
    logits = (points @ weights[0].T + weights[1]) / 0.25 + torch.log(torch.tensor(COUNTS / 26, dtype=torch.float32))
    expected = -torch.log_softmax(logits, dim=1)[torch.arange(18), labels].mean()
    torch.testing.assert_close(objective(*batch)["total"], expected)


@pytest.mark.parametrize("base", BASES)
def test_any_base_stands_under_interventions(batch, base):
    points, labels, rows = batch
    plain = made(method=base)(*batch)["total"]
    objective = made(WEIGHTS, method="ali", base=base, intervention_weight=0.3)
    objective.pull.loss.transforms = ClassTransforms(
        scales=np.array([0.5, 1.0, 0.1]), rotations=(None,) * 3, offsets=np.full((3, 6), 0.2)
    )
    terms = objective(points, labels, rows)
    torch.testing.assert_close(terms["base"], plain.detach())  # class weights are the pull's alone
    torch.testing.assert_close(terms["total"], 0.7 * terms["base"] + 0.3 * terms["intervention"])
    objective.intervening = False
    torch.testing.assert_close(objective(points, labels, rows)["total"], plain)
    control = made(WEIGHTS, method="ali", base=base, control=True)
    torch.testing.assert_close(control(points, labels, rows)["total"], plain)
    assert control.state_dict().keys() == objective.state_dict().keys()


def test_the_control_of_pli_is_its_cross_entropy(batch, tmp_path):
    replay = made(method="pli", steps=tmp_path / "s.json", temperature=0.25)
    control = made(method="pli", steps=tmp_path / "s.json", temperature=0.25, control=True)
    replay.pull.targets = torch.zeros(18, 6)
    terms = replay(*batch)
    torch.testing.assert_close(terms["base"], control(*batch)["total"].detach())
    torch.testing.assert_close(terms["intervention"], batch[0].square().mean().detach())
    torch.testing.assert_close(terms["total"], 0.5 * terms["base"] + 0.5 * batch[0].square().mean())


def test_pli_takes_the_targets_of_the_rows_it_is_given(batch, tmp_path):
    points, labels, rows = batch
    replay = made(method="pli", steps=tmp_path / "s.json", intervention_weight=1.0)
    replay.pull.targets = torch.arange(40.0)[:, None].expand(40, 6)
    expected = (points - rows.flip(0)[:, None]).square().mean()
    torch.testing.assert_close(replay(points, labels, rows.flip(0))["total"], expected)


def loop_supcon(points, labels, temperature, weights):
    """Each sample: minus the mean log-probability of its positives among all others."""
    total = norm = 0.0
    similarity = points @ points.T / temperature
    for i in range(len(points)):
        others = [j for j in range(len(points)) if j != i]
        log_sum = torch.logsumexp(similarity[i, others], dim=0)
        positives = [j for j in others if labels[j] == labels[i]]
        loss = -sum(similarity[i, j] - log_sum for j in positives) / len(positives)
        total, norm = total + weights[labels[i]] * loss, norm + weights[labels[i]]
    return total / norm


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_supcon_with_and_without_weights_against_a_loop(batch, weights):
    points, labels, _ = batch
    expected = loop_supcon(points, labels, 0.2, torch.ones(3) if weights is None else weights)
    terms = made(weights, method="supcon", temperature=0.2)(*batch)
    torch.testing.assert_close(terms["total"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_proxyanchor_with_and_without_weights_against_a_loop(batch, weights):
    points, labels, _ = batch
    objective = made(weights, method="proxyanchor", proxy_margin=0.1, proxy_scale=4.0)
    cosines = points @ functional.normalize(objective.loss.proxies, dim=1).T
    factors = torch.ones(3) if weights is None else weights
    near = [torch.log1p(torch.exp(-4.0 * (cosines[labels == c, c] - 0.1)).sum()) for c in range(3)]
    far = [torch.log1p(torch.exp(4.0 * (cosines[labels != c, c] + 0.1)).sum()) for c in range(3)]
    expected = sum(factors[c] * (near[c] + far[c]) for c in range(3)) / 3
    torch.testing.assert_close(objective(*batch)["total"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["tml", "ali", "ce", "logit-adjusted", "supcon", "proxyanchor"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_method_gives_a_finite_gradient_in_full_and_half_precision(batch, method, dtype):
    points, labels, rows = batch
    objective = made(WEIGHTS, method=method)
    if method == "ali":
        objective.pull.loss.plan(points, labels)
    leaf = points.detach().to(dtype).requires_grad_()
    terms = objective(leaf, labels, rows)
    terms["total"].backward()
    assert terms["total"].dtype == torch.float32
    assert leaf.grad.isfinite().all()
    assert leaf.grad.abs().sum() > 0
    assert not any(term.requires_grad for name, term in terms.items() if name != "total")
