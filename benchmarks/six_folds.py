"""Every method on the same long-tailed cells: tuned on validation folds with equal effort, then compared on test folds.

    uv run python -m benchmarks.six_folds features tune       # equally many settings a method; choose
    uv run python -m benchmarks.six_folds features run        # all configurations, six folds, three seeds
    uv run python -m benchmarks.six_folds features table      # differences, intervals, p-values
    uv run python -m benchmarks.six_folds images tune|run|table       # MobileNetV3-small from scratch, 64 px

``ALI_DATA`` names the folder with the real cells. Each finished run is a row of a CSV file in ``benchmarks/results``;
the same command goes on where it was stopped. Runs of one fold and seed share folds, batches and starting weights.
"""

import argparse
import itertools
import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import joblib
import pandas as pd

RESULTS = Path(__file__).parent / "results"
RUNS = Path("runs/methods")
THINNING_SEED = 0
RATES = {"features": (3e-4, 1e-3), "images": (1e-3, 3e-3)}
EPOCHS = {"features": 40, "images": 20}
CONTINUED = {"features": 40, "images": 10}
FOLDS = {"features": range(6), "images": range(6)}
SEEDS = {"features": range(3), "images": range(1)}
TUNING_EPOCHS = {"features": 40, "images": 8}
TUNING_FOLDS = {"features": (0, 2), "images": (0,)}
# The validation part of fold k is the test part of fold k + 1: the table also says what the other folds give.
TOUCHED = {"features": (1, 3), "images": (1,)}

CURVES = {
    "tml": "#222222",
    "ce": "#999999",
    "supcon": "#4477aa",
    "ali c,s +cw": "#cc3311",
    "tml, then ali c,s +cw": "#ee8866",
    "tml, then control": "#44bb99",
}

TIMES = ("train", "data", "embed", "intervene", "evaluate")

# What is tuned, besides two learning rates: six settings a method on features, four on images.
GRID = {
    "tml": {"margin": (0.1, 0.2, 0.5)},
    "ce": {"temperature": (0.05, 0.1, 0.5)},
    "supcon": {"temperature": (0.05, 0.1, 0.2)},
    "proxyanchor": {"proxy_scale": (8.0, 16.0, 32.0)},
    "ali": {"margin": (0.1, 0.2, 0.5)},
    "pali": {"intervention_weight": (0.9, 0.5, 0.1)},
}
IMAGE_GRID = {
    "tml": {"margin": (0.2, 0.5)},
    "ce": {"temperature": (0.1, 0.5)},
    "supcon": {"temperature": (0.05, 0.1)},
    "ali": {"margin": (0.2, 0.5)},
}
TUNED_METHODS = {"features": tuple(GRID), "images": ("tml", "ce", "supcon", "ali")}


def configurations(kind):
    """Return the settings of each configuration by name; the tuned values of its method come on top."""
    ali = {
        f"ali {preset}{' w=1' if weight == 1.0 else ''}{' +cw' if weighted else ''}": {
            "method": "ali",
            "preset": preset,
            "intervention_weight": weight,
            "class_weights": weighted,
        }
        for weight, preset, weighted in itertools.product((0.8, 1.0), ("c", "c,s", "c,s,os"), (False, True))
    }
    plain = {
        f"{method}{' +cw' if weighted else ''}": {"method": method, "class_weights": weighted}
        for method, weighted in itertools.product(("tml", "ce", "supcon", "proxyanchor"), (False, True))
    }
    continued = {"method": "ali", "preset": "c,s", "class_weights": True, "start": "tml"}
    after = {"tml, then ali c,s +cw": continued, "tml, then control": continued | {"control": True}}
    if kind == "images":
        return {name: plain[name] for name in ("tml", "ce", "supcon")} | {"ali c,s +cw": ali["ali c,s +cw"]} | after
    rest = {
        "ali c,s +cw sum": ali["ali c,s +cw"] | {"reduction": "sum"},
        "pali c,s": {"method": "pali", "preset": "c,s"},
        "pali c,s +cw": {"method": "pali", "preset": "c,s", "class_weights": True},
    }
    return plain | ali | rest | after


