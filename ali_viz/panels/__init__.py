"""Print figures: a table first, then its picture, then PDF, SVG, PNG, CSV and caption; no browser."""

from ali_viz.panels.panel import Panel, save_panel
from ali_viz.panels.state_panel import STATE_COLUMNS, draw_states, state_panel, state_table

__all__ = [
    "STATE_COLUMNS",
    "Panel",
    "draw_states",
    "save_panel",
    "state_panel",
    "state_table",
]
