"""Print figures: a table first, then its picture, then PDF, SVG, PNG, CSV and caption; no browser."""

from ali_viz.panels.epoch_panel import TrainedEpoch, epoch_panel
from ali_viz.panels.panel import Panel, save_panel
from ali_viz.panels.state_panel import STATE_COLUMNS, draw_states, state_panel, state_table
from ali_viz.panels.step_panel import draw_step, step_panel
from ali_viz.panels.step_table import STEP_COLUMNS, StepGeometry, step_geometry, step_table

__all__ = [
    "STATE_COLUMNS",
    "STEP_COLUMNS",
    "Panel",
    "StepGeometry",
    "TrainedEpoch",
    "draw_states",
    "draw_step",
    "epoch_panel",
    "save_panel",
    "state_panel",
    "state_table",
    "step_geometry",
    "step_panel",
    "step_table",
]
