"""What finished runs say, as tables: one row a run, its seconds by stage, and methods compared.

Everything is read from the folders of the runs, so the tables are the same whether an experiment was interrupted or
not.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from ali_core.data.folds import OURS
from ali_core.evaluation import compare_methods
from ali_core.experiments.planned_runs import PlannedRun
from ali_core.training.methods import SPECS

__all__ = ["RESULT_COLUMNS", "STAGES", "TIMING_COLUMNS", "compared", "result_row", "results_table", "timing_rows"]

Row = dict[str, Any]

STAGES = ("train", "data", "embed", "intervene", "evaluate")
"""Stages of an epoch, as in ``timing.csv`` of a run; ``data`` is the part of ``train`` that waits for batches."""

RESULT_COLUMNS = {
    "method": "label of the method",
    "loss": "tml, ali, pali, …: what ali train calls method",
    "preset": "of the interventions; empty without them, own for strengths of one's own",
    "class_weights": "whether classes are weighted",
    "intervention_weight": "w in force; 0 without interventions",
    "control": "whether the interventions of the method are left out",
    "fold": "the fold that is the test",
    "seed": "of the run",
    "macro_f1": "on the test fold, of the epoch and the SVM that the validation fold chose",
    "validation_f1": "macro F1 on the validation fold at that epoch",
    "best_epoch": "that epoch",
    "n_epochs": "epochs that were trained",
    "n_train": "samples of the training fold",
    "n_validation": "samples of the validation fold",
    "n_test": "samples of the test fold",
    "seconds": "of all epochs, loading of data and libraries not included",
    **{f"{stage}_seconds": f"mean seconds an epoch of {stage}, without the first evaluation" for stage in STAGES},
    "split": "whose division into training, validation and test it was",
    "device": "on which it was trained",
    "commit": "of the source; + when files differed from it",
}
"""Columns of ``results.csv``."""

TIMING_COLUMNS = ("method", "loss", "preset", "space", "fold", "seed", "stage", "seconds")
"""Columns of ``timing.csv``; space is 2d where interventions happen in a projection, else nd; seconds an epoch."""


def result_row(run: PlannedRun) -> Row:
    """Return the row of a finished run, with the names of :data:`RESULT_COLUMNS`."""
    result = json.loads((run.folder / "result.json").read_text(encoding="utf-8"))
    about = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    times = pd.read_csv(run.folder / "timing.csv")
    parts = pd.read_csv(run.folder / "parts.csv", usecols=["part"])["part"].value_counts()
    stages = times.loc[times["epoch"] > 0, list(STAGES)].fillna(0.0).mean().fillna(0.0)
    spent = times[["train", "embed", "intervene", "evaluate", "save"]].fillna(0.0).to_numpy().sum()
    return {
        **_about(run),
        "class_weights": run.settings.class_weights,
        "intervention_weight": run.settings.weight,
        "control": run.settings.control,
        "macro_f1": result["test_f1"],
        "validation_f1": result["validation_f1"],
        "best_epoch": result["best_epoch"],
        "n_epochs": result["n_epochs"],
        **{f"n_{part}": int(parts[part]) for part in ("train", "validation", "test")},
        "seconds": float(spent),
        **{f"{stage}_seconds": float(stages[stage]) for stage in STAGES},
        "split": about.get("split", OURS),
        "device": about["device"],
        "commit": about["commit"],
    }


def _about(run: PlannedRun) -> Row:
    settings = run.settings
    preset = "" if not settings.spec.planned else "own" if settings.interventions else settings.preset
    return {
        "method": run.label,
        "loss": settings.method,
        "preset": preset,
        "fold": settings.fold,
        "seed": settings.seed,
    }


def results_table(rows: Iterable[Row]) -> pd.DataFrame:
    """Return rows of :func:`result_row` as a table with the columns of :data:`RESULT_COLUMNS`."""
    return pd.DataFrame(list(rows), columns=list(RESULT_COLUMNS))


def timing_rows(results: pd.DataFrame) -> pd.DataFrame:
    """Return the seconds an epoch of each run and stage in long form, with the columns of :data:`TIMING_COLUMNS`.

    Parameters
    ----------
    results
        As :func:`results_table` makes it.
    """
    space = results["loss"].map({name: spec.space or "nd" for name, spec in SPECS.items()})
    names = {f"{stage}_seconds": stage for stage in STAGES}
    keys = [name for name in TIMING_COLUMNS if name not in ("stage", "seconds")]
    wide = results.drop(columns="seconds").assign(space=space).rename(columns=names).reset_index(names="run")
    long = wide.melt(id_vars=["run", *keys], value_vars=list(STAGES), var_name="stage", value_name="seconds")
    return long.sort_values("run", kind="stable")[list(TIMING_COLUMNS)].reset_index(drop=True)


def compared(
    results: pd.DataFrame, methods: Sequence[str], *, baseline: str, n_folds: int
) -> tuple[pd.DataFrame | None, str]:
    """Compare the methods that are there with the baseline, over the folds and seeds that all of them have.

    Parameters
    ----------
    results
        As :func:`results_table` makes it.
    methods
        Labels of all methods of the experiment; those with less than half of the baseline's runs are left out.
    baseline
        Label of the method that the others are compared with.
    n_folds
        Of the cross-validation: one fold tests, one chooses, the others train.

    Returns
    -------
    table
        As :func:`ali_core.evaluation.compare_methods` makes it, with ``n_comparisons``, for how many ``p_holm`` is
        adjusted: those made here, not those that will be made when all methods are there. None when there are not two
        pairs and two methods.
    note
        What was left out, and whose split it was when it was given, in a sentence; else empty.
    """
    pair = results.set_index(["fold", "seed"]).index
    counts = results[pair.isin(pair[results["method"] == baseline])].groupby("method").size()
    enough = counts.index[2 * counts >= counts.get(baseline, 0)]
    there = [label for label in methods if label in enough]
    pairs = results[results["method"].isin(there)].groupby(["fold", "seed"])["method"].nunique()
    whole = pairs.index[pairs == len(there)]
    left = []
    if len(there) < len(methods):
        left.append(f"{len(methods) - len(there)} of {len(methods)} methods (less than half of the runs of {baseline})")
    if len(whole) < len(pairs):
        left.append(f"{len(pairs) - len(whole)} of {len(pairs)} pairs of fold and seed (not all methods have them)")
    note = f"left out of the comparison: {'; '.join(left)}" if left else ""
    if baseline not in there or len(there) < 2 or len(whole) < 2:
        return None, "; ".join(filter(None, ["nothing is compared before two methods have two pairs of runs", note]))
    rows = results[pair.isin(whole) & results["method"].isin(there)]
    ours = rows["split"].fillna(OURS).eq(OURS).all()  # tables of earlier versions do not say it
    ratio = 1 / (n_folds - 2) if ours else float((rows["n_test"] / rows["n_train"]).mean())
    table = compare_methods(rows, baseline=baseline, test_train_ratio=ratio)
    table.insert(list(table).index("p_holm") + 1, "n_comparisons", len(table))
    return table, note if ours else "; ".join(filter(None, [f"divided by {rows['split'].iloc[0]}", note]))
