"""What rests in the app while something is under way, and that nothing is lost by a click at that time."""

import threading

import pytest

from ali_core import AliError, Session, preset
from ali_core.training import epochs
from ali_viz import Studio
from tests.ali_core.training.gate import WAIT, Gate
from tests.ali_core.training.samples import features, small
from tests.ali_viz.studio.clouds import cloud

DATA = features()


def desk(studio):
    return studio._showing.desk


def alert(studio):
    return desk(studio).messages.alert_line.value


def resting(studio):
    """Which controls of the steps, their settings, scores and files are off."""
    views = desk(studio)
    controls = {
        "step": views.automatic.step,
        "run": views.automatic.run,
        "run until": views.automatic.run_until,
        "steps": views.automatic.n_iterations,
        "criterion": views.automatic.criterion,
        "choice": views.automatic.selection,
        "apply": views.manual.apply,
        "undo": views.buttons.undo,
        "redo": views.buttons.redo,
        "reset": views.buttons.reset,
        "preset": views.strengths.preset,
        "shift": views.strengths.sliders["shift"],
        "neighbours": views.strengths.n_neighbours,
        "go here": views.history.go,
        "skip step": views.history.toggle,
        "branch": views.history.branch,
        "score": views.effect.score,
        "export": views.files.export,
        "save": views.files.save,
        "open": views.files.open,
    }
    return {name for name, control in controls.items() if control.disabled}, set(controls)


class Waiting:
    """A job that goes on until it is stopped or let go."""

    def __init__(self):
        self.go = threading.Event()

    def __call__(self, stopped):
        while not stopped() and not self.go.wait(0.01):
            pass


@pytest.fixture
def studio():
    studio = Studio(Session(cloud(), preset("c,s", dim=5)))
    studio.run(3)
    studio.undo()
    studio.select("blast")
    yield studio
    studio.close()


@pytest.fixture
def job(studio):
    job = Waiting()
    studio._background.start("a run of 9 steps", job)
    yield job
    job.go.set()
    studio.wait(WAIT)


def test_steps_settings_scores_and_files_rest_while_an_epoch_is_trained():
    gate = Gate()
    studio = Studio(epochs(DATA, small(), progress=gate))
    studio.select(studio.session.embedding.class_names[:1])
    studio.undo()
    desk(studio).live.one.click()
    gate.wait()
    off, controls = resting(studio)
    assert off == controls
    assert desk(studio).buttons.stop.disabled
    steps, settings = studio.session.steps, studio.session.settings
    desk(studio).history.list.value = 1
    desk(studio).history.go.click()
    assert "an epoch is under way" in alert(studio)
    desk(studio).history.toggle.click()
    desk(studio).buttons.redo.click()
    desk(studio).strengths.sliders["contract"].value = 0.125
    assert desk(studio).strengths.sliders["contract"].value == settings.contract
    assert (studio.session.steps, studio.session.settings) == (steps, settings)
    gate.open()
    assert studio.wait(WAIT)
    assert studio.training.history.rows[1]["n_steps"] == len(steps)
    assert resting(studio)[0] == {"redo"}
    studio.close()
    studio.training.close()


def test_all_apps_on_a_session_rest_and_each_can_stop_the_run(studio, job):
    other = Studio(studio.session)
    other.select("blast")
    for app in (studio, other):
        off, controls = resting(app)
        assert off == controls
        assert not desk(app).buttons.stop.disabled
    desk(other).buttons.reset.click()
    assert "a run of 9 steps is under way" in alert(other)
    assert studio.session.cursor == 2
    assert other.redo() == studio.session.steps[2]  # calls from Python go on
    assert desk(other).automatic.step.disabled
    desk(other).buttons.stop.click()
    assert studio.wait(WAIT)
    for app in (studio, other):
        assert resting(app)[0] == {"redo"}
        assert desk(app).buttons.stop.disabled
    assert not job.go.is_set()
    other.close()


def test_a_training_is_not_steered_while_a_run_changes_what_it_follows():
    studio, job = Studio(epochs(DATA, small())), Waiting()
    studio._background.start("a run of 9 steps", job)
    for button in (desk(studio).live.one, desk(studio).live.skip, desk(studio).live.strengths):
        button.click()
        assert "a run of 9 steps is under way" in alert(studio)
    assert not studio.training.running
    assert studio.session.cursor == 25
    job.go.set()
    assert studio.wait(WAIT)
    studio.close()
    studio.training.close()


def test_what_is_written_during_a_run_does_not_end_the_rest(studio, job, tmp_path, monkeypatch):
    monkeypatch.setattr("ali_viz.screen_export.export_screen", lambda *_, **__: [])
    studio.export(tmp_path)
    assert desk(studio).automatic.step.disabled
    assert not desk(studio).buttons.stop.disabled


def shown(widget, target):
    """Whether ``target`` is in ``widget`` and nothing around it is hidden."""
    if getattr(widget.layout, "display", None) == "none":
        return False
    return widget is target or any(shown(child, target) for child in getattr(widget, "children", ()))


@pytest.mark.parametrize("mode", ["automatic", "manual"])
def test_stop_is_there_in_both_modes(studio, mode):
    studio.set_mode(mode)
    assert shown(desk(studio).widget, desk(studio).buttons.stop)
    assert shown(desk(studio).widget, desk(studio).automatic.step) == (mode == "automatic")


def test_a_run_that_ends_after_the_app_touches_no_widget(studio):
    seen, begun, go = [], threading.Event(), threading.Event()

    def job(_stopped):
        begun.set()
        go.wait(WAIT)
        studio._showing.say("done")
        raise AliError("the run failed")

    views = desk(studio)
    studio._background.start("a run", job)
    assert begun.wait(WAIT)
    studio.close()
    for widget, name in (
        (views.automatic.step, "disabled"),
        (views.buttons.stop, "disabled"),
        (views.messages.alert_line, "value"),
        (views.messages.status_line, "value"),
    ):
        widget.observe(seen.append, name)
    go.set()
    assert studio._background.wait(WAIT)
    assert seen == []


def test_waiting_has_one_deadline(studio, monkeypatch):
    left = []

    def slow(timeout):
        left.append(timeout)
        threading.Event().wait(0.02)
        return True

    monkeypatch.setattr(studio._background, "wait", slow)
    monkeypatch.setattr(studio._showing.layouts, "wait", slow)
    assert studio.wait(10.0)
    assert left[1] <= left[0] - 0.02
    assert studio.wait()
    assert left[2:] == [None, None]
