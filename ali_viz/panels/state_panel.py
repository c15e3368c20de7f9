"""The embedding before and after interventions, in several views (Fig. 6 of the paper).

Synopsis::

    panel = state_panel({"Before": session.before, "After": session.after}, data="emb.npz")
    panel.save("figures", "fig6")
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.projection import LAYOUTS, View, project
from ali_viz.limits import is_strip, shared_limits
from ali_viz.panels.captions import label_notes, state_caption
from ali_viz.panels.class_numbers import class_numbers, draw_numbers
from ali_viz.panels.class_scatter import (
    RASTER_ABOVE,
    class_columns,
    class_legend,
    column_legend,
    column_legend_mm,
    draw_samples,
    legend_height_mm,
)
from ali_viz.panels.crowding import count_outside, in_view, point_look
from ali_viz.panels.panel import Panel
from ali_viz.panels.print_style import (
    Width,
    add_axes_mm,
    new_figure,
    panel_letter,
    points_to_mm,
    print_style,
    text_mm,
    width_in_mm,
)
from ali_viz.theme import UNLABELLED

if TYPE_CHECKING:
    from ali_viz.picture import Colouring

__all__ = ["STATE_COLUMNS", "draw_states", "state_panel", "state_table"]

MARGIN_MM, GAP_MM, NOTE_LINE_MM = 1.5, 3.0, 2.8
TITLE_MM, ROW_HEAD_MM, AXIS_LEFT_MM, AXIS_BELOW_MM = 4.5, 4.5, 11.5, 6.5


@dataclass(frozen=True, slots=True, kw_only=True)
class StateGrid:
    """Where everything is, in millimetres from the top left corner."""

    views: list[View]
    states: list[str]
    aspects: list[float]
    width: float
    numbers: dict[str, int]
    legend: float
    columns: float
    note: str

    @property
    def panel_width(self) -> float:
        """Width of the axes."""
        gaps = (len(self.states) - 1) * GAP_MM
        return (self.width - 2 * MARGIN_MM - AXIS_LEFT_MM - gaps) / len(self.states)

    def left(self, column: int) -> float:
        """Left of the axes of ``column``."""
        return MARGIN_MM + AXIS_LEFT_MM + column * (self.panel_width + GAP_MM)

    def top(self, row: int) -> float:
        """Top of the axes of ``row``."""
        above = sum(aspect * self.panel_width for aspect in self.aspects[:row])
        return MARGIN_MM + TITLE_MM + (row + 1) * ROW_HEAD_MM + row * AXIS_BELOW_MM + above

    def below(self, row: int) -> float:
        """Top of the names of the horizontal axes of ``row``."""
        return self.top(row) + self.aspects[row] * self.panel_width + AXIS_BELOW_MM - 3.0

    @property
    def note_top(self) -> float:
        """Top of the note beneath the panels."""
        return self.top(len(self.views)) - ROW_HEAD_MM

    @property
    def height(self) -> float:
        """Height of the figure."""
        lines = self.note.count("\n") + 1 if self.note else 0
        return self.note_top + lines * NOTE_LINE_MM + 1.5 + self.columns + self.legend + MARGIN_MM


def state_grid(table: pd.DataFrame, width: Width, remark: str, colouring: "Colouring | None") -> StateGrid:
    """Lay out the figure of this table."""
    total = width_in_mm(width)
    views, states = list(table["view"].unique()), list(table["state"].unique())
    numbers = class_numbers(table)
    notes = [f"{remark}."] * bool(remark) + label_notes(views)
    return StateGrid(
        views=views,
        states=states,
        aspects=[_aspect(table[table["view"] == view]) for view in views],
        width=total,
        numbers=numbers,
        legend=legend_height_mm(table, total - 2 * MARGIN_MM, numbers),
        columns=0.0 if colouring is None else column_legend_mm(colouring, total - 2 * MARGIN_MM) + 1.0,
        note=textwrap.fill(" ".join(notes), 62 if width == "single" else 165),
    )


def _aspect(rows: pd.DataFrame) -> float:
    """Height over width of the panels of one row: that of the data, within reason."""
    positions = in_view(rows)
    spans = np.ptp(positions, axis=0)
    if is_strip(positions):
        return 0.8
    return float(np.clip(spans[1] / spans[0], 0.6, 1.0)) if spans[0] > 0 else 1.0


STATE_COLUMNS = {
    "view": "row of the figure, one of `ali_core.projection.VIEWS`",
    "state": "column of the figure, in the order of the states",
    "x": "horizontal position",
    "y": "vertical position",
    "id": "the sample",
    "class_code": "code of its class",
    "class_name": "its class",
    "colour": "colour of the class, #rrggbb",
    "symbol": "marker of the class by its plotly name",
    "order": "rank of the class in the legend",
}
"""What each column of the table means."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
YLABEL_MM = 9.2