def load(kind):
    """Return the long-tailed cells, as features or as images; the two acquisitions are too few to be groups."""
    from ali_core import LabelledEmbedding
    from ali_core.data import long_tail, open_images

    folder = Path(os.environ["ALI_DATA"])
    if kind == "features":
        cells = LabelledEmbedding.load(folder / "pbc_dev_features" / "densenet121_160px.npz")
        cells = cells.without_classes(["ig_unspecified", "neutrophil_unspecified"])
    else:
        cells = open_images(folder / "pbc_dev", where=("clean_label", "1"))
    return replace(long_tail(cells, largest=500, smallest=24, seed=THINNING_SEED), groups=None)


def settings_of(kind, chosen, values, fold, seed):
    """Return the settings of one run; ``chosen`` holds the tuned values of each method."""
    from ali_core.training import TrainSettings

    start = values.get("start")
    base = {"max_epochs": EPOCHS[kind], "patience": 0, "fold": fold, "seed": seed}
    if kind == "images":
        base |= {"backbone": "mobilenet_v3_small", "weights": "none", "px": 64, "batch_size": 64, "workers": 1}
        base["evaluate_every"] = 2
    tuned = {"margin": 0.2} | chosen.get(values["method"], {})
    values = tuned | values
    if start is not None:
        values = values | {"start": RUNS / kind / start / f"{fold}-{seed}", "max_epochs": CONTINUED[kind]}
    return TrainSettings(**(base | values))


def one(kind, name, settings, data):
    """Train, and return the row and the learning curve of a run."""
    import torch

    from ali_core.training import train

    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    start = time.perf_counter()
    out = RUNS / kind / name / f"{settings.fold}-{settings.seed}" if name == "tml" else None
    result = train(data, settings, out=out, resume=True)
    key = {"configuration": name, "fold": settings.fold, "seed": settings.seed}
    row = key | {
        "best_epoch": result.epoch,
        "validation_f1": result.scores.validation.macro_f1,
        "test_f1": result.scores.test.macro_f1,
        "seconds": time.perf_counter() - start,
        "commit": commit(),
    }
    times = result.history.timing().astype(float).iloc[1:]
    row |= {f"{name} (s/epoch)": times[name].fillna(0.0).mean() for name in TIMES}
    row["samples/s"] = times["samples_per_second"].median()
    curve = result.table[["epoch", "validation_f1", "test_f1"]].dropna()
    return row, curve.assign(**key)


