"""The figure, driven without a browser: what it shows and what it tells."""

import gc
import weakref

import numpy as np
import plotly.graph_objects as go
import pytest

from ali_core import ManualStep, Session
from ali_viz.theme import class_styles
from ali_viz.views.drawing import draw, preview_of
from ali_viz.views.lasso import lassoed_classes
from ali_viz.views.layouts import Layouts
from ali_viz.views.scatter import ScatterView
from tests.ali_viz.studio.clouds import NAMES, cloud


class Heard:
    def __init__(self):
        self.lassos, self.toggles, self.points, self.drags, self.clears = [], [], [], [], 0

    def lasso(self, codes, rows, how):
        self.lassos.append((codes, len(rows)))
        self.how = how

    def clear(self):
        self.clears += 1


def scatter(session, heard):
    return ScatterView(
        session.embedding,
        on_lasso=heard.lasso,
        on_toggle=heard.toggles.append,
        on_clear=heard.clear,
        on_point=lambda row, how: heard.points.append((row, how)),
        on_hover=lambda row: None,
        on_drag=lambda code, place: heard.drags.append((code, place)),
    )


@pytest.fixture
def stage():
    session, heard = Session(cloud()), Heard()
    view = scatter(session, heard)
    layouts = Layouts(session, max_points=5000, max_tsne_points=100)
    view.update(draw(session, layouts, "dims"), ())
    return session, layouts, view, heard


def points(view, traces):
    """A lasso message as the browser sends it: {trace: number of its points}."""
    pairs = [(trace, point) for trace, count in traces.items() for point in range(count)]
    return {
        "event_type": "plotly_selected",
        "points": {
            "trace_indexes": [trace for trace, _ in pairs],
            "point_indexes": [point for _, point in pairs],
            "xs": [0.0] * len(pairs),
            "ys": [0.0] * len(pairs),
        },
        "device_state": None,
        "selector": {"type": "lasso", "selector_state": {"xs": [], "ys": []}},
    }


def trace_of(view, name, side=0):
    label = next(style.label for style in class_styles(NAMES) if style.name == name)
    matching = [index for index, trace in enumerate(view.widget.data) if trace.name == label]
    return matching[side]


def test_every_class_has_one_legend_entry_and_the_same_look_on_both_sides(stage):
    _, _, view, _ = stage
    entries = [trace for trace in view.widget.data if trace.showlegend is not False]
    assert sorted(entry.name for entry in entries) == sorted(style.label for style in class_styles(NAMES))
    for style in class_styles(NAMES):
        sides = [view.widget.data[trace_of(view, style.name, side)] for side in (0, 1, 2)]
        assert {trace.marker.color for trace in sides} == {style.colour}
        assert {trace.marker.symbol for trace in sides} == {style.symbol}


def test_points_hover_with_their_id(stage):
    session, _, view, _ = stage
    trace = view.widget.data[trace_of(view, "monocyte")]
    rows = session.embedding.labels == 1
    assert list(trace.text) == list(session.embedding.sample_names[rows])
    assert np.allclose(trace.x, session.embedding.vectors[rows, 0])


def test_a_lasso_is_told_once(stage):
    _, _, view, heard = stage
    view.widget._js2py_pointsCallback = points(view, {trace_of(view, "monocyte"): 20, trace_of(view, "blast"): 3})
    assert heard.lassos == [([1], 23)]


def test_a_lasso_on_the_right_side_counts_the_same(stage):
    _, _, view, heard = stage
    view.widget._js2py_pointsCallback = points(view, {trace_of(view, "platelet", side=1): 6})
    assert heard.lassos == [([3], 6)]


def test_the_outline_is_cleared_with_the_next_update_and_an_empty_lasso_tells_nothing(stage):
    session, layouts, view, heard = stage
    sent = []
    view.widget._send_update_msg = lambda *message, **named: sent.append((*message, *named.values()))
    view.widget._js2py_pointsCallback = points(view, {trace_of(view, "monocyte"): 20})
    view.update(draw(session, layouts, "dims"), (1,))
    assert {"selections": []} in [message[1] for message in sent]
    view.widget._js2py_pointsCallback = points(view, {})
    assert len(heard.lassos) == 1


