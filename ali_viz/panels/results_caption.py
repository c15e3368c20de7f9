"""What is said about the figure of the results."""

import numpy as np
import pandas as pd

from ali_viz.panels.combinations import COMBINATION_NOTE

__all__ = ["results_caption"]


def results_caption(table: pd.DataFrame, *, n_folds: int, data: str, settings: str, floor: float) -> str:
    """Describe the figure of `results_panel`: data, runs, what bars, intervals and lines are, where the axis begins.

    Parameters
    ----------
    table
        As `results_panel_table` makes it.
    n_folds
        Of the cross-validation.
    data, settings
        What was classified, and what else is to be said of the runs.
    floor
        Where the vertical axis begins.
    """
    bars, lines = table[table["kind"] == "bar"], table[table["kind"] == "baseline"]
    means = pd.concat([bars, lines])
    sentences = [
        f"Classification of {data}: macro F1 on test folds, epoch and SVM chosen on the validation fold; "
        f"{_counts(table, means, n_folds)}.",
        f"{settings}." if settings else "",
        f"A group is a combination of transforms ({COMBINATION_NOTE[:-1]}); darker bars have class weights.",
        "Bars are means, dots single runs.",
        f"Error bars: 95 % t interval of the mean, its variance (1/n + 1/{n_folds - 2}) s² as training folds overlap "
        "(Nadeau and Bengio 2003). They are intervals of means, not of differences: methods have the folds in common, "
        "so compare them by paired differences."
        if np.isfinite(means["low"].to_numpy(dtype=np.float64)).any()
        else "",
        _lines(bars, lines),
        f"The vertical axis begins at {floor:.2f}, not at 0." if floor > 0 else "",
        f"The highest of {len(bars)} bars is high by chance, too." if len(bars) > 1 else "",
        "n/a: not run." if _has_gaps(bars) else "",
        "Training uses the labels of the training folds.",
    ]
    return " ".join(sentence for sentence in sentences if sentence) + "\n"


def _lines(bars: pd.DataFrame, lines: pd.DataFrame) -> str:
    without = [name for name in lines["method"] if name not in set(bars["method"])]
    first = lines.iloc[0]
    parts = [
        *([f"{first['method']}, the baseline, which is a bar as well"] if first["method"] not in without else []),
        *([f"{', '.join(without)}, trained without these interventions"] if without else []),
        *([f"grey, the interval of {first['method']}"] if np.isfinite(first["low"]) else []),
    ]
    return f"Lines: {'; '.join(parts)}."


def _counts(table: pd.DataFrame, means: pd.DataFrame, n_folds: int) -> str:
    least, most = means["n"].min(), means["n"].max()
    runs = table[table["kind"] == "run"]
    seeds = ", ".join(str(seed) for seed in sorted(runs["seed"].unique()))
    number = f"{least}" if least == most else f"{least} to {most}"
    return (
        f"{number} run{'s' if most > 1 else ''} a method ({runs['fold'].nunique()} of {n_folds} folds, "
        f"seed{'s' if ',' in seeds else ''} {seeds})"
    )


def _has_gaps(bars: pd.DataFrame) -> bool:
    """Whether some bar is there without or with class weights only, while others have both."""
    shades = bars.groupby(["combination", "loss", "weight"])["class_weights"].nunique()
    return bool((shades < bars["class_weights"].nunique()).any())
