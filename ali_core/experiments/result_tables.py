"""The paper's Table II for other data: six combinations of transforms by six ways of training.

Synopsis::

    table = table_two(results, comparison)
    about = caption(table, results, name="Table II", data="cells.npz", n_folds=6, planned=222)
    table_two_markdown(table, about), table_two_latex(table, about)
"""

from typing import Any

import numpy as np
import pandas as pd

from ali_core.experiments.table_files import latex_text, markdown_text

__all__ = ["TABLE_TWO_COLUMNS", "caption", "table_two", "table_two_latex", "table_two_markdown"]

Row = dict[str, Any]

ROWS = {"contract": "c", "shift": "c,s", "rot": "c,r", "shift+rot": "c,s,r", "shift+oshift": "c,s,os", "all": "all"}
"""The paper's names of the combinations, and the presets."""

COLUMNS = {
    "PALI+TML": ("pali", ""),
    "PALI+TML CW": ("pali", " +cw"),
    "TML+ALI": ("ali", ""),
    "TML+ALI CW": ("ali", " +cw"),
    "ALI (w=1)": ("ali", " w=1"),
    "ALI (w=1) CW": ("ali", " w=1 +cw"),
}
"""Headings, and what the labels of their runs begin and end with."""

BASELINES = {"TML": ("tml", 68.9, 2.87), "PLI": ("pli", 68.9, 2.15)}
"""The paper's baselines: label of the runs here, mean and standard deviation there."""

PAPER = {
    "contract": ((66.3, 3.46), (68.1, 2.44), (65.6, 3.29), (66.4, 2.00), (56.8, 3.91), (61.0, 1.42)),
    "shift": ((68.8, 1.81), (69.5, 1.27), (69.2, 1.67), (71.9, 2.21), (70.2, 1.71), (67.6, 3.63)),
    "rot": ((63.8, 1.24), (67.9, 3.85), (67.5, 1.20), (68.7, 2.51), (63.9, 2.78), (62.0, 2.18)),
    "shift+rot": ((70.0, 1.87), (70.0, 2.26), (70.6, 1.23), (68.1, 0.97), (62.8, 2.11), (61.2, 1.94)),
    "shift+oshift": ((67.0, 1.79), (70.8, 1.49), (69.4, 0.89), (71.9, 1.95), (71.5, 1.80), (69.4, 1.30)),
    "all": ((69.9, 2.22), (70.8, 2.35), (69.6, 2.51), (70.0, 3.23), (63.8, 4.10), (60.0, 2.98)),
}
"""Table II of the paper: macro F1 in percent over six folds, mean and standard deviation."""

MARKDOWN = ("{} ± {}", "–", ", n = {}")
LATEX = (r"${} \pm {}$", r"\mbox{--}", r", $n = {}$")
"""How a cell is written: mean and standard deviation, one that is missing, and a number of runs unlike the others."""

TABLE_TWO_COLUMNS = {
    "row": "combination of transforms, or baseline",
    "column": "way of training",
    "method": "label of its runs",
    "mean": "macro F1 on test folds in percent, mean of the runs",
    "sd": "their standard deviation",
    "n": "number of runs; 0 for a cell without",
    "paper_mean": "the paper's mean, on other data",
    "paper_sd": "the paper's standard deviation",
    "difference": "mean difference from the baseline in percentage points, over pairs of fold and seed",
    "low": "lower end of its 95 % interval",
    "high": "upper end",
    "p_holm": "p, adjusted for all comparisons made here, those of methods without a cell included",
    "n_comparisons": "how many these are",
}
"""Columns of ``table2.csv``."""


