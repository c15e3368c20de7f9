"""Small labelled embeddings for the tests of the app."""

import numpy as np

from ali_core import LabelledEmbedding

NAMES = ("blast", "monocyte", "lymphocyte", "platelet")


def cloud(counts=(40, 30, 20, 10), dim=5, seed=3, names=NAMES) -> LabelledEmbedding:
    """Gaussian classes around random centers."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    centers = rng.normal(size=(len(counts), dim)) * 3
    vectors = (centers[labels] + rng.normal(size=(len(labels), dim))).astype(np.float32)
    return LabelledEmbedding(vectors, labels, tuple(names[: len(counts)]))
