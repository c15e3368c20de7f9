"""The frame around the points: where the sides stand, and what their axes show."""

from typing import Any

from ali_viz.limits import Limits
from ali_viz.views.drawing import Drawing
from ali_viz.views.figure import StudioFigure
from ali_viz.views.figure_start import domains

__all__ = ["put_frame", "set_changed"]


def put_frame(figure: StudioFigure, drawing: Drawing, limits: Limits) -> None:
    """Give each side of ``drawing`` its room, and all the same ``limits``; only changes are sent."""
    layout, (across, upwards) = figure.layout, drawing.axis_names
    set_changed(layout.xaxis, "range", limits[0])
    set_changed(layout.yaxis, "range", limits[1])
    set_changed(layout.yaxis, "scaleanchor", "x" if drawing.equal_units else False)
    for number, domain in enumerate(domains(len(drawing.sides))):
        axis = layout[f"xaxis{number + 1 if number else ''}"]
        set_changed(axis, "domain", domain)
        set_changed(axis.title, "text", across)
        set_changed(axis, "showticklabels", across is not None)
    set_changed(layout.yaxis.title, "text", upwards)
    set_changed(layout.yaxis, "showticklabels", upwards is not None)


def set_changed(target: Any, name: str, value: object) -> None:  # noqa: ANN401
    """Set a property of a figure if it has another value: then only changes are sent."""
    if target[name] != value:
        target[name] = value
