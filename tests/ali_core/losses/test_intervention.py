"""The intervention loss: its two ends, cases by hand, gradients, planning, and a training."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import AliError, LabelledEmbedding, Session, preset
from ali_core.interventions import ClassStatistics, ClassTransforms, plan
from ali_core.losses import InterventionLoss, intervention_distance, inverse_frequency, triplet_margin_loss

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
SETTINGS = preset("all", 5)


def batch(seed=0, size=40, dim=5, n_classes=4):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, size - n_classes)])
    vectors = rng.normal(size=(n_classes, dim))[labels] + rng.normal(size=(size, dim))
    return torch.tensor(vectors), torch.tensor(labels)


def planned_loss(points, labels, **options):
    loss = InterventionLoss(SETTINGS, margin=0.5, **options)
    loss.plan(points, labels)
    return loss


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def test_ones_own_criterion_plans_until_the_settings_name_another():
    def largest_class(statistics):
        return statistics.counts.astype(float)

    points, labels = batch()
    loss = InterventionLoss(SETTINGS, margin=0.5, criterion=largest_class)
    steps = loss.plan(points, labels).steps
    assert {step.classes for step in steps} == {(int(torch.bincount(labels).argmax()),)}
    assert {step.criterion for step in steps} == {"largest_class"}
    loss.settings = SETTINGS
    assert loss.plan(points, labels).steps == planned_loss(points, labels).plan(points, labels).steps


def test_confusion_plans_on_the_samples_of_the_epoch_as_a_session_does():
    points, labels = batch()
    settings = SETTINGS.changed(criterion="confusion")
    for vectors in (points, points.flip(0)):
        session = Session(LabelledEmbedding(vectors.numpy(), labels.numpy()), settings)
        session.run()
        assert InterventionLoss(settings, margin=0.5).plan(vectors, labels).steps == session.steps


@given(seed=st.integers(0, 1000))
@settings(max_examples=15)
def test_weight_zero_is_the_triplet_loss_and_weight_one_the_distance(seed):
    points, labels = batch(seed)
    at = {w: planned_loss(points, labels, intervention_weight=w).terms(points, labels) for w in (0.0, 0.3, 1.0)}
    triplet = triplet_margin_loss(points, labels, margin=0.5).item()
    targets = plan(ClassStatistics.from_samples(points.numpy(), labels.numpy(), 4), SETTINGS).transforms.apply(
        points.numpy(), labels.numpy()
    )
    distance = np.abs(points.numpy() - targets).mean()
    assert at[0.0].total.item() == pytest.approx(triplet, rel=1e-12)
    assert at[1.0].total.item() == pytest.approx(distance, rel=1e-9)
    assert at[1.0].triplet is None
    assert at[0.3].total.item() == pytest.approx(0.7 * triplet + 0.3 * distance, rel=1e-9)


@pytest.mark.parametrize(("reduction", "expected"), [("mean", (1.5 + 0.0 + 3.5) / 3), ("sum", (3.0 + 0.0 + 7.0) / 3)])
def test_three_points_by_hand(reduction, expected, device):
    positions = torch.tensor([[1.0, 2.0], [0.0, 0.0], [-3.0, 4.0]], device=device)
    targets = torch.tensor([[0.0, 4.0], [0.0, 0.0], [0.0, 0.0]], device=device)
    labels = torch.tensor([0, 0, 1], device=device)
    found = intervention_distance(positions, targets, labels, reduction=reduction)
    assert found.item() == pytest.approx(expected, rel=1e-6)
    # Weights of counts 2 and 1: 3 / (2 · 2) and 3 / (2 · 1).
    weights = torch.tensor([0.75, 1.5], device=device)
    each = {"mean": (1.5, 3.5), "sum": (3.0, 7.0)}[reduction]
    weighted = intervention_distance(positions, targets, labels, class_weights=weights, reduction=reduction)
    assert weighted.item() == pytest.approx((0.75 * each[0] + 1.5 * each[1]) / 3, rel=1e-6)


def test_weights_of_the_counts_average_to_one():
    labels = torch.tensor([0] * 7 + [1] * 2 + [2])
    weights = torch.tensor(inverse_frequency(np.bincount(labels)))
    # Every sample is 1 away from its target: the weighted mean is the mean weight.
    found = intervention_distance(torch.ones(10, 3), torch.zeros(10, 3), labels, class_weights=weights)
    assert found.item() == pytest.approx(1.0, rel=1e-6)


def test_balanced_weights_weigh_nothing():
    points, _ = batch()
    labels = torch.arange(40) % 4
    plain = planned_loss(points, labels)(points, labels).item()
    weighted = planned_loss(points, labels, class_weights=inverse_frequency(np.bincount(labels)))(points, labels)
    assert weighted.item() == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1.0, 2.0, 4.0])])
def test_targets_carry_no_gradient(weights, device):
    points, labels = batch()
    loss = planned_loss(points, labels, intervention_weight=1.0, class_weights=weights).to(device)
    leaf = points.clone().to(device).requires_grad_()
    loss(leaf, labels.to(device)).backward()
    gap = points.numpy() - loss.transforms.apply(points.numpy(), labels.numpy())
    factors = np.ones(40) if weights is None else weights.numpy()[labels]
    np.testing.assert_allclose(leaf.grad.cpu(), factors[:, None] * np.sign(gap) / (40 * 5), rtol=1e-6)


def test_targets_that_could_carry_a_gradient_get_none():
    points, labels = batch()
    positions, targets = points.clone().requires_grad_(), (2 * points).requires_grad_()
    intervention_distance(positions, targets, labels).backward()
    assert targets.grad is None
    np.testing.assert_allclose(positions.grad, -points.sign().numpy() / (40 * 5), rtol=1e-12)


def test_identity_transforms_leave_no_distance():
    points, labels = batch()
    loss = InterventionLoss(SETTINGS, margin=0.5)
    loss.transforms = ClassTransforms.identity(4, 5)
    terms = loss.terms(points, labels)
    assert terms.intervention.item() == 0.0
    assert terms.total.item() == pytest.approx(0.2 * terms.triplet.loss.item(), rel=1e-12)


def test_an_empty_batch_costs_nothing():
    points, labels = batch()
    leaf = points[:0].requires_grad_()
    value = planned_loss(points, labels)(leaf, labels[:0])
    value.backward()
    assert value.item() == 0.0
    assert leaf.grad.shape == (0, 5)


def test_a_projection_is_where_the_samples_are_moved():
    points, labels = batch()
    plane = torch.tensor(np.random.default_rng(1).normal(size=(5, 2)))
    settings = preset("c,s", 2)
    loss = InterventionLoss(settings, margin=0.5, intervention_weight=0.9, projection=lambda x: x @ plane)
    planned = loss.plan(points @ plane, labels)
    leaf = points.clone().requires_grad_()
    terms = loss.terms(leaf, labels)
    terms.total.backward()

    layout = (points @ plane).numpy()
    expected = plan(ClassStatistics.from_samples(layout, labels.numpy(), 4), settings).transforms
    np.testing.assert_array_equal(planned.transforms.offsets, expected.offsets)
    gap = layout - expected.apply(layout, labels.numpy())
    other = points.clone().requires_grad_()
    triplet = triplet_margin_loss(other, labels, margin=0.5)
    triplet.backward()
    assert terms.total.item() == pytest.approx(0.1 * triplet.item() + 0.9 * np.abs(gap).mean(), rel=1e-12)
    through = (np.sign(gap) / (40 * 2)) @ plane.numpy().T
    np.testing.assert_allclose(leaf.grad, 0.1 * other.grad.numpy() + 0.9 * through, atol=1e-14)


@pytest.mark.parametrize("spread", ["rms", "radius"])
def test_plans_what_the_interventions_plan(spread):
    points, labels = batch()
    settings = SETTINGS.changed(spread=spread)
    loss = InterventionLoss(settings, margin=0.5)
    for given_points in (points, points.numpy(), points.numpy().tolist()):
        found = loss.plan(given_points, labels, n_classes=6)
        statistics = ClassStatistics.from_samples(points.numpy(), labels.numpy(), 6, spread=spread)
        expected = plan(statistics, settings).transforms
        assert loss.transforms is found.transforms
        assert len(found.transforms.scales) == 6
        np.testing.assert_array_equal(found.transforms.offsets, expected.offsets)
        np.testing.assert_array_equal(found.transforms.scales, expected.scales)


def test_plans_on_half_precision():
    points, labels = batch()
    rounded = points.bfloat16()
    loss = InterventionLoss(SETTINGS, margin=0.5)
    found, expected = loss.plan(rounded, labels), loss.plan(rounded.double(), labels)
    np.testing.assert_array_equal(found.transforms.offsets, expected.transforms.offsets)


def test_autocast_and_half_precision_are_computed_in_float32(device):
    points, labels = batch()
    points, labels = points.to(device), labels.to(device)
    loss = planned_loss(points, labels).to(device)
    exact = loss(points.float(), labels)
    with torch.autocast(device, torch.bfloat16):
        assert loss(points.float(), labels).item() == exact.item()
    half = loss(points.bfloat16(), labels)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(exact.item(), rel=2e-2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"margin": 0.1, "intervention_weight": 1.1}, r"intervention_weight must lie in \[0, 1\]; got 1.1"),
        ({"margin": 0.1, "intervention_weight": float("nan")}, "got nan"),
        ({"margin": -1.0}, "margin must be at least 0; got -1.0"),
        ({"margin": 0.1, "reduction": "max"}, r"reduction must be one of mean \| sum; got 'max'"),
    ],
)
def test_settings_out_of_range_are_told(options, told):
    with pytest.raises(AliError, match=told):
        InterventionLoss(SETTINGS, **options)


def test_before_a_plan_it_says_so():
    points, labels = batch()
    with pytest.raises(AliError, match="no interventions are planned yet; call plan"):
        InterventionLoss(SETTINGS, margin=0.1)(points, labels)


def nearest_neighbour_accuracy(points, labels):
    distances = torch.cdist(points, points).fill_diagonal_(torch.inf)
    return (labels[distances.argmin(dim=1)] == labels).float().mean().item()


def trained_on_two_blobs(dim, *, weight, plane=None):
    """Train a linear net for 30 epochs; returns (1-NN accuracy, triplet loss) before and after."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 2
    inputs = torch.randn(120, 20, generator=generator)
    inputs[:, 0] += 3.0 * labels
    net = (0.3 * torch.randn(20, 4, generator=generator)).requires_grad_()
    projection = None if plane is None else (lambda x: x @ plane)
    loss = InterventionLoss(preset("c,s", dim), margin=0.2, intervention_weight=weight, projection=projection)

    def state():
        points = (inputs @ net).detach()
        return nearest_neighbour_accuracy(points, labels), triplet_margin_loss(points, labels, margin=0.2).item()

    before = state()
    for _ in range(30):
        points = (inputs @ net).detach()
        loss.plan(points if plane is None else points @ plane, labels)
        for rows in torch.randperm(120, generator=generator).split(40):
            (gradient,) = torch.autograd.grad(loss(inputs[rows] @ net, labels[rows]), net)
            net.data -= 0.3 * gradient
    return before, state()


@pytest.mark.parametrize("weight", [0.5, 0.8])
@pytest.mark.parametrize("projected", [False, True], ids=["ALI", "PALI"])
def test_training_pulls_two_blobs_apart(weight, projected):
    plane = torch.linalg.qr(torch.randn(4, 2, generator=torch.Generator().manual_seed(1)))[0] if projected else None
    before, after = trained_on_two_blobs(2 if projected else 4, weight=weight, plane=plane)
    assert before[0] < 0.9
    assert after[0] > before[0] + 0.1
    assert after[1] < before[1]
