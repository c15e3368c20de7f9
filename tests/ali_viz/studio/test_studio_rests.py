"""What rests in the app while something is under way, and that nothing is lost by a click at that time."""

import threading

import pytest
from ipywidgets import HTML

from ali_core import AliError, Session, preset
from ali_core.training import epochs
from ali_viz import Studio
from tests.ali_core.training.gate import WAIT, Gate
from tests.ali_core.training.samples import features, small
from tests.ali_viz.studio.clouds import cloud
from tests.ali_viz.studio.hands import (
    alert,
    app,
    at_timeline,
    begin,
    control,
    inside,
    open_tab,
    press,
    seen,
    status,
    timeline,
)

DATA = features()


CONTROLS = (
    *("Step", "Run until", "steps", "criterion Ω", "choice", "Apply to selected classes", "Undo", "Redo", "Reset"),
    *("preset", "shift λs", "nearest n", "Export", "Save session", "Open session"),
)
"""What changes steps or their settings, or writes files."""


def resting(studio):
    """Which of these are off."""
    return {label for label in CONTROLS if control(studio, label).disabled}


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
    begin(studio, "a run of 9 steps", job)
    yield job
    job.go.set()
    studio.wait(WAIT)


def test_steps_settings_scores_and_files_rest_while_an_epoch_is_trained():
    gate = Gate()
    studio = Studio(epochs(DATA, small(), progress=gate))
    studio.select(studio.session.embedding.class_names[:1])
    studio.undo()
    press(studio, "Train 1 epoch")
    gate.wait()
    open_tab(studio, "Step")
    assert resting(studio) == set(CONTROLS)
    assert timeline(studio).busy
    assert control(studio, "Stop").disabled
    open_tab(studio, "Effect")
    assert control(studio, "Score this state").disabled
    open_tab(studio, "Step")
    steps, settings = studio.session.steps, studio.session.settings
    at_timeline(studio, go=1)
    assert "an epoch is under way" in alert(studio)
    at_timeline(studio, toggle=1)
    with pytest.raises(AliError, match="an epoch is under way"):
        studio.undo()  # for calls as for clicks
    press(studio, "Redo")
    control(studio, "contract λc").value = 0.125
    assert control(studio, "contract λc").value == settings.contract
    assert (studio.session.steps, studio.session.settings) == (steps, settings)
    gate.open()
    assert studio.wait(WAIT)
    assert studio.training.history.rows[1]["n_steps"] == len(steps)
    assert resting(studio) == {"Redo"}
    studio.close()
    studio.training.close()


def test_all_apps_on_a_session_rest_and_each_can_stop_the_run(studio, job):
    other = Studio(studio.session)
    other.select("blast")
    for one in (studio, other):
        assert resting(one) == set(CONTROLS)
        assert not control(one, "Stop").disabled
    press(other, "Reset")
    assert "a run of 9 steps is under way" in alert(other)
    assert studio.session.cursor == 2
    with pytest.raises(AliError, match="a run of 9 steps is under way"):
        other.redo()
    assert control(other, "Step").disabled
    press(other, "Stop")
    assert studio.wait(WAIT)
    for one in (studio, other):
        assert resting(one) == set()
        assert control(one, "Stop").disabled
    assert not job.go.is_set()
    other.close()


def test_a_training_is_not_steered_while_a_run_changes_what_it_follows():
    studio, job = Studio(epochs(DATA, small())), Waiting()
    begin(studio, "a run of 9 steps", job)
    for label in ("Train 1 epoch", "Skip interventions", "Use strengths"):
        press(studio, label)
        assert "a run of 9 steps is under way" in alert(studio)
    assert not studio.training.running
    assert studio.session.cursor == 25
    job.go.set()
    assert studio.wait(WAIT)
    studio.close()
    studio.training.close()


def test_scores_wait_for_the_run_before_them(studio, job):
    press(studio, "Score this state")
    assert control(studio, "Step").disabled
    job.go.set()
    assert studio.wait(WAIT)
    assert status(studio).startswith("Scored: macro F1")
    assert not control(studio, "Step").disabled


def test_what_cannot_be_done_is_said_at_the_button_until_it_is_pressed_again(studio):
    button = control(studio, "Redo")
    button.click()
    help_text = "Bring back the step undone last"
    assert button.tooltip == help_text
    button.click()
    assert button.tooltip == alert(studio) == "there is no step to redo"
    studio.undo()
    button.click()
    assert (button.tooltip, alert(studio)) == (help_text, "")


@pytest.mark.parametrize("mode", ["automatic", "manual"])
def test_stop_is_there_in_both_modes(studio, mode):
    studio.set_mode(mode)
    assert seen(studio, "Stop")
    assert seen(studio, "Step") == (mode == "automatic")


def test_a_run_that_ends_after_the_app_touches_no_widget(studio):
    changes, begun, go = [], threading.Event(), threading.Event()

    def job(_stopped):
        begun.set()
        go.wait(WAIT)
        raise AliError("the run failed")

    step, stop = control(studio, "Step"), control(studio, "Stop")
    lines = [one for one in inside(app(studio)) if isinstance(one, HTML)]
    begin(studio, "a run", job)
    assert begun.wait(WAIT)
    studio.close()
    for widget, name in ((step, "disabled"), (stop, "disabled"), *((line, "value") for line in lines)):
        widget.observe(changes.append, name)
    go.set()
    assert studio.wait(WAIT)
    assert changes == []


def test_waiting_has_one_deadline(studio, monkeypatch):
    left = []

    def slow(timeout):
        left.append(timeout)
        threading.Event().wait(0.02)
        return True

    monkeypatch.setattr("ali_viz.app.jobs.Jobs.wait", lambda _, timeout: slow(timeout))
    monkeypatch.setattr("ali_viz.app.layouts.Layouts.wait", lambda _, timeout: slow(timeout))
    assert studio.wait(10.0)
    assert left[1] <= left[0] - 0.02
    assert studio.wait()
    assert left[2:] == [None, None]
