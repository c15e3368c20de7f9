"""What interventions cost beside the training of the network (Fig. 7 of the paper).

Synopsis::

    timing_panel(pd.read_csv("runs/paper/timing.csv"), data="marrow features", device="cpu").save("figures", "fig7")
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_viz.panels.class_scatter import LEGEND_ROW_MM, place_legend
from ali_viz.panels.combinations import COMBINATION_NOTE, combination_of, in_order
from ali_viz.panels.panel import Panel
from ali_viz.panels.print_style import (
    FRAME,
    INK,
    LINE_MM,
    Width,
    add_axes_mm,
    new_figure,
    print_style,
    width_in_mm,
    wrapped,
    write_lines,
)

__all__ = ["TIMING_PANEL_COLUMNS", "draw_timing", "timing_panel", "timing_panel_table"]

TIMING_PANEL_COLUMNS = {
    "stage": "intervene (planning, in 2d with the fit of the projection) or train (one epoch of the network)",
    "combination": "combination of transforms; empty for the training of the network",
    "space": "nd (all dimensions), 2d, or none (no interventions of a preset)",
    "mean": "seconds an epoch, mean of the runs",
    "low": "of the fastest run",
    "high": "of the slowest run",
    "n": "number of runs",
}
"""What each column of the table means."""

NEEDED = ("method", "loss", "preset", "space", "stage", "seconds")
SPACES = {
    "nd": ("n-D (ALI)", "#c23b22", "o"),
    "2d": ("2-D (PALI)", "#0072b2", "s"),
    "none": ("Without interventions", INK, "D"),
}
"""By space: name, colour, marker."""
TRAINING = "Network training"

MARGIN_MM, LEFT_MM, BELOW_MM, PLOT_MM = 1.5, 11.0, 2.0, 40.0
OFFSETS = {"nd": -0.18, "2d": 0.18, "none": 0.0}


def timing_panel_table(timing: pd.DataFrame) -> pd.DataFrame:
    """Average the seconds an epoch over runs.

    Parameters
    ----------
    timing
        ``timing.csv`` of an experiment, one row a run and stage: ``method``, ``loss``, ``preset``, ``space``,
        ``stage``, ``seconds``.

    Returns
    -------
    pandas.DataFrame
        One row for each combination and space, then one for the training in each space; the columns are described in
        ``TIMING_PANEL_COLUMNS``.

    Raises
    ------
    AliError
        When a column is missing, or no run has planned interventions.

    Notes
    -----
    Weights of the loss change nothing about planning, so that methods that differ in them alone are one combination.
    Runs that planned nothing (0 s), such as controls, count as without interventions.
    """
    missing = [column for column in NEEDED if column not in timing.columns]
    if missing:
        raise AliError(f"the times need the column {missing[0]!r}; give timing.csv of an experiment")
    rows = timing[list(NEEDED)].assign(combination=combination_of(timing))
    planned = rows[(rows["stage"] == "intervene") & (rows["combination"] != "") & (rows["seconds"] > 0)]
    if planned.empty:
        raise AliError("no run has planned interventions; train with ali or pali")
    trained = rows[(rows["stage"] == "train") & (rows["seconds"] > 0)]
    intervening = trained["method"].isin(planned["method"])
    trained = trained.assign(space=trained["space"].where(intervening, "none"), combination="")
    order = {name: rank for rank, name in enumerate([*in_order(planned["combination"]), ""])}
    grouped = pd.concat([planned, trained]).groupby(["stage", "combination", "space"], sort=False)["seconds"]
    table = grouped.agg(mean="mean", low="min", high="max", n="size").reset_index()
    ranks = [table["combination"].map(order), table["space"].map({name: rank for rank, name in enumerate(SPACES)})]
    table = table.assign(first=ranks[0], second=ranks[1]).sort_values(["first", "second"], kind="stable")
    return table[list(TIMING_PANEL_COLUMNS)].reset_index(drop=True)


def draw_timing(table: pd.DataFrame, *, width: Width = "single") -> Figure:
    """Draw the table of `timing_panel_table`: a point a mean, a line from the fastest run to the slowest.

    Parameters
    ----------
    table
        With the columns of ``TIMING_PANEL_COLUMNS``.
    width
        ``single`` (88 mm) or ``double`` (181 mm).

    Returns
    -------
    matplotlib.figure.Figure
        Seconds an epoch on a logarithmic axis.
    """
    total = width_in_mm(width)
    groups = [*in_order(table["combination"]), TRAINING]
    length = total - 2 * MARGIN_MM - LEFT_MM
    names = [wrapped(name, length / len(groups) - 0.6) for name in groups]
    below = BELOW_MM + LINE_MM * max(name.count("\n") + 1 for name in names)
    spaces = [space for space in SPACES if space in set(table["space"])]
    with print_style():
        figure = new_figure(total, 2 * MARGIN_MM + PLOT_MM + below + 1.5 + LEGEND_ROW_MM)
        axes = add_axes_mm(figure, MARGIN_MM + LEFT_MM, MARGIN_MM, length, PLOT_MM)
        _scale(axes, table, len(groups))
        for space, rows in table.groupby("space"):
            places = [groups.index(name or TRAINING) for name in rows["combination"]]
            _draw_points(axes, rows, np.array(places) + OFFSETS[str(space)], str(space))
        axes.axvline(len(groups) - 1.5, color=FRAME, lw=0.4)
        axes.yaxis.set_label_coords(-(LEFT_MM - 2.2) / length, 0.5)
        for number, name in enumerate(names):
            middle = MARGIN_MM + LEFT_MM + (number + 0.5) * length / len(groups)
            baseline = MARGIN_MM + PLOT_MM + BELOW_MM + 1.0
            write_lines(figure, middle, baseline, name)
        handles = [_handle(space) for space in spaces]
        place_legend(figure, handles, n_columns=len(handles), left_mm=MARGIN_MM, bottom_mm=MARGIN_MM)
    return figure


def timing_panel(
    timing: pd.DataFrame,
    *,
    data: str,
    device: str = "",
    settings: str = "",
    per: str = "run",
    width: Width = "single",
) -> Panel:
    """Average, draw and describe what interventions cost.

    Parameters
    ----------
    timing
        See `timing_panel_table`.
    data
        What was trained on, for the caption.
    device
        On what, for the caption.
    settings
        What else is to be said of the runs, for the caption; no full stop at the end.
    per
        What a row of ``timing`` is of: a ``run``, or an ``epoch``.
    width
        See `draw_timing`.

    Returns
    -------
    Panel
        Table, figure and caption.

    Raises
    ------
    AliError
        See `timing_panel_table`.
    """
    table = timing_panel_table(timing)
    where = f"{data}{f', on {device}' if device else ''}"
    return Panel(figure=draw_timing(table, width=width), table=table, caption=_caption(table, where, settings, per))


def _draw_points(axes: Axes, rows: pd.DataFrame, places: NDArray[np.float64], space: str) -> None:
    _, colour, marker = SPACES[space]
    axes.vlines(places, rows["low"], rows["high"], color=colour, lw=0.8)
    axes.plot(places, rows["mean"], marker, color=colour, ms=3.4, mec="w", mew=0.3)


def _handle(space: str) -> Line2D:
    name, colour, marker = SPACES[space]
    return Line2D([], [], ls="none", marker=marker, ms=3.4, mfc=colour, mec="none", label=name)


def _scale(axes: Axes, table: pd.DataFrame, n_groups: int) -> None:
    low, high = np.log10(table["low"].min() / 1.1), np.log10(table["high"].max() * 1.1)
    axes.set_yscale("log")
    axes.set(xlim=(-0.5, n_groups - 0.5), ylim=(10.0 ** np.floor(low), 10.0 ** np.ceil(high)), xticks=[])
    axes.set_ylabel("Seconds an epoch (logarithmic)")
    axes.yaxis.set_major_locator(LogLocator(base=10.0, numticks=16))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(axis="y", color="0.9", lw=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _caption(table: pd.DataFrame, where: str, settings: str, per: str) -> str:
    spaces = set(table.loc[table["stage"] == "intervene", "space"])
    counts = table["n"]
    number = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    planning = "Interventions: statistics of the classes, choice and planning of all steps"
    sentences = [
        f"Seconds an epoch in the training on {where}.",
        f"{settings}." if settings else "",
        f"Points are means over {number} {per}{'s' if counts.max() > 1 else ''}, lines reach from the fastest to the "
        "slowest.",
        f"Combinations of transforms: {COMBINATION_NOTE}",
        planning + ("; in 2-D the fit of the parametric t-SNE is included." if "2d" in spaces else "."),
        f"{TRAINING}: one pass over the training fold, waiting for batches included.",
        "Embedding and evaluation, which all methods need, are not shown.",
        "Training and interventions use the labels of the training fold.",
        "The axis is logarithmic.",
    ]
    return " ".join(filter(None, sentences)) + "\n"