def clicked(view, traces, device_state):
    return points(view, traces) | {"event_type": "plotly_click", "device_state": device_state}


@pytest.mark.parametrize(
    ("key", "how"),
    [(None, "replace"), ("shift", "add"), ("ctrl", "add"), ("meta", "add"), ("alt", "remove")],
)
def test_a_click_tells_the_sample_and_how_it_is_chosen(stage, key, how):
    session, _, view, heard = stage
    state = {name: name == key for name in ("alt", "ctrl", "meta", "shift")} | {"button": 0, "buttons": 1}
    for side in (0, 1):
        view.widget._js2py_pointsCallback = clicked(view, {trace_of(view, "lymphocyte", side): 1}, state)
    assert heard.points == [(np.flatnonzero(session.embedding.labels == 2)[0], how)] * 2
    view.widget._js2py_pointsCallback = clicked(view, {len(view.widget.data) - 1: 1}, state)
    assert len(heard.points) == 2


def test_a_marked_sample_has_a_ring_on_each_side_until_it_is_let_go(stage):
    session, layouts, view, _ = stage
    session.step()
    row = int(np.flatnonzero(session.embedding.labels == session.steps[0].classes[0])[0])
    view.mark(row)
    view.update(draw(session, layouts, "dims"), ())
    rings = [trace for trace in view.widget.data if trace.name == "marked"]
    places = [(trace.x[0], trace.y[0]) for trace in rings]
    assert np.allclose(places, [session.embedding.vectors[row, :2], session.after.vectors[row, :2]])
    view.mark(None)
    view.update(draw(session, layouts, "dims"), ())
    assert [len(trace.x) for trace in rings] == [0, 0]


def test_a_handle_stands_where_the_class_would_be_and_its_drop_is_told(stage):
    session, layouts, view, heard = stage
    picture, labels = draw(session, layouts, "dims"), session.embedding.labels
    outcome = session.outcome(ManualStep(classes=("platelet",), contract=0.5, shift=4.0))
    planned = outcome.transforms.apply(session.embedding.vectors, labels)

    def stand():
        return [(shape.xanchor, shape.yanchor) for shape in view.widget.layout.shapes]

    def centers(vectors):
        return [vectors[labels == code, :2].mean(axis=0) for code in (1, 3)]

    view.set_handles((1, 3))
    view.update(picture, (1, 3))
    assert np.allclose(stand(), centers(session.embedding.vectors), atol=1e-4)
    view.update(picture, (1, 3), preview_of(session, layouts, "dims", picture, outcome, codes=(3,)))
    assert np.allclose(stand(), centers(planned), atol=1e-4)
    view.update(picture, (1, 3))
    assert heard.drags == []
    moved = {"shapes[1].xanchor": 1.5, "shapes[1].yanchor": -2.0}
    view.widget._js2py_relayout = {"relayout_data": moved, "source_view_id": "a"}
    assert heard.drags == [(3, (1.5, -2.0))]
    assert stand()[1] == (1.5, -2.0)
    view.update(picture, (1, 3))
    assert np.allclose(stand(), centers(session.embedding.vectors), atol=1e-4)


def test_a_double_click_clears(stage):
    _, _, view, heard = stage
    view.widget._js2py_pointsCallback = points(view, {}) | {"event_type": "plotly_deselect"}
    assert heard.clears == 1


def test_a_legend_click_is_told_and_never_hides_points(stage):
    session, layouts, view, heard = stage
    entry = trace_of(view, "lymphocyte", side=2)
    view.widget._js2py_restyle = {
        "style_data": {"visible": ["legendonly"]},
        "style_traces": [entry],
        "source_view_id": "a",
    }
    assert heard.toggles == [2]
    view.update(draw(session, layouts, "dims"), (2,))
    assert view.widget.data[entry].visible is True
    assert view.widget.data[trace_of(view, "blast", side=2)].visible == "legendonly"
    assert all(view.widget.data[trace_of(view, name)].visible is None for name in NAMES)
    assert heard.toggles == [2]


