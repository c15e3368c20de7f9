"""Where everything is in the figure of the states of an embedding."""

import textwrap
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ali_core.projection import View
from ali_viz.limits import is_strip
from ali_viz.panels.captions import label_notes
from ali_viz.panels.class_numbers import class_numbers
from ali_viz.panels.class_scatter import legend_height_mm
from ali_viz.panels.crowding import in_view
from ali_viz.panels.print_style import Width, width_in_mm

__all__ = ["MARGIN_MM", "StateGrid", "state_grid"]

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
        return self.note_top + lines * NOTE_LINE_MM + 1.5 + self.legend + MARGIN_MM


def state_grid(table: pd.DataFrame, width: Width, remark: str) -> StateGrid:
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
        note=textwrap.fill(" ".join(notes), 62 if width == "single" else 165),
    )


def _aspect(rows: pd.DataFrame) -> float:
    """Height over width of the panels of one row: that of the data, within reason."""
    positions = in_view(rows)
    spans = np.ptp(positions, axis=0)
    if is_strip(positions):
        return 0.8
    return float(np.clip(spans[1] / spans[0], 0.6, 1.0)) if spans[0] > 0 else 1.0
