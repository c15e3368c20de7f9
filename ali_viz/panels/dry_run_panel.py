"""What a dry run found: F1 over the number of interventions, one line a configuration (Fig. 4 of the paper).

Synopsis::

    dry_run_panel(pd.read_csv("dry-run/curves.csv"), data="marrow features").save("figures", "fig4")
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ali_core.interventions import PRESETS
from ali_viz.panels.class_scatter import place_legend
from ali_viz.panels.dry_run_caption import dry_run_caption
from ali_viz.panels.dry_run_style import BEST_WIDTH, LINE_WIDTH, STAR, STYLES, line_colour, line_handles
from ali_viz.panels.dry_run_table import SCORES, dry_run_table, left_out
from ali_viz.panels.panel import Panel
from ali_viz.panels.print_style import (
    INK,
    Width,
    add_axes_mm,
    new_figure,
    panel_letter,
    print_style,
    text_mm,
    width_in_mm,
)

__all__ = ["draw_dry_run", "dry_run_panel"]

LINES_RASTER_ABOVE = 100
"""With more configurations than this in one plot, their lines become an image of 600 dpi inside the vector file."""

HEADS = {
    "oracle": "Oracle F1 (validation samples moved by their true class)",
    "transfer": "Transfer F1 (validation samples moved without labels)",
}
SPACES = {"nd": "n-D (ALI)", "2d": "2-D (PALI)"}
MARGIN_MM, GAP_MM, LEFT_MM, GROUP_HEAD_MM, TITLE_MM, BELOW_MM, WIDEST_MM = 1.5, 2.2, 8.2, 3.6, 4.2, 7.8, 44.0
LEGEND_ROW_MM = 3.0


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where everything is, in millimetres from the top left corner: a group a score and space, a plot a combination."""

    combinations: list[str]
    width: float
    n_columns: int

    @property
    def n_rows(self) -> int:
        return -(-len(self.combinations) // self.n_columns)

    @property
    def plot_width(self) -> float:
        free = self.width - 2 * MARGIN_MM - LEFT_MM - (self.n_columns - 1) * GAP_MM
        return min(free / self.n_columns, WIDEST_MM)

    @property
    def plot_height(self) -> float:
        return 0.85 * self.plot_width

    @property
    def group_height(self) -> float:
        return GROUP_HEAD_MM + self.n_rows * (TITLE_MM + self.plot_height) + BELOW_MM

    def place(self, group: int, index: int) -> tuple[float, float]:
        """Left and top of the axes of a combination."""
        row, column = divmod(index, self.n_columns)
        left = MARGIN_MM + LEFT_MM + column * (self.plot_width + GAP_MM)
        above = MARGIN_MM + group * self.group_height + GROUP_HEAD_MM
        return left, above + row * (TITLE_MM + self.plot_height) + TITLE_MM


def draw_dry_run(table: pd.DataFrame, *, width: Width = "double") -> Figure:
    """Draw tables of `dry_run_table`: a row a score and space, a column a combination, a line a configuration.

    Parameters
    ----------
    table
        With the columns of ``DRY_RUN_COLUMNS``; of one score or of both.
    width
        ``single`` (88 mm, three plots side by side) or ``double`` (181 mm, six).

    Returns
    -------
    matplotlib.figure.Figure
        With the same axes along each row, a letter a row, and one legend beneath.
    """
    found = list(table["combination"].unique())
    ordered = [name for name in PRESETS if name in found] + [name for name in found if name not in PRESETS]
    total, n_columns = width_in_mm(width), min(len(ordered), 6 if width == "double" else 3)
    grid = _Grid(ordered, total, n_columns)
    groups = list(_groups(table))
    columns = line_handles(table)
    handles = list(chain.from_iterable(columns))
    legend_mm = LEGEND_ROW_MM * len(columns[0])
    letters = (chr(ord("a") + index) for index in count())
    with print_style():
        figure = new_figure(total, 2 * MARGIN_MM + len(groups) * grid.group_height + legend_mm)
        for number, rows in enumerate(groups):
            _draw_group(figure, rows, grid, number, next(letters))
        place_legend(figure, handles, n_columns=len(columns), left_mm=MARGIN_MM, bottom_mm=MARGIN_MM)
    return figure


def dry_run_panel(
    curves: pd.DataFrame,
    *,
    score: Literal["oracle", "transfer", "both"] = "both",
    hold: int | None = 3,
    data: str,
    settings: str = "",
    width: Width = "double",
) -> Panel:
    """Compute, draw and describe the first sweep of a dry run.

    Parameters
    ----------
    curves
        ``curves.csv`` of a dry run.
    score
        Which score; ``both`` draws them in separate rows, never in one plot.
    hold
        As in the dry run; see `dry_run_table`.
    data
        What was intervened on, for the caption.
    settings
        What else is to be said of the run, such as its seed, for the caption; no full stop at the end.
    width
        See `draw_dry_run`.

    Returns
    -------
    Panel
        Table, figure and caption.

    Raises
    ------
    AliError
        See `dry_run_table`.
    """
    scores = SCORES if score == "both" else (score,)
    table = pd.concat([dry_run_table(curves, name, hold=hold) for name in scores], ignore_index=True)
    swept = curves[curves["sweep"] == "strengths"]
    caption = dry_run_caption(
        table,
        data=data,
        settings=settings,
        n_folds=swept["fold"].nunique(),
        hold=hold,
        left_out=left_out(curves),
        raster_above=LINES_RASTER_ABOVE,
    )
    return Panel(figure=draw_dry_run(table, width=width), table=table, caption=caption)


def _groups(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Rows of the figure: the oracle first, all dimensions before two."""
    for score in SCORES:
        for space in SPACES:
            rows = table[(table["score"] == score) & (table["space"] == space)]
            if len(rows):
                yield rows


def _draw_group(figure: Figure, rows: pd.DataFrame, grid: _Grid, number: int, letter: str) -> None:
    score, space = str(rows["score"].iloc[0]), str(rows["space"].iloc[0])
    top = MARGIN_MM + number * grid.group_height
    panel_letter(figure, MARGIN_MM, top, letter)
    text_mm(figure, MARGIN_MM + 3.5, top + 0.3, f"{HEADS[score]}, {SPACES[space]}")
    limits = _limits(rows)
    for index, combination in enumerate(grid.combinations):
        left, axes_top = grid.place(number, index)
        axes = add_axes_mm(figure, left, axes_top, grid.plot_width, grid.plot_height)
        axes.set(xlim=limits[0], ylim=limits[1])
        axes.locator_params(nbins=4, steps=[1, 2, 5, 10])
        is_first, is_last = index % grid.n_columns == 0, index >= len(grid.combinations) - grid.n_columns
        axes.tick_params(labelleft=is_first, labelbottom=is_last)
        if is_first:
            axes.set_ylabel(f"{score.capitalize()} F1 (macro)")
            axes.yaxis.set_label_coords(-7.0 / grid.plot_width, 0.5)
        if is_last:
            axes.set_xlabel("Interventions")
        text_mm(figure, left, axes_top - 3.0, combination, fontsize=7, fontweight="bold")
        shown = rows[rows["combination"] == combination]
        if len(shown):
            right = left + grid.plot_width
            text_mm(figure, right, axes_top - 2.9, _draw_plot(axes, shown), ha="right")


def _limits(rows: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    low, high, last = rows["f1"].min(), rows["f1"].max(), float(rows["n_interventions"].max())
    margin = 0.05 * max(high - low, 0.02)
    return (-0.02 * max(last, 1.0), 1.02 * max(last, 1.0)), (low - margin, high + margin)


def _draw_plot(axes: Axes, rows: pd.DataFrame) -> str:
    """Draw the lines of one combination, strong over weak, and the best over all; return what its star says."""
    by_name = [group for _, group in rows.groupby("configuration", sort=False)]
    looks = pd.DataFrame([group.iloc[0][["strength", "selection", "criterion"]] for group in by_name])
    order = np.argsort(looks["strength"].to_numpy(dtype=np.float64), kind="stable")
    lines = [by_name[index][["n_interventions", "f1"]].to_numpy(dtype=np.float64) for index in order]
    colours = [line_colour(*looks.iloc[index][["selection", "strength"]]) for index in order]
    styles = [STYLES[looks.iloc[index]["criterion"]] for index in order]
    raster = len(lines) > LINES_RASTER_ABOVE
    axes.add_collection(
        LineCollection(lines, colors=colours, linestyles=styles, linewidths=LINE_WIDTH, rasterized=raster, zorder=2)
    )
    untouched = rows.loc[rows["n_interventions"] == 0, "f1"].mean()
    axes.axhline(untouched, color=INK, lw=0.4, zorder=3)
    _draw_best(axes, rows[rows["is_best"]])
    star = rows[rows["is_star"]]
    if star.empty:
        return ""
    axes.plot(star["n_interventions"], star["f1"], clip_on=False, zorder=5, **STAR)
    return f"{star['f1'].iloc[0]:.3f} at {star['n_interventions'].iloc[0]:.0f}"


def _draw_best(axes: Axes, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    selection, criterion = rows.iloc[0][["selection", "criterion"]]
    line = rows[["n_interventions", "f1"]].to_numpy(dtype=np.float64).T
    axes.plot(*line, color="white", lw=2 * BEST_WIDTH, zorder=4)
    axes.plot(*line, color=line_colour(selection, 1.0), ls=STYLES[criterion], lw=BEST_WIDTH, zorder=4)
