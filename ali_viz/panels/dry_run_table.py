"""Curves of a dry run as they are drawn: the mean over folds of each configuration, its strength, and the best."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.errors import AliError

__all__ = ["DRY_RUN_COLUMNS", "SCORES", "Score", "dry_run_table", "left_out"]

Score = Literal["oracle", "transfer"]
SCORES: tuple[Score, ...] = get_args(Score)
LAMBDAS = ("contract", "rotate", "shift")
SETTINGS = (*LAMBDAS, "shift_mix", "criterion", "selection", "n_neighbours")
CONFIGURATION = ("space", "combination", "configuration")
NEEDED = (*CONFIGURATION, "sweep", *SETTINGS, "fold", "n_interventions")

DRY_RUN_COLUMNS = {
    "score": "oracle (validation samples moved by their true class) or transfer (moved without labels)",
    "space": "nd (all dimensions) or 2d",
    "combination": "preset whose transforms were combined",
    "configuration": "name of the configuration",
    "contract": "strength λ_c",
    "rotate": "strength λ_r",
    "shift": "strength λ_s",
    "shift_mix": "γ",
    "criterion": "how classes are scored",
    "selection": "deterministic or probabilistic",
    "n_neighbours": "number of neighbours",
    "strength": "mean rank of the λ's that vary, each within its grid, from 0 (weakest) to 1 (strongest)",
    "n_interventions": "number of interventions",
    "f1": "macro F1 on the validation fold, mean over the folds",
    "n_measured": "folds that were measured at this number; the others count as 1",
    "is_best": "whether this is the best configuration of its plot",
}
"""What each column of the table means."""


def dry_run_table(curves: pd.DataFrame, score: Score) -> pd.DataFrame:
    """Average the curves of the first sweep over the folds.

    Parameters
    ----------
    curves
        One row for each configuration, fold and number of interventions: ``curves.csv`` of a dry run.
    score
        Which score.

    Returns
    -------
    pandas.DataFrame
        One row for each configuration that has all folds and each number of interventions; the columns are
        described in ``DRY_RUN_COLUMNS``.

    Raises
    ------
    AliError
        If a column is missing, or nothing of the first sweep has this score in all folds.

    Notes
    -----
    A dry run stops a curve once its oracle score stays at 1, so an oracle curve that ends at 1 counts as 1 from there
    on, up to the largest number of interventions in its space. Where a fold has no value otherwise, there is no mean.
    The best configuration of a plot has the highest maximum, then reaches it with the fewest interventions (Sec.
    III-F-2), then has the higher transfer score there, as a dry run ranks them, then comes first in the table.
    """
    swept = _first_sweep(curves, score)
    means = [_means(rows, score, swept["fold"].nunique()) for _, rows in swept.groupby("space", sort=False)]
    table = pd.concat(means, ignore_index=True)
    if table.empty:
        raise AliError(f"no configuration has the {score} score in all folds; let the dry run finish its folds")
    settings = swept.drop_duplicates(list(CONFIGURATION))
    settings = settings.assign(strength=_strengths(settings))[[*CONFIGURATION, *SETTINGS, "strength"]]
    table = table.merge(settings, on=list(CONFIGURATION), how="left", validate="many_to_one").assign(score=score)
    table["is_best"] = _is_best(table, _transfer_at(swept, table))
    return table[list(DRY_RUN_COLUMNS)]


def left_out(curves: pd.DataFrame) -> tuple[int, int]:
    """Return how many configurations of the first sweep were left out because they lack a fold, and of how many."""
    swept = curves[curves["sweep"] == "strengths"]
    folds = swept.groupby(list(CONFIGURATION), observed=True)["fold"].nunique()
    return int((folds < swept["fold"].nunique()).sum()), len(folds)


def _first_sweep(curves: pd.DataFrame, score: Score) -> pd.DataFrame:
    missing = [name for name in (*NEEDED, f"{score}_f1") if name not in curves.columns]
    if missing:
        raise AliError(f"the curves have no column {missing[0]!r}; give curves.csv of a dry run")
    swept = curves[curves["sweep"] == "strengths"]
    if swept[f"{score}_f1"].notna().any():
        return swept
    raise AliError(f"the curves hold no {score} score of the sweep 'strengths'; compute it, or draw the other score")


def _means(rows: pd.DataFrame, score: Score, n_folds: int) -> pd.DataFrame:
    """Average over folds in one space; a number of interventions that some fold lacks has no mean."""
    wide = rows.pivot(index=[*CONFIGURATION, "fold"], columns="n_interventions", values=f"{score}_f1")
    measured = wide.notna()
    if score == "oracle":
        filled = wide.ffill(axis=1)
        wide = wide.where(measured | (filled < 1.0).to_numpy(), filled)
    by_configuration = wide.groupby(level=list(CONFIGURATION), sort=False)
    mean = by_configuration.sum(min_count=n_folds) / n_folds
    counts = measured.groupby(level=list(CONFIGURATION), sort=False).sum()
    long = pd.DataFrame({"f1": mean.stack(future_stack=True), "n_measured": counts.stack(future_stack=True)})
    return long.dropna(subset="f1").reset_index()


def _strengths(settings: pd.DataFrame) -> NDArray[np.float64]:
    """Mean rank of each configuration's λ's in the grids of its plot, 0 to 1; 1 where no λ varies."""
    groups = settings.groupby(["space", "combination"], observed=True)
    ranks = []
    for name in LAMBDAS:
        rank = groups[name].rank(method="dense")
        highest = rank.groupby([settings["space"], settings["combination"]], observed=True).transform("max")
        ranks.append(((rank - 1) / (highest - 1)).where(highest > 1))
    mean: NDArray[np.float64] = pd.concat(ranks, axis=1).mean(axis=1).fillna(1.0).to_numpy(dtype=np.float64)
    return mean


def _transfer_at(swept: pd.DataFrame, table: pd.DataFrame) -> "pd.Series[float]":
    """Mean transfer score at each row of ``table``; a fold whose curve ended keeps its last one. NaN where none is."""
    if "transfer_f1" not in swept.columns:
        return pd.Series(np.nan, index=table.index)
    wide = swept.pivot(index=[*CONFIGURATION, "fold"], columns="n_interventions", values="transfer_f1").ffill(axis=1)
    mean = wide.groupby(level=list(CONFIGURATION), sort=False).mean().stack(future_stack=True)
    keys = pd.MultiIndex.from_frame(table[[*CONFIGURATION, "n_interventions"]])
    return pd.Series(mean.reindex(keys).to_numpy(), index=table.index)


def _is_best(table: pd.DataFrame, transfer: "pd.Series[float]") -> "pd.Series[bool]":
    ranked = table.assign(f1=table["f1"].round(12), transfer=transfer)
    ranked = ranked.sort_values(["f1", "n_interventions"], ascending=[False, True], kind="stable")
    peaks = ranked.drop_duplicates(list(CONFIGURATION))
    peaks = peaks.sort_values(["f1", "n_interventions", "transfer"], ascending=[False, True, False], kind="stable")
    winners = peaks.drop_duplicates(["space", "combination"])
    keys = pd.MultiIndex.from_frame(table[list(CONFIGURATION)])
    return pd.Series(keys.isin(pd.MultiIndex.from_frame(winners[list(CONFIGURATION)])), index=table.index)
