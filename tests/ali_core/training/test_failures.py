"""What goes wrong is said in one line, and nothing that was finished is lost."""

import errno
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from ali_core import AliError
from ali_core.data import FoldWarning
from ali_core.training import epochs, run_folder, train
from ali_core.training.worker import Worker
from tests.ali_core.training.samples import features, small

DATA = features()


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_state(tmp_path, monkeypatch):
    whole = train(DATA, small(), out=tmp_path / "whole")
    step = Worker._step
    calls = []

    def poisoned(self, batch, labels, places):
        calls.append(1)
        return step(self, batch * (torch.nan if len(calls) > 4 else 1.0), labels, places)

    monkeypatch.setattr(Worker, "_step", poisoned)
    with pytest.raises(
        AliError,
        match=r"epoch 3: the loss became nan in batch 1 of 2; use a lower learning_rate; epochs up to 2 are kept",
    ):
        train(DATA, small(), out=tmp_path / "run")
    monkeypatch.undo()
    assert json.loads((tmp_path / "run" / "last.json").read_text())["rows"][-1]["epoch"] == 2
    resumed = train(DATA, small(), out=tmp_path / "run", resume=True)
    pd.testing.assert_frame_equal(resumed.table, whole.table)


def test_a_rate_far_too_high_is_told_and_not_hidden():
    with pytest.raises(AliError, match=r"epoch .: the (loss became|network yields)"):
        train(DATA, small(normalise=False, learning_rate=1e30, max_epochs=3, method="ce"))


def test_a_full_disk_loses_only_the_epoch_that_could_not_be_written(tmp_path, monkeypatch):
    write, calls = run_folder.write_tensors, []

    def full(tensors, path):
        calls.append(path)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(tensors, path)

    monkeypatch.setattr(run_folder, "write_tensors", full)
    with pytest.raises(AliError, match=r"epoch 2: .*No space left on device; epochs up to 1 are kept in .*--resume"):
        train(DATA, small(), out=tmp_path / "run")
    monkeypatch.undo()
    resumed = train(DATA, small(), out=tmp_path / "run", resume=True)
    pd.testing.assert_frame_equal(resumed.table, train(DATA, small()).table)


def test_a_folder_that_cannot_be_written_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    calls = []
    with pytest.raises(AliError, match="cannot be written"):
        train(DATA, small(), out=tmp_path / "file" / "run", progress=lambda *at: calls.append(at))
    assert calls == []


def test_interrupted_within_an_epoch_it_goes_on_from_the_one_before(tmp_path):
    seen = []

    def interrupt(done, of):
        if len(seen) == 2 and done == of:
            raise KeyboardInterrupt

    with epochs(DATA, small(), out=tmp_path / "run", progress=interrupt) as training:
        seen += [next(training).epoch, next(training).epoch]
        with pytest.raises(KeyboardInterrupt):
            next(training)
    resumed = train(DATA, small(), out=tmp_path / "run", resume=True)
    pd.testing.assert_frame_equal(resumed.table, train(DATA, small()).table)


def test_a_class_that_a_fold_would_lack_is_named():
    data = features((40, 30, 24, 1))
    with pytest.warns(FoldWarning, match=r"platelet.*\(1\)"), pytest.raises(AliError, match="no sample of 'platelet'"):
        train(data, small())


@pytest.mark.parametrize(("name", "value"), [("device", "abacus"), ("start", "nowhere")])
def test_what_is_not_there_is_named(name, value):
    with pytest.raises(AliError, match=value):
        train(DATA, small(**{name: value}))


def test_single_sample_batches_and_absent_classes_do_no_harm():
    """A class that has a name but no sample is neither moved nor counted."""
    data = features((40, 30, 24, 18))
    kept = data.labels != 3
    sparse = data.subset(np.flatnonzero(kept))
    result = train(sparse, small(class_weights=True))
    assert np.isnan(result.scores.test.class_f1[3])
    assert not any("platelet" in str(classes) for classes in result.table.moved_classes)


def test_after_an_error_one_can_go_back_and_on(tmp_path, monkeypatch):
    settings = small(keep_checkpoints=True)
    straight = train(DATA, settings, out=tmp_path / "straight")
    step = Worker._step
    with epochs(DATA, settings, out=tmp_path / "run") as training:
        for _ in range(3):
            next(training)
        monkeypatch.setattr(Worker, "_step", lambda self, batch, *rest: step(self, batch * torch.nan, *rest))
        with pytest.raises(AliError, match="the loss became nan"):
            next(training)
        monkeypatch.undo()
        training.rewind(1)
        assert [state.epoch for state in training] == [1, 2, 3, 4]
        pd.testing.assert_frame_equal(training.result.table, straight.table)
        training.rewind(2)
        assert [state.epoch for state in training] == [2, 3, 4]


def test_a_rewind_that_cannot_be_written_leaves_the_run_as_it_was(tmp_path, monkeypatch):
    settings = small(keep_checkpoints=True)
    straight = train(DATA, settings, out=tmp_path / "straight")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with epochs(DATA, settings, out=tmp_path / "run") as training:
        for _ in range(4):
            next(training)
        monkeypatch.setattr(run_folder, "write_tensors", full)
        with pytest.raises(AliError, match="No space left"):
            training.rewind(1)
        monkeypatch.undo()
    resumed = train(DATA, settings, out=tmp_path / "run", resume=True)
    pd.testing.assert_frame_equal(resumed.table, straight.table)


def test_a_best_network_left_from_an_attempt_that_died_is_not_taken(tmp_path):
    straight = train(DATA, small(), out=tmp_path / "straight")
    with epochs(DATA, small(), out=tmp_path / "run") as training:
        next(training)
    stale = tmp_path / "run" / "checkpoints"
    for epoch in range(1, 5):
        shutil.copy(stale / "best-0000.safetensors", stale / f"best-{epoch:04d}.safetensors")
    resumed = train(DATA, small(), out=tmp_path / "run", resume=True)
    assert resumed.epoch == straight.epoch > 0
    assert np.array_equal(resumed.embedding.vectors, straight.embedding.vectors)


def test_patience_waits_for_the_next_score():
    result = train(DATA, small(max_epochs=30, patience=3, evaluate_every=5, learning_rate=1e-6))
    assert result.table.epoch.iloc[-1] == 5
    assert result.table.validation_f1.notna().iloc[-1]


def test_a_run_that_goes_on_does_not_count_as_finished(tmp_path):
    train(DATA, small(max_epochs=2), out=tmp_path)
    assert (tmp_path / "result.json").is_file()
    with epochs(DATA, small(max_epochs=4), out=tmp_path, resume=True) as training:
        next(training), next(training)
        assert not (tmp_path / "result.json").exists()


def test_an_end_that_cannot_be_written_says_how_to_go_on(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_folder, "save_network", full)
    with pytest.raises(AliError, match=r"epoch 4: .*No space left on device; epochs up to 4 are kept"):
        train(DATA, small(), out=tmp_path)
    assert not (tmp_path / "result.json").exists()
