"""Every method on the same draws of a long tail, tested on all cells that the draw leaves out.

    uv run python -m benchmarks.methods features tune       # equally many settings a method, on draws of their own
    uv run python -m benchmarks.methods features run        # all configurations, 20 draws
    uv run python -m benchmarks.methods images run          # DenseNet-121 from ImageNet weights, end to end
    uv run python -m benchmarks.methods second run          # features again, another long tail; nothing is tuned on it
    uv run python -m benchmarks.methods scratch run         # MobileNetV3-small from random weights
    uv run python -m benchmarks.methods_report              # what they say, in tables and documents

``ALI_DATA`` names the folder with the real cells, ``ALI_WEIGHTS`` the weights file for images. Each finished run is a
row of a CSV file in ``--out`` (``benchmarks/results``); the same command goes on where it was stopped, images after the
last finished epoch. Runs of one draw share cells, starting weights and batches. The test cells choose nothing.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

RESULTS = Path(__file__).parent / "results"
DRAWS = 20
TUNING_DRAWS = range(1000, 1003)
BLOCKS = 10
RARE = 4

ALI = {"method": "ali", "preset": "c,s", "class_weights": True}
ON_CE = ALI | {"base": "ce"}
ON_SUPCON = ALI | {"base": "supcon"}

FEATURES = {
    "tml": {"method": "tml"},
    "ali c,s +cw": ALI,
    "ce": {"method": "ce"},
    "ali c,s on ce +cw": ON_CE,
    "supcon": {"method": "supcon"},
    "ali c,s on supcon +cw": ON_SUPCON,
    "tml +cw": {"method": "tml", "class_weights": True},
    "ce +cw": {"method": "ce", "class_weights": True},
    "supcon +cw": {"method": "supcon", "class_weights": True},
    "logit-adjusted": {"method": "logit-adjusted"},
    "proxyanchor": {"method": "proxyanchor"},
    "proxyanchor +cw": {"method": "proxyanchor", "class_weights": True},
    "ali c,s": ALI | {"class_weights": False},
    "ali c +cw": ALI | {"preset": "c"},
    "ali c,s,os +cw": ALI | {"preset": "c,s,os"},
    "pali c,s +cw": ALI | {"method": "pali"},
    "pali c,s": ALI | {"method": "pali", "class_weights": False},
    "pli": {"method": "pli"},
}
"""In the order of the runs of a draw; ``lda`` and ``svm`` on the raw features come before."""
BY_HAND = RESULTS / "pli"
"""Sessions of ``pli``, one a draw; how they were made is told there."""

IMAGES = {
    "ce": {"method": "ce"},
    "ali c,s on ce +cw": ON_CE | {"intervention_weight": 0.5},
    "tml": {"method": "tml"},
    "ali c,s +cw": ALI,
    "supcon": {"method": "supcon"},
    "ali c,s on supcon +cw": ON_SUPCON | {"intervention_weight": 0.5},
    "ce, no dropout": {"method": "ce", "dropout": 0.0},
    "ali c,s on ce +cw, no dropout": ON_CE | {"intervention_weight": 0.5, "dropout": 0.0},
}
EPOCHS = {"least": 15, "most": 30, "patience": 6}
"""Of pretrained networks: train at least so long, and until validation has not risen for ``patience`` epochs."""

FAST, SLOW = {"learning_rate": 3e-3}, {"learning_rate": 1e-3, "intervention_weight": 0.5}
LATER = {"intervene_from": 10}
SCRATCH = {
    "tml": {"method": "tml"} | FAST,
    "ali c,s +cw": ALI | FAST,
    "ce": {"method": "ce"} | SLOW,
    "ali c,s on ce +cw": ON_CE | SLOW,
    "ali c,s +cw, from epoch 10": ALI | FAST | LATER,
    "ali c,s on ce +cw, from epoch 10": ON_CE | SLOW | LATER,
}
"""With the learning rates that six folds of other draws have chosen for ``tml`` and ``ce``."""


@dataclass(frozen=True)
class Kind:
    """What is trained on what: a table of results each."""

    configurations: dict
    """Settings by name."""
    waves: tuple
    """Draws, and the names of the configurations that run on them; what is asked first comes first."""
    untrained: tuple = ()
    """Classifiers on the raw features."""
    long_tail: str = "500:24"
    images: bool = False

    @property
    def planned(self):
        """Names and draws of all runs, in order."""
        raw = [(name, draw) for draw in self.waves[0][0] for name in self.untrained]
        return raw + [(name, draw) for draws, names in self.waves for draw in draws for name in names]


KINDS = {
    "features": Kind(FEATURES, ((range(DRAWS), [*FEATURES][:-1]), (range(8), ["pli"])), untrained=("lda", "svm")),
    "images": Kind(
        IMAGES,
        (
            (range(8), [*IMAGES][:4]),
            (range(8), [*IMAGES][4:6]),
            (range(8, DRAWS), [*IMAGES][:2]),
            (range(8), [*IMAGES][6:]),
        ),
        images=True,
    ),
    "second": Kind(FEATURES, ((range(12), [*FEATURES][:8]),), untrained=("lda", "svm"), long_tail="800:16"),
    "scratch": Kind(SCRATCH, ((range(8), [*SCRATCH]),), images=True),
}

RATES = (3e-4, 1e-3)
GRID = {
    "tml": {"margin": (0.1, 0.2, 0.5)},
    "ali": {"margin": (0.1, 0.2, 0.5)},
    "ce": {"temperature": (0.05, 0.1, 0.5)},
    "logit-adjusted": {"temperature": (0.05, 0.1, 0.5)},
    "supcon": {"temperature": (0.05, 0.1, 0.2)},
    "proxyanchor": {"proxy_scale": (8.0, 16.0, 32.0)},
    "ali on ce": {"intervention_weight": (0.2, 0.5, 0.8)},
    "ali on supcon": {"intervention_weight": (0.2, 0.5, 0.8)},
    "pali": {"intervention_weight": (0.1, 0.5, 0.9)},
    "pli": {"intervention_weight": (0.1, 0.5, 0.9)},
}
"""What is tuned besides two learning rates: six settings a method."""


def family(values):
    """Return the name under which the settings of a configuration were tuned."""
    return values["method"] + (f" on {values['base']}" if "base" in values else "")


def settings_of(kind, values, draw, tuned):
    """Return the settings of one run; ``tuned`` holds what was chosen for each family."""
    from ali_core.training import TrainSettings

    base = {"long_tail": KINDS[kind].long_tail, "groups": "ignore", "fold": draw, "patience": 0, "margin": 0.2}
    if values["method"] == "pli":
        base["steps"] = BY_HAND / f"draw-{draw}.json"
    if not KINDS[kind].images:
        base |= {"max_epochs": 25, "evaluate_every": 5} | tuned.get(family(values), {})
    elif kind == "scratch":
        base |= {"backbone": "mobilenet_v3_small", "weights": "none", "px": 64, "batch_size": 64, "workers": 1}
        base |= {"evaluate_every": 3, "max_epochs": EPOCHS["most"]}
    else:
        base |= {"backbone": "densenet121", "weights": os.environ["ALI_WEIGHTS"], "px": 64, "batch_size": 64}
        base |= {"learning_rate": 3e-4, "evaluate_every": 3, "max_epochs": EPOCHS["most"], "workers": 1}
        base |= {"precision": "bf16-mixed"}
    return TrainSettings(**(base | values))


def load(kind):
    """Return all cells with a clean label, as features or as images."""
    from ali_core import LabelledEmbedding
    from ali_core.data import open_images

    folder = Path(os.environ["ALI_DATA"])
    if KINDS[kind].images:
        return open_images(folder / "pbc_dev", where=("clean_label", "1"))
    cells = LabelledEmbedding.load(folder / "pbc_dev_features" / "densenet121_160px.npz")
    return cells.without_classes(["ig_unspecified", "neutrophil_unspecified"])


def one(name, settings, data, place):
    """Train, and return row, learning curve and predictions of the test cells of a run; ``place`` keeps its state."""
    import torch

    from ali_core.training import epochs

    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    begun = time.process_time()
    state = None
    with epochs(data, settings, out=place, resume=True) as training:
        rows = training.run.split.test
        for state in training:
            if state.scores is not None:
                keep(place, state.epoch, state.scores.test_predicted)
            best = state.history.best()["epoch"]
            stops = settings.weights is not None and state.epoch >= EPOCHS["least"]
            if stops and state.epoch - best >= EPOCHS["patience"]:
                break
        history, labels = training.run.history, training.run.worker.inputs.labels
    best = history.best()
    predicted = np.full(len(labels), -1, np.int8)
    predicted[rows] = kept(place, best["epoch"])
    row = {"configuration": name, "draw": settings.fold, "seed": settings.seed}
    curve = history.table()[["epoch", "validation_f1", "test_f1"]].dropna().assign(**row)
    row |= {"best_epoch": best["epoch"], "n_epochs": history.epoch}
    row |= {"validation_f1": best["validation_f1"], "test_f1": best["test_f1"]}
    times = history.timing().astype(float).iloc[1:]
    row |= {"s_per_epoch": float(times[["train", "embed", "intervene"]].fillna(0.0).sum(axis=1).mean())}
    row |= {"cpu_seconds": time.process_time() - begun, "commit": commit(), "versions": versions()}
    return row, curve, predicted


_memory = {}


def keep(place, epoch, predicted):
    """Keep the predictions of an epoch, on disk where the run is on disk."""
    if place is None:
        _memory[epoch] = predicted
        return
    np.save(place / f"predicted-{epoch}.npy", predicted)


def kept(place, epoch):
    """Return the predictions of an epoch."""
    return _memory[epoch] if place is None else np.load(place / f"predicted-{epoch}.npy")


def untrained(kind, name, draw, data):
    """Return the row and the predictions of a classifier on the raw features: ``lda`` or ``svm``."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.metrics import f1_score

    from ali_core.data import long_tail_split
    from ali_core.evaluation import search_svm

    begun = time.process_time()
    largest, smallest = (int(size) for size in KINDS[kind].long_tail.split(":"))
    split = long_tail_split(data.labels, largest=largest, smallest=smallest, draw=draw)
    train, validation, test = split.train, split.validation, split.test
    center, scale = data.vectors[train].mean(axis=0), data.vectors[train].std(axis=0)
    vectors = (data.vectors - center) / np.where(scale > 0, scale, 1.0)
    if name == "svm":
        model = search_svm(
            vectors[train], data.labels[train], vectors[validation], data.labels[validation], n_classes=data.n_classes
        )
    else:
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(vectors[train], data.labels[train])
    predicted = np.full(len(data), -1, np.int8)
    predicted[test] = model.predict(vectors[test])
    row = {"configuration": name, "draw": draw, "seed": 0, "best_epoch": 0, "n_epochs": 0}
    for part, rows in (("validation_f1", validation), ("test_f1", test)):
        row[part] = f1_score(data.labels[rows], model.predict(vectors[rows]), average="macro")
    row |= {"s_per_epoch": 0.0, "cpu_seconds": time.process_time() - begun}
    return row | {"commit": commit(), "versions": versions()}, None, predicted


