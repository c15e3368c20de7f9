"""How well methods classify: bars with intervals, baselines as lines (Fig. 5 of the paper).

Synopsis::

    results = pd.read_csv("runs/paper/results.csv")
    results_panel(results, n_folds=6, data="marrow").save("figures", "fig5")
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ali_core.training.methods import SPECS
from ali_viz.panels.class_scatter import LEGEND_ROW_MM, LEGEND_SYMBOL_MM, place_legend
from ali_viz.panels.combinations import COMBINATION_NOTE, in_order
from ali_viz.panels.panel import Panel
from ali_viz.panels.print_style import (
    INK,
    LINE_MM,
    Width,
    add_axes_mm,
    new_figure,
    print_style,
    text_mm,
    text_width_mm,
    width_in_mm,
    wrapped,
    write_lines,
)
from ali_viz.panels.results_table import RESULTS_PANEL_COLUMNS, results_panel_table

__all__ = ["RESULTS_PANEL_COLUMNS", "draw_results", "results_panel", "results_panel_table"]

COLOURS = {
    (name, alone): spec.colours[alone] for name, spec in SPECS.items() for alone in (False, True) if spec.colours[alone]
}
"""By loss, and whether it has no triplet margin loss (w = 1), as in the paper."""
SPARE = ("#009e73", "#8a5aa8", "#56b4e9", "#6b6b2f", "#cc79a7")
"""For further weights."""
PALE = 0.42
"""Share of the colour that bars without class weights keep; the rest is white."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in every group of bars.

    Parameters
    ----------
    loss, weight, class_weights
        What its bars have in common.
    name
        Of the legend.
    colour
        Red, green and blue.
    """

    loss: str
    weight: float
    class_weights: bool
    name: str
    colour: tuple[float, float, float]

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return its rows of a table."""
        same_loss = (table["loss"] == self.loss) & (table["weight"] == self.weight)
        return table[same_loss & (table["class_weights"] == self.class_weights)]


def slots(bars: pd.DataFrame) -> list[Slot]:
    """Return the places that groups have: PALI, ALI, ALI without TML, each without and with class weights if used."""
    spare = iter(SPARE)
    taken: set[tuple[str, bool]] = set()
    shades = sorted(bars["class_weights"].unique())
    found = []
    for loss, weight in _series(bars):
        family = (loss, weight == 1.0)
        first = family not in taken and family in COLOURS
        taken.add(family)
        colour = to_rgb(COLOURS[family] if first else next(spare, "#555555"))
        several = sum((one, at == 1.0) == family for one, at in _series(bars)) > 1
        name = loss.upper() + (" without TML" if family[1] else f", w = {weight:g}" if several else "")
        for with_weights in shades:
            share = 1.0 if with_weights else PALE
            red, green, blue = (1.0 - share * (1.0 - part) for part in colour)
            text = f"{name}, class weights" if with_weights else name
            found.append(Slot(loss, weight, bool(with_weights), text, (red, green, blue)))
    return found


def _series(bars: pd.DataFrame) -> list[tuple[str, float]]:
    pairs = bars[["loss", "weight"]].drop_duplicates()
    return sorted(zip(pairs["loss"], pairs["weight"], strict=True), key=lambda pair: (pair[0] != "pali", pair))


