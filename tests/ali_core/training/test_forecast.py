"""What is said beforehand of a run follows from one epoch on a part of the samples."""

import warnings
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from ali_core import LabelledEmbedding
from ali_core.data import FoldWarning
from ali_core.training import TrainSettings, forecast


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.034, "0.034 s"), (119.4, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (200_000, "2 days")],
)
def test_durations_have_their_largest_unit(seconds, words):
    assert forecast.in_words(seconds) == words


def test_epochs_grow_with_labelled_samples_and_scorings_with_kernel_matrices(monkeypatch):
    trained = []

    @contextmanager
    def measured(data, settings):
        warnings.warn("of rare classes, when the folds are made", FoldWarning, stacklevel=2)
        trained.append((len(data), np.bincount(data.labels).tolist(), settings.max_epochs))
        times = {"train": 1.0, "embed": 0.5, "intervene": None, "evaluate": 2.0}
        split = SimpleNamespace(train=range(100), validation=range(50), test=range(50))
        run = SimpleNamespace(history=SimpleNamespace(times=[times]), split=split)
        yield type("Training", (list,), {"run": run})([None])

    monkeypatch.setattr(forecast, "epochs", measured)
    monkeypatch.setattr(forecast, "MEASURED", 200)
    labels = np.r_[np.arange(2000) % 4, np.full(500, -1)]
    data = LabelledEmbedding(np.zeros((2500, 6)), labels, class_names=[*"abcd"], unlabelled="keep")
    said = forecast.forecast(data, TrainSettings(max_epochs=10, evaluate_every=5, width=4))
    assert len(forecast.forecast(data, TrainSettings(max_epochs=1, width=4)).split(" for 1 epoch and ")) == 2
    assert trained[:1] == [(200, [50] * 4, 1)]
    # ten times the samples: 10 × 1.5 s; 9 × (train + choose) + classified, times train: 1,450 × 100 → 14,500 × 1,000
    assert said.startswith("about 15 s an epoch and 3 min a scoring: about 19 min for 10 epochs and 5 scorings")
