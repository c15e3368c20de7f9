"""A training that a person steers: the numbers of one that is left alone, or of a loop that does the same."""

import threading
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ali_core import AliError, ManualStep
from ali_core.training import LiveEvent, LiveTraining, epochs, train
from tests.ali_core.training.gate import WAIT, Gate
from tests.ali_core.training.samples import features, small

DATA = features()


def rested(live):
    assert live.wait(WAIT)
    assert live.error == ""
    return live


def loop(options, act, **places):
    """Train in a plain loop in which ``act`` sees each state that has a session; return the result."""
    with epochs(DATA, options, **places) as training:
        for state in training:
            if state.session is not None:
                act(state)
    return training.result


def same(result, other):
    pd.testing.assert_frame_equal(result.table, other.table)
    return np.array_equal(result.embedding.vectors, other.embedding.vectors)


@pytest.mark.parametrize("method", ["ali", "pali", "tml"])
def test_with_pauses_and_without_interference_it_gives_the_numbers_of_train(method):
    options = small(method=method)
    with LiveTraining(epochs(DATA, options)) as live:
        for number in (1, 2, None):
            live.go(number)
            rested(live)
        assert (live.status, live.finished) == ("finished", "all 4 epochs are done")
        assert same(live.result, train(DATA, options))


ACTIONS = st.lists(st.sampled_from(["one", "two", "pause", "hold", "wait", "look"]), max_size=12)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(ACTIONS)
def test_no_order_of_going_on_and_pausing_changes_a_number(actions):
    does = {
        "one": lambda live: live.go(1),
        "two": lambda live: live.go(2),
        "pause": LiveTraining.pause,
        "hold": lambda live: (live.pause(), live.pause()),
        "wait": lambda live: live.wait(WAIT),
        "look": lambda live: (live.status, live.session and live.session.after, live.history.table()),
    }
    with LiveTraining(epochs(DATA, small())) as live:
        for action in actions:
            with suppress(AliError):  # the run may have ended by now
                does[action](live)
        while not live.finished:
            live.go()
            rested(live)
        assert same(live.result, STRAIGHT)


STRAIGHT = train(DATA, small())


def test_the_first_state_is_there_at_once_and_the_last_one_says_what_the_epoch_followed():
    with LiveTraining(epochs(DATA, small())) as live:
        assert (live.state.epoch, live.last, live.status, live.running) == (0, None, "resting", False)
        first = live.session
        first.undo()
        live.go(1)
        rested(live)
        assert live.state.epoch == 1
        assert live.last.embedding is first.before
        assert live.last.session.steps == first.steps
        assert live.state.history.rows[1]["n_steps"] == 24
        assert live.state.session is live.session is not first


def test_skipped_interventions_are_those_of_a_loop_that_resets():
    with LiveTraining(epochs(DATA, small())) as live:
        live.go(2)
        rested(live).skip()
        live.go()
        rested(live)
        expected = loop(small(), lambda state: state.session.reset() if state.epoch == 2 else None)
        assert same(live.result, expected)
        assert np.isnan(live.result.table.n_steps[3])


def test_own_steps_are_followed():
    step = ManualStep(classes=("band",), contract=0.5)

    def own(state):
        if state.epoch == 1:
            state.session.reset()
            state.session.apply(step)

    with LiveTraining(epochs(DATA, small())) as live:
        live.go(1)
        own(rested(live).state)
        live.go()
        assert same(rested(live).result, loop(small(), own))
        assert live.result.table.moved_classes[2] == "band"


def test_a_session_that_is_changed_while_its_epoch_is_trained_changes_nothing():
    gate = Gate()
    with LiveTraining(epochs(DATA, small(), progress=gate)) as live:
        proposed = live.session.steps
        live.go()
        gate.wait()
        live.session.reset()
        gate.open()
        rested(live)
        assert same(live.result, STRAIGHT)
        live.training.close()
    with LiveTraining(epochs(DATA, small(max_epochs=1), progress=(gate := Gate()))) as live:
        live.go()
        gate.wait()
        live.session.reset()
        gate.open()
        assert rested(live).last.session.steps == proposed


# Strengths -----------------------------------------------------------------------------------------------------------


def stronger(state, *, since=1):
    """What a plain loop does to have other strengths from an epoch on."""
    if state.epoch >= since:
        state.session.reset()
        state.session.settings = state.session.settings.changed(shift=0.5, rotate=0.1)
        state.session.run()


@pytest.mark.parametrize("method", ["ali", "pali"])
def test_strengths_hold_for_the_proposals_of_the_coming_epochs(method):
    options = small(method=method)
    with LiveTraining(epochs(DATA, options)) as live:
        live.go(1)
        session = rested(live).session
        live.settings = live.settings.changed(shift=0.5, rotate=0.1)
        assert live.session is session
        assert {step.shift for step in session.steps} == {0.5}
        live.go()
        assert same(rested(live).result, loop(options, stronger))


