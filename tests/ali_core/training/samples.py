"""Small labelled features that train in milliseconds."""

import numpy as np

from ali_core import LabelledEmbedding
from ali_core.training import TrainSettings

NAMES = ("blast", "band", "monocyte", "platelet")


def features(n_per_class=(40, 30, 24, 18), dim=8, seed=3, gap=1.0):
    """Overlapping clouds, one a class, sizes differing."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(n_per_class)), n_per_class)
    centers = gap * rng.normal(size=(len(n_per_class), dim))
    order = rng.permutation(len(labels))
    vectors = (centers[labels] + rng.normal(size=(len(labels), dim)))[order]
    return LabelledEmbedding(vectors.astype(np.float32), labels[order], NAMES[: len(n_per_class)])


def small(**changes):
    """Settings of a run of a few epochs on :func:`features`."""
    values = {
        "method": "ali",
        "preset": "c,s",
        "width": 6,
        "batch_size": 16,
        "max_epochs": 4,
        "evaluate_every": 2,
        "patience": 0,
        "n_folds": 3,
        "learning_rate": 1e-2,
        "device": "cpu",
    }
    return TrainSettings(**(values | changes))
