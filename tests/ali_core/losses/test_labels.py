"""Labels of every kind that people's loops have, through every door, against the losses of int64 codes."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import AliError, preset
from ali_core.losses import InterventionLoss, intervention_distance, triplet_margin_loss

NAMES = ("blast", "monocyte", "lymphocyte")
CODES = torch.arange(12) % 3
POINTS = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
WEIGHTS = torch.tensor([1.0, 10.0, 100.0])

INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.uint32, torch.int64, torch.uint64]
FORMS = {
    **{str(dtype): CODES.to(dtype) for dtype in INTEGERS},
    "(B, 1)": CODES.to(torch.uint8)[:, None],
    "numpy (B, 1) uint8": CODES.numpy().astype("u1")[:, None],
    "numpy big-endian": CODES.numpy().astype(">i4"),
    "numpy read-only": np.frombuffer(CODES.numpy().astype("i2").tobytes(), "i2"),
    "list": CODES.tolist(),
    "list of tensors": list(CODES),
    "pandas": pd.Series(CODES.numpy(), index=range(5, 17)),
}
NAMED = {
    "list of names": [NAMES[code] for code in CODES],
    "array of names": np.array(NAMES)[CODES.numpy()],
    "objects (B, 1)": np.array(NAMES, dtype=object)[CODES.numpy()][:, None],
    "categorical": pd.Series(pd.Categorical.from_codes(CODES.numpy(), NAMES)),
}


def planned(**options):
    return InterventionLoss(preset("c,s", dim=4), margin=2.0, **options)


def doors(labels, weights=WEIGHTS, points=POINTS, **options):
    """What each door makes of the labels."""
    loss = planned(class_weights=weights, **options)
    made = loss.plan(points, labels)
    found = [
        triplet_margin_loss(points, labels, margin=2.0, class_weights=weights, **options).item(),
        loss(points, labels).item(),
        *made.transforms.offsets.reshape(-1).tolist(),
    ]
    if not options:  # a distance to given targets knows no names
        found.append(intervention_distance(points, torch.zeros(12, 4), labels, class_weights=weights).item())
    return found


@pytest.mark.parametrize("form", FORMS)
def test_whole_numbers_of_any_type_are_the_same_labels(form):
    assert doors(FORMS[form]) == doors(CODES)


@pytest.mark.parametrize("form", [*NAMED, "list", "torch.uint8"])
def test_names_are_their_codes(form):
    assert doors((NAMED | FORMS)[form], class_names=NAMES) == doors(CODES)[:-1]


def test_two_classes_may_be_booleans():
    assert triplet_margin_loss(POINTS, CODES == 1, margin=2.0) == triplet_margin_loss(
        POINTS, (CODES == 1).long(), margin=2.0
    )


@given(codes=st.lists(st.integers(0, 255), min_size=2, max_size=9))
@settings(max_examples=20)
def test_what_a_code_weighs_does_not_depend_on_its_type(codes):
    weights, points = torch.arange(256.0), torch.arange(4.0 * len(codes)).reshape(-1, 4) ** 1.5
    each = [
        triplet_margin_loss(points, torch.tensor(codes, dtype=dtype), margin=9.0, class_weights=weights).item()
        for dtype in (torch.int64, torch.uint8)
    ]
    assert each[0] == each[1]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (CODES.float(), r"labels must be whole numbers, the codes of their classes; got torch.float32"),
        (CODES.numpy() / 2, "labels must be whole numbers, the codes of their classes; got float64"),
        (CODES - 1, "labels must be class codes from 0 on; got -1"),
        (CODES + 1, "labels must be codes from 0 to 2 for 3 classes; got 3"),
        (CODES[:5], r"shape \(12,\) or \(12, 1\); got \(5,\)"),
        (torch.eye(3)[CODES], r"got \(12, 3\); of one-hot labels give labels.argmax\(1\)"),
        (CODES[None], r"got \(1, 12\)$"),
        (NAMED["list of names"], r"labels are names such as 'blast'; say their order with class_names=\[…\]"),
        ([None] * 12, "labels must be class codes or names; got object that holds None"),
    ],
)
def test_labels_that_are_no_codes_are_one_error_at_every_door(labels, told):
    loss = planned(class_weights=WEIGHTS)
    loss.plan(POINTS, CODES)
    for door in (
        lambda: triplet_margin_loss(POINTS, labels, margin=0.2, class_weights=WEIGHTS),
        lambda: intervention_distance(POINTS, POINTS, labels, class_weights=WEIGHTS),
        lambda: loss(POINTS, labels),
        lambda: loss.plan(POINTS, labels),
    ):
        with pytest.raises(AliError, match=told):
            door()


def test_codes_beyond_the_plan_and_unknown_names_are_told():
    loss = planned(class_names=NAMES)
    with pytest.raises(AliError, match="label 'mono' is not among class_names"):
        loss.plan(POINTS, ["mono"] * 12)
    loss = planned()
    loss.plan(POINTS, CODES)
    with pytest.raises(AliError, match="codes from 0 to 2 for 3 classes; got 7"):
        loss(POINTS, CODES + 5)


def test_classes_without_a_sample_are_counted_from_weights_or_names():
    for options in ({"class_weights": WEIGHTS}, {"class_names": NAMES}):
        loss = planned(**options)
        assert len(loss.plan(POINTS, CODES % 2).transforms.scales) == 3
        assert loss(POINTS, CODES).item() > 0


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (torch.ones(3, 1), r"class_weights must be one a class, shape \(C,\); got \(3, 1\)"),
        (2.0, r"shape \(C,\); got \(\)"),
        ([1.0, -1.0, 1.0], r"finite and at least 0; got \[1.0, -1.0, 1.0\]"),
        ([1.0, float("nan"), 1.0], "finite and at least 0"),
    ],
)
def test_weights_that_are_none_are_told(weights, told):
    for door in (
        lambda: triplet_margin_loss(POINTS, CODES, margin=0.2, class_weights=weights),
        lambda: intervention_distance(POINTS, POINTS, CODES, class_weights=weights),
        lambda: planned(class_weights=weights),
    ):
        with pytest.raises(AliError, match=told):
            door()
    with pytest.raises(AliError, match=r"shape \(3,\); got \(2,\)"):
        planned(class_weights=WEIGHTS[:2], class_names=NAMES)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_vectors_that_are_not_finite_are_named(value):
    points = POINTS.clone()
    points[[3, 7], 1] = value
    with pytest.raises(AliError, match=r"vectors must be finite; 2 of 12 rows hold NaN or infinity \(row 3, 7\)"):
        planned().plan(points, CODES)


@pytest.mark.parametrize(
    ("vectors", "labels", "told"),
    [
        (POINTS[0], CODES, r"shape \(N, D\); got float32 of shape \(4,\)"),
        (np.full((12, 4), "x"), CODES, r"vectors must be numbers of shape \(N, D\)"),
        (POINTS[:0], CODES[:0], "there is no sample to plan on"),
    ],
)
def test_what_cannot_be_planned_on_is_told(vectors, labels, told):
    with pytest.raises(AliError, match=told):
        planned().plan(vectors, labels)


def test_vectors_that_carry_a_gradient_are_planned_on():
    expected = planned().plan(POINTS, CODES)
    found = planned().plan(POINTS.clone().requires_grad_(), CODES)
    assert np.array_equal(found.transforms.offsets, expected.transforms.offsets)