@pytest.mark.parametrize("method", ["ali", "pali"])
def test_strengths_survive_the_end_of_the_process(tmp_path, method):
    options = small(method=method)
    live = LiveTraining(training := epochs(DATA, options, out=tmp_path))
    live.go(1)
    rested(live)
    live.settings = live.settings.changed(shift=0.5, rotate=0.1)
    training.run.folder.release()  # as the system does when a process ends
    with LiveTraining(epochs(DATA, options, out=tmp_path, resume=True)) as again:  # the first is not even closed
        assert again.settings == live.settings
        assert again.session.steps == live.session.steps
        again.go()
        assert same(rested(again).result, loop(options, stronger))
    live.close()


def test_strengths_set_while_an_epoch_is_trained_hold_from_the_next_proposals_on():
    gate = Gate()
    with LiveTraining(epochs(DATA, small(), progress=gate)) as live:
        live.go()
        gate.wait()
        live.settings = live.settings.changed(shift=0.5, rotate=0.1)
        gate.open()
        assert same(rested(live).result, loop(small(), stronger))


def test_what_cannot_be_changed_is_refused():
    with LiveTraining(epochs(DATA, small())) as live:
        before = live.session.steps
        with pytest.raises(AliError, match="spread is fixed to 'rms' in this run"):
            live.settings = live.settings.changed(spread="radius")
        assert live.session.steps == before
    with LiveTraining(epochs(DATA, small(method="tml"))) as live:
        with pytest.raises(AliError, match="this run has no interventions"):
            live.settings = live.settings.changed(shift=2.0)
        with pytest.raises(AliError, match="no interventions to skip"):
            live.skip()


# Pausing -------------------------------------------------------------------------------------------------------------


def test_a_pause_rests_after_the_epoch_and_a_second_one_before_the_next_batch():
    gate = Gate()
    with LiveTraining(epochs(DATA, small(), progress=gate)) as live:
        live.go()
        gate.wait()
        assert (live.status, live.running) == ("training", True)
        live.pause()
        assert live.status == "pausing"
        assert not live.wait(0.05)
        live.pause()
        gate.open()
        assert live.wait(WAIT)
        assert (live.status, live.running, live.held, live.batch, gate.calls) == ("held", True, True, (1, 2), 1)
        for refused in (live.skip, lambda: live.rewind(0)):
            with pytest.raises(AliError, match="an epoch is under way"):
                refused()
        live.go(1)
        assert (rested(live).state.epoch, live.status) == (1, "resting")
        live.pause()  # at rest: nothing
        live.go()
        assert same(rested(live).result, STRAIGHT)


def test_how_many_epochs_may_be_changed_while_one_is_trained():
    gate = Gate()
    with LiveTraining(epochs(DATA, small(), progress=gate)) as live:
        live.go()
        gate.wait()
        live.pause()
        live.go(2)
        gate.open()
        assert rested(live).state.epoch == 2


@pytest.mark.parametrize("number", [0, -1])
def test_a_number_of_epochs_is_positive(number):
    with LiveTraining(epochs(DATA, small())) as live, pytest.raises(AliError, match=f"at least 1; got {number}"):
        live.go(number)


def test_after_the_end_there_is_nothing_to_go_on_with():
    with LiveTraining(epochs(DATA, small(max_epochs=0))) as live:
        assert live.session is None
        with pytest.raises(AliError, match="the run has ended"):
            live.go()
    with pytest.raises(AliError, match="closed"):
        live.go()


# Going back, and the control -----------------------------------------------------------------------------------------


def both(tmp_path, **changes):
    options = small(keep_checkpoints=True, **changes)
    training = epochs(DATA, options, out=tmp_path / "run")
    return LiveTraining(training, control=epochs(DATA, options.changed(control=True), out=tmp_path / "control"))


def test_the_control_has_as_many_epochs_and_the_numbers_of_one_alone(tmp_path):
    with both(tmp_path) as live:
        seen = []
        live.subscribe(lambda event: event.kind == "epoch" and seen.append((event.control, event.epoch)))
        live.go(2)
        rested(live)
        assert live.history.epoch == live.control_history.epoch == 2
        assert seen == [(False, 1), (True, 1), (False, 2), (True, 2)]
        live.go()
        alone = train(DATA, small(control=True))
        pd.testing.assert_frame_equal(rested(live).control_history.table(), alone.table)
        assert same(live.result, STRAIGHT)


def test_going_back_takes_the_control_along_and_gives_the_same_future(tmp_path):
    with both(tmp_path) as live:
        told = []
        live.subscribe(lambda event: told.append(event.kind))
        live.go()
        first = rested(live).result
        assert live.kept == (0, 1, 2, 3, 4)
        live.rewind(1)
        assert (told[-1], live.state.epoch, live.last, live.status) == ("rewound", 1, None, "resting")
        assert live.history.epoch == live.control_history.epoch == 1
        assert live.kept == (0, 1)
        assert live.result is None
        live.go()
        assert same(rested(live).result, first)
        assert live.control_history.epoch == 4


