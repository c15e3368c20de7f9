"""Does a dry run foretell what training gains: rank correlation over the configurations that were trained.

    python -m benchmarks.transfer_prediction RESULTS --runs TML_RUN TML_RUN …

``RESULTS`` is the folder of ``ali experiment`` with methods ali and pali and the baseline tml; the runs are tml, one a
fold, with the same folds. Each preset is planned on the training part of each run's embedding with as many
interventions as it was trained with, in the embedding space and in a parametric t-SNE. Its transfer score minus the
untouched one is compared with the mean gain in test macro F1 over tml, arm by arm (method, weight, class weights):
Spearman's rho over presets, its exact p by permutation, and an interval of 95 % by drawing folds with replacement. The
test parts have no share in the dry run.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ali_core.experiments import folds_of_runs
from ali_core.experiments.fold_scorer import FoldScorer
from ali_core.experiments.parallel import in_parallel
from ali_core.interventions import PRESETS, plan, preset

DRAWS = 2_000


def dry_scores(fold, space):
    """Return the scores of every preset in one fold and space, and those of the untouched embedding."""
    scorer = FoldScorer.of(fold.in_plane(seed=0) if space == "2d" else fold, space)
    untouched, _ = scorer.untouched
    rows = []
    for name in PRESETS:
        settings = preset(name, dim=scorer.data.train_vectors.shape[1])
        oracle, transfer = scorer.scores(plan(scorer.statistics, settings).transforms)
        rows.append({"preset": name, "oracle_f1": oracle, "transfer_f1": transfer, "untouched_f1": untouched})
    return pd.DataFrame(rows).assign(fold=fold.fold, space=space)


def trained_gains(results):
    """Return the gain over tml of each run, by arm, preset and fold (mean over seeds)."""
    tml = results[results.method == "tml"].groupby("fold").macro_f1.mean()
    rows = results[results.loss.isin(["ali", "pali"]) & ~results.control].copy()
    rows["gain"] = rows.macro_f1 - rows.fold.map(tml)
    rows["space"] = np.where(rows.loss == "pali", "2d", "nd")
    weight = rows.intervention_weight.map(" w={:g}".format)
    rows["arm"] = rows.loss + weight + np.where(rows.class_weights, " +cw", "")
    return rows.groupby(["arm", "space", "preset", "fold"]).gain.mean().reset_index()


def rank_correlation(first, second):
    """Return Spearman's rho, NaN where one of the two is constant."""
    one, other = rankdata(first), rankdata(second)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan
    return float(np.corrcoef(one, other)[0, 1])


def correlation(dry, gains, score):
    """Return ρ, its interval over folds and its permutation p for one arm; rows are presets, columns folds."""
    table = dry.pivot(index="preset", columns="fold", values=score).loc[gains.index, gains.columns]
    first, second = table.to_numpy(), gains.to_numpy()
    rho = rank_correlation(first.mean(axis=1), second.mean(axis=1))
    generator = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        folds = generator.integers(first.shape[1], size=first.shape[1])
        drawn.append(rank_correlation(first[:, folds].mean(axis=1), second[:, folds].mean(axis=1)))
    permuted = [
        rank_correlation(first.mean(axis=1), second.mean(axis=1)[list(order)])
        for order in itertools.permutations(range(len(first)))
    ]
    p = float(np.mean(np.abs(permuted) >= abs(rho) - 1e-12)) if np.isfinite(rho) else np.nan
    drawn = np.array(drawn)
    known = drawn[np.isfinite(drawn)]  # rho of equal scores is undefined
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return {"rho": rho, "low": low, "high": high, "p": p, "undefined_draws": len(drawn) - len(known)}


def main():
    """Print the dry scores, the gains and their correlations, and write them into the folder OUT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    tasks = [(fold, space) for fold in folds_of_runs(given.runs) for space in ("nd", "2d")]
    dry = pd.concat(in_parallel(dry_scores, tasks)).sort_values(["space", "preset", "fold"])
    dry["transfer_change"] = dry.transfer_f1 - dry.untouched_f1
    gains = trained_gains(pd.read_csv(given.results / "results.csv"))
    rows = []
    for arm, own in gains.groupby("arm"):
        (space,) = own.space.unique()
        table = own.pivot(index="preset", columns="fold", values="gain").dropna(axis=1)
        if table.shape[1] < 2:
            print(f"{arm}: fewer than two folds have all presets; left out")
            continue
        for score in ("transfer_change", "oracle_f1"):
            found = correlation(dry[dry.space == space], table, score)
            rows.append({"arm": arm, "score": score, "n_presets": len(table), "n_folds": table.shape[1], **found})
    correlations = pd.DataFrame(rows)
    means = gains.groupby(["arm", "space", "preset"]).gain.mean().unstack("preset")[list(PRESETS)]
    scores = dry.groupby(["space", "preset"])[["oracle_f1", "transfer_f1", "untouched_f1"]].mean()
    given.out.mkdir(parents=True, exist_ok=True)
    for name, table in (("dry_scores", dry), ("trained_gains", gains), ("correlations", correlations)):
        table.to_csv(given.out / f"{name}.csv", index=False, float_format="%.6g")
    for table in (scores.reset_index(), means.reset_index(), correlations):
        print(table.round(3).to_string(index=False), "\n")


if __name__ == "__main__":
    main()
