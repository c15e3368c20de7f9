"""What a dry run found: F1 over the number of interventions, one line a configuration (Fig. 4 of the paper).

Synopsis::

    dry_run_panel(pd.read_csv("dry-run/curves.csv"), data="marrow features").save("figures", "fig4")
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ali_core.interventions import CRITERIA, PRESETS
from ali_viz.panels.class_scatter import place_legend
from ali_viz.panels.combinations import COMBINATION_NOTE
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

COLOURS = {"deterministic": "#0072b2", "probabilistic": "#d55e00"}
Dashes = tuple[float, tuple[float, ...] | None]
STYLES: dict[str, Dashes] = {
    "mean-std": (0, None),
    "mean-all": (0, (7, 2.5)),
    "product": (0, (7, 2, 1.5, 2)),
    "closest": (0, (1.5, 1.8)),
}
STYLES |= {name: (0, (3, 1.2)) for name in CRITERIA if name not in STYLES}
"""Line style of each criterion, in line widths; those that are not the paper's share one."""
PALEST = 0.22
"""Share of the colour that the weakest strengths keep; the rest is white."""
LINE_WIDTH, BEST_WIDTH = 0.5, 1.2
STAR: dict[str, Any] = {"marker": "*", "ms": 5.5, "mfc": INK, "mec": "white", "mew": 0.5, "ls": "none"}


def line_colour(selection: str, strength: float) -> tuple[float, float, float]:
    """Mix the colour of a way to select with white: the weaker, the paler."""
    share = PALEST + (1.0 - PALEST) * float(strength)
    red, green, blue = (1.0 - share * (1.0 - part) for part in to_rgb(COLOURS[selection]))
    return red, green, blue


def line_handles(table: pd.DataFrame) -> list[list[Line2D]]:
    """Make the legend of what ``table`` (selection, criterion) holds: in columns, filled up to the same length."""
    found, used = set(table["selection"]), set(table["criterion"])
    main = next(name for name in COLOURS if name in found)
    best = STAR | {"color": line_colour(main, 1.0), "ls": "-", "lw": BEST_WIDTH}
    shades = {"Weak": 0.0, "Medium": 0.5, "Strong": 1.0}
    columns = [
        [_line(name.capitalize(), color=colour) for name, colour in COLOURS.items() if name in found],
        [_line(f"{name} λ", color=line_colour(main, shade)) for name, shade in shades.items()],
        [_line(name.capitalize(), ls=style) for name, style in STYLES.items() if name in used],
        [_line("Untouched", lw=0.4), Line2D([0, 1], [0, 0], label="Best oracle F1", **best)],
    ]
    longest = max(map(len, columns))
    return [[*column, *(_line("", lw=0.0) for _ in range(longest - len(column)))] for column in columns]


def _line(label: str, *, color: Any = INK, ls: Any = "-", lw: float = 0.9) -> Line2D:  # noqa: ANN401
    return Line2D([0, 1], [0, 0], label=label, color=color, ls=ls, lw=lw)


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
    margin = max(0.05 * (high - low), 0.02 - (high - low) / 2)  # at least 0.04 in all: ticks of two decimals
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


SCORE_NOTES = {
    "oracle": (
        "Oracle F1: validation samples are moved by the map of their true class, so the score uses their labels, "
        "rises to 1 whatever the embedding is worth, and says nothing about new samples."
    ),
    "transfer": (
        "Transfer F1: validation samples are moved by a map that was learned on the training samples, without their "
        "labels. A curve ends where its first fold was no longer followed."
    ),
}


def dry_run_caption(
    table: pd.DataFrame,
    *,
    data: str,
    settings: str,
    n_folds: int,
    hold: int | None,
    left_out: tuple[int, int],
    raster_above: int,
) -> str:
    """Describe the figure of `dry_run_panel`: data, folds, what the scores mean, strength, what is not drawn."""
    sizes = table.groupby(["score", "space", "combination"], observed=True)["configuration"].nunique()
    neighbours = " or ".join(f"{number:g}" for number in sorted(table["n_neighbours"].unique()))
    over = f", mean over {n_folds} folds" if n_folds > 1 else ""
    lines = f"{sizes.min()} to {sizes.max()}" if sizes.min() < sizes.max() else f"{sizes.max()}"
    sentences = [
        f"Dry run on the embedding of {data}: macro F1 of the validation fold over the number of interventions{over}.",
        f"One line a configuration, {lines} a plot; {neighbours} neighbours (the table of recommended settings has "
        "other numbers of them as well).",
        f"{settings}." if settings else "",
        f"{COMBINATION_NOTE} Interventions use the labels of the training samples.",
        *_score_sentences(table, hold),
        "The paler a line, the weaker its strengths: the mean rank of the λ's that vary, each within its grid.",
        "Thin horizontal line: the untouched embedding.",
        _star_sentence(table),
    ]
    if left_out[0]:
        sentences.append(
            f"{left_out[0]} of {left_out[1]} configurations were not followed in all folds, because they could "
            "no longer become the best or the run is not finished, and are not drawn."
        )
    if sizes.max() > raster_above:
        sentences.append("Lines are an image of 600 dpi within the vector file where there are many.")
    return " ".join(sentence for sentence in sentences if sentence) + "\n"


def _score_sentences(table: pd.DataFrame, hold: int | None) -> list[str]:
    """Say how the two dimensions came about, what the scores are, and what counts as 1."""
    held = hold is not None and "oracle" in set(table["score"])
    return [
        "2-D is a parametric t-SNE, fitted to the training samples without labels."
        if "2d" in set(table["space"])
        else "",
        *(SCORE_NOTES[score] for score in table["score"].unique()),
        f"A fold whose oracle score was 1 for {hold} numbers in a row was followed no further and counts as 1 from "
        "there on."
        if held
        else "",
    ]


def _star_sentence(table: pd.DataFrame) -> str:
    """Say what star and thick line mark, and where there is no star."""
    plots = table.groupby(["score", "space", "combination"], observed=True)["is_star"].any()
    sentences = [
        "Thick line and star: the configuration whose oracle score has the highest maximum, then the fewest "
        "interventions to reach it, then the best transfer score there, in all rows the same; the star is at this "
        "number of interventions, and above the plot stand F1 and number.",
        "There is no star where some fold was not followed so far." if not plots.all() else "",
    ]
    return " ".join(filter(None, sentences))
