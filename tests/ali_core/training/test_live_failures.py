"""What goes wrong in a training that is steered, how it is interrupted, and how it ends."""

import _thread
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ali_core import AliError
from ali_core.training import LiveTraining, epochs, train
from ali_core.training.worker import Worker
from tests.ali_core.training.gate import WAIT, Gate
from tests.ali_core.training.samples import features, small

DATA = features()
ROOT = Path(__file__).parents[3]


@pytest.fixture
def poison(monkeypatch):
    """Make all batches NaN, and end that."""
    step = Worker._step

    def set_poison(on):
        poisoned = lambda self, batch, *rest: step(self, batch * torch.nan, *rest)  # noqa: E731
        monkeypatch.setattr(Worker, "_step", poisoned if on else step)

    return set_poison


def test_an_error_is_told_in_words_and_the_epoch_is_tried_again(tmp_path, poison):
    heard = []
    with LiveTraining(epochs(DATA, small(), out=tmp_path / "run")) as live:
        live.subscribe(heard.append)
        live.go(2)
        live.wait(WAIT)
        state, session = live.state, live.session
        session.undo()
        poison(True)
        live.go()
        assert live.wait(WAIT)
        assert (live.status, live.running) == ("failed", False)
        assert live.error.startswith("epoch 3: the loss became nan in batch 1 of 2")
        assert (heard[-1].kind, heard[-1].text) == ("failed", live.error)
        assert live.state is state
        poison(False)
        live.go()
        assert live.wait(WAIT)
        assert (live.status, live.error) == ("finished", "")
        assert live.result.table.n_steps.tolist()[1:] == [25, 25, 24, 25]  # what the person had undone stayed undone

    def undo(training):
        for state in training:
            if state.epoch == 2:
                state.session.undo()
        return training.result

    with epochs(DATA, small()) as training:
        pd.testing.assert_frame_equal(live.result.table, undo(training).table)


def test_without_a_folder_a_broken_epoch_is_the_end_of_it(poison):
    with LiveTraining(epochs(DATA, small())) as live:
        poison(True)
        live.go()
        live.wait(WAIT)
        with pytest.raises(AliError, match="a run without a folder keeps no state"):
            live.go()
        assert live.status == "failed"


def test_an_error_in_the_control_harms_neither(tmp_path, monkeypatch):
    step = Worker._step

    def poisoned(self, batch, *rest):
        return step(self, batch * (torch.nan if self.settings.control else 1.0), *rest)

    training = epochs(DATA, small(), out=tmp_path / "run")
    with LiveTraining(training, control=epochs(DATA, small(control=True), out=tmp_path / "control")) as live:
        monkeypatch.setattr(Worker, "_step", poisoned)
        live.go()
        live.wait(WAIT)
        assert (live.state.epoch, live.control_history.epoch, live.status) == (1, 0, "failed")
        monkeypatch.undo()
        live.go()
        live.wait(WAIT)
        pd.testing.assert_frame_equal(live.result.table, train(DATA, small()).table)
        pd.testing.assert_frame_equal(live.control_history.table(), train(DATA, small(control=True)).table)


def test_an_error_that_nobody_foresaw_is_logged_with_its_name(tmp_path, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(Worker, "_step", broken)
    with LiveTraining(epochs(DATA, small(), out=tmp_path)) as live:
        live.go()
        live.wait(WAIT)
        assert live.error == "RuntimeError: no such kernel"
        assert "no such kernel" in caplog.text


def later(*acts, every=0.3):
    """Carry out ``acts`` in another thread, one after another."""

    def work():
        for act in acts:
            time.sleep(every)
            act()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_an_interrupt_while_waiting_pauses_after_the_epoch_and_is_raised_then():
    gate = Gate()
    with LiveTraining(epochs(DATA, small(), progress=gate)) as live:
        live.go()
        gate.wait()
        helper = later(_thread.interrupt_main, gate.open)
        with pytest.raises(KeyboardInterrupt):
            live.wait()
        helper.join()
        assert (live.running, live.state.epoch, live.status) == (False, 1, "resting")
        live.go()
        live.wait(WAIT)
        assert np.array_equal(live.result.embedding.vectors, train(DATA, small()).embedding.vectors)


def test_a_second_interrupt_leaves_at_once():
    gate = Gate()
    with LiveTraining(epochs(DATA, small(), progress=gate)) as live:
        live.go()
        gate.wait()
        helper = later(_thread.interrupt_main, _thread.interrupt_main)
        with pytest.raises(KeyboardInterrupt):
            live.wait()
        helper.join()
        assert (live.running, live.status, live.state.epoch) == (True, "pausing", 0)
        gate.open()
        assert live.wait(WAIT)
        assert live.state.epoch == 1


@pytest.mark.parametrize("held", [False, True])
def test_closed_within_an_epoch_it_can_be_continued(tmp_path, held):
    gate = Gate(stop_at=4)
    live = LiveTraining(epochs(DATA, small(), out=tmp_path, progress=gate))
    live.go()
    gate.wait()
    if held:
        live.pause(), live.pause()
        gate.open()
        live.wait(WAIT)
    assert not live.close(0.05) or held
    gate.open()
    assert live.close()
    assert gate.calls == 4
    assert not any(thread.name == "live training" for thread in threading.enumerate())
    resumed = train(DATA, small(), out=tmp_path, resume=True)
    pd.testing.assert_frame_equal(resumed.table, train(DATA, small()).table)


def test_it_is_told_once_that_it_is_closed_and_what_is_closed_is_not_driven_again(tmp_path):
    gate, heard = Gate(), []
    training = epochs(DATA, small(), out=tmp_path, progress=gate)
    live = LiveTraining(training)
    live.subscribe(lambda event: heard.append(event.kind))
    live.go()
    gate.wait()
    assert not live.close(0.01)
    assert "closed" not in heard
    gate.open()
    assert live.close()
    assert live.close()
    assert heard.count("closed") == 1
    with pytest.raises(AliError, match="this training is closed; open it again with resume=True"):
        LiveTraining.of(training)


def test_an_interrupt_as_it_begins_leaves_it_at_rest():
    def interrupt(event):
        if event.kind == "go":
            raise KeyboardInterrupt

    with LiveTraining(epochs(DATA, small())) as live:
        end = live.subscribe(interrupt)
        with pytest.raises(KeyboardInterrupt):
            live.go()
        end()
        assert live.wait(WAIT)
        assert (live.status, live.state.epoch) == ("resting", 0)
        live.go()
        assert live.wait(WAIT)
        pd.testing.assert_frame_equal(live.result.table, train(DATA, small()).table)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["exit", "held", "interrupt"])
def test_a_process_that_ends_while_it_trains_ends_well_and_the_run_goes_on_later(tmp_path, way):
    script = ROOT / "tests" / "ali_core" / "training" / "live_script.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(script), str(tmp_path), way]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "training\n"
        if way == "interrupt":
            child.send_signal(signal.SIGINT)
        try:
            out, errors = child.communicate(timeout=60)  # all 10,000 epochs take longer
        finally:
            child.kill()
    assert child.returncode == 0, errors
    assert "Traceback" not in errors
    if way == "interrupt":
        assert out == "interrupted resting\n"
    settings = small(max_epochs=10_000)
    with epochs(features(), settings, out=tmp_path, resume=True) as training:
        done = next(training)
        assert done.epoch >= 1
        next(training)
    straight = train(features(), small(max_epochs=done.epoch + 1))
    kept = ["epoch", "loss", "n_steps", "moved_classes"]
    pd.testing.assert_frame_equal(training.state.history.table()[kept], straight.table[kept])