def test_what_is_not_selected_stays_visible_but_faint(stage):
    session, layouts, view, _ = stage
    view.update(draw(session, layouts, "dims"), (1,))
    faint, full = (view.widget.data[trace_of(view, name)].marker.opacity for name in ("blast", "monocyte"))
    assert 0.0 < faint < 0.3 < full


def test_after_a_step_only_moved_classes_are_sent(stage):
    session, layouts, view, _ = stage
    held = {name: view.widget.data[trace_of(view, name, side=1)]._props["x"] for name in NAMES}
    moved = NAMES[session.step().classes[0]]
    view.update(draw(session, layouts, "dims"), ())
    sent = {name for name in NAMES if view.widget.data[trace_of(view, name, side=1)]._props["x"] is not held[name]}
    assert sent == {moved}


def notes(view):
    """Return the annotations, checked by plotly."""
    return [go.layout.Annotation(note) for note in view.widget.to_dict()["layout"].get("annotations", ())]


def test_arrows_lie_above_the_points_and_lead_where_the_class_went(stage):
    session, layouts, view, _ = stage
    session.step()
    picture = draw(session, layouts, "dims")
    view.update(picture, ())
    arrows = [note for note in notes(view) if note.showarrow and note.arrowwidth == 2.0]
    assert [(note.x, note.y) for note in arrows] == [tuple(head) for head in picture.heads.tolist()]
    assert [(note.ax, note.ay) for note in arrows] == [tuple(tail) for tail in picture.tails.tolist()]
    session.undo()
    view.update(draw(session, layouts, "dims"), ())
    assert not any(note.showarrow and note.arrowwidth == 2.0 for note in notes(view))


def test_a_page_that_is_opened_later_is_given_what_is_drawn_now(stage):
    session, layouts, view, _ = stage
    first = view.widget.get_state()
    moved = session.step().classes[0]
    view.update(draw(session, layouts, "dims"), (moved,))
    later, shown = view.widget.get_state(), trace_of(view, NAMES[moved], side=1)
    mine = session.embedding.labels == moved
    for state, vectors in ((first, session.before.vectors), (later, session.after.vectors)):
        sent = np.frombuffer(state["_widget_data"][shown]["x"]["buffer"], np.float32)
        assert np.allclose(sent, vectors[mine, 0], atol=1e-5)
    assert later["_widget_layout"]["annotations"] == view.widget.to_dict()["layout"]["annotations"]


def test_the_cloud_button_and_the_logo_are_off(stage):
    _, _, view, _ = stage
    assert view.widget._config["showSendToCloud"] is False
    assert view.widget._config["plotlyServerURL"] == ""
    assert view.widget._config["displaylogo"] is False


def test_names_and_ids_cannot_smuggle_markup():
    embedding = cloud(names=("<b>bold</b>", "plain", "c", "d"))
    view = scatter(Session(embedding), Heard())
    assert not any("<b>bold" in (trace.name or "") for trace in view.widget.data)


def test_a_closed_figure_is_freed(stage):
    view = scatter(Session(cloud()), Heard())
    figure = weakref.ref(view.widget)
    view.close()
    view.widget.close()
    del view
    gc.collect()
    assert figure() is None


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ({0: 5, 1: 1}, [0]),
        ({0: 4, 1: 9}, [1]),
        ({0: 5, 1: 10}, [0, 1]),
        ({0: 1, 1: 2}, [1]),
        ({0: 2, 1: 2}, [0]),
        ({}, []),
    ],
)
def test_a_lasso_selects_classes_with_half_their_points_or_else_the_largest(inside, expected):
    assert lassoed_classes(inside, {0: 10, 1: 18}) == expected
