"""The paper's Table II for other data: six combinations of transforms by six ways of training.

Synopsis::

    table = table_two(results, comparison)
    as_markdown(table, caption), as_latex(table, caption)
"""

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["TABLE_TWO_COLUMNS", "as_latex", "as_markdown", "caption", "table_two"]

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

LATEX = r"${} \pm {}$"

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
    "p_holm": "p, adjusted for all comparisons of the experiment",
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
            **_of_difference(differences.get(label)),
        }
        for row, column, label, mean, sd in cells
    ]
    return pd.DataFrame(rows, columns=list(TABLE_TWO_COLUMNS))


def _of_runs(scores: "pd.Series[float]") -> Row:
    percent = 100 * scores.to_numpy(dtype=np.float64)
    several = len(percent) > 1
    return {
        "mean": float(percent.mean()) if len(percent) else np.nan,
        "sd": float(percent.std(ddof=1)) if several else np.nan,
        "n": len(percent),
    }


def _of_difference(found: Row | None) -> Row:
    if found is None:
        return {}
    return {name: 100 * found[name] for name in ("difference", "low", "high")} | {"p_holm": found["p_holm"]}


def caption(*, name: str, data: str, n_folds: int, folds: int, seeds: int) -> str:
    """Return what the table shows, in a sentence or two.

    Parameters
    ----------
    name, data
        Of the experiment, and of what it was done on.
    n_folds, folds, seeds
        Folds of the cross-validation, how many of them were tests, and the number of seeds.
    """
    of = f"{folds} of {n_folds}" if folds < n_folds else f"{n_folds}"
    return (
        f"{name}: macro F1 on test folds of {data} in percent, mean ± standard deviation over {of} folds, {seeds} "
        f"seed{'s' * (seeds > 1)}; in brackets the paper's figures, on its own data."
    )


def as_markdown(table: pd.DataFrame, caption: str) -> str:
    """Return the table of :func:`table_two` in Markdown, the paper's figures in brackets."""
    lines = [caption, "", f"| | {' | '.join(COLUMNS)} |", "|---|" + "---|" * len(COLUMNS)]
    for row in ROWS:
        cells = [_cell(one, "{} ± {}") + f" ({_paper(one, '{} ± {}')})" for one in _cells(table, row)]
        lines.append(f"| {row} | {' | '.join(cell.strip() for cell in cells)} |")
    for one in _cells(table, "baseline"):
        ours = _cell(one, "{} ± {}")
        lines += ["", f"{one['column']}: {ours or 'not run'} ({_paper(one, '{} ± {}')})"]
    return "\n".join(lines) + "\n"


def as_latex(table: pd.DataFrame, caption: str) -> str:
    r"""Return the table of :func:`table_two` in LaTeX, for the package booktabs; the paper's figures below ours."""
    heads = " & ".join(["", *(_escaped(name) for name in COLUMNS)])
    lines = [
        *(r"\begin{table}", r"\centering", rf"\caption{{{_escaped(caption)}}}", r"\label{tab:interventions}"),
        *(rf"\begin{{tabular}}{{l{'c' * len(COLUMNS)}}}", r"\toprule", rf"{heads} \\", r"\midrule"),
    ]
    for row in ROWS:
        cells = _cells(table, row)
        lines.append(" & ".join([_escaped(row), *(_cell(one, LATEX) for one in cells)]) + r" \\")
        lines.append(" & ".join(["", *(rf"\small({_paper(one, LATEX)})" for one in cells)]) + r" \\")
    lines.append(r"\midrule")
    for one in _cells(table, "baseline"):
        words = [one["column"], _cell(one, LATEX), rf"\small({_paper(one, LATEX)})"]
        lines.append(" & ".join([*words, *[""] * (len(COLUMNS) - 2)]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def _cells(table: pd.DataFrame, row: str) -> list[Row]:
    chosen = table[table["row"] == row]
    return [{str(name): value for name, value in one.items()} for one in chosen.to_dict("records")]


def _cell(one: Row, form: str) -> str:
    if not one["n"]:
        return ""
    return form.format(f"{one['mean']:.1f}", "–" if np.isnan(one["sd"]) else f"{one['sd']:.2f}")


def _paper(one: Row, form: str) -> str:
    return form.format(f"{one['paper_mean']:.1f}", f"{one['paper_sd']:.2f}")


def _escaped(text: str) -> str:
    """Return the text with the characters that LaTeX reads as commands written out."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$"}
    special |= {mark: "\\" + mark for mark in "&%$#_{}"}
    return "".join(special.get(mark, mark) for mark in text)
