"""Strengths that are set whenever it suits a person: those of a plain loop from the next epoch on, and safe on disk."""

import numpy as np
import pandas as pd
import pytest
import torch

from ali_core import AliError
from ali_core.training import LiveTraining, epochs, run_folder
from ali_core.training.worker import Worker
from tests.ali_core.training.gate import WAIT, Gate
from tests.ali_core.training.samples import features, small

DATA = features()
OTHER = {"shift": 0.5, "rotate": 0.1}


def with_others(since):
    """Return the result of a plain loop that has other strengths from the state after epoch ``since`` on."""
    with epochs(DATA, small()) as training:
        for state in training:
            if state.epoch >= since and state.session is not None:
                state.session.reset()
                state.session.settings = state.session.settings.changed(**OTHER)
                state.session.run()
    return training.result


def check(live, since):
    """Train to the end, with the numbers of that loop."""
    live.go()
    assert live.wait(WAIT)
    pd.testing.assert_frame_equal(live.result.table, with_others(since).table)
    assert np.array_equal(live.result.embedding.vectors, with_others(since).embedding.vectors)


def test_set_while_the_control_trains_they_hold_for_the_coming_epoch_and_are_on_disk(tmp_path):
    gate = Gate()
    control = epochs(DATA, small(control=True), progress=gate)
    live = LiveTraining(epochs(DATA, small(), out=tmp_path), control=control)
    live.go(1)
    gate.wait()
    live.settings = live.settings.changed(**OTHER)
    assert live.settings.shift == 0.5
    gate.open()
    assert live.wait(WAIT)
    assert (live.settings.shift, {step.shift for step in live.session.steps}) == (0.5, {0.5})
    live.close()
    with LiveTraining(epochs(DATA, small(), out=tmp_path, resume=True)) as again:
        assert again.settings.shift == 0.5
        check(again, since=1)


def test_set_while_an_epoch_trains_they_are_safe_when_it_is_done_and_the_control_is_not(tmp_path):
    gate, control = Gate(), epochs(DATA, small(control=True), progress=(second := Gate()))
    live = LiveTraining(training := epochs(DATA, small(), out=tmp_path, progress=gate), control=control)
    live.go(1)
    gate.wait()
    live.settings = live.settings.changed(**OTHER)
    gate.open()
    second.wait()
    training.run.folder.release()  # as the system does when a process ends
    with LiveTraining(epochs(DATA, small(), out=tmp_path, resume=True)) as again:  # as if the first were killed
        assert (again.state.epoch, again.settings.shift) == (1, 0.5)
    second.open()
    assert live.wait(WAIT)
    live.close()


def test_a_listener_sets_them_as_an_epoch_ends():
    with LiveTraining(epochs(DATA, small())) as live:

        def onward(event):
            if event.kind == "epoch" and event.epoch == 2:
                live.settings = live.settings.changed(**OTHER)

        live.subscribe(onward)
        check(live, since=2)


def test_set_in_an_epoch_that_fails_they_hold_when_it_is_tried_again(tmp_path, monkeypatch):
    gate, step = Gate(stop_at=3), Worker._step
    with LiveTraining(epochs(DATA, small(), out=tmp_path, progress=gate)) as live:
        live.go()
        gate.wait()
        live.settings = live.settings.changed(**OTHER)
        monkeypatch.setattr(Worker, "_step", lambda self, batch, *rest: step(self, batch * torch.nan, *rest))
        gate.open()
        assert live.wait(WAIT)
        assert (live.status, live.state.epoch, live.settings.shift) == ("failed", 1, 0.5)
        assert {step.shift for step in live.session.steps} == {0.5}
        monkeypatch.undo()
        check(live, since=1)
    with LiveTraining(epochs(DATA, small(), out=tmp_path, resume=True)) as again:
        assert again.settings.shift == 0.5


def test_ones_own_criterion_can_be_left_and_taken_again():
    def largest(statistics):
        return statistics.counts.astype(float)

    with LiveTraining(epochs(DATA, small(), criterion=largest)) as live:
        own = live.settings
        (chosen,) = {step.classes for step in live.session.steps}
        counts = np.bincount(live.session.embedding.labels)
        assert counts[list(chosen)] == counts.max()
        for settings in (own.changed(criterion="closest"), own.changed(criterion="confusion"), own):
            live.settings = settings
            assert {step.criterion for step in live.session.steps} == {settings.criterion}
        assert {step.classes for step in live.session.steps} == {chosen}


@pytest.mark.parametrize("under_way", [False, True])
def test_a_criterion_that_is_not_known_is_refused_before_anything_changes(tmp_path, under_way):
    gate = Gate(stop_at=3)
    with LiveTraining(epochs(DATA, small(), out=tmp_path, progress=gate)) as live:
        live.go(1)
        assert live.wait(WAIT)
        before, steps = live.settings, live.session.steps
        if under_way:
            live.go(1)
            gate.wait()
        with pytest.raises(AliError, match="criterion 'mean_std' is not known; use closest, mean-std"):
            live.settings = before.changed(criterion="mean_std")
        assert (live.settings, live.session.steps) == (before, steps)
        gate.open()
        assert live.wait(WAIT)
        assert live.error == ""
    with LiveTraining(epochs(DATA, small(), out=tmp_path, resume=True)) as again:
        assert again.settings == before


def test_strengths_that_cannot_be_written_are_not_in_force(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    with LiveTraining(epochs(DATA, small(), out=tmp_path)) as live:
        before, steps = live.settings, live.session.steps
        monkeypatch.setattr(run_folder, "write_tensors", full)
        with pytest.raises(AliError, match=r"epoch 0: no space left; epochs up to 0 are kept"):
            live.settings = before.changed(**OTHER)
        assert (live.settings, live.session.steps) == (before, steps)


def test_deferred_strengths_that_cannot_be_written_wait_for_the_next_try(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    with LiveTraining(epochs(DATA, small(), out=tmp_path)) as live:

        def onward(event):
            if (event.kind, event.epoch) == ("epoch", 1):
                live.settings = live.settings.changed(**OTHER)
                monkeypatch.setattr(run_folder, "write_tensors", full)

        live.subscribe(onward)
        live.go()
        assert live.wait(WAIT)
        assert (live.status, live.settings.shift) == ("failed", 0.5)
        monkeypatch.undo()
        check(live, since=1)


def test_nobody_begins_an_epoch_while_strengths_change():
    with LiveTraining(epochs(DATA, small())) as live:
        refused = []

        def onward(event):
            with pytest.raises(AliError, match="an epoch is under way"):
                live.go()
            refused.append(event.kind)

        live.session.subscribe(onward)
        live.settings = live.settings.changed(**OTHER)
        assert refused == ["reset", "settings", "step"]
        check(live, since=0)
