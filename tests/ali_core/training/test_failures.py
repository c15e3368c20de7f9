"""What goes wrong is said in one line, and nothing that was finished is lost."""

import errno
import json

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

    def poisoned(self, batch, at, rows):
        calls.append(1)
        return step(self, batch * (torch.nan if len(calls) > 4 else 1.0), at, rows)

    monkeypatch.setattr(Worker, "_step", poisoned)
    with pytest.raises(AliError, match=r"epoch 3: the loss became nan in batch 1 of 2; epochs up to 2 are kept"):
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
    with pytest.raises(AliError, match=r"No space left on device; epochs up to \d are kept in .*--resume goes on"):
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