def commit():
    """Return the commit of the clone this runs in."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def versions():
    """Return the versions that decide the numbers."""
    names = ("torch", "torchvision", "scikit-learn", "numpy")
    return "; ".join([f"python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)])


def carry_out(kind, jobs, data, file, *, workers, states=None):
    """Do the jobs (name, draw, settings or None) that ``file`` lacks, one row each, as they finish."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = pd.read_csv(file).to_dict("records") if file.is_file() else []
    done = {(row["configuration"], row["draw"]) for row in rows}
    curves_file, codes_file = file.with_name(file.stem + "_curves.csv"), file.with_name(file.stem + "_predicted.npz")
    curves = [pd.read_csv(curves_file)] if curves_file.is_file() else []
    codes = dict(np.load(codes_file)) if codes_file.is_file() else {}
    todo = [job for job in jobs if (job[0], job[1]) not in done]
    print(f"{len(jobs) - len(todo)} of {len(jobs)} runs are in {file.name}; {len(todo)} to do", flush=True)

    def work(name, draw, settings):
        if settings is None:
            return untrained(kind, name, draw, data)
        return one(name, settings, data, None if states is None else states / name / str(draw))

    finished = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(
        joblib.delayed(work)(*job) for job in todo
    )
    for number, (row, curve, predicted) in enumerate(finished, 1):
        rows.append(row)
        curves += [] if curve is None else [curve]
        codes[f"{row['configuration']}/{row['draw']}"] = predicted
        # A run counts as done once its row is there, so the rest is written before.
        partial = file.with_name("partial.npz")
        np.savez_compressed(partial, **codes)
        partial.replace(codes_file)
        for table, place in ((pd.concat(curves) if curves else None, curves_file), (pd.DataFrame(rows), file)):
            if table is not None:
                partial = place.with_suffix(".part")
                table.to_csv(partial, index=False, float_format="%.6g")
                partial.replace(place)
        if states is not None:
            shutil.rmtree(states / row["configuration"] / str(row["draw"]))
        print(
            f"{time.strftime('%H:%M')} {row['configuration']:24s} draw {row['draw']}: test {row['test_f1']:.3f}, "
            f"{row['cpu_seconds']:.0f} CPU-seconds; {len(todo) - number} left",
            flush=True,
        )
    return pd.DataFrame(rows)


