"""The triplet margin loss against a loop over listed triplets and pytorch-metric-learning."""

import itertools
import math
import resource

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import AliError
from ali_core.losses import triplet_margin_loss, triplet_terms

TOLERANCE = {torch.float64: 1e-11, torch.float32: 1e-5}  # relative
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def batch(seed=0, size=24, dim=5, n_classes=4, dtype=torch.float64):
    """Random points with long-tailed classes, made on the CPU."""
    rng = np.random.default_rng(seed)
    share = np.geomspace(1, 5, n_classes)
    labels = rng.choice(n_classes, size=size, p=share / share.sum())
    return torch.tensor(rng.normal(size=(size, dim)), dtype=dtype), torch.tensor(labels)


def listed(points, labels, margin, class_weights=None):
    """All triplets one by one: the mean loss of those above 0, how many these are, and how many there are."""
    codes = labels.tolist()
    total, weight, n_active, n_triplets = points.sum() * 0.0, 0.0, 0, 0
    for a, p, n in itertools.product(range(len(codes)), repeat=3):
        if a == p or codes[a] != codes[p] or codes[a] == codes[n]:
            continue
        n_triplets += 1
        value = (points[a] - points[p]).norm() - (points[a] - points[n]).norm() + margin
        if value > 0:
            factor = 1.0 if class_weights is None else float(class_weights[codes[a]])
            total, weight, n_active = total + factor * value, weight + factor, n_active + 1
    return total / max(weight, 1e-300), n_active, n_triplets


def value_and_gradient(function, points):
    leaf = points.clone().requires_grad_()
    value = function(leaf)
    value.backward()
    return value.detach(), leaf.grad


@pytest.mark.parametrize("margin", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("weights", [None, [0.5, 3.0, 0.0, 1.25]])
def test_value_gradient_and_counts_equal_those_of_listed_triplets(margin, weights, device):
    points, labels = batch()
    weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    expected, slope = value_and_gradient(lambda x: listed(x, labels, margin, weights)[0], points)
    on_device = None if weights is None else weights.to(device)
    found, gradient = value_and_gradient(
        lambda x: triplet_margin_loss(x, labels.to(device), margin=margin, class_weights=on_device), points.to(device)
    )
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(gradient.cpu(), slope, atol=1e-13)
    terms = triplet_terms(points.to(device), labels.to(device), margin=margin)
    assert (terms.n_active.item(), terms.n_triplets.item()) == listed(points, labels, margin)[1:]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("margin", [0.05, 0.5])
def test_equals_pytorch_metric_learning(dtype, margin, device):
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import TripletMarginLoss

    peer = TripletMarginLoss(margin=margin, distance=LpDistance(normalize_embeddings=False))
    points, labels = batch(1, size=90, dim=16, dtype=dtype)
    points, labels = points.to(device), labels.to(device)
    expected, slope = value_and_gradient(lambda x: peer(x, labels), points)
    found, gradient = value_and_gradient(lambda x: triplet_margin_loss(x, labels, margin=margin), points)
    assert found.item() == pytest.approx(expected.item(), rel=TOLERANCE[dtype])
    np.testing.assert_allclose(gradient.cpu(), slope.cpu(), rtol=0, atol=TOLERANCE[dtype] * slope.abs().max().item())


@pytest.mark.parametrize("seed", range(3))
def test_gradient_equals_finite_differences(seed):
    points, labels = batch(seed, size=10, dim=3, n_classes=3)
    weights = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)
    for chosen in (None, weights):
        torch.autograd.gradcheck(
            lambda x, w=chosen: triplet_margin_loss(x, labels, margin=0.4, class_weights=w),
            points.clone().requires_grad_(),
            eps=1e-7,
            atol=1e-6,
        )


