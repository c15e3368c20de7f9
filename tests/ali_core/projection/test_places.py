"""Folded places against vectors that are moved one by one and then projected."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import LabelledEmbedding, ManualStep, Session, preset
from ali_core.interventions.settings import PRESETS
from ali_core.projection import FoldedPlane, Part, Places, PlaneFrame, layout, plane_through, principal_plane

DIM, N_CLASSES = 8, 5
NAMES = tuple("abcde")


def embedding(seed=1, n=400, dtype=np.float64):
    rng = np.random.default_rng(seed)
    labels = rng.choice(N_CLASSES, size=n, p=[0.4, 0.3, 0.2, 0.06, 0.04])
    centers = 3.0 * rng.normal(size=(N_CLASSES, DIM))
    return LabelledEmbedding((centers[labels] + rng.normal(size=(n, DIM))).astype(dtype), labels, NAMES)


def frames(data):
    centers = np.stack([data.vectors[data.labels == code].mean(axis=0) for code in range(3)])
    return {
        "dims": PlaneFrame(np.zeros(data.dim), np.eye(data.dim, 2)),
        "pca": principal_plane(data.vectors),
        "centers": plane_through(centers, data.vectors),
        "oblique": PlaneFrame(np.ones(data.dim), np.random.default_rng(2).normal(size=(data.dim, 2))),
    }


def assert_same(session, plane, places):
    """Compare with the state's own map applied to every vector, in units of the picture."""
    data = session.embedding
    moved = session.state_at(session.cursor).transforms.apply(data.vectors[plane.rows], plane.labels)
    expected = plane.frame.project(moved)
    np.testing.assert_allclose(places.positions(plane.labels), expected, rtol=0, atol=1e-6 * np.ptp(expected))


def folded(data, frame, rows=None):
    rows = np.arange(len(data)) if rows is None else rows
    return FoldedPlane(frame=frame, vectors=data.vectors, rows=rows, labels=data.labels[rows])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("norm_keeping", ["offsets", "uniform"])
def test_each_preset_in_each_plane(name, norm_keeping):
    data = embedding()
    session = Session(data, preset(name, dim=DIM).changed(norm_keeping=norm_keeping))
    planes = [folded(data, frame) for frame in frames(data).values()]
    for _ in range(3):
        session.run(3)
        for plane in planes:
            assert_same(session, plane, plane.places(session.state_at(session.cursor)))


MOVES = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 3), st.just(0.0)),
    st.tuples(st.just("manual"), st.integers(0, N_CLASSES - 1), st.floats(0.05, 0.9)),
    st.tuples(st.just("drag"), st.integers(0, N_CLASSES - 1), st.floats(-5.0, 5.0)),
    st.tuples(st.just("undo"), st.integers(0, 9), st.just(0.0)),
    st.tuples(st.just("skip"), st.integers(0, 9), st.just(0.0)),
    st.tuples(st.just("switch"), st.integers(0, 9), st.just(0.0)),
)


def carry_out(session, kind, number, amount):
    if kind == "step":
        session.run(number)
    elif kind == "manual":
        session.apply(ManualStep(classes=(NAMES[number],), contract=amount, rotate=amount, shift=2 * amount))
    elif kind == "drag":
        session.apply(ManualStep(classes=(NAMES[number],), contract=0.1, displacement=(amount,) * DIM))
    elif kind == "undo":
        session.go_to(number % (session.cursor + 1))
    elif kind == "skip" and session.cursor:
        session.toggle(1 + number % session.cursor)
    elif kind == "switch":
        session.switch(session.branches[number % len(session.branches)])


@settings(max_examples=15)
@given(moves=st.lists(MOVES, min_size=3, max_size=8))
def test_steps_by_hand_drags_skips_and_branches(moves):
    data = embedding()
    session = Session(data, preset("all", dim=DIM))
    plane = folded(data, frames(data)["pca"], rows=np.arange(0, len(data), 3))
    for move in moves:
        carry_out(session, *move)
        assert_same(session, plane, plane.places(session.state_at(session.cursor)))


def test_only_a_rotated_class_gets_other_points():
    session = Session(embedding(), preset("c,s", dim=DIM))
    plane = folded(session.embedding, frames(session.embedding)["pca"])
    start = plane.places(session.state_at(0))
    session.run(20)
    assert plane.places(session.state_at(20)).parts == start.parts
    step = session.apply(ManualStep(classes=("b",), rotate=0.5))
    turned = plane.places(session.state_at(21))
    other = [code for code in range(N_CLASSES) if turned.parts[code] is not start.parts[code]]
    assert other == list(step.moved) == [1]
    session.run(3)
    assert plane.places(session.state_at(24)).parts == turned.parts


def test_far_from_the_origin_and_in_float32():
    data = embedding(dtype=np.float32)
    far = LabelledEmbedding(data.vectors.astype(np.float64) + 1e6, data.labels, NAMES)
    session = Session(far, preset("c,s", dim=DIM).changed(norm_keeping="none"))
    session.run(5)
    plane = folded(far, principal_plane(far.vectors))
    assert_same(session, plane, plane.places(session.state_at(5)))
    single = Session(data, preset("all", dim=DIM))
    single.run(5)
    plane = folded(data, principal_plane(data.vectors.astype(np.float64)))
    assert_same(single, plane, plane.places(single.state_at(5)))


def test_one_dimension_is_drawn_on_a_line():
    data = LabelledEmbedding(np.arange(6.0)[:, None], [0, 0, 0, 1, 1, 1], ("a", "b"))
    session = Session(data, preset("c,s", dim=1))
    session.step()
    plane = folded(data, layout(data.vectors, "dims").frame)
    positions = plane.places(session.state_at(1)).positions(data.labels)
    assert not positions[:, 1].any()
    np.testing.assert_allclose(positions[:, 0], session.after.vectors[:, 0], atol=1e-6)


def test_centers_and_bounds_are_those_of_the_positions(rng):
    labels, positions = rng.integers(4, size=50), rng.normal(size=(50, 2))
    places = Places.of(positions, labels, 5)
    np.testing.assert_allclose(places.positions(labels), positions, atol=1e-6)
    assert places.parts[4] is None
    assert np.isnan(places.centers[4]).all()
    means = [positions[labels == code].mean(axis=0) for code in range(4)]
    np.testing.assert_allclose(places.centers[:4], means)
    (left, right), (bottom, top) = places.bounds()
    np.testing.assert_allclose([[left, bottom], [right, top]], [positions.min(axis=0), positions.max(axis=0)])
    np.testing.assert_allclose(places.bounds([2])[0], [f(positions[labels == 2, 0]) for f in (np.min, np.max)])
    assert Places.of(positions, labels, 6).bounds([5]) is None


def test_unknown_places_stay_unknown_and_one_point_has_no_extent():
    part = Part.of(np.array([[1.0, 2.0], [np.nan, np.nan], [3.0, 2.0]]))
    assert part.points[:, 0].tolist() == pytest.approx([-1.0, np.nan, 1.0], nan_ok=True)
    assert part.anchor.tolist() == [2.0, 2.0]
    assert Part.of(np.full((2, 2), np.nan)) is None
    alone = Places.of(np.array([[1e300, -5.0]]), np.array([0]), 1)
    assert alone.positions(np.array([0])).tolist() == [[1e300, -5.0]]
