"""Parametric t-SNE against openTSNE on features of real cells, side by side in one process.

    ALI_DATA=… OMP_NUM_THREADS=1 uv run python -m benchmarks.parametric_tsne

DenseNet-121 features of blood cells, eleven classes, reduced to 256 principal components. Times are medians of three,
in seconds of the processor on one thread, which other work on a shared machine disturbs less than the clock.
``refit`` is a fit to the same samples again: ours goes on from its last map, openTSNE takes its last layout as the
start of 150 iterations. With 500 landmarks it is what PALI fits before every epoch. Layouts are scored against the 256
dimensions (trustworthiness, 10 neighbours) and the classes (10-NN, five folds; held-out samples by
their fitted neighbours).
"""

import os
import statistics
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import openTSNE
import pandas as pd
import torch
from openTSNE.affinity import PerplexityBasedNN
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from ali_core.projection.parametric import ParametricTSNE

SIZES, HELD_OUT, REPEATS, NEIGHBOURS, PERPLEXITY = (1_500, 4_500), 760, 3, 10, 30.0


def cells(seed=0):
    """Return features (N, 256) and classes of the cells whose class is certain, in random order."""
    with np.load(Path(os.environ["ALI_DATA"]) / "pbc_dev_features" / "densenet121_160px.npz") as file:
        vectors, labels = file["X"].astype(np.float64), file["y"].astype(str)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(~np.char.endswith(labels, "_unspecified")))
    return PCA(256, random_state=seed).fit_transform(vectors[order]), labels[order]


def timed(function, repeats=REPEATS):
    """Return the median of several runs in seconds of the processor, and the last result."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds), result


def peer(vectors, held_out):
    """Return seconds of fit, transform and refit, and both layouts, of openTSNE."""

    def fit():
        return openTSNE.TSNE(perplexity=PERPLEXITY, neighbors="exact", n_jobs=1, random_state=0).fit(vectors)

    def refit():
        affinities = PerplexityBasedNN(vectors, perplexity=PERPLEXITY, method="exact", n_jobs=1, random_state=0)
        start = openTSNE.TSNEEmbedding(np.array(layout), affinities, n_jobs=1, random_state=0)
        return start.optimize(150, learning_rate="auto", momentum=0.8)

    seconds_fit, layout = timed(fit)
    seconds_transform, unseen = timed(lambda: layout.transform(held_out))
    return (seconds_fit, seconds_transform, timed(refit)[0]), np.array(layout), np.array(unseen)


def ours(vectors, held_out, **values):
    """Return the same of ParametricTSNE."""
    model = ParametricTSNE(perplexity=PERPLEXITY, **values)
    seconds_fit, _ = timed(lambda: model.fit(vectors))
    seconds_transform, unseen = timed(lambda: model.transform(held_out))
    layout = model.transform(vectors)
    return (
        (seconds_fit, seconds_transform, timed(lambda: model.set_params(warm_start=True).fit(vectors))[0]),
        layout,
        unseen,
    )


def measured(name, method, *, vectors, labels, held_out, held_out_labels):
    """Return one row of the table."""
    (fit, transform, refit), layout, unseen = method(vectors, held_out)
    knn = KNeighborsClassifier(NEIGHBOURS)
    return {
        "N": len(vectors),
        "method": name,
        "trustworthiness": trustworthiness(vectors, layout, n_neighbors=NEIGHBOURS),
        "10-NN accuracy": cross_val_score(knn, layout, labels, cv=5).mean(),
        f"same, {HELD_OUT} held out": knn.fit(layout, labels).score(unseen, held_out_labels),
        "fit (s)": fit,
        "refit (s)": refit,
        f"transform {HELD_OUT} (ms)": 1e3 * transform,
    }


def main():
    torch.set_num_threads(1)
    vectors, labels = cells()
    rows = []
    for n in SIZES:
        data = {
            "vectors": vectors[:n],
            "labels": labels[:n],
            "held_out": vectors[-HELD_OUT:],
            "held_out_labels": labels[-HELD_OUT:],
        }
        ParametricTSNE(n_iterations=2).fit(vectors[:200])  # the first call pays for imports
        rows += [measured("openTSNE", peer, **data), measured("ParametricTSNE", ours, **data)]
        few = partial(ours, n_landmarks=500, refit_iterations=10)
        rows.append(measured("ParametricTSNE, 500 landmarks", few, **data))
    names = ("torch", "openTSNE", "scikit-learn", "numpy")
    print(", ".join(f"{name} {version(name)}" for name in names) + f", {os.cpu_count()} cores, one thread")
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda x: f"{x:.3g}"))


if __name__ == "__main__":
    main()
