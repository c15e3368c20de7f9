"""Does a dry run foretell what training with its settings gains? On the draws of :mod:`benchmarks.methods`.

    uv run python -m benchmarks.transfer_prediction

In each draw of the long tail one control (the same training without interventions) and one run with each setting are
trained on frozen features; the gain is the difference of macro F1 on all cells that the draw leaves out. The dry run
sees the training and the validation part only: it plans each setting on the embedding that the control has trained, or
on the untouched features, moves the validation cells without labels (transfer) or with them (oracle), and scores an
SVM. Spearman's rho over the settings in each draw, its mean over the draws, and an interval of 95 % by drawing draws
with replacement. A finished draw is in ``--out``; the same command goes on where it was stopped.
"""

import argparse
import json
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from scipy.stats import rankdata

from benchmarks.methods import ALI, RESULTS, commit, load, settings_of, versions

DRAWS = 12
RESAMPLED = 10_000

SETTINGS = {
    "c": ("c", {}),
    "c,s": ("c,s", {}),
    "c,r": ("c,r", {}),
    "c,s,os": ("c,s,os", {}),
    "c,s,r": ("c,s,r", {}),
    "all": ("all", {}),
    "c, 10 steps": ("c", {"n_iterations": 10}),
    "c,s, 10 steps": ("c,s", {"n_iterations": 10}),
    "c,s, shift 1": ("c,s", {"shift": 1.0}),
    "c,s, contract 0.125": ("c,s", {"contract": 0.125}),
}
"""Preset, and what is changed in it; the last three are weaker, so that the settings span what a sweep tries."""


def dry_scores(vectors, labels, split, n_classes):
    """Return the scores of every setting and of none, by name: transfer and oracle."""
    from ali_core.experiments import DryRunFold
    from ali_core.experiments.fold_scorer import FoldScorer
    from ali_core.interventions import plan

    parts = {
        f"{part}_{what}": values[rows]
        for part, rows in (("train", split.train), ("validation", split.validation))
        for what, values in (("vectors", vectors.astype(np.float64)), ("labels", labels))
    }
    scorer = FoldScorer.of(DryRunFold(fold=0, n_classes=n_classes, **parts))
    found = {name: scorer.scores(plan(scorer.statistics, interventions(name)).transforms) for name in SETTINGS}
    return found | {"untouched": scorer.untouched}


def interventions(name):
    """Return the intervention settings of that name."""
    from ali_core.interventions import preset

    of, changes = SETTINGS[name]
    return preset(of, dim=256).changed(**changes)


def one_draw(draw, data, tuned):
    """Train the control and every setting in a draw, and return a row for each setting."""
    import torch

    from ali_core.data import long_tail_split
    from ali_core.training import train

    torch.set_num_threads(1)
    begun = time.process_time()
    base = settings_of("features", ALI, draw, tuned)
    control = train(data, base.changed(control=True))
    split = long_tail_split(data.labels, largest=500, smallest=24, draw=draw)
    rows = {name: {"draw": draw, "setting": name, "control_f1": control.scores.test.macro_f1} for name in SETTINGS}
    for space, vectors in (("trained", control.embedding.vectors), ("features", data.vectors)):
        found = dry_scores(vectors, data.labels, split, data.n_classes)
        for name, row in rows.items():
            for score, value, untouched in zip(("oracle", "transfer"), found[name], found["untouched"], strict=True):
                row[f"{space}_{score}"] = value - untouched
    for name, row in rows.items():
        result = train(data, base.changed(interventions=interventions(name).changed(seed=base.seed)))
        row["gain"] = result.scores.test.macro_f1 - row["control_f1"]
    told = {"cpu_seconds": time.process_time() - begun, "commit": commit(), "versions": versions()}
    return [row | told for row in rows.values()]


def rank_correlation(first, second):
    """Return Spearman's rho, NaN where one of the two is constant."""
    one, other = rankdata(np.round(first, 9)), rankdata(second)
    return np.nan if np.ptp(one) == 0 or np.ptp(other) == 0 else float(np.corrcoef(one, other)[0, 1])


def correlations(table):
    """Return for each score rho within draws and of the means over draws, each with its interval over draws."""
    gains = table.pivot(index="draw", columns="setting", values="gain").to_numpy()
    picks = np.random.default_rng(0).integers(len(gains), size=(RESAMPLED, len(gains)))
    rows = []
    for score in ("trained_transfer", "trained_oracle", "features_transfer", "features_oracle"):
        scores = table.pivot(index="draw", columns="setting", values=score).to_numpy()
        within = np.array([rank_correlation(*pair) for pair in zip(scores, gains, strict=True)])
        known = np.where(np.isnan(within), 0.0, within)  # equal scores foretell nothing
        of_means = [rank_correlation(scores[own].mean(axis=0), gains[own].mean(axis=0)) for own in picks]
        low, high = np.quantile(known[picks].mean(axis=1), [0.025, 0.975])
        means_low, means_high = np.nanquantile(of_means, [0.025, 0.975])
        rows.append(
            {
                "score": score,
                "draws": len(gains),
                "rho within a draw": known.mean(),
                "low": low,
                "high": high,
                "rho of the means": rank_correlation(scores.mean(axis=0), gains.mean(axis=0)),
                "means low": means_low,
                "means high": means_high,
                "constant in": int(np.isnan(within).sum()),
            }
        )
    return pd.DataFrame(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS / "draws_foretold.csv")
    parser.add_argument("--workers", type=int, default=1, help="draws at a time, one processor core each")
    given = parser.parse_args()
    table = pd.read_csv(given.out) if given.out.is_file() else pd.DataFrame({"draw": []})
    data, tuned = load("features"), json.loads((RESULTS / "draws_features_tuned.json").read_text())
    todo = sorted(set(range(DRAWS)) - set(table.draw))
    finished = joblib.Parallel(n_jobs=given.workers, return_as="generator_unordered", batch_size=1)(
        joblib.delayed(one_draw)(draw, data, tuned) for draw in todo
    )
    for rows in finished:
        table = pd.concat([table, pd.DataFrame(rows)], ignore_index=True)
        partial = given.out.with_suffix(".part")
        table.to_csv(partial, index=False, float_format="%.6g")
        partial.replace(given.out)
        print(f"{time.strftime('%H:%M')} draw {rows[0]['draw']}: {rows[0]['cpu_seconds']:.0f} CPU-seconds", flush=True)
    means = table.groupby("setting", sort=False).mean(numeric_only=True).drop(columns=["draw", "cpu_seconds"])
    print((100 * means).round(2).to_string(), "\n")
    print(correlations(table).round(2).to_string(index=False))


if __name__ == "__main__":
    main()
