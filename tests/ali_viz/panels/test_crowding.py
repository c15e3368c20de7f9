"""A few far points do not decide what is seen, all points do where none is far, and crowds get smaller markers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ali_core import LabelledEmbedding
from ali_viz.panels import draw_states, state_panel, state_table
from ali_viz.panels.crowding import FAINTEST, OPAQUE, count_outside, in_view, point_look


def frame(*states):
    parts = [pd.DataFrame(points, columns=["x", "y"]).assign(state=str(k)) for k, points in enumerate(states)]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def square():
    return np.random.default_rng(0).uniform(-1.0, 1.0, size=(1000, 2))


def test_without_far_points_all_are_in_view(square):
    np.testing.assert_array_equal(in_view(frame(square, 0.1 * square)), np.concatenate([square, 0.1 * square]))


def test_a_far_point_is_drawn_in_along_its_axis_only(square):
    far = np.vstack([square, [[50.0, 0.5]]])
    seen = in_view(frame(square, far))
    assert seen[:, 0].max() == pytest.approx(0.99, abs=0.01)
    np.testing.assert_array_equal(seen[:, 1], np.concatenate([square, far])[:, 1])


def test_a_state_that_moved_as_a_whole_is_not_far(square):
    seen = in_view(frame(square, square + [30.0, 0.0]))
    assert seen[:, 0].max() == pytest.approx(31.0, abs=0.01)


def test_an_axis_that_most_points_do_not_use_is_kept_whole():
    line = np.column_stack([np.arange(400.0), np.zeros(400)])
    line[7, 1] = 3.0
    np.testing.assert_array_equal(in_view(frame(line)), line)


def test_points_beyond_the_limits_are_counted():
    rows = frame([[0.0, 0.0], [1.0, 1.0], [1.1, 0.0], [0.0, -9.0], [1.1, 9.0]])
    assert count_outside(rows, ((0.0, 1.0), (0.0, 1.0))) == 3


def test_points_in_a_quarter_of_the_panel_get_a_quarter_of_the_area(square):
    grid = np.stack(np.meshgrid(np.linspace(-0.99, 0.99, 40), np.linspace(-0.99, 0.99, 40)), axis=-1).reshape(-1, 2)
    limits = ((-1.0, 1.0), (-1.0, 1.0))
    wide, _ = point_look(frame(grid), limits, 60.0)
    close, alpha = point_look(frame(grid / 2 - 0.5), limits, 60.0)
    assert close == pytest.approx(wide / 4)
    assert alpha == OPAQUE


def test_markers_do_not_vanish_but_fade(square):
    crowd = np.tile(square, (30, 1)) / 20
    area, alpha = point_look(frame(crowd), ((-1.0, 1.0), (-1.0, 1.0)), 30.0)
    assert area == pytest.approx(1.2)
    assert alpha == FAINTEST


def test_the_figure_says_how_many_lie_outside_and_keeps_the_same_axes(square):
    points = np.vstack([square, [[80.0, 80.0], [-90.0, 70.0]]])
    before = LabelledEmbedding(points, np.arange(1002) % 2, ("a", "b"))
    states = {"Before": before, "After": before.with_vectors(np.clip(points, -1.0, 1.0))}
    panel = state_panel(states, ["dims"], data="x")
    first, second = panel.figure.axes
    assert first.get_xlim() == second.get_xlim()
    assert np.ptp(first.get_xlim()) < 3.0
    assert [text.get_text() for text in panel.figure.texts if "outside" in text.get_text()] == ["2 outside"]
    assert "is cut" in panel.caption
    assert len(panel.table) == 2004
    assert "is cut" not in state_panel({"Before": before.subset(np.arange(1000))}, ["dims"], data="x").caption


@pytest.mark.parametrize("width", ["single", "double"])
def test_texts_of_a_cut_strip_do_not_overlap(square, width):
    points = np.vstack([square * [1e-4, 1.0], [[5e-3, 9.0]]])
    embedding = LabelledEmbedding(points, np.arange(1001) % 2, ("a", "b"))
    figure = draw_states(state_table({"Before": embedding, "After": embedding}, ["dims"]), width=width)
    FigureCanvasAgg(figure).draw()
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += [axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels()]
    shown = [text for text in texts if text.get_text() and text.get_visible()]
    boxes = {f"{index} {text.get_text()}": text.get_window_extent() for index, text in enumerate(shown)}
    names = list(boxes)
    for index, name in enumerate(names):
        for other in names[index + 1 :]:
            assert not boxes[name].overlaps(boxes[other]), (name, other)
    assert any("(×10⁻⁴)" in name for name in names)
