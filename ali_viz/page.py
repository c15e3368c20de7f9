"""An interactive picture of an embedding before and after, as one HTML file that fetches nothing."""

import json
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from ali_core.files import write_text
from ali_core.interventions import Session
from ali_core.projection import LAYOUTS
from ali_viz.limits import is_strip, shared_limits
from ali_viz.offline import OFFLINE
from ali_viz.panels.captions import count_interventions
from ali_viz.theme import class_label

__all__ = ["page_figure", "write_page"]

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'; img-src data: blob:"
)
"""The page asks no host for anything, not even the one that it comes from; plotly draws with WebGL by eval."""

MOST_SVG = 20_000
"""Points at once that a browser without WebGL draws as well, one element each."""

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Latent interventions: before and after</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 1300px; padding: 0 1rem; color: #222; }}
h1 {{ font-size: 1.3rem; }} pre {{ white-space: pre-wrap; font: inherit; color: #444; }} li {{ margin: .1rem 0; }}
</style>
</head>
<body>
<h1>Latent interventions: before and after</h1>
<div id="embedding"></div>
<script>{plotly}</script>
<script>
const {{ data, layout }} = {figure};
const points = data.filter((trace) => trace.visible).reduce((sum, trace) => sum + trace.text.length, 0);
const webgl = document.createElement("canvas").getContext("webgl") !== null;
if (!webgl) for (const trace of data) trace.type = "scatter";
if (webgl || points <= {most_svg}) Plotly.newPlot("embedding", data, layout, {config});
else document.getElementById("embedding").textContent =
  `${{points}} points need WebGL, which this browser lacks: switch on hardware acceleration, or take another browser.`;
</script>
<pre>{caption}</pre>
<details><summary>{count}</summary><ol>{steps}</ol></details>
</body>
</html>
"""


def page_figure(table: pd.DataFrame) -> go.Figure:
    """Return the plotly figure of a state table: one column a state, buttons for the views.

    Parameters
    ----------
    table
        As :func:`ali_viz.panels.state_table` returns it.
    """
    views, states = list(table["view"].unique()), list(table["state"].unique())
    figure = make_subplots(rows=1, cols=len(states), subplot_titles=states, horizontal_spacing=0.04)
    for view in views:
        for column, state in enumerate(states, start=1):
            here = table[(table["view"] == view) & (table["state"] == state)]
            for _, rows in here.sort_values("order").groupby("order"):
                figure.add_trace(_class_trace(rows, shown=view == views[0], legend=column == 1), row=1, col=column)
    frames = {view: _frame(table[table["view"] == view], len(states)) for view in views}
    owners = [view for view in views for _ in range(len(figure.data) // len(views))]
    buttons = [
        {
            "label": LAYOUTS[view].print_title,
            "method": "update",
            "args": [{"visible": [owner == view for owner in owners]}, frames[view]],
        }
        for view in views
    ]
    menu = {"type": "buttons", "direction": "right", "buttons": buttons, "x": 0, "xanchor": "left", "y": 1.16}
    figure.update_layout(
        template="plotly_white",
        height=640,
        margin={"t": 110, "l": 50, "r": 10, "b": 50},
        legend={"itemsizing": "constant"},
        updatemenus=[menu | {"yanchor": "top"}],
    )
    figure.update_layout(_nested(frames[views[0]]))
    return figure


def write_page(table: pd.DataFrame, path: str | Path, *, caption: str, session: Session) -> Path:
    """Write the page with plotly inside (5 MB), a caption and the steps of ``session``; return its path."""
    figure, config = page_figure(table).to_json(), json.dumps(OFFLINE | {"responsive": True})
    items = "".join(f"<li>{escape(step)}</li>" for step in map(session.describe, session.steps))
    count = count_interventions(session.steps)
    page = {"policy": POLICY, "plotly": get_plotlyjs(), "figure": figure, "config": config, "most_svg": MOST_SVG}
    return write_text(TEMPLATE.format(**page, caption=escape(caption), count=count, steps=items), path)


def _class_trace(rows: pd.DataFrame, *, shown: bool, legend: bool) -> go.Scattergl:
    name = rows["class_name"].iloc[0]
    return go.Scattergl(
        x=rows["x"].to_numpy("float32"),
        y=rows["y"].to_numpy("float32"),
        text=rows["id"],
        mode="markers",
        name=class_label(name),
        legendgroup=name,
        showlegend=legend,
        visible=shown,
        marker={"color": rows["colour"].iloc[0], "symbol": rows["symbol"].iloc[0], "size": 6, "opacity": 0.8},
        hovertemplate=f"{escape(class_label(name))}<br>%{{text}}<extra></extra>",
    )


def _frame(rows: pd.DataFrame, n_states: int) -> dict[str, Any]:
    """Return the axes that all states of a view share: ranges, names, and numbers where the coordinates have a unit."""
    view, positions = rows["view"].iloc[0], rows[["x", "y"]].to_numpy()
    strip = is_strip(positions)
    limits = shared_limits(positions, equal_units=not strip)
    frame: dict[str, Any] = {}
    for index in range(1, n_states + 1):
        suffix = "" if index == 1 else str(index)
        frame[f"xaxis{suffix}.range"], frame[f"yaxis{suffix}.range"] = limits
        for number, axis in enumerate((f"xaxis{suffix}", f"yaxis{suffix}"), start=1):
            frame[f"{axis}.title"] = {"text": f"{LAYOUTS[view].axis} {number}" if number == 1 or index == 1 else ""}
            frame[f"{axis}.showticklabels"] = LAYOUTS[view].linear
        frame[f"yaxis{suffix}.scaleanchor"] = False if strip else f"x{suffix}"
    return frame


def _nested(frame: dict[str, Any]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for key, value in frame.items():
        axis, name = key.split(".")
        nested.setdefault(axis, {})[name] = value
    return nested