def commit():
    """Return the commit of the clone this runs in."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def carry_out(kind, jobs, data, file, workers):
    """Do the jobs (name, settings, extra columns) that ``file`` lacks, one row each, as they finish."""
    rows = pd.read_csv(file).to_dict("records") if file.is_file() else []
    curves_file = file.with_name(file.stem + "_curves.csv")
    curves = [pd.read_csv(curves_file)] if curves_file.is_file() else []
    done = {(row["configuration"], row["fold"], row["seed"]) for row in rows}
    todo = [job for job in jobs if (job[0], job[1].fold, job[1].seed) not in done]
    print(f"{len(done)} of {len(jobs)} runs are in {file.name}; {len(todo)} to do", flush=True)
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
    begun = time.perf_counter()
    finished = parallel(joblib.delayed(one)(kind, name, settings, data) for name, settings in todo)
    for number, (row, curve) in enumerate(finished, 1):
        rows.append(row)
        curves.append(curve)
        # A run counts as done once its row is there, so its curve is written before.
        for table, place in ((pd.concat(curves), curves_file), (pd.DataFrame(rows), file)):
            partial = place.with_suffix(".part")
            table.to_csv(partial, index=False, float_format="%.6g")
            partial.replace(place)
        left = (time.perf_counter() - begun) / number * (len(todo) - number)
        print(
            f"{row['configuration']:24s} fold {row['fold']} seed {row['seed']}: test {row['test_f1']:.3f}, "
            f"{row['seconds']:.0f} s; {len(todo) - number} left, about {left / 60:.0f} min",
            flush=True,
        )
    return pd.DataFrame(rows)


def tune(kind, workers):
    """Try equally many settings of each method on validation folds and keep the best."""
    data, jobs, tried = load(kind), [], {}
    for method in TUNED_METHODS[kind]:
        grid = (GRID if kind == "features" else IMAGE_GRID)[method]
        names, ranges = list(grid), list(grid.values())
        for rate, *rest in itertools.product(RATES[kind], *ranges):
            chosen = {"learning_rate": rate, **dict(zip(names, rest, strict=True))}
            name = f"{method} {json.dumps(chosen)}"
            tried[name] = (method, chosen)
            values = {"method": method, "max_epochs": TUNING_EPOCHS[kind]}
            jobs += [(name, settings_of(kind, {method: chosen}, values, fold, 0)) for fold in TUNING_FOLDS[kind]]
    table = carry_out(kind, jobs, data, RESULTS / f"methods_{kind}_tuning.csv", workers)
    means = table.groupby("configuration").validation_f1.mean()
    best = {}
    for method in TUNED_METHODS[kind]:
        name = means[[name for name, (of, _) in tried.items() if of == method]].idxmax()
        best[method] = tried[name][1]
        print(f"{method}: {best[method]}, validation F1 {means[name]:.3f}")
    (RESULTS / f"methods_{kind}_tuned.json").write_text(json.dumps(best, indent=1) + "\n")


def run(kind, workers):
    """Train every configuration in every fold with every seed."""
    data = load(kind)
    chosen = json.loads((RESULTS / f"methods_{kind}_tuned.json").read_text())
    found = configurations(kind)
    # Fold by fold, tml first: the runs that start from it come last, and what is there can be compared at any time.
    jobs = [
        (name, settings_of(kind, chosen, values, fold, seed))
        for seed, fold, (name, values) in itertools.product(SEEDS[kind], FOLDS[kind], found.items())
    ]
    carry_out(kind, jobs, data, RESULTS / f"methods_{kind}.csv", workers)


def epochs_to_score(curves):
    """Return by configuration the median epoch that reached 95 % of the best validation F1 of tml, and how many did.

    The mark is that of tml in the same fold with the same seed; runs that never reach it count as infinite.
    """
    best = curves[curves.configuration == "tml"].groupby(["fold", "seed"]).validation_f1.max().rename("best")
    rows = curves.join(best, on=["fold", "seed"])
    there = rows.epoch.where(rows.validation_f1 >= 0.95 * rows.best)
    first = there.groupby([rows.configuration, rows.fold, rows.seed]).min()
    by = first.groupby("configuration")
    return pd.DataFrame(
        {"epochs to 95 %": first.fillna(float("inf")).groupby("configuration").median(), "reached": by.count()}
    )


def draw_curves(kind, curves):
    """Draw mean test F1 over epochs of the main configurations, with the standard error over folds and seeds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for name, colour in CURVES.items():
        points = curves[curves.configuration == name].groupby("epoch").test_f1.agg(["mean", "sem"])
        if len(points):
            axes.plot(points.index, points["mean"], color=colour, label=name, lw=1.4)
            low, high = points["mean"] - points["sem"], points["mean"] + points["sem"]
            axes.fill_between(points.index, low, high, color=colour, alpha=0.15, lw=0)
    axes.set(xlabel="epochs", ylabel="macro F1, test fold", title="mean of the runs ± standard error")
    axes.title.set_fontsize(9)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(RESULTS / f"methods_{kind}_curves.png", dpi=200)


