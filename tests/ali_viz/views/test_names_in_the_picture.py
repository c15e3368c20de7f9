"""Names of classes: inside the picture that the browser draws, apart from each other, joined to what they name."""

import numpy as np
import pytest

from ali_core import LabelledEmbedding, Session
from ali_viz.views.drawing import class_centers, draw
from ali_viz.views.figure_start import HEIGHT, MARGIN
from ali_viz.views.layouts import Layouts
from tests.ali_viz.views.test_scatter_view import Heard, notes, scatter

NAMES = ("blast", "promyelocyte", "myelocyte", "metamyelocyte", "band_neutrophil", "segmented_neutrophil", "monocyte")


def crowded():
    """Seven classes almost in one place."""
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(7), 30)
    return LabelledEmbedding((0.2 * rng.normal(size=(7, 2)))[labels] + rng.normal(size=(210, 2)), labels, NAMES)


def tell_width(view, width):
    view.widget._js2py_widget_layoutDelta = {"layout_delta": {"width": width}, "layout_edit_id": 1}


def boxes(view, drawing, inner):
    """Return {side: [(left, bottom, right, top)]} of the names, in pixels of a picture ``inner`` pixels wide.

    As plotly draws: both axes show the limits at one scale, centered; a character of 11 pixels is 5.5 wide on average.
    """
    (left, right), (low, high) = drawing.limits
    tall = HEIGHT - MARGIN["t"] - MARGIN["b"]
    scale = min(inner / (right - left), tall / (high - low))
    found = {"x": [], "x2": []}
    for note in notes(view):
        if note.xref in found and note.text:
            x, y = (note.ax, -note.ay) if note.showarrow else (note.xshift or 0, note.yshift or 0)
            x += inner / 2 + (note.x - (left + right) / 2) * scale
            y += tall / 2 + (note.y - (low + high) / 2) * scale
            lines = note.text.replace("<b>", "").replace("</b>", "").split("<br>")
            half = np.array([5.5 * max(map(len, lines)), 12 * len(lines)]) / 2
            found[note.xref].append((x - half[0], y - half[1], x + half[0], y + half[1]))
    return found


# the width of one of two pictures beside a legend whose longest label is "Segmented neutrophil", measured in Chromium
@pytest.mark.parametrize(("width", "inner"), [(668, 215), (920, 337), (1400, 570)])
def test_names_lie_inside_their_picture_and_apart(width, inner):
    session = Session(crowded())
    view, layouts = scatter(session, Heard()), Layouts(session, max_points=5000, max_tsne_points=100)
    drawing = draw(session, layouts, "dims")
    view.update(drawing, ())
    tell_width(view, width)
    for placed in boxes(view, drawing, inner).values():
        assert len(placed) >= (3 if inner < 300 else 5)
        for at, (left, bottom, right, top) in enumerate(placed):
            assert left >= -2
            assert right <= inner + 2
            for other in placed[:at]:
                assert left >= other[2] or right <= other[0] or bottom >= other[3] or top <= other[1]


def test_a_name_far_from_its_class_is_joined_to_it_by_a_line():
    session = Session(crowded())
    view, layouts = scatter(session, Heard()), Layouts(session, max_points=5000, max_tsne_points=100)
    drawing = draw(session, layouts, "dims")
    view.update(drawing, ())
    tell_width(view, 920)
    centers = class_centers(drawing.sides[0].positions, drawing.labels, len(NAMES))
    named = [note for note in notes(view) if note.xref == "x" and note.text]
    assert {(note.x, note.y) for note in named} <= {tuple(center) for center in centers.tolist()}
    lines = [note for note in named if note.showarrow]
    assert lines
    assert all(note.axref in (None, "pixel") and np.hypot(note.ax, note.ay) >= 18 for note in lines)
    assert all(np.hypot(note.xshift, note.yshift) < 18 for note in named if not note.showarrow)


def test_the_browser_tells_its_width_once_and_titles_fit_into_it():
    session = Session(crowded())
    view, layouts = scatter(session, Heard()), Layouts(session, max_points=5000, max_tsne_points=100)
    view.update(draw(session, layouts, "dims"), ())
    sent = []
    view.widget._send_update_msg = lambda *message, **named: sent.append(message)
    tell_width(view, 1400)
    tell_width(view, None)
    tell_width(view, 1400)
    assert len(sent) == 1
    tell_width(view, 420)
    titles = [note for note in notes(view) if note.xref == "paper"]
    assert len(titles) == 2
    assert all(6 * (len(note.text) - len("<b></b>")) <= 98 for note in titles)  # of 6 pixels each
    assert titles[0].hovertext == "Before: the start"
