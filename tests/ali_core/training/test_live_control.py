"""A control beside a training: it may fail, lag behind and be rewound, and belongs to one training only."""

import pandas as pd
import pytest
import torch

from ali_core import AliError
from ali_core.training import LiveTraining, epochs, train
from ali_core.training.worker import Worker
from tests.ali_core.training.gate import WAIT, Gate
from tests.ali_core.training.samples import features, small

DATA = features()


def both(tmp_path, *, resume=False, **changes):
    options = small(**changes)
    control = epochs(DATA, options.changed(control=True), out=tmp_path / "control", resume=resume)
    return LiveTraining(epochs(DATA, options, out=tmp_path / "run", resume=resume), control=control)


def trained(live, n_epochs=None):
    live.go(n_epochs)
    assert live.wait(WAIT)
    return live


@pytest.mark.parametrize("reopened", [False, True])
def test_a_control_that_fails_in_the_last_epoch_can_still_finish_it(tmp_path, monkeypatch, reopened):
    step = Worker._step

    def poisoned(self, batch, *rest):
        return step(self, batch * (torch.nan if self.settings.control else 1.0), *rest)

    live = trained(both(tmp_path), 3)
    monkeypatch.setattr(Worker, "_step", poisoned)
    trained(live)
    assert (live.status, live.state.epoch, live.control_history.epoch) == ("failed", 4, 3)
    monkeypatch.undo()
    if reopened:
        live.close()
        live = both(tmp_path, resume=True)
        assert (live.status, live.finished) == ("resting", "")
    told = []
    live.subscribe(lambda event: event.kind == "epoch" and told.append((event.control, event.epoch)))
    with trained(live):
        assert (live.status, live.finished, told) == ("finished", "all 4 epochs are done", [(True, 4)])
        pd.testing.assert_frame_equal(live.result.table, train(DATA, small()).table)
        pd.testing.assert_frame_equal(live.control_history.table(), train(DATA, small(control=True)).table)
        with pytest.raises(AliError, match="the run has ended"):
            live.go()


def test_how_many_epochs_may_be_changed_while_the_control_follows():
    gate = Gate()
    with LiveTraining(epochs(DATA, small()), control=epochs(DATA, small(control=True), progress=gate)) as live:
        live.go()
        gate.wait()
        assert live.in_control
        live.go(1)
        gate.open()
        assert live.wait(WAIT)
        assert (live.state.epoch, live.control_history.epoch) == (1, 1)


def test_a_control_on_other_data_is_refused():
    other = DATA.with_vectors(DATA.vectors[::-1].copy())
    with epochs(DATA, small()) as training, epochs(other, small(control=True)) as control:
        with pytest.raises(AliError, match="the control is a run on other data"):
            LiveTraining(training, control=control)
        with LiveTraining(training) as live:  # what was refused has left no trace
            assert live.control is None


def test_a_control_follows_one_training():
    control = epochs(DATA, small(control=True))
    with LiveTraining(epochs(DATA, small()), control=control), epochs(DATA, small()) as second:
        with pytest.raises(AliError, match="this control is driven already"):
            LiveTraining(second, control=control)
        assert second.driver is None
    assert control.driver is None


def test_what_is_kept_can_be_gone_back_to_when_the_states_are_kept_from_later_on(tmp_path):
    with trained(both(tmp_path, max_epochs=6), 1) as live:
        assert (live.history.best()["epoch"], live.kept) == (0, (1,))  # of epoch 0 there is the network alone
        live.rewind(1)
        assert live.state.epoch == live.control_history.epoch == 1
    with trained(both(tmp_path, max_epochs=6, keep_checkpoints=True, resume=True), 2) as live:
        assert live.history.best()["epoch"] == live.control_history.best()["epoch"] == 2
        assert live.kept == (2, 3)  # the best network until epoch 1 is gone
        with pytest.raises(AliError, match=r"epoch 1 is not kept; kept are \[2, 3\]"):
            live.rewind(1)
        assert live.state.epoch == live.control_history.epoch == 3
        live.rewind(2)
        trained(live)
        pd.testing.assert_frame_equal(live.result.table, train(DATA, small(max_epochs=6)).table)


def test_both_are_compared_on_the_validation_fold_where_both_are_scored(tmp_path):
    with both(tmp_path) as live:
        start = live.held_out
        assert (start.epoch, start.difference) == (0, (0.0, 0.0, 0.0))  # the same network
        trained(live, 1)
        assert live.held_out is start  # epoch 1 is not scored
        found = trained(live).held_out
        assert (found.epoch, found.n_samples) == (4, len(live.training.run.split.validation))
        rows = live.history.rows[4], live.control_history.rows[4]
        assert [found.training.value, found.control.value] == [row["validation_f1"] for row in rows]
        assert found.difference.value == pytest.approx(found.training.value - found.control.value)
        assert found.difference.low <= found.difference.value <= found.difference.high


def test_after_going_back_the_scores_are_those_of_then(tmp_path):
    with trained(both(tmp_path, keep_checkpoints=True), 2) as live:
        then = live.held_out
        trained(live)
        assert live.held_out.epoch == 4
        live.rewind(3)
        assert live.wait(WAIT)
        assert live.held_out == then


def test_without_a_control_the_score_has_its_interval_alone():
    with LiveTraining(epochs(DATA, small())) as live:
        found = live.held_out
        assert found.training.value == live.history.rows[0]["validation_f1"]
        assert found.training.low < found.training.value < found.training.high
        assert (found.control, found.difference) == (None, None)
