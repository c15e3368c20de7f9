"""Drags, toggles and mistakes in the Studio, by mouse and by call."""

import threading

import numpy as np
import pytest

from ali_core import AliError
from ali_viz import Studio
from tests.ali_viz.studio.hands import BLAST, desk, open_tab, opened, tell


@pytest.fixture
def studio():
    studio = opened()
    yield studio
    studio.close()


# Messages and looks --------------------------------------------------------------------------------------------------


def test_a_mistake_stays_until_something_is_done(studio):
    heard = threading.Event()
    desk(studio).manual.apply.click()
    told = desk(studio).messages.alert_line.value
    assert "no class is selected" in told
    hovered = studio._insight.hovered
    studio._insight.hovered = lambda row: (hovered(row), heard.set())
    tell(studio, "plotly_hover", [(1, 0)])
    assert heard.wait(5)
    heard.clear()
    tell(studio, "plotly_unhover", [(1, 0)])
    assert heard.wait(5)
    open_tab(studio, "Cells")
    desk(studio).toolbar.names.value = False
    assert desk(studio).messages.alert_line.value == told
    desk(studio).automatic.step.click()
    assert desk(studio).messages.alert_line.value == ""


def written(studio):
    return [note["text"] for note in desk(studio).scatter._written if note.get("text")]


def test_names_and_preview_are_shown_by_click_and_by_call(studio):
    named = written(studio)
    assert any("Monocyte" in text for text in named)
    desk(studio).toolbar.names.value = False
    assert not any("Monocyte" in text for text in written(studio))
    studio.show_names()
    assert (written(studio), desk(studio).toolbar.names.value) == (named, True)
    studio.show_names(False)
    assert not desk(studio).toolbar.names.value
    studio.show_preview(False)
    assert desk(studio).scatter._preview is None
    assert not desk(studio).automatic.preview.value
    desk(studio).automatic.preview.value = True
    assert desk(studio).scatter._preview is not None


def test_a_layout_is_cancelled_by_a_call(studio):
    studio.set_view("dims")
    studio.cancel_layout()  # where nothing is laid out, nothing changes
    assert studio.view == "dims"
    with studio._showing.lock:
        studio.set_view("tsne")
        studio.cancel_layout()
    assert studio.wait(30)
    assert studio.view == "pca"
    assert not studio._showing.drawing().waiting


# Drag ----------------------------------------------------------------------------------------------------------------


def centre(studio, code):
    drawing = studio._showing.drawing()
    return drawing.sides[1].positions[drawing.labels == code].mean(axis=0)


def test_a_drag_outlives_a_change_of_strength_also_from_another_app(studio):
    other = Studio(studio.session)
    studio.drag("blast", (2.0, -1.0))
    desk(studio).strengths.sliders["contract"].value = 0.25
    desk(other).automatic.n_iterations.value = 7
    step = studio.apply_selection()
    assert (step.contract, step.shift) == (0.25, 0.0)
    assert np.allclose(centre(studio, BLAST), (2.0, -1.0), atol=0.05)
    other.close()


def test_a_drag_is_given_up_by_a_call_and_by_a_step(studio):
    for end in (studio.undrag, studio.step, desk(studio).manual.undrag.click):
        studio.drag("blast", (2.0, -1.0))
        assert not desk(studio).manual.undrag.disabled
        end()
        assert desk(studio).manual.undrag.disabled
    assert studio.apply_selection().displacement is None


def test_a_drag_that_cannot_be_leaves_mode_and_selection(studio):
    studio.select(["lymphocyte"])
    studio.set_view("tsne")
    with pytest.raises(AliError, match="nothing can be dragged in the view 'tsne'"):
        studio.drag("blast", (0.0, 0.0))
    assert (studio.mode, studio.selected) == ("automatic", ("lymphocyte",))
    desk(studio).scatter._on_drag(BLAST, (0.0, 0.0))
    assert "nothing can be dragged" in desk(studio).messages.alert_line.value
    assert (studio.mode, studio.selected) == ("automatic", ("lymphocyte",))
