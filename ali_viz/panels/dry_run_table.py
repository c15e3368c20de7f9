"""Curves of a dry run as they are drawn: the mean over folds of each configuration, its strength, and the best."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.interventions.settings import STRENGTHS, TRANSFORMS

__all__ = ["DRY_RUN_COLUMNS", "SCORES", "Score", "dry_run_table", "left_out"]

Score = Literal["oracle", "transfer"]
SCORES: tuple[Score, ...] = get_args(Score)
SETTINGS = (*STRENGTHS, "criterion", "selection", "n_neighbours")
CONFIGURATION = ("space", "combination", "configuration")
NEEDED = (*CONFIGURATION, "sweep", *SETTINGS, "fold", "n_interventions")

DRY_RUN_COLUMNS = {
    "score": "oracle (validation samples moved by their true class) or transfer (moved without labels)",
    "space": "nd (all dimensions) or 2d",
    "combination": "preset whose transforms were combined",
    "configuration": "name of the configuration",
    **{name: f"strength {STRENGTHS[name].symbol}" for name in TRANSFORMS},
    "shift_mix": STRENGTHS["shift_mix"].symbol,
    "criterion": "how classes are scored",
    "selection": "deterministic or probabilistic",
    "n_neighbours": "number of neighbours",
    "strength": "mean rank of the λ's that vary, each within its grid, from 0 (weakest) to 1 (strongest)",
    "n_interventions": "number of interventions",
    "f1": "macro F1 on the validation fold, mean over the folds",
    "n_measured": "folds that were measured at this number; the others count as 1",
    "is_best": "whether this is the configuration of its space and combination with the best oracle score",
    "is_star": "whether it is, after the interventions that its best oracle score takes",
}
"""What each column of the table means."""


def dry_run_table(curves: pd.DataFrame, score: Score, *, hold: int | None = 3) -> pd.DataFrame:
    """Average the curves of the first sweep over the folds.

    Parameters
    ----------
    curves
        One row for each configuration, fold and number of interventions: ``curves.csv`` of a dry run.
    score
        Which score.
    hold
        A fold whose last so many oracle scores are 1 counts as 1 from there on, as in the dry run; None: none does.

    Returns
    -------
    pandas.DataFrame
        One row for each configuration that has all folds and each number of interventions; the columns are
        described in ``DRY_RUN_COLUMNS``.

    Raises
    ------
    AliError
        If a column is missing, ``hold`` is less than 1, or nothing of the first sweep has the oracle score and this
        score in all folds.

    Notes
    -----
    A dry run stops a curve once its oracle score has stayed at 1. Such folds count as 1 in the mean of the oracle
    score as long as some fold was measured; where a fold has no value otherwise, there is no mean.

    The best configuration is that of the oracle score, whichever score is drawn: it has the highest maximum, then
    reaches it with the fewest interventions (Sec. III-F-2), then has the higher transfer score there, as a dry run
    ranks them, then comes first in the table. A transfer score is highest without any intervention, as a rule.
    """
    if hold is not None and hold < 1:
        raise AliError(f"hold must be at least 1, or None; got {hold}")
    swept = _first_sweep(curves, score)
    oracle = _means(swept, "oracle", hold)
    table = oracle if score == "oracle" else _means(swept, score, None)
    settings = swept.drop_duplicates(list(CONFIGURATION))
    settings = settings.assign(strength=_strengths(settings))[[*CONFIGURATION, *SETTINGS, "strength"]]
    table = table.merge(settings, on=list(CONFIGURATION), how="left", validate="many_to_one").assign(score=score)
    stars = _stars(oracle, swept)
    keys = table.set_index(list(CONFIGURATION)).index
    table["is_best"] = keys.isin(stars.index)
    table["is_star"] = table["n_interventions"].to_numpy() == stars.reindex(keys).to_numpy()
    return table[list(DRY_RUN_COLUMNS)]


def left_out(curves: pd.DataFrame) -> tuple[int, int]:
    """Return how many configurations of the first sweep were left out because they lack a fold, and of how many."""
    swept = curves[curves["sweep"] == "strengths"]
    folds = swept.groupby(list(CONFIGURATION), observed=True)["fold"].nunique()
    return int((folds < swept["fold"].nunique()).sum()), len(folds)


def _first_sweep(curves: pd.DataFrame, score: Score) -> pd.DataFrame:
    scores = dict.fromkeys(("oracle", score))
    missing = [name for name in (*NEEDED, *(f"{one}_f1" for one in scores)) if name not in curves.columns]
    if missing:
        raise AliError(f"the curves have no column {missing[0]!r}; give curves.csv of a dry run")
    swept = curves[curves["sweep"] == "strengths"]
    for one in scores:
        if not swept[f"{one}_f1"].notna().any():
            raise AliError(f"the curves hold no {one} score of the sweep 'strengths'; compute it with ali dry-run")
    return swept


def _means(swept: pd.DataFrame, score: Score, hold: int | None) -> pd.DataFrame:
    """Average over folds in each space; a number of interventions that some fold lacks has no mean."""
    n_folds = swept["fold"].nunique()
    parts = [_means_of_space(rows, score, hold, n_folds) for _, rows in swept.groupby("space", sort=False)]
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        raise AliError(f"no configuration has the {score} score in all folds; let the dry run finish its folds")
    return table


def _means_of_space(rows: pd.DataFrame, score: Score, hold: int | None, n_folds: int) -> pd.DataFrame:
    wide = rows.pivot(index=[*CONFIGURATION, "fold"], columns="n_interventions", values=f"{score}_f1")
    measured = wide.notna()
    wide = wide.mask(_held(wide, hold), 1.0)
    by_configuration = wide.groupby(level=list(CONFIGURATION), sort=False)
    mean = by_configuration.sum(min_count=n_folds) / n_folds
    counts = measured.groupby(level=list(CONFIGURATION), sort=False).sum()
    long = pd.DataFrame({"f1": mean.stack(future_stack=True), "n_measured": counts.stack(future_stack=True)})
    return long[long["f1"].notna() & (long["n_measured"] > 0)].reset_index()


def _held(wide: pd.DataFrame, hold: int | None) -> NDArray[np.bool_]:
    """Return where curves, a row each, count as 1: behind their end, if their last ``hold`` scores are 1."""
    values, number = wide.to_numpy(dtype=np.float64), np.arange(wide.shape[1])
    length = np.isfinite(values).sum(axis=1, keepdims=True)
    if hold is None:
        return np.zeros(values.shape, dtype=np.bool_)
    last = (number >= length - hold) & (number < length)
    stays = (last & (values >= 1.0)).sum(axis=1, keepdims=True) == hold
    found: NDArray[np.bool_] = stays & (number >= length)
    return found


def _strengths(settings: pd.DataFrame) -> NDArray[np.float64]:
    """Mean rank of each configuration's λ's in the grids of its plot, 0 to 1; 1 where no λ varies."""
    groups = settings.groupby(["space", "combination"], observed=True)
    ranks = []
    for name in TRANSFORMS:
        rank = groups[name].rank(method="dense")
        highest = rank.groupby([settings["space"], settings["combination"]], observed=True).transform("max")
        ranks.append(((rank - 1) / (highest - 1)).where(highest > 1))
    mean: NDArray[np.float64] = pd.concat(ranks, axis=1).mean(axis=1).fillna(1.0).to_numpy(dtype=np.float64)
    return mean


def _transfer_at(swept: pd.DataFrame, means: pd.DataFrame) -> NDArray[np.float64]:
    """Mean transfer score at each row of ``means``; NaN where some fold was not measured."""
    if "transfer_f1" not in swept.columns:
        return np.full(len(means), np.nan)
    keys = [*CONFIGURATION, "n_interventions"]
    by_number = swept.dropna(subset="transfer_f1").groupby(keys, sort=False, observed=True)["transfer_f1"]
    found = by_number.agg(["mean", "size"])
    whole = found["mean"].where(found["size"] == swept["fold"].nunique())
    return whole.reindex(pd.MultiIndex.from_frame(means[keys])).to_numpy(dtype=np.float64)


def _stars(oracle: pd.DataFrame, swept: pd.DataFrame) -> "pd.Series[int]":
    """Return the best configuration of each space and combination (index) and how many interventions it takes."""
    ranked = oracle.assign(f1=oracle["f1"].round(12))
    ranked = ranked.sort_values(["f1", "n_interventions"], ascending=[False, True], kind="stable")
    in_order = swept.drop_duplicates(list(CONFIGURATION))[list(CONFIGURATION)]
    peaks = in_order.merge(ranked.drop_duplicates(list(CONFIGURATION)), on=list(CONFIGURATION))
    peaks = peaks.assign(transfer=_transfer_at(swept, peaks))
    order = ["f1", "n_interventions", "transfer"]
    peaks = peaks.sort_values(order, ascending=[False, True, False], kind="stable")
    winners = peaks.drop_duplicates(["space", "combination"])
    return winners.set_index(list(CONFIGURATION))["n_interventions"]
