"""What interventions cost in an epoch: of a layer on features, and of DenseNet-121 on images.

    uv run python -m benchmarks.epoch_cost [--images 384]

The peer is the same training without interventions (``tml``), with the same seed and batches, in the same process. The
times are those that a run measures itself (``timing.csv``), as medians over epochs. ``between`` is what happens between
epochs (statistics, criterion, planning, for pali also the fit of the projection), ``within`` what the second loss term
adds to the batches. Both in percent of a whole epoch: embedding, interventions, training.
"""

import argparse

import numpy as np
import pandas as pd
import torch

from ali_core import LabelledEmbedding
from ali_core.data import render_marrow
from ali_core.training import TrainSettings, train
from benchmarks.planning import long_tailed

PRESETS = ("c", "c,s", "c,r", "c,s,os", "c,s,r", "all")


def medians(data, epochs, **values):
    """Return the median seconds of each part of an epoch, the first one left out."""
    settings = TrainSettings(
        **values, max_epochs=epochs, patience=0, evaluate_every=epochs, groups="ignore", device="cpu"
    )
    times = train(data, settings).history.timing().astype(float)
    return times.iloc[2:].median().fillna(0.0)


def row(what, n, alone, times):
    """Return one row of the table; ``alone`` are the times without interventions."""
    epoch = times.embed + times.intervene + times.train
    within = max(times.train - alone.train, 0.0)
    return {
        "epoch of": what,
        "N": n,
        "embed (ms)": 1e3 * times.embed,
        "between (ms)": 1e3 * times.intervene,
        "train (ms)": 1e3 * times.train,
        "train without (ms)": 1e3 * alone.train,
        "between (%)": 100 * times.intervene / epoch,
        "between + within (%)": 100 * (times.intervene + within) / epoch,
    }


def features(n, epochs):
    vectors, labels = long_tailed(n)
    rng = np.random.default_rng(0)
    spread = (vectors @ rng.normal(size=(vectors.shape[1], 1024)) / 16).astype(np.float32)
    data = LabelledEmbedding(spread, labels)
    n_train = round(len(data) * 4 / 6)
    alone = medians(data, epochs, method="tml")
    rows = [
        row(f"features, {name}", n_train, alone, medians(data, epochs, method="ali", preset=name)) for name in PRESETS
    ]
    return [*rows, row("features, pali c,s", n_train, alone, medians(data, 4, method="pali", preset="c,s"))]


def images(n, epochs):
    data = render_marrow(n, px=64)
    common = {"backbone": "densenet121", "weights": "none", "px": 64, "batch_size": 64, "workers": 1}
    alone = medians(data, epochs, method="tml", **common)
    n_train = round(n * 4 / 6)
    return [
        row(
            f"DenseNet-121 at 64 px, {name}", n_train, alone, medians(data, epochs, method="ali", preset=name, **common)
        )
        for name in ("c,s", "all")
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=4560, help="samples of the feature part, all folds together")
    parser.add_argument("--images", type=int, default=384, help="images of the image part, all folds together")
    given = parser.parse_args()
    torch.set_num_threads(1)
    table = pd.DataFrame(features(given.samples, 12) + images(given.images, 3))
    print(f"D = 256, C = 15, batch 128 (images: 64), one thread, torch {torch.__version__}")
    print(table.to_string(index=False, float_format=lambda x: f"{x:.3g}"))


if __name__ == "__main__":
    main()
