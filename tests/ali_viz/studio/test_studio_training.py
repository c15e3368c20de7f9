"""The Studio on a training, without a browser: what the app shows, what reaches the training, and what is refused."""

import numpy as np
import pytest

from ali_core import AliError, Session
from ali_core.training import LiveTraining, epochs
from ali_viz import Studio
from tests.ali_core.training.gate import WAIT, Gate
from tests.ali_core.training.samples import features, small

DATA = features()


@pytest.fixture
def opened(tmp_path):
    training = epochs(DATA, small(keep_checkpoints=True), out=tmp_path / "run")
    control = epochs(DATA, small(keep_checkpoints=True, control=True), out=tmp_path / "control")
    studio = Studio(training, control=control)
    yield studio
    studio.close()
    studio.training.close()


def desk(studio):
    return studio._showing.desk


def test_an_epoch_is_shown_in_three_columns_and_can_be_gone_back_on(opened):
    live = desk(opened).live
    assert desk(opened).tabs.name == "Training"
    live.one.click()
    assert opened.wait(WAIT)
    assert opened.comparison == "epoch"
    assert len(opened._showing.drawing().sides) == 3
    assert opened.session is opened.training.session
    live.one.click()
    assert opened.wait(WAIT)
    assert live.rewind_to.options == (0, 1)
    live.rewind_to.value = 1
    live.rewind.click()
    assert opened.training.state.epoch == 1
    assert opened.comparison == "start"
    assert opened.session is opened.training.session


def test_own_steps_and_strengths_reach_the_next_epoch(opened):
    desk(opened).buttons.reset.click()
    desk(opened).automatic.step.click()
    desk(opened).live.one.click()
    assert opened.wait(WAIT)
    assert opened.training.history.rows[1]["n_steps"] == 1
    desk(opened).strengths.sliders["contract"].value = 0.125
    desk(opened).live.strengths.click()
    assert opened.training.settings.contract == 0.125
    assert {step.contract for step in opened.session.steps} == {0.125}
    desk(opened).live.one.click()
    assert opened.wait(WAIT)
    assert {step.contract for step in opened.training.last.session.steps} == {0.125}


def test_steps_rest_while_an_epoch_is_trained(tmp_path):
    gate = Gate()
    studio = Studio(epochs(DATA, small(), progress=gate))
    desk(studio).live.one.click()
    gate.wait()
    studio._showing.train(running=studio.training.running)
    studio._showing.refresh()
    assert desk(studio).automatic.step.disabled
    assert desk(studio).buttons.undo.disabled
    assert desk(studio).automatic.stop.disabled
    gate.open()
    assert studio.wait(WAIT)
    assert not desk(studio).automatic.step.disabled
    studio.close()
    studio.training.close()


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
    desk(opened).tabs.widget.selected_index = desk(opened).tabs._names.index("Effect")
    scores = opened.score()
    assert opened._insight.scores is scores
    opened.training.go(1)
    assert opened.wait(WAIT)
    assert opened._insight.scores is None
    f1 = opened.training.history.rows[-1]["validation_f1"]
    assert f1 is None or f"{f1:.3f}" in desk(opened).effect.scores.value


def test_without_a_training_its_controls_are_not_there():
    session = Session(DATA)
    studio = Studio(session)
    assert desk(studio).live is None
    with pytest.raises(AliError, match="no training is attached"):
        _ = studio.training
    studio.close()
    with pytest.raises(AliError, match="control is for a training only"):
        Studio(session, control=LiveTraining)