def table(kind):
    """Write mean, difference from tml, interval and p-value of each configuration; learning curves; epochs to score."""
    from ali_core.evaluation import compare_methods

    rows = pd.read_csv(RESULTS / f"methods_{kind}.csv")
    curves = pd.read_csv(RESULTS / f"methods_{kind}_curves.csv")
    # Only folds and seeds that every configuration has, so that all are compared on the same pairs.
    counts = rows.groupby(["seed", "fold"]).size()
    whole = counts[counts == len(configurations(kind))].index
    print(f"complete (seed, fold): {list(whole)}")
    rows = rows[pd.MultiIndex.from_frame(rows[["seed", "fold"]]).isin(whole)]
    curves = curves[pd.MultiIndex.from_frame(curves[["seed", "fold"]]).isin(whole)]
    means = rows.groupby("configuration").test_f1.agg(["mean", "std", "size"])
    results = rows.rename(columns={"configuration": "method"})
    compared = compare_methods(results, baseline="tml", metric="test_f1", test_train_ratio=1 / 4).set_index("method")
    # One mean a fold: seeds of one fold share its test samples, so this is the stricter count of pairs.
    folds = results.groupby(["method", "fold"], as_index=False).test_f1.mean().assign(seed=0)
    strict = compare_methods(folds, baseline="tml", metric="test_f1", test_train_ratio=1 / 4).set_index("method")
    untouched = results[~results.fold.isin(TOUCHED[kind])].groupby("method").test_f1.mean().rename("untouched")
    joined = means.join(compared[["difference", "low", "high", "p", "p_holm"]]).join(untouched)
    joined = joined.join(strict.p.rename("p_folds")).join(epochs_to_score(curves))
    joined.loc[[name for name in joined.index if "then" in name], ["epochs to 95 %", "reached"]] = float("nan")
    after = ("tml, then ali c,s +cw", "tml, then control")
    pair = compare_methods(
        results[results.method.isin(after)], baseline=after[1], metric="test_f1", test_train_ratio=1 / 4
    )
    joined.reset_index().to_csv(RESULTS / f"methods_{kind}_table.csv", index=False, float_format="%.4g")
    draw_curves(kind, curves)
    print(markdown(joined.sort_values("mean", ascending=False)))
    print("\n".join([*compared.sentence, *pair.sentence]))
    if kind == "features":
        untrained()


def untrained():
    """Print what the SVM makes of the raw features, standardised by the training fold, in the same folds."""
    from ali_core.data import grouped_folds
    from ali_core.evaluation import search_svm

    cells, scores = load("features"), []
    for split in grouped_folds(cells.labels, n_folds=6, seed=0):
        known = cells.vectors[split.train]
        parts_of = (split.train, split.validation, split.test)
        parts = [(cells.vectors[rows] - known.mean(0)) / (known.std(0) + 1e-6) for rows in parts_of]
        labels = [cells.labels[rows] for rows in parts_of]
        search = search_svm(parts[0], labels[0], parts[1], labels[1], n_classes=cells.n_classes)
        scores.append(search.score(parts[2], labels[2]).macro_f1)
    print(f"RBF-SVM on the raw features: test macro F1 {pd.Series(scores).mean():.3f} ± {pd.Series(scores).std():.3f}")


def markdown(joined):
    """Return the table as Markdown, scores in percent."""
    heads = ["configuration", "test macro F1", "in folds not tuned on", "minus tml", "95 % interval", "p", "p (Holm)"]
    heads += ["p, a mean a fold", "epochs to 95 %", "reached"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, row in joined.iterrows():
        score = f"{100 * row['mean']:.1f} ± {100 * row['std']:.1f}"
        if pd.isna(row.difference):
            rest = [""] * 5
        else:
            interval = f"{100 * row.low:+.1f} to {100 * row.high:+.1f}"
            rest = [f"{100 * row.difference:+.1f}", interval, f"{row.p:.2g}", f"{row.p_holm:.2g}", f"{row.p_folds:.2g}"]
        epochs, reached = f"{row['epochs to 95 %']:.0f}".replace("inf", "never"), f"{row.reached:.0f}/{row['size']:.0f}"
        if pd.isna(row.reached):
            epochs = reached = ""
        lines.append("| " + " | ".join([name, score, f"{100 * row.untouched:.1f}", *rest, epochs, reached]) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["features", "images"])
    parser.add_argument("work", choices=["tune", "run", "table"])
    parser.add_argument("--workers", type=int, default=2, help="processes side by side, one thread each")
    given = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if given.work == "table":
        table(given.kind)
    else:
        {"tune": tune, "run": run}[given.work](given.kind, given.workers)


if __name__ == "__main__":
    main()
