"""The picture in numbers: what is drawn follows from the session alone."""

import numpy as np
import pytest

from ali_core import Session, preset
from ali_viz.app.layouts import Layouts
from ali_viz.app.presenter import draw, draw_epoch
from tests.ali_viz.studio.clouds import cloud


def layouts_of(session, **limits):
    return Layouts(session, **({"max_points": 5000, "max_tsne_points": 60} | limits))


def positions(picture, side):
    return picture.places[side].positions(picture.labels)


def test_the_first_two_dimensions_are_those_of_the_vectors():
    session = Session(cloud(dim=3))
    session.run(2)
    picture = draw(session, layouts_of(session), "dims")
    assert np.allclose(positions(picture, 0), session.before.vectors[:, :2], atol=1e-6)
    assert np.allclose(positions(picture, 1), session.after.vectors[:, :2], atol=1e-6)
    assert (picture.titles[0], picture.titles[1]) == ("Before: the start", "After: 2 steps")


def test_arrows_lead_from_the_old_to_the_new_center_of_the_moved_class():
    session = Session(cloud(dim=2), preset("c,s", dim=2))
    step = session.step()
    picture = draw(session, layouts_of(session), "dims", "previous")
    moved = step.classes[0]
    assert moved in picture.moved
    rows = session.embedding.labels == moved
    assert np.allclose(picture.places[0].centers[moved], session.before.vectors[rows].mean(axis=0), atol=1e-5)
    assert np.allclose(picture.places[1].centers[moved], session.after.vectors[rows].mean(axis=0), atol=1e-5)


def test_a_class_that_no_step_moved_has_no_arrow_though_its_layout_drifts():
    session = Session(cloud())
    session.run(3)
    layouts = layouts_of(session)
    for cursor in (0, 2, 3):
        layouts.places("tsne", session, cursor)
        assert layouts.wait(60)
    for comparison, steps in (("start", session.steps), ("previous", session.steps[2:])):
        picture = draw(session, layouts, "tsne", comparison)
        assert set(picture.moved) <= {code for step in steps for code in step.classes}
        assert len(picture.moved)


def test_nothing_has_moved_before_the_first_step():
    session = Session(cloud())
    picture = draw(session, layouts_of(session), "pca")
    assert len(picture.moved) == 0
    assert np.array_equal(positions(picture, 0), positions(picture, 1))


@pytest.mark.parametrize(("comparison", "title"), [("start", "Before: the start"), ("previous", "Before: 2 steps")])
def test_the_left_side_is_the_start_or_the_state_before_the_last_step(comparison, title):
    session = Session(cloud(dim=2))
    session.run(3)
    picture = draw(session, layouts_of(session), "dims", comparison)
    assert picture.titles[0] == title
    expected = session.at(0 if comparison == "start" else 2)
    assert np.allclose(positions(picture, 0), expected.vectors, atol=1e-6)


def test_both_sides_lie_within_the_corners():
    session = Session(cloud(dim=2))
    session.run(3)
    picture = draw(session, layouts_of(session), "dims")
    points = np.concatenate([positions(picture, 0), positions(picture, 1)])
    assert np.allclose(picture.corners.min(axis=0), points.min(axis=0), atol=1e-6)
    assert np.allclose(picture.corners.max(axis=0), points.max(axis=0), atol=1e-6)


def test_axes_are_named_where_they_mean_something():
    one, many = Session(cloud(dim=1)), Session(cloud())
    assert draw(one, layouts_of(one), "dims").axis_names == ("Dimension 1", None)
    assert draw(many, layouts_of(many), "pca").axis_names == ("Component 1", "Component 2")
    assert draw(many, layouts_of(many), "tsne").axis_names == (None, None)


def test_too_many_points_are_thinned_with_every_class_kept():
    session = Session(cloud(counts=(4000, 300, 20, 1)))
    layouts = layouts_of(session, max_points=500)
    picture = draw(session, layouts, "pca")
    assert set(picture.labels) == {0, 1, 2, 3}
    assert 500 <= len(picture.rows) <= 510
    assert np.array_equal(picture.rows, layouts_of(session, max_points=500).rows["pca"])
    assert set(layouts.rows["tsne"]) <= set(picture.rows)


def test_a_layout_that_is_not_there_yet_is_said_and_never_shown_as_done():
    session = Session(cloud())
    layouts = layouts_of(session)
    picture = draw(session, layouts, "tsne")
    if picture.waiting:  # a fast machine may be done
        assert "laid out" in picture.titles[0]
        assert len(picture.moved) == 0
    assert layouts.wait(60)
    picture = draw(session, layouts, "tsne")
    assert not picture.waiting
    assert np.isfinite(positions(picture, 0)).all()
    session.step()
    layouts.cancel()


def test_an_epoch_has_three_sides():
    first = Session(cloud(dim=2))
    first.run(2)
    moved = first.embedding.with_vectors(first.after.vectors + np.float32(0.5))
    second = Session(moved)
    layouts = layouts_of(first)
    layouts.follow(second, first)
    picture = draw_epoch(first, second, layouts, "dims")
    assert list(picture.titles) == ["Before the epoch", "After 2 steps", "After the epoch"]
    expected = (first.before.vectors, first.after.vectors, moved.vectors)
    for side, vectors in enumerate(expected):
        assert np.allclose(positions(picture, side), vectors, atol=1e-5)
    assert not picture.draggable


def test_a_skipped_step_has_no_arrow():
    session = Session(cloud(dim=2))
    step = session.step()
    session.toggle(1)
    assert len(draw(session, layouts_of(session), "dims").moved) == 0
    session.toggle(1)
    assert draw(session, layouts_of(session), "dims").moved == step.classes