def test_a_triplet_that_just_keeps_the_margin_does_not_count(device):
    # On a line, all distances exact: |0 - 2| = |0 - (-2)|, so l = 0 for that anchor at margin 0.
    points = torch.tensor([[0.0], [2.0], [-2.0], [0.0]], dtype=torch.float64, device=device)
    labels = torch.tensor([0, 0, 1, 2], device=device)
    # a = 0: n = 2 ties (0), n = 3 violates (2 - 0). a = 1: n = 2 at 4 keeps it, n = 3 at 2 ties.
    terms = triplet_terms(points, labels, margin=0.0)
    assert (terms.n_active.item(), terms.n_triplets.item(), terms.loss.item()) == (1, 4, 2.0)
    terms = triplet_terms(points, labels, margin=1.0)  # now 1, 3, (2 - 4 + 1 < 0), 1
    assert (terms.n_active.item(), terms.loss.item()) == (3, pytest.approx(5 / 3, rel=1e-15))


@pytest.mark.parametrize(
    ("size", "codes"), [(0, []), (1, [2]), (6, [1] * 6), (4, [0, 1, 2, 3]), (6, [0, 0, 0, 1, 1, 1])]
)
@pytest.mark.parametrize("scale", [1.0, 2.0**16])
def test_without_a_violating_triplet_loss_and_gradient_are_zero(size, codes, scale, device):
    labels = torch.tensor(codes, dtype=torch.long, device=device)
    points = 100.0 * torch.nn.functional.one_hot(labels, 4).float() if size else torch.zeros(0, 4, device=device)
    # The scale is that of a gradient scaler.
    value, gradient = value_and_gradient(lambda x: scale * triplet_margin_loss(x, labels, margin=0.2), points)
    assert value.item() == 0.0
    assert gradient.shape == points.shape
    assert gradient.abs().sum().item() == 0.0


def test_weights_of_zero_leave_nothing():
    points, labels = batch()
    value, gradient = value_and_gradient(
        lambda x: triplet_margin_loss(x, labels, margin=0.5, class_weights=torch.zeros(4)), points
    )
    assert value.item() == 0.0
    assert gradient.abs().sum().item() == 0.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_duplicates_have_a_finite_gradient(dtype, device):
    points, labels = batch(2, dtype=dtype)
    points, labels = torch.cat([points, points, points]).to(device), torch.cat([labels] * 3).to(device)
    labels[:8] = (labels[:8] + 1) % 4  # duplicates of the same and of another class
    value, gradient = value_and_gradient(lambda x: triplet_margin_loss(x, labels, margin=0.5), points)
    expected = listed(points.cpu().double(), labels.cpu(), 0.5)[0]
    assert value.item() == pytest.approx(expected.item(), rel=1e-4 if dtype == torch.float32 else 1e-7)
    assert gradient.isfinite().all()
    assert 0 < gradient.abs().max().item() < 1


def test_a_point_that_is_no_number_is_not_hidden():
    points, labels = batch()
    points[3, 1] = math.nan
    assert triplet_margin_loss(points, labels, margin=0.5).isnan()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype, device):
    points, labels = batch(3, size=60, dim=16, dtype=dtype)
    points, labels = points.to(device), labels.to(device)
    expected, slope = value_and_gradient(lambda x: triplet_margin_loss(x, labels, margin=0.5), points.float())
    found, gradient = value_and_gradient(lambda x: triplet_margin_loss(x, labels, margin=0.5), points)
    assert found.dtype == torch.float32
    assert gradient.dtype == dtype
    assert found.item() == expected.item()
    np.testing.assert_array_equal(gradient.float().cpu(), slope.to(dtype).float().cpu())


@pytest.mark.parametrize("inside", [False, True], ids=["backward outside", "backward inside"])
def test_autocast_changes_nothing(inside, device):
    points, labels = batch(4, size=60, dim=16, dtype=torch.float32)
    points, labels = points.to(device), labels.to(device)
    expected, slope = value_and_gradient(lambda x: triplet_margin_loss(x, labels, margin=0.5), points)
    leaf = points.clone().requires_grad_()
    with torch.autocast(device, torch.bfloat16):
        found = triplet_margin_loss(leaf, labels, margin=0.5)
        if inside:
            found.backward()
    if not inside:
        found.backward()
    assert found.dtype == torch.float32
    assert found.item() == expected.item()
    np.testing.assert_array_equal(leaf.grad.cpu(), slope.cpu())


