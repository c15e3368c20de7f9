"""The Studio without a browser: clicks and calls reach the session, and every view shows it."""

import gc
import sys
import threading
import types
import weakref

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from ali_core import AliError, ManualStep, Session, preset
from ali_viz import Studio
from tests.ali_viz.studio.clouds import cloud


@pytest.fixture
def studio():
    studio = Studio(Session(cloud(), preset("c,s", dim=5)), max_tsne_points=60)
    yield studio
    studio.close()


def desk(studio):
    return studio._showing.desk


def alert(studio):
    return desk(studio).messages.alert_line.value


def status(studio):
    return desk(studio).messages.status_line.value


def test_buttons_and_methods_do_the_same(studio):
    desk(studio).automatic.step.click()
    assert studio.session.cursor == 1
    studio.step()
    desk(studio).automatic.n_iterations.value = 4
    desk(studio).automatic.run.click()
    assert studio.session.cursor == 6
    desk(studio).buttons.undo.click()
    studio.undo()
    assert studio.session.cursor == 4
    desk(studio).buttons.redo.click()
    assert studio.session.cursor == 5
    desk(studio).buttons.reset.click()
    assert studio.session.cursor == 0
    studio.redo()
    assert studio.session.cursor == 1


def test_a_change_of_the_session_from_outside_is_shown(studio):
    studio.session.run(3)
    assert desk(studio).history.list.value.count("<li") == 3
    assert studio._showing._drawn[1].after_title == "After: 3 steps"
    studio.session.settings = preset("c", dim=5)
    assert desk(studio).strengths.preset.value == "c"
    assert desk(studio).strengths.sliders["shift"].value == 0.0


def test_a_slider_changes_the_session_only_and_all_else_follows(studio):
    desk(studio).strengths.sliders["contract"].value = 0.25
    assert studio.session.settings.contract == 0.25
    assert desk(studio).strengths.preset.value == "custom"
    desk(studio).strengths.preset.value = "c,r"
    assert studio.session.settings == preset("c,r", dim=5)


def test_manual_steps_move_the_selected_classes(studio):
    desk(studio).toolbar.mode.value = "manual"
    assert desk(studio).manual.widget.layout.display == "flex"
    assert desk(studio).automatic.widget.layout.display == "none"
    desk(studio).selection.classes.value = (1, 3)
    assert studio.selected == ("monocyte", "platelet")
    desk(studio).manual.apply.click()
    step = studio.session.steps[-1]
    assert (step.source, step.classes, step.contract, step.shift) == ("manual", (1, 3), 0.5, 4.0)
    desk(studio).manual.away.value = "chosen"
    desk(studio).manual.away_from.value = (0,)
    desk(studio).manual.apply.click()
    assert studio.session.steps[-1].neighbours == ((0,), (0,))


def test_apply_selection_is_the_manual_step_of_the_session(studio):
    other = Session(studio.session.embedding, studio.session.settings)
    studio.select(["lymphocyte"])
    studio.apply_selection(away_from=["blast"], contract=0.3, shift=0.0)
    other.apply(ManualStep(classes=("lymphocyte",), away_from=("blast",), contract=0.3, shift=0.0))
    assert np.array_equal(studio.session.after.vectors, other.after.vectors)


def test_automatic_and_manual_steps_are_one_list(studio):
    studio.step()
    studio.select("blast")
    studio.apply_selection()
    studio.run(2)
    assert [step.source for step in studio.session.steps] == ["automatic", "manual", "automatic", "automatic"]


def test_lasso_and_legend_select(studio):
    scatter = desk(studio).scatter
    scatter._on_lasso([2], 12)
    assert studio.selected == ("lymphocyte",)
    assert "12 points" in status(studio)
    scatter._on_toggle(0)
    assert studio.selected == ("lymphocyte", "blast")
    scatter._on_toggle(2)
    assert studio.selected == ("blast",)
    assert desk(studio).selection.classes.value == (0,)
    desk(studio).selection.clear.click()
    assert studio.selected == ()


