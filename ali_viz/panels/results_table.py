"""Scores of an experiment as they are drawn: the mean of each bar with its interval, baselines, single runs."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from ali_core.errors import AliError
from ali_viz.panels.combinations import combination_of, in_order

__all__ = ["RESULTS_PANEL_COLUMNS", "results_panel_table"]

RESULTS_PANEL_COLUMNS = {
    "kind": "bar, baseline, or run: a single run of either",
    "combination": "combination of transforms; empty for baselines",
    "method": "label of the runs",
    "loss": "ali, pali, or that of the baseline",
    "class_weights": "whether classes are weighted",
    "weight": "w, the weight of the interventions in the loss",
    "fold": "of a run",
    "seed": "of a run",
    "mean": "macro F1 on test folds, mean of the runs, or of the run",
    "low": "lower end of the 95 % interval of the mean; empty for one run",
    "high": "upper end",
    "n": "number of runs",
}
"""What each column of the table means."""

NEEDED = ["method", "loss", "preset", "class_weights", "intervention_weight", "control", "fold", "seed", "macro_f1"]
PLACE = ["kind", "combination", "line", "loss", "weight", "class_weights"]


def results_panel_table(results: pd.DataFrame, *, baseline: str = "tml", n_folds: int) -> pd.DataFrame:
    r"""Average the runs of each method.

    Over J runs of variance :math:`s^2` (divided by J - 1), the interval is the mean
    :math:`\pm t_{.975, J-1} \sqrt{(1/J + n_\mathrm{test} / n_\mathrm{train}) \, s^2}` with
    :math:`n_\mathrm{test} / n_\mathrm{train} = 1 / (n_\mathrm{folds} - 2)`: one fold tests, one chooses, the others
    train, and training folds overlap.

    Parameters
    ----------
    results
        ``results.csv`` of an experiment, one row a run: ``method``, ``loss``, ``preset``, ``class_weights``,
        ``intervention_weight``, ``control``, ``fold``, ``seed``, ``macro_f1``.
    baseline
        Label of the method that the others are to be seen against.
    n_folds
        Of the cross-validation, at least 3.

    Returns
    -------
    pandas.DataFrame
        One row for each bar, then for each baseline (``baseline``, then methods without interventions of a preset),
        then for each run; the columns are described in ``RESULTS_PANEL_COLUMNS``. A ``baseline`` with interventions is
        both a bar and a baseline.

    Raises
    ------
    AliError
        When a column, the baseline or a method with interventions is missing, a run occurs twice, a score is no
        finite number, or there are fewer than three folds.

    Notes
    -----
    The variance is that of C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52, 2003.
    The paper draws means alone, and gives standard deviations in Table II.
    """
    runs = _runs(results, baseline, n_folds)
    ratio = 1.0 / (n_folds - 2)
    whole = [
        dict(zip(PLACE, key, strict=True))
        | {"method": rows["method"].iloc[0]}
        | _interval(rows["mean"].to_numpy(dtype=np.float64), ratio)
        for key, rows in runs.groupby(PLACE, sort=False)
    ]
    means = pd.DataFrame(whole)
    both = means[(means["kind"] == "bar") & (means["method"] == baseline)]
    means = pd.concat([means, both.assign(kind="baseline", combination="")], ignore_index=True)
    order = {name: rank for rank, name in enumerate(in_order(means["combination"]))}
    is_bar = means["kind"] == "bar"
    rank = np.where(is_bar, means["combination"].map(order), means["method"] != baseline)
    means = means.assign(rank=rank, is_line=~is_bar).sort_values(["is_line", "rank"], kind="stable")
    single = runs.assign(kind="run", n=1, low=np.nan, high=np.nan)
    table = pd.concat([means, single], ignore_index=True)[list(RESULTS_PANEL_COLUMNS)]
    return table.astype({"fold": "Int64", "seed": "Int64"})


def _runs(results: pd.DataFrame, baseline: str, n_folds: int) -> pd.DataFrame:
    """Return the runs with the names of the table and what they are part of, checked."""
    missing = [column for column in NEEDED if column not in results.columns]
    if missing:
        raise AliError(f"results need the column {missing[0]!r}; give results.csv of an experiment")
    if n_folds < 3:
        raise AliError(f"n_folds must be at least 3: one tests, one chooses, the others train; got {n_folds}")
    renamed = {"intervention_weight": "weight", "macro_f1": "mean"}
    runs = results[NEEDED].rename(columns=renamed).astype({"control": bool, "class_weights": bool})
    runs["combination"] = combination_of(runs).where(~runs["control"], "")
    runs["kind"] = np.where(runs["combination"] == "", "baseline", "bar")
    runs["line"] = runs["method"].where(runs["kind"] == "baseline", "")
    _check(runs, baseline)
    return runs


def _check(runs: pd.DataFrame, baseline: str) -> None:
    methods = runs["method"].unique().tolist()
    if baseline not in methods:
        raise AliError(f"baseline {baseline!r} has no run; those with runs are {methods}")
    if not (runs["kind"] == "bar").any():
        raise AliError("no run has interventions of ali or pali; train at least one of these methods")
    twice = runs[runs.duplicated([*PLACE, "fold", "seed"])]
    if len(twice):
        first = twice.iloc[0]
        raise AliError(f"every run may occur once; {first['method']} on fold {first['fold']} occurs again: remove one")
    unusable = runs[~np.isfinite(runs["mean"].to_numpy(dtype=np.float64))]
    if len(unusable):
        raise AliError(f"macro_f1 must be a finite number; it is not for {unusable.iloc[0]['method']}: repeat the run")


def _interval(scores: NDArray[np.float64], ratio: float) -> dict[str, float]:
    n_runs, mean = len(scores), float(scores.mean())
    if n_runs < 2:
        return {"mean": mean, "low": np.nan, "high": np.nan, "n": n_runs}
    half = float(stdtrit(n_runs - 1, 0.975) * np.sqrt((1 / n_runs + ratio) * scores.var(ddof=1)))
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": n_runs}