def state_table(
    states: Mapping[str, LabelledEmbedding],
    views: Sequence[View] = ("dims", "supervised_tsne"),
    *,
    perplexity: float = 30.0,
    seed: int = 0,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Compute where the samples of each state are in each view.

    Parameters
    ----------
    states
        Embeddings of the same samples by the title of their column, in order, such as
        ``{"Before": session.before, "After": session.after}``.
    views
        The rows.
    perplexity, seed, n_jobs
        See `ali_core.projection.layout`.

    Returns
    -------
    pandas.DataFrame
        One row for each view, state and sample; the columns are described in ``STATE_COLUMNS``.

    Raises
    ------
    AliError
        If there is no state or no view, or the states do not hold the same samples.
    """
    if not states or not views:
        raise AliError(f"{len(states)} states and {len(views)} views make no figure; give at least one of each.")
    embeddings = list(states.values())
    first = embeddings[0]
    for title, embedding in states.items():
        if not np.array_equal(embedding.sample_names, first.sample_names):
            raise AliError(f"the state {title!r} holds other samples than the first one; draw the same samples in all.")
    parts = []
    for view in views:
        layouts = project(
            [embedding.vectors for embedding in embeddings],
            view,
            labels=first.labels,
            perplexity=perplexity,
            seed=seed,
            n_jobs=n_jobs,
        )
        for (title, embedding), positions in zip(states.items(), layouts, strict=True):
            places = {"view": view, "state": title, "x": positions[:, 0], "y": positions[:, 1]}
            parts.append(pd.concat([pd.DataFrame(places), class_columns(embedding)], axis=1))
    return pd.concat(parts, ignore_index=True)[list(STATE_COLUMNS)]


def draw_states(
    table: pd.DataFrame, *, width: Width = "double", remark: str = "", colouring: "Colouring | None" = None
) -> Figure:
    """Draw the table of `state_table`: a row a view, a column a state, the same axes along each row.

    Parameters
    ----------
    table
        With the columns of ``STATE_COLUMNS``.
    width
        ``single`` (88 mm) or ``double`` (181 mm).
    remark
        What the samples are, written beneath the panels.
    colouring
        What the colours of ``table`` mean where they are not those of the classes; its legend comes first.

    Returns
    -------
    matplotlib.figure.Figure
        With panel letters, one legend beneath, and a note if a view uses labels.
    """
    grid = state_grid(table, width, remark, colouring)
    letters = (chr(ord("a") + index) for index in count())
    with print_style():
        figure = new_figure(grid.width, grid.height)
        for column, state in enumerate(grid.states):
            middle = grid.left(column) + grid.panel_width / 2
            text_mm(figure, middle, MARGIN_MM, state, ha="center", fontsize=7, fontweight="bold")
        for row, view in enumerate(grid.views):
            _draw_row(figure, table[table["view"] == view], grid, row, letters)
        text_mm(figure, MARGIN_MM, grid.note_top, grid.note)
        place = {"width_mm": grid.width - 2 * MARGIN_MM, "left_mm": MARGIN_MM}
        shapes = table
        if colouring is not None:
            column_legend(figure, colouring, **place, bottom_mm=MARGIN_MM + grid.legend + 1.0)
            shapes = table.assign(colour=UNLABELLED.colour)
        class_legend(figure, shapes, **place, bottom_mm=MARGIN_MM, numbers=grid.numbers)
    return figure


def state_panel(
    states: Mapping[str, LabelledEmbedding],
    views: Sequence[View] = ("dims", "supervised_tsne"),
    *,
    data: str,
    n_samples: int | None = None,
    settings: str = "",
    width: Width = "double",
    perplexity: float = 30.0,
    seed: int = 0,
    n_jobs: int = 1,
) -> Panel:
    """Compute, draw and describe the states of an embedding: `state_table` and `draw_states` with a caption.

    Parameters
    ----------
    states, views, perplexity, seed, n_jobs
        See `state_table`.
    data
        What was embedded, for the caption.
    n_samples
        How many samples it has, where the states hold only some of them.
    settings
        What was done to it, for the caption, such as ``preset c,s, 25 interventions``.
    width
        See `draw_states`.

    Returns
    -------
    Panel
        Table, figure and caption.
    """
    table = state_table(states, views, perplexity=perplexity, seed=seed, n_jobs=n_jobs)
    figure = draw_states(table, width=width, remark=next(iter(states.values())).description)
    caption = state_caption(table, data=data, n_samples=n_samples, settings=settings, perplexity=perplexity, seed=seed)
    return Panel(figure=figure, table=table, caption=caption)


def _draw_row(figure: Figure, rows: pd.DataFrame, grid: StateGrid, row: int, letters: Iterator[str]) -> None:
    view, aspect, top = grid.views[row], grid.aspects[row], grid.top(row)
    positions = in_view(rows)
    strip = is_strip(positions)
    limits = shared_limits(positions, aspect, equal_units=not strip)
    is_cut = count_outside(rows, limits) > 0
    area, alpha = point_look(rows, limits, grid.panel_width)
    size_pt = (grid.panel_width / points_to_mm(1.0), aspect * grid.panel_width / points_to_mm(1.0))
    for column, state in enumerate(grid.states):
        left = grid.left(column)
        axes = add_axes_mm(figure, left, top, grid.panel_width, grid.panel_width * aspect)
        shown = rows[rows["state"] == state]
        axes.set(xlim=limits[0], ylim=limits[1], aspect="auto" if strip else "equal")
        draw_samples(axes, shown, area=area, alpha=alpha, raster=len(shown) > RASTER_ABOVE)
        draw_numbers(axes, shown, grid.numbers, size_pt)
        _name_axes(axes, view, grid.panel_width, is_first=column == 0, is_cut=is_cut)
        panel_letter(figure, left - 0.3, top - 3.8, next(letters))
        if column == 0:
            text_mm(figure, left + 3.0, top - 3.5, LAYOUTS[view].print_title + (", own scales" if strip else ""))
        if n_outside := count_outside(shown, limits):
            text_mm(figure, left + grid.panel_width, grid.below(row), f"{n_outside} outside", ha="right")


def _name_axes(axes: Axes, view: View, panel_width: float, *, is_first: bool, is_cut: bool) -> None:
    axes.locator_params(nbins=4, steps=[1, 2, 5, 10])
    name = f"{LAYOUTS[view].axis} 1{_short_numbers(axes.xaxis, axes.get_xlim())}"
    axes.set_xlabel(name, loc="left" if is_cut else "center")  # the number of points outside stands at the right
    unit = _short_numbers(axes.yaxis, axes.get_ylim())
    if is_first:
        axes.set_ylabel(f"{LAYOUTS[view].axis} 2{unit}")
        axes.yaxis.set_label_coords(-YLABEL_MM / panel_width, 0.5)
    axes.tick_params(labelleft=is_first)
    if not LAYOUTS[view].linear:  # these coordinates have no unit
        axes.set(xticks=[], yticks=[])


def _short_numbers(axis: Axis, limits: tuple[float, float]) -> str:
    """Write very small and very large numbers in a power of ten; return it as the unit of the axis."""
    power = int(np.floor(np.log10(max(np.abs(limits)))))
    if -2 <= power <= 3:
        return ""
    axis.set_major_formatter(lambda value, _: f"{value / 10.0**power:.3g}".replace("-", "\N{MINUS SIGN}"))
    return f" (×10{str(power).translate(SUPERSCRIPTS)})"
