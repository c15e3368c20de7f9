"""Drags, toggles and mistakes in the Studio, by mouse and by call."""

import numpy as np
import pytest

from ali_core import AliError
from ali_viz import Studio
from tests.ali_viz.studio.hands import (
    BLAST,
    alert,
    control,
    drag,
    drawn,
    fill,
    held,
    hover,
    open_tab,
    planned,
    positions,
    press,
    waiting,
)

# Messages and looks --------------------------------------------------------------------------------------------------


def test_a_mistake_stays_until_something_is_done(studio):
    press(studio, "Apply to selected classes")
    told = alert(studio)
    assert "no class is selected" in told
    open_tab(studio, "Cells")
    hover(studio, 0)
    hover(studio, None)
    control(studio, "names").value = False
    assert alert(studio) == told
    press(studio, "Step")
    assert alert(studio) == ""


def written(studio):
    return drawn(studio).names


def test_names_and_preview_are_shown_by_click_and_by_call(studio):
    assert written(studio)
    control(studio, "names").value = False
    assert not written(studio)
    studio.show_names()
    assert (written(studio), control(studio, "names").value) == (True, True)
    studio.show_names(False)
    assert not control(studio, "names").value
    studio.show_preview(False)
    assert planned(studio) == ((), None)
    assert not control(studio, "next step").value
    control(studio, "next step").value = True
    assert planned(studio)[0]


def test_a_layout_is_cancelled_by_a_call(studio):
    studio.set_view("dims")
    studio.cancel_layout()  # where nothing is laid out, nothing changes
    assert studio.view == "dims"
    with held(studio):
        studio.set_view("tsne")
        studio.cancel_layout()
    assert studio.wait(30)
    assert studio.view == "pca"
    assert not waiting(studio)


# Drag ----------------------------------------------------------------------------------------------------------------


def centre(studio, code):
    return positions(studio, 1)[drawn(studio).labels == code].mean(axis=0)


def test_a_drag_outlives_a_change_of_strength_also_from_another_app(studio):
    other = Studio(studio.session)
    studio.drag("blast", (2.0, -1.0))
    control(studio, "contract λc").value = 0.25
    fill(other, "steps", 7)
    step = studio.apply_selection()
    assert (step.contract, step.shift) == (0.25, 0.0)
    assert np.allclose(centre(studio, BLAST), (2.0, -1.0), atol=0.05)
    other.close()


def test_a_drag_is_given_up_by_a_call_and_by_a_step(studio):
    for end in (studio.undrag, studio.step, lambda: press(studio, "Undrag")):
        studio.drag("blast", (2.0, -1.0))
        assert not control(studio, "Undrag").disabled
        end()
        assert control(studio, "Undrag").disabled
    assert studio.apply_selection().displacement is None


def test_a_drag_that_cannot_be_leaves_mode_and_selection(studio):
    studio.select(["lymphocyte"])
    studio.set_view("tsne")
    with pytest.raises(AliError, match="nothing can be dragged in the layout 'tsne'"):
        studio.drag("blast", (0.0, 0.0))
    assert (studio.mode, studio.selected) == ("automatic", ("lymphocyte",))
    drag(studio, BLAST, (0.0, 0.0))
    assert "nothing can be dragged" in alert(studio)
    assert (studio.mode, studio.selected) == ("automatic", ("lymphocyte",))