def tune(out, workers):
    """Try equally many settings of each family on validation parts of draws that are not reported; keep the best."""
    data, jobs, tried = load("features"), [], {}
    for name, grid in GRID.items():
        method, _, base = name.partition(" on ")
        values = {"method": method} | ({"base": base} if base else {})
        ((field, choices),) = grid.items()
        for rate, choice in itertools.product(RATES, choices):
            chosen = {"learning_rate": rate, field: choice}
            label = f"{name} {json.dumps(chosen)}"
            tried[label] = (name, chosen)
            jobs += [(label, draw, settings_of("features", values | chosen, draw, {})) for draw in TUNING_DRAWS]
    table = carry_out("features", jobs, data, out / "draws_features_tuning.csv", workers=workers)
    means = table.groupby("configuration").validation_f1.mean()
    best = {}
    for name in GRID:
        label = means[[label for label, (of, _) in tried.items() if of == name]].idxmax()
        best[name] = tried[label][1]
        print(f"{name}: {best[name]}, validation F1 {means[label]:.3f}")
    (out / "draws_features_tuned.json").write_text(json.dumps(best, indent=1) + "\n")


def run(kind, out, states, workers):
    """Train the configurations on the draws, draw by draw, so that the first rows can be compared at any time."""
    plan, tuned = KINDS[kind], {}
    if not plan.images:
        tuned = json.loads((out / "draws_features_tuned.json").read_text())
    jobs = [
        (name, draw, None if name in plan.untrained else settings_of(kind, plan.configurations[name], draw, tuned))
        for name, draw in plan.planned
    ]
    states = states / kind if plan.images else None
    carry_out(kind, jobs, load(kind), out / f"draws_{kind}.csv", workers=workers, states=states)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("work", choices=("tune", "run"))
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--states", type=Path, default=Path("runs/draws"), help="folder of runs under way (images)")
    parser.add_argument("--workers", type=int, default=1, help="runs at a time, one processor core each")
    given = parser.parse_args()
    if given.work == "tune":
        if given.kind != "features":
            parser.error("only features are tuned; images have one setting a method, from two rough draws")
        tune(given.out, given.workers)
    elif given.work == "run":
        run(given.kind, given.out, given.states, given.workers)


if __name__ == "__main__":
    main()
