"""The Studio on a training, without a browser: what the app shows, what reaches the training, and what is refused."""

import numpy as np
import pytest

from ali_core import AliError, Session
from ali_core.training import LiveTraining, epochs
from ali_viz import Studio
from tests.ali_core.training.gate import WAIT, Gate
from tests.ali_core.training.samples import features, small
from tests.ali_viz.studio.hands import (
    choose,
    control,
    drawn,
    fill,
    listed,
    open_tab,
    planned,
    positions,
    press,
    seen,
    status,
    switch,
    tab,
    text,
    titles,
    waiting,
)

DATA = features()


@pytest.fixture
def opened(tmp_path):
    training = epochs(DATA, small(keep_checkpoints=True), out=tmp_path / "run")
    control = epochs(DATA, small(keep_checkpoints=True, control=True), out=tmp_path / "control")
    studio = Studio(training, control=control)
    yield studio
    studio.close()
    studio.training.close()


def test_an_epoch_is_shown_in_three_columns_and_can_be_gone_back_on(opened):
    assert tab(opened) == "Train"
    press(opened, "Train 1 epoch")
    assert opened.wait(WAIT)
    assert opened.comparison == "epoch"
    assert len(drawn(opened).panes) == 3
    assert opened.session is opened.training.session
    press(opened, "Train 1 epoch")
    assert opened.wait(WAIT)
    assert control(opened, "epoch").options == (0, 1)
    fill(opened, "epoch", 1)
    press(opened, "Rewind to")
    assert opened.training.state.epoch == 1
    assert opened.comparison == "start"
    assert opened.session is opened.training.session


def test_gone_back_the_own_steps_of_the_epoch_are_found_on_a_branch(opened):
    opened.reset()
    opened.select([opened.session.embedding.class_names[0]])
    own = opened.apply_selection(contract=0.25)
    press(opened, "Train 1 epoch")
    assert opened.wait(WAIT)
    press(opened, "Rewind to")
    assert "the steps that epoch 1 followed are on the branch" in status(opened)
    opened.switch("epoch 1 followed")
    assert opened.session.steps == (own,)


def test_own_steps_and_strengths_reach_the_next_epoch(opened):
    press(opened, "Reset")
    press(opened, "Step")
    press(opened, "Train 1 epoch")
    assert opened.wait(WAIT)
    assert opened.training.history.rows[1]["n_steps"] == 1
    control(opened, "contract λc").value = 0.125
    press(opened, "Use strengths")
    assert opened.training.settings.contract == 0.125
    assert {step.contract for step in opened.session.steps} == {0.125}
    press(opened, "Train 1 epoch")
    assert opened.wait(WAIT)
    assert {step.contract for step in opened.training.last.session.steps} == {0.125}


def test_steps_rest_while_an_epoch_is_trained(tmp_path):
    gate = Gate()
    studio = Studio(epochs(DATA, small(), progress=gate))
    press(studio, "Train 1 epoch")
    gate.wait()
    other = Studio(studio.training.training)
    for app in (studio, other):
        assert all(control(app, label).disabled for label in ("Step", "Undo", "Stop"))
    gate.open()
    assert studio.wait(WAIT)
    for app in (studio, other):
        assert not any(control(app, label).disabled for label in ("Step", "Undo"))
        app.close()
    studio.training.close()


def test_the_panel_tells_what_the_coming_epoch_follows_after_each_change(opened):
    assert "follows 25 steps" in text(opened)
    press(opened, "Undo")
    assert "follows 24 steps" in text(opened)
    press(opened, "Skip interventions")
    assert "follows no interventions" in text(opened)
    assert control(opened, "Skip interventions").disabled
    opened.session.redo()
    assert "follows 1 step\n" in text(opened)
    assert not control(opened, "Skip interventions").disabled


def test_the_last_epoch_can_be_looked_at_when_there_is_one_also_in_another_app(opened):
    first = opened.session.embedding.vectors.astype(float)
    with pytest.raises(AliError, match="no last epoch"):
        opened.compare_with("epoch")
    choose(opened, "last epoch")
    assert (opened.comparison, switch(opened, "start").value) == ("start", "start")
    opened.training.go(2)
    assert opened.wait(WAIT)
    other = Studio(opened.training.training)
    other.compare_with("epoch")
    states = ["Before the epoch", "After 25 steps", "After the epoch"]
    plane = np.linalg.svd(first - first.mean(axis=0), full_matrices=False)[2][:2].T
    before, now = opened.training.last.session.embedding.vectors, opened.session.embedding.vectors
    for app in (opened, other):
        assert titles(app) == states
    for side, vectors in zip((0, 2), (before, now), strict=True):
        places = positions(opened, side)
        expected = (vectors - vectors[0]) @ plane  # axes may be turned round
        assert np.allclose(np.abs(places - places[0]), np.abs(expected), atol=1e-4)
    other.close()