def test_what_cannot_be_done_is_said_and_nothing_changes(studio):
    desk(studio).manual.apply.click()
    assert 'role="alert"' in alert(studio)
    assert "no class is selected" in alert(studio)
    assert studio.session.cursor == 0
    studio.select("blast")
    desk(studio).strengths.sliders["contract"].value = 0.0
    desk(studio).strengths.sliders["shift"].value = 0.0
    desk(studio).manual.apply.click()
    assert "all three are 0" in alert(studio)
    desk(studio).automatic.step.click()
    assert alert(studio) == ""
    with pytest.raises(AliError, match="no step to redo"):
        studio.redo()
    with pytest.raises(AliError, match="no class is called"):
        studio.select(["nobody"])


def test_an_unexpected_failure_is_said_too(studio, monkeypatch):
    monkeypatch.setattr(studio.session, "step", lambda: 1 / 0)
    desk(studio).automatic.step.click()
    assert "step failed (ZeroDivisionError" in alert(studio)


def test_views_switch_and_tell_what_they_took(studio):
    studio.step()
    desk(studio).toolbar.view.value = "supervised_tsne"
    assert studio.view == "supervised_tsne"
    assert "never score it" in desk(studio).toolbar.badge.value
    assert "Supervised t-SNE of " in status(studio)
    assert " took " in status(studio)
    assert not desk(studio).automatic.step.disabled
    studio.set_view("dims")
    assert desk(studio).toolbar.view.value == "dims"
    assert desk(studio).toolbar.badge.value == ""
    with pytest.raises(AliError, match="view must be one of"):
        studio.set_view("umap")


def test_buttons_rest_while_a_layout_is_computed(studio, monkeypatch):
    seen = []
    monkeypatch.setattr(studio._showing._work, "advanced", lambda *_: seen.append(desk(studio).automatic.step.disabled))
    studio.set_view("tsne")
    assert seen
    assert all(seen)
    assert not desk(studio).automatic.step.disabled


def test_the_left_side_can_be_the_previous_step(studio):
    studio.run(2)
    desk(studio).toolbar.comparison.value = "previous"
    assert studio.comparison == "previous"
    assert studio._showing._drawn[1].before_title == "Before: 1 step"


def test_export_goes_to_the_folder_and_is_told(studio, monkeypatch, tmp_path):
    def export_session(session, folder, *, views=(), report=None):
        folder.mkdir()
        (folder / "fig6.pdf").write_text("")
        return [folder / "fig6.pdf"]

    monkeypatch.setitem(sys.modules, "ali_viz.export", types.SimpleNamespace(export_session=export_session))
    desk(studio).export.folder.value = str(tmp_path / "out")
    desk(studio).export.export.click()
    assert (tmp_path / "out" / "fig6.pdf").exists()
    assert "Wrote 1 files" in status(studio)
    desk(studio).export.folder.value = " "
    desk(studio).export.export.click()
    assert "folder is empty" in alert(studio)


def test_clicks_and_calls_from_two_threads_lose_no_step(studio):
    threads = [
        threading.Thread(target=lambda act=act: [act() for _ in range(15)])
        for act in (studio.step, desk(studio).automatic.step.click)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert studio.session.cursor == 30
    assert studio._showing._drawn[1].after_title == "After: 30 steps"
    assert alert(studio) == ""


def test_two_studios_on_one_session_show_the_same(studio):
    other = Studio(studio.session)
    desk(other).automatic.step.click()
    assert desk(studio).history.list.value == desk(other).history.list.value
    other.close()
    studio.step()
    assert studio.session.cursor == 2


def test_a_notebook_cell_shows_the_app(studio):
    bundle = studio._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in (bundle[0] if isinstance(bundle, tuple) else bundle)


def test_a_closed_studio_leaves_nothing_behind():
    gc.collect()
    before = set(_instances)
    session = Session(cloud())
    studio = Studio(session)
    figure = weakref.ref(desk(studio).scatter.widget)
    studio.step()
    studio.close()
    del studio
    gc.collect()
    assert figure() is None
    assert session._listeners == []
    assert set(_instances) <= before
    session.step()
