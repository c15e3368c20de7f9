"""Why interventions gain what they gain: how far classes stand apart in the training fold, and in the test fold.

    ALI_DATA=… uv run python -m benchmarks.separation

For tml and ali c,s with class weights, on the long-tailed features and with the settings of ``benchmarks.six_folds``:
the overlap of classes (mean over classes of spread / distance to the nearest center, the mean-std criterion) and the
macro F1 of the nearest class center, both with the centers of the training fold, over epochs; means of six folds, seed
0.
"""

import json
import os

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from benchmarks.six_folds import RESULTS, configurations, load, settings_of

EPOCHS = (0, 2, 5, 10, 20, 40)
NAMES = ("tml", "ali c,s +cw")


def measures(vectors, labels, centers):
    """Return overlap and macro F1 of the nearest center for samples (N, D)."""
    distances = np.linalg.norm(vectors[:, None] - centers, axis=2)
    gaps = np.linalg.norm(centers[:, None] - centers, axis=2)
    np.fill_diagonal(gaps, np.inf)
    own = distances[np.arange(len(labels)), labels]
    spreads = [np.sqrt(np.mean(own[labels == code] ** 2)) for code in range(len(centers))]
    return np.mean(spreads / gaps.min(axis=1)), f1_score(labels, distances.argmin(axis=1), average="macro")


def one_fold(name, fold, chosen, data):
    """Return rows of one run, embedding the test fold beside the training fold."""
    import torch

    from ali_core.training.loop import Training
    from ali_core.training.run import Run

    torch.set_num_threads(1)
    settings = settings_of("features", chosen, configurations("features")[name], fold, 0).changed(
        evaluate_every=100, max_epochs=max(EPOCHS) + 1
    )
    run = Run.open(data, settings, out=None, resume=False, loggers=(), progress=None)
    rows = []
    for state in Training(run):
        if state.epoch not in EPOCHS or state.finished:  # at the end the network of the best epoch is in place
            continue
        vectors, labels = state.embedding.vectors, state.embedding.labels
        test, codes = run.worker.embed(run.split.test), data.labels[run.split.test]
        centers = np.stack([vectors[labels == code].mean(axis=0) for code in range(data.n_classes)])
        about = {"configuration": name, "fold": fold, "epoch": state.epoch}
        for part, points, of in (("train", vectors, labels), ("test", test, codes)):
            overlap, f1 = measures(points, of, centers)
            rows.append(about | {"part": part, "overlap": overlap, "f1": f1})
    run.close()
    return rows


def main():
    chosen = json.loads((RESULTS / "methods_features_tuned.json").read_text())
    data = load("features")
    rows = [row for name in NAMES for fold in range(6) for row in one_fold(name, fold, chosen, data)]
    table = pd.DataFrame(rows)
    means = table.groupby(["part", "configuration", "epoch"])[["overlap", "f1"]].mean().unstack("epoch")
    print(f"{os.cpu_count()} cores; six folds, seed 0")
    print(means.to_string(float_format=lambda x: f"{x:.3f}"))


if __name__ == "__main__":
    main()