def table_two(results: pd.DataFrame, comparison: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return Table II in long form, one row a cell, with the columns of :data:`TABLE_TWO_COLUMNS`.

    Parameters
    ----------
    results
        One row a run: columns ``method`` (labels such as ``ali c,s w=1 +cw``) and ``macro_f1`` in [0, 1].
    comparison
        Of the methods with their baseline, as :func:`ali_core.evaluation.compare_methods` makes it.

    Notes
    -----
    Means are over all runs of a cell, differences over the pairs that all methods have. Only runs of the labels that
    have no other field in them are counted: those with the paper's intervention weights.
    """
    cells = [("baseline", name, label, mean, sd) for name, (label, mean, sd) in BASELINES.items()]
    for row, preset in ROWS.items():
        for (column, (first, last)), (mean, sd) in zip(COLUMNS.items(), PAPER[row], strict=True):
            cells.append((row, column, f"{first} {preset}{last}", mean, sd))
    differences: dict[Any, Any] = {} if comparison is None else comparison.set_index("method").to_dict("index")
    rows = [
        {
            "row": row,
            "column": column,
            "method": label,
            **_of_runs(results.loc[results["method"] == label, "macro_f1"]),
            "paper_mean": mean,
            "paper_sd": sd,
            **_of_difference(differences.get(label), len(differences)),
        }
        for row, column, label, mean, sd in cells
    ]
    return pd.DataFrame(rows, columns=list(TABLE_TWO_COLUMNS)).astype({"n_comparisons": "Int64"})


def _of_runs(scores: "pd.Series[float]") -> Row:
    percent = 100 * scores.to_numpy(dtype=np.float64)
    several = len(percent) > 1
    return {
        "mean": float(percent.mean()) if len(percent) else np.nan,
        "sd": float(percent.std(ddof=1)) if several else np.nan,
        "n": len(percent),
    }


def _of_difference(found: Row | None, n_comparisons: int) -> Row:
    if found is None:
        return {}
    percent = {name: 100 * found[name] for name in ("difference", "low", "high")}
    return percent | {"p_holm": found["p_holm"], "n_comparisons": n_comparisons}


def caption(table: pd.DataFrame, results: pd.DataFrame, *, name: str, data: str, n_folds: int, planned: int) -> str:
    """Return what the table shows, in a sentence or two.

    Parameters
    ----------
    table, results
        As :func:`table_two` returns and takes them; folds and seeds are counted that runs of the table have.
    name, data
        Of the experiment, and of what it was done on.
    n_folds
        Folds of the cross-validation.
    planned
        Number of runs of the whole experiment; a smaller number of results is told.
    """
    own = results[results["method"].isin(table["method"])]
    folds, seeds = own["fold"].nunique(), own["seed"].nunique()
    of = f"{folds} of {n_folds}" if folds < n_folds else f"{n_folds}"
    usual = _usual(table)
    unlike = f", n = {usual} where no n is given" if (table["n"][table["n"] > 0] != usual).any() else ""
    left = f" Unfinished: {len(results)} of {planned} runs." if len(results) < planned else ""
    return (
        f"{name}: macro F1 on test folds of {data} in percent, mean ± standard deviation over {of} folds, {seeds} "
        f"seed{'s' * (seeds != 1)}{unlike}; in brackets the paper's figures, on its own data.{left}"
    )


def table_two_markdown(table: pd.DataFrame, caption: str) -> str:
    """Return the table of :func:`table_two` in Markdown, the paper's figures in brackets."""
    lines = [markdown_text(caption), "", f"| | {' | '.join(COLUMNS)} |", "|---|" + "---|" * len(COLUMNS)]
    usual = _usual(table)
    for row in ROWS:
        cells = [_cell(one, MARKDOWN, usual) + f" ({_paper(one, MARKDOWN)})" for one in _cells(table, row)]
        lines.append(f"| {row} | {' | '.join(cell.strip() for cell in cells)} |")
    for one in _cells(table, "baseline"):
        ours = _cell(one, MARKDOWN, usual)
        lines += ["", f"{one['column']}: {ours or 'not run'} ({_paper(one, MARKDOWN)})"]
    return "\n".join(lines) + "\n"


def table_two_latex(table: pd.DataFrame, caption: str) -> str:
    r"""Return the table of :func:`table_two` in LaTeX, for the package booktabs; the paper's figures below ours."""
    heads = " & ".join(["", *(latex_text(name) for name in COLUMNS)])
    usual = _usual(table)
    lines = [
        *(r"\begin{table}", r"\centering", rf"\caption{{{latex_text(caption)}}}", r"\label{tab:interventions}"),
        *(rf"\begin{{tabular}}{{l{'c' * len(COLUMNS)}}}", r"\toprule", rf"{heads} \\", r"\midrule"),
    ]
    for row in ROWS:
        cells = _cells(table, row)
        lines.append(" & ".join([latex_text(row), *(_cell(one, LATEX, usual) for one in cells)]) + r" \\")
        lines.append(" & ".join(["", *(rf"\small({_paper(one, LATEX)})" for one in cells)]) + r" \\")
    lines.append(r"\midrule")
    for one in _cells(table, "baseline"):
        words = [one["column"], _cell(one, LATEX, usual), rf"\small({_paper(one, LATEX)})"]
        lines.append(" & ".join([*words, *[""] * (len(COLUMNS) - 2)]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def _usual(table: pd.DataFrame) -> int:
    """Return how many runs most of the cells have that have any."""
    counts = table["n"][table["n"] > 0]
    return int(counts.mode().max()) if len(counts) else 0


def _cells(table: pd.DataFrame, row: str) -> list[Row]:
    chosen = table[table["row"] == row]
    return [{str(name): value for name, value in one.items()} for one in chosen.to_dict("records")]


def _cell(one: Row, form: tuple[str, str, str], usual: int) -> str:
    if not one["n"]:
        return ""
    both, missing, runs = form
    cell = both.format(f"{one['mean']:.1f}", missing if np.isnan(one["sd"]) else f"{one['sd']:.2f}")
    return cell if one["n"] == usual else cell + runs.format(one["n"])


def _paper(one: Row, form: tuple[str, str, str]) -> str:
    return form[0].format(f"{one['paper_mean']:.1f}", f"{one['paper_sd']:.2f}")