def test_own_steps_of_an_epoch_gone_back_on_are_kept_on_a_branch(tmp_path):
    own = ManualStep(classes=("band",), contract=0.5)
    with both(tmp_path) as live:
        live.go(1)
        rested(live).session.reset()
        made = live.session.apply(own)
        live.go(1)
        rested(live).rewind(1)
        session = live.session
        assert session.branches == ("main", "epoch 2 followed")
        assert (session.branch, session.cursor, session.undone) == ("main", 25, ())
        session.switch("epoch 2 followed")
        assert session.steps == (made,)
        live.go(1)
        assert rested(live).history.rows[2]["moved_classes"] == "band"
        live.rewind(0)
        assert live.session.branches == ("main",)  # epoch 1 followed what it is proposed
        live.go()
        assert same(rested(live).result, STRAIGHT)


def test_going_back_brings_the_strengths_of_then(tmp_path):
    with both(tmp_path) as live:
        first = live.settings
        live.go(1)
        rested(live)
        live.settings = first.changed(shift=0.5, rotate=0.1)
        live.go(1)
        rested(live).rewind(0)
        assert live.settings == first
        live.go(1)
        assert same_row(rested(live).history.rows[1], STRAIGHT.history.rows[1])


def same_row(row, other):
    return {**row} == {**other}


@pytest.mark.parametrize("folder", [True, False])
def test_what_is_not_kept_is_told_with_the_remedy(tmp_path, folder):
    with LiveTraining(epochs(DATA, small(), out=tmp_path / "run" if folder else None)) as live:
        live.go(2)
        state = rested(live).state
        assert live.kept == ((2,) if folder else ())
        with pytest.raises(AliError, match=r"epoch 1 is not kept; .*keep_checkpoints=True"):
            live.rewind(1)
        assert live.state is state
        live.go()
        assert same(rested(live).result, STRAIGHT)


def test_a_control_must_be_the_same_run(tmp_path):
    with epochs(DATA, small()) as training:
        for control, words in (
            (small(), "control=True"),
            (small(control=True, seed=1, margin=0.1), "seed, margin|margin, seed"),
        ):
            with epochs(DATA, control) as other, pytest.raises(AliError, match=words):
                LiveTraining(training, control=other)


# Who drives, and who hears -------------------------------------------------------------------------------------------


def test_a_training_has_one_driver_that_can_be_found_again():
    training = epochs(DATA, small())
    live = LiveTraining.of(training)
    assert LiveTraining.of(training) is live
    with pytest.raises(AliError, match="driven already"):
        LiveTraining(training)
    live.close()
    assert live.status == "closed"
    live.close()


def test_a_training_that_was_begun_by_hand_is_taken_over_where_it_is():
    training = epochs(DATA, small())
    next(training), next(training)
    with LiveTraining(training) as live:
        assert live.state.epoch == 1
        live.go()
        assert same(rested(live).result, STRAIGHT)


def test_two_listeners_hear_the_same_and_one_that_fails_harms_nobody(caplog):
    heard, other = [], []

    def fails(event):
        raise RuntimeError("gone")

    with LiveTraining(epochs(DATA, small())) as live:
        live.subscribe(fails)
        live.subscribe(heard.append)
        end = live.subscribe(other.append)
        live.go(1)
        rested(live)
        end()
        end()
        live.go()
        assert same(rested(live).result, STRAIGHT)
    kinds = [event.kind for event in heard if event.kind != "batch"]
    assert kinds == ["go", "epoch", "rest", "go", "epoch", "epoch", "epoch", "rest", "closed"]
    assert [event for event in heard if event in other] == other
    assert "gone" in caplog.text


def test_batches_are_told_at_most_every_so_often(monkeypatch):
    from ali_core.training import live as module

    def told(seconds):
        monkeypatch.setattr(module, "BATCH_SECONDS", seconds)
        heard = []
        with LiveTraining(epochs(DATA, small(max_epochs=2))) as live:
            live.subscribe(heard.append)
            live.go()
            rested(live)
        return [(event.done, event.total) for event in heard if event.kind == "batch"]

    assert told(0.0) == [(1, 2), (2, 2), (1, 2), (2, 2)]
    assert told(1e9) == [(1, 2)]


def test_events_come_from_the_thread_that_caused_them():
    names = []
    with LiveTraining(epochs(DATA, small(max_epochs=1))) as live:
        live.subscribe(lambda event: names.append((event.kind, threading.current_thread().name)))
        live.go()
        rested(live)
    assert dict(names)["epoch"] == dict(names)["rest"] == "live training"
    assert dict(names)["go"] == dict(names)["closed"] == threading.current_thread().name


def test_a_listener_may_steer():
    with LiveTraining(epochs(DATA, small())) as live:

        def onward(event: LiveEvent):
            if event.kind == "rest" and not live.finished:
                live.wait()  # in the thread of the training: at once
                live.go(1)

        live.subscribe(onward)
        live.go(1)
        while not live.finished:
            rested(live)
        assert same(live.result, STRAIGHT)