@given(seed=st.integers(0, 10_000), margin=st.sampled_from([0.1, 0.7]))
@settings(max_examples=40)
def test_order_place_and_class_numbers_do_not_matter(seed, margin):
    points, labels = batch(seed, size=18, dim=3)
    rng = np.random.default_rng(seed)
    order, renamed = torch.tensor(rng.permutation(18)), torch.tensor(rng.permutation(4))
    offset = torch.tensor(rng.normal(size=3))
    value, gradient = value_and_gradient(lambda x: triplet_margin_loss(x, labels, margin=margin), points)
    found, permuted = value_and_gradient(
        lambda x: triplet_margin_loss(x, renamed[labels][order], margin=margin), (points + offset)[order]
    )
    assert found.item() == pytest.approx(value.item(), rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(permuted, gradient[order], atol=1e-9)
    np.testing.assert_allclose(gradient.sum(dim=0), 0.0, atol=1e-12)  # moving all points together changes nothing


@given(seed=st.integers(0, 10_000), factor=st.floats(0.1, 10))
@settings(max_examples=20)
def test_points_and_margin_scale_together(seed, factor):
    points, labels = batch(seed, size=18, dim=3)
    value = triplet_margin_loss(points, labels, margin=0.5).item()
    scaled = triplet_margin_loss(factor * points, labels, margin=factor * 0.5).item()
    assert scaled == pytest.approx(factor * value, rel=1e-9)


def test_equal_weights_weigh_nothing():
    points, labels = batch()
    plain = triplet_margin_loss(points, labels, margin=0.5).item()
    weighted = triplet_margin_loss(points, labels, margin=0.5, class_weights=torch.full((4,), 3.0)).item()
    assert weighted == pytest.approx(plain, rel=1e-14)


@pytest.mark.slow
def test_a_large_batch_needs_squared_not_cubed_memory():
    # A list of its 7e8 triplets would take 17 GB in int64 indices; a (B, B) matrix in float32 takes 17 MB.
    points, labels = batch(5, size=2048, dim=16, n_classes=11, dtype=torch.float32)
    points = torch.nn.functional.normalize(points)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    terms = triplet_terms(points.requires_grad_(), labels, margin=0.2)
    terms.loss.backward()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    own = torch.bincount(labels)
    assert terms.n_triplets.item() == (own * (own - 1) * (2048 - own)).sum().item() > 6e8
    assert 0.2 < terms.n_active.item() / terms.n_triplets.item() < 0.95
    assert grown < 24 * 2048**2 * 4
    # The anchors of one class, one by one in float64.
    rarest = int(own.argmin())
    exact, others = points.detach().double(), labels != rarest
    losses = []
    for anchor in torch.nonzero(~others).flatten():
        distances = (exact - exact[anchor]).norm(dim=1)
        positives = distances[~others & (torch.arange(2048) != anchor)]
        each = positives[:, None] - distances[others] + 0.2
        losses.append(each[each > 0])
    only = torch.nn.functional.one_hot(torch.tensor(rarest), 11)
    found = triplet_margin_loss(points.detach(), labels, margin=0.2, class_weights=only)
    assert found.item() == pytest.approx(torch.cat(losses).mean().item(), rel=1e-5)
    assert points.grad.isfinite().all()


@pytest.mark.parametrize(
    ("points", "labels", "margin", "told"),
    [
        (torch.zeros(3), torch.zeros(3, dtype=torch.long), 0.1, r"shape \(B, D\); got \(3,\)"),
        (torch.zeros(3, 2), torch.zeros(2, dtype=torch.long), 0.1, r"shape \(3,\) or \(3, 1\); got \(2,\)"),
        (torch.zeros(3, 2), torch.zeros(3, dtype=torch.long), -0.1, "margin must be at least 0; got -0.1"),
        (torch.zeros(3, 2), torch.zeros(3, dtype=torch.long), math.nan, "margin must be at least 0; got nan"),
    ],
)
def test_what_does_not_fit_is_told(points, labels, margin, told):
    with pytest.raises(AliError, match=told):
        triplet_margin_loss(points, labels, margin=margin)