def test_own_steps_and_gestures_are_seen_after_an_epoch(opened):
    opened.training.go(1)
    assert opened.wait(WAIT)
    control(opened, "contract λc").value = 0.125
    assert opened.comparison == "epoch"
    press(opened, "Undo")
    assert opened.comparison == "start"
    assert planned(opened)[0]
    assert titles(opened)[1] == "After: 24 steps"
    opened.compare_with("epoch")
    opened.set_mode("manual")
    assert opened.comparison == "start"
    opened.compare_with("epoch")
    opened.drag(opened.session.embedding.class_names[0], (0.5, 0.5))
    assert opened.comparison == "start"
    assert np.allclose(planned(opened)[1], [[0.5, 0.5]], atol=0.05)


def test_an_epoch_of_the_control_leaves_a_person_where_they_are():
    gate = Gate()
    studio = Studio(epochs(DATA, small()), control=epochs(DATA, small(control=True), progress=gate))
    studio.training.go(1)
    gate.wait()
    studio.compare_with("start")
    studio.drag(studio.session.embedding.class_names[0], (0.5, 0.5))
    gate.open()
    assert studio.wait(WAIT)
    assert studio.training.control_history.rows[-1]["epoch"] == 1
    assert studio.comparison == "start"
    assert not control(studio, "Undrag").disabled
    studio.close()
    studio.training.close()


def test_cells_of_changed_neighbours_are_those_of_the_states_compared(opened):
    opened.training.go(1)
    assert opened.wait(WAIT)
    open_tab(opened, "Cells")
    opened.list_cells("changed")

    def nearest(vectors):
        distances = np.linalg.norm(vectors[:, None].astype(float) - vectors[None], axis=2)
        np.fill_diagonal(distances, np.inf)
        return [set(row) for row in np.argsort(distances, axis=1)[:, :10]]

    before, after = opened.training.last.session.embedding, opened.session.embedding
    pairs = zip(before.sample_names, nearest(before.vectors), nearest(after.vectors), strict=True)
    changed = {str(name) for name, old, new in pairs if old != new}
    assert 0 < len(changed) <= 240
    found = listed(opened)
    while not control(opened, "More ▶").disabled:
        press(opened, "More ▶")
        found += listed(opened)
    assert set(found) == changed
    assert control(opened, "List").value == "changed"
    opened.reset()
    open_tab(opened, "Cells")
    opened.list_cells("changed")
    assert listed(opened) == []


def test_an_app_that_ends_lets_its_training_rest_after_the_epoch():
    gate = Gate()
    studio = Studio(epochs(DATA, small(), progress=gate))
    studio.training.go(3)
    gate.wait()
    studio.close()
    gate.open()
    assert studio.training.wait(WAIT)
    assert (studio.training.status, studio.training.state.epoch) == ("resting", 1)
    studio.training.close()


def test_waiting_for_an_epoch_waits_for_its_layout(opened):
    opened.set_view("tsne")
    assert opened.wait(WAIT)
    opened.training.go(1)
    assert opened.wait(WAIT)
    assert not waiting(opened)


def test_the_session_that_is_opened_is_what_the_next_epoch_follows(opened, tmp_path):
    opened.reset()
    opened.run(3)
    opened.save(tmp_path / "kept")
    moved = opened.session.after.vectors
    opened.reset()
    opened.open(tmp_path / "kept")
    assert opened.session is opened.training.session
    assert np.array_equal(opened.session.after.vectors, moved)


def test_a_second_studio_attaches_to_the_same_training(opened):
    other = Studio(opened.training.training)
    assert other.training is opened.training
    other.close()
    assert opened.training.status == "resting"  # closing the app ends nothing


def test_the_effect_tells_the_validation_f1_of_the_epoch_and_old_scores_are_dropped(opened):
    open_tab(opened, "Effect")
    scores = opened.score()
    assert f"untouched {scores.untouched.macro_f1:.3f}" in text(opened)
    opened.training.go(2)  # validation_f1 comes every other epoch
    assert opened.wait(WAIT)
    assert "has not been scored" in text(opened)
    f1 = opened.training.history.rows[-1]["validation_f1"]
    assert f"{f1:.3f}" in text(opened)


def test_without_a_training_its_controls_are_not_there():
    session = Session(DATA)
    studio = Studio(session)
    assert not seen(studio, "Train 1 epoch")
    with pytest.raises(AliError, match="no training is attached"):
        _ = studio.training
    studio.close()
    with pytest.raises(AliError, match="control is for a training only"):
        Studio(session, control=LiveTraining)
