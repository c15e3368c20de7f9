r"""Small tables as Markdown and as LaTeX for the package booktabs.

Synopsis::

    as_markdown(table, caption="Recommended settings"), as_latex(table, caption="Recommended settings")
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

__all__ = ["as_latex", "as_markdown", "latex_text", "markdown_text"]

NOTHING = "–"
"""What stands for a missing value."""

DIGITS = 4
"""Of the largest number of a column; so many decimals at most."""

LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "±": r"$\pm$",
    "–": "--",
    **{mark: "\\" + mark for mark in "&%$#_{}"},
}


def as_markdown(table: pd.DataFrame, *, caption: str) -> str:
    """Return a table in Markdown, as GitHub and Jupyter read it: the caption, and the columns without the index.

    Parameters
    ----------
    table
        Any; numbers stand right. Numbers of a column have the same decimals, as many as its largest takes for four
        digits, or fewer where no value needs them; those that would be 0 are written with an exponent. Missing values
        are dashes.
    caption
        One paragraph above.
    """
    heads = [markdown_text(str(name)) for name in table.columns]
    rules = ["---:" if _is_number(table.iloc[:, at]) else "---" for at in range(table.shape[1])]
    body = [[markdown_text(cell) for cell in row] for row in _rows(table)]
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, rules, *body)]
    return "\n".join([markdown_text(caption), "", *lines]) + "\n"


def as_latex(table: pd.DataFrame, *, caption: str) -> str:
    r"""Return a table in LaTeX, a float for the package booktabs.

    Parameters
    ----------
    table, caption
        As in :func:`as_markdown`.
    """
    numbers = [_is_number(table.iloc[:, at]) for at in range(table.shape[1])]
    body = [[_latex_cell(*pair) for pair in zip(row, numbers, strict=True)] for row in _rows(table)]
    heads = [latex_text(str(name)) for name in table.columns]
    return "\n".join(
        [
            *(r"\begin{table}", r"\centering", rf"\caption{{{latex_text(caption)}}}"),
            rf"\begin{{tabular}}{{{''.join('r' if number else 'l' for number in numbers)}}}",
            *(r"\toprule", " & ".join(heads) + r" \\", r"\midrule"),
            *(" & ".join(cells) + r" \\" for cells in body),
            *(r"\bottomrule", r"\end{tabular}", r"\end{table}", ""),
        ]
    )


def markdown_text(text: str) -> str:
    """Return the text in one line, with the characters that Markdown reads as marks written out."""
    return "".join("\\" + mark if mark in "\\`*_[]<>|~$&#" else mark for mark in " ".join(text.split()))


def latex_text(text: str) -> str:
    """Return the text in one line, with the characters that LaTeX reads as commands written out."""
    return "".join(LATEX.get(mark, mark) for mark in " ".join(text.split()))


def _rows(table: pd.DataFrame) -> list[tuple[str, ...]]:
    columns = [_in_words(table.iloc[:, at]) for at in range(table.shape[1])]
    return list(zip(*columns, strict=True))


def _is_number(column: "pd.Series[Any]") -> bool:
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def _in_words(column: "pd.Series[Any]") -> list[str]:
    if not _is_number(column):
        return [NOTHING if _is_missing(value) else str(value) for value in column]
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    finite = np.abs(values[np.isfinite(values)])
    decimals = _decimals(finite)
    return [_number(value, decimals) for value in values.tolist()]


def _is_missing(value: Any) -> bool:  # noqa: ANN401  # whatever a table holds
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _decimals(sizes: np.ndarray[Any, np.dtype[np.float64]]) -> int:
    largest = float(sizes.max(initial=0.0))
    before = math.floor(math.log10(largest)) + 1 if largest >= 1 else 0
    most = max(DIGITS - before, 0)
    return next((few for few in range(most) if np.array_equal(sizes, sizes.round(few))), most)


def _number(value: float, decimals: int) -> str:
    if math.isnan(value):
        return NOTHING
    text = f"{value:.{decimals}f}"
    return f"{value:.1e}" if value and math.isfinite(value) and float(text) == 0 else text


def _latex_cell(text: str, number: bool) -> str:
    if not number or text == NOTHING:
        return latex_text(text)
    mantissa, _, exponent = text.replace("inf", r"\infty").partition("e")
    return rf"${mantissa} \cdot 10^{{{int(exponent)}}}$" if exponent else f"${mantissa}$"
