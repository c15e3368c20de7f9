"""Which combination of transforms the runs of a table belong to, and what is said of the combinations."""

import pandas as pd

from ali_core.interventions import PRESETS

__all__ = ["COMBINATION_NOTE", "combination_of", "in_order"]

COMBINATION_NOTE = "c: contract, s: shift, os: ortho-shift, r: rotate, all: all four."


def combination_of(rows: pd.DataFrame) -> pd.Series:
    """Name the combination of each run: its preset, and whatever else its label says.

    Parameters
    ----------
    rows
        Columns ``method`` (a label such as ``ali c,s w=1 +cw``), ``loss`` and ``preset``.

    Returns
    -------
    pandas.Series
        Such as ``c,s``, ``c,s width=64``, ``c,s after tml``; empty for runs without a preset.

    Notes
    -----
    Weight and class weights are no part of a combination; they tell the bars within it apart.
    """
    columns = zip(rows["method"], rows["loss"], rows["preset"].fillna(""), strict=True)
    return pd.Series(
        [_combination(str(method), str(loss), str(preset)) for method, loss, preset in columns], rows.index
    )


def _combination(method: str, loss: str, preset: str) -> str:
    if not preset:
        return ""
    start, _, label = method.rpartition(", then ")
    usual = {loss, preset, "+cw"}
    more = [word for word in label.split() if word not in usual and not word.startswith("w=")]
    words = [*([] if preset == "own" else [preset]), *more, *([f"after {start}"] if start else [])]
    return " ".join(words) or preset


def in_order(combinations: pd.Series) -> list[str]:
    """Return each combination once: presets in their order, then the others as they came."""
    found = [str(name) for name in combinations.unique() if name]
    return [name for name in PRESETS if name in found] + [name for name in found if name not in PRESETS]
