"""Print figures: a table first, then its picture, then PDF, SVG, PNG, CSV and caption; no browser."""

from ali_viz.panels.cells_panel import CELLS_COLUMNS, CellsGrid, cells_panel, cells_table, draw_cells
from ali_viz.panels.distribution_panel import (
    DISTRIBUTION_COLUMNS,
    distribution_panel,
    distribution_table,
    draw_distribution,
)
from ali_viz.panels.dry_run_panel import draw_dry_run, dry_run_panel
from ali_viz.panels.dry_run_table import DRY_RUN_COLUMNS, dry_run_table
from ali_viz.panels.epoch_panel import TrainedEpoch, epoch_panel
from ali_viz.panels.panel import Panel, save_panel
from ali_viz.panels.results_panel import draw_results, results_panel
from ali_viz.panels.results_table import RESULTS_PANEL_COLUMNS, results_panel_table
from ali_viz.panels.state_panel import STATE_COLUMNS, draw_states, state_panel, state_table
from ali_viz.panels.step_panel import draw_step, step_panel
from ali_viz.panels.step_table import STEP_COLUMNS, StepGeometry, last_explained, step_geometry, step_table
from ali_viz.panels.timing_panel import TIMING_PANEL_COLUMNS, draw_timing, timing_panel, timing_panel_table

__all__ = [
    "CELLS_COLUMNS",
    "DISTRIBUTION_COLUMNS",
    "DRY_RUN_COLUMNS",
    "RESULTS_PANEL_COLUMNS",
    "STATE_COLUMNS",
    "STEP_COLUMNS",
    "TIMING_PANEL_COLUMNS",
    "CellsGrid",
    "Panel",
    "StepGeometry",
    "TrainedEpoch",
    "cells_panel",
    "cells_table",
    "distribution_panel",
    "distribution_table",
    "draw_cells",
    "draw_distribution",
    "draw_dry_run",
    "draw_results",
    "draw_states",
    "draw_step",
    "draw_timing",
    "dry_run_panel",
    "dry_run_table",
    "epoch_panel",
    "last_explained",
    "results_panel",
    "results_panel_table",
    "save_panel",
    "state_panel",
    "state_table",
    "step_geometry",
    "step_panel",
    "step_table",
    "timing_panel",
    "timing_panel_table",
]