MARGIN_MM, LEFT_MM, TICK_MM, LEADER_MM, LABEL_GAP_MM = 1.5, 10.0, 2.0, 3.0, 0.6
PLOT_MM = {"single": 46.0, "double": 52.0}
GROUP_SHARE, BAR_MM = 0.86, 6.0
"""Share of its width that a group of bars fills, with bars no wider than this."""
LEAST_SPAN = 0.05
"""Of the vertical axis, in F1."""
DASHES = ((0, ()), (0, (4, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)), (0, (8, 2)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where the plot is, in millimetres, and what it shows in F1."""

    left: float
    width: float
    height: float
    low: float
    high: float

    def below_top(self, score: float) -> float:
        """Millimetres from the top of the plot."""
        return self.height * (self.high - score) / (self.high - self.low)


def draw_results(table: pd.DataFrame, *, width: Width = "double") -> Figure:
    """Draw the table of `results_panel_table`: a group of bars a combination, a line a baseline, a dot a run.

    Parameters
    ----------
    table
        With the columns of ``RESULTS_PANEL_COLUMNS``.
    width
        ``single`` (88 mm) or ``double`` (181 mm).

    Returns
    -------
    matplotlib.figure.Figure
        With the names of the baselines at the right and one legend beneath.
    """
    bars, lines = table[table["kind"] == "bar"], table[table["kind"] == "baseline"]
    total, groups, places = width_in_mm(width), in_order(bars["combination"]), slots(bars)
    frame = _frame(table, lines, total, PLOT_MM[width])
    each = frame.width / len(groups)
    thickness = min(GROUP_SHARE / len(places), BAR_MM / each)
    names = [wrapped(name, each - 1.0) for name in groups]
    names_mm = TICK_MM + LINE_MM * max(name.count("\n") + 1 for name in names)
    handles = [_handle(slot) for slot in places]
    n_columns = _legend_columns(handles, total - 2 * MARGIN_MM)
    legend_mm = LEGEND_ROW_MM * -(-len(handles) // n_columns)
    with print_style():
        figure = new_figure(total, 2 * MARGIN_MM + frame.height + names_mm + 1.5 + legend_mm)
        axes = add_axes_mm(figure, frame.left, MARGIN_MM, frame.width, frame.height)
        axes.set(xlim=(-0.5, len(groups) - 0.5), ylim=(frame.low, frame.high), xticks=[], ylabel="Macro F1 (test)")
        axes.yaxis.set_label_coords(-(LEFT_MM - 2.2) / frame.width, 0.5)
        axes.locator_params(axis="y", nbins=6, steps=[1, 2, 5, 10])
        axes.spines[["top", "right"]].set_visible(False)
        _draw_lines(axes, lines)
        for number, group in enumerate(groups):
            _draw_group(axes, table[table["combination"] == group], places, number, thickness)
            middle = frame.left + (number + 0.5) * each
            baseline = MARGIN_MM + frame.height + TICK_MM + 1.0
            write_lines(figure, middle, baseline, names[number])
        _name_lines(figure, lines, frame)
        place_legend(figure, handles, n_columns=n_columns, left_mm=MARGIN_MM, bottom_mm=MARGIN_MM)
    return figure


def results_panel(
    results: pd.DataFrame,
    *,
    baseline: str = "tml",
    n_folds: int,
    data: str,
    settings: str = "",
    width: Width = "double",
) -> Panel:
    """Average, draw and describe the results of an experiment.

    Parameters
    ----------
    results, baseline, n_folds
        See `results_panel_table`.
    data
        What was classified, for the caption.
    settings
        What else is to be said of the runs, for the caption; no full stop at the end.
    width
        See `draw_results`.

    Returns
    -------
    Panel
        Table, figure and caption.

    Raises
    ------
    AliError
        See `results_panel_table`.
    """
    table = results_panel_table(results, baseline=baseline, n_folds=n_folds)
    figure = draw_results(table, width=width)
    floor = float(figure.axes[0].get_ylim()[0])
    caption = results_caption(table, n_folds=n_folds, data=data, settings=settings, floor=floor)
    return Panel(figure=figure, table=table, caption=caption)


def _frame(table: pd.DataFrame, lines: pd.DataFrame, total: float, height: float) -> _Frame:
    low = float(np.nanmin(table[["mean", "low"]]))
    high = float(np.nanmax(table[["mean", "high"]]))
    margin = max(0.06 * (high - low), (LEAST_SPAN - (high - low)) / 2)
    labels = max(text_width_mm(_line_label(row)) for _, row in lines.iterrows()) + LEADER_MM + LABEL_GAP_MM
    return _Frame(
        left=MARGIN_MM + LEFT_MM,
        width=total - 2 * MARGIN_MM - LEFT_MM - labels,
        height=max(height, LINE_MM * (len(lines) + 1)),
        low=max(low - margin, 0.0),
        high=min(high + margin, 1.0) if high <= 1.0 else high + margin,
    )


def _draw_group(axes: Axes, rows: pd.DataFrame, places: list[Slot], number: int, thickness: float) -> None:
    bars, runs = rows[rows["kind"] == "bar"], rows[rows["kind"] == "run"]
    for index, slot in enumerate(places):
        middle = number + thickness * (index - (len(places) - 1) / 2)
        bar = slot.of(bars)
        if bar.empty:
            others = bars[(bars["loss"] == slot.loss) & (bars["weight"] == slot.weight)]
            if len(others):
                at = axes.get_xaxis_transform()
                axes.text(middle, 0.015, "n/a", transform=at, ha="center", va="bottom", rotation=90)
            continue
        mean, low, high = (float(bar[name].iloc[0]) for name in ("mean", "low", "high"))
        axes.bar(middle, mean, width=0.92 * thickness, color=slot.colour, zorder=2)
        scores = slot.of(runs).sort_values(["fold", "seed"])["mean"].to_numpy(dtype=np.float64)
        spread = np.linspace(-0.3, 0.3, len(scores)) if len(scores) > 1 else np.zeros(len(scores))
        axes.plot(middle + thickness * spread, scores, "o", ms=1.4, mfc=INK, mec="w", mew=0.25, zorder=3)
        if np.isfinite(low):
            ends = [[mean - low], [high - mean]]
            axes.errorbar(middle, mean, ends, ecolor=INK, elinewidth=0.6, capsize=1.0, capthick=0.6, zorder=4)


def _draw_lines(axes: Axes, lines: pd.DataFrame) -> None:
    first = lines.iloc[0]
    if np.isfinite(first["low"]):
        axes.axhspan(first["low"], first["high"], color="0.92", lw=0, zorder=0)
    for number, (_, row) in enumerate(lines.iterrows()):
        over = 1.0 if number else 2.5  # that which the bars are to be seen against runs over them
        axes.axhline(row["mean"], ls=DASHES[number % len(DASHES)], zorder=over, **_line_look(number))


def _name_lines(figure: Figure, lines: pd.DataFrame, frame: _Frame) -> None:
    """Write the names of the baselines at the right of the plot, apart from each other, with leaders."""
    wanted = [frame.below_top(score) for score in lines["mean"]]
    right = frame.left + frame.width
    width, height = figure.get_size_inches() * 25.4
    for number, ((_, row), top) in enumerate(zip(lines.iterrows(), _apart(wanted, frame.height), strict=True)):
        ends = [(right, wanted[number]), (right + LEADER_MM, top)]
        x, y = ([at / width for at, _ in ends], [1.0 - (MARGIN_MM + at) / height for _, at in ends])
        figure.add_artist(Line2D(x, y, **_line_look(number) | {"lw": 0.4}))
        text_mm(figure, right + LEADER_MM + LABEL_GAP_MM, MARGIN_MM + top, _line_label(row), va="center")


def _apart(wanted: list[float], height: float) -> list[float]:
    """Return places near those wanted, in the same order, at least a line of text apart, on the plot if they fit."""
    order = np.argsort(wanted, kind="stable")
    placed = np.array(wanted, dtype=np.float64)[order]
    for index in range(1, len(placed)):
        placed[index] = max(placed[index], placed[index - 1] + LINE_MM)
    placed[-1] = min(placed[-1], height)
    for index in range(len(placed) - 2, -1, -1):
        placed[index] = min(placed[index], placed[index + 1] - LINE_MM)
    found = np.empty_like(placed)
    found[order] = placed
    return [float(place) for place in found]


def _line_look(number: int) -> dict[str, Any]:
    return {"color": INK if number == 0 else "#6a6a6a", "lw": 0.9 if number == 0 else 0.7}


def _line_label(row: "pd.Series[Any]") -> str:
    return f"{row['method']} {row['mean']:.3f}"


def _handle(slot: Slot) -> Line2D:
    return Line2D([], [], ls="none", marker="s", ms=5, mfc=slot.colour, mec="none", label=slot.name)


def _legend_columns(handles: list[Line2D], width_mm: float) -> int:
    widest = max(text_width_mm(str(handle.get_label())) for handle in handles) + LEGEND_SYMBOL_MM
    fitting = max(1, int(width_mm // widest))
    return -(-len(handles) // -(-len(handles) // fitting))


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
