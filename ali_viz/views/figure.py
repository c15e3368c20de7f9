"""The one FigureWidget of a Studio: how it looks before anything is drawn, and what it hears from the browser."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import plotly.graph_objects as go
from plotly.basewidget import BaseFigureWidget
from traitlets import observe

from ali_viz.offline import OFFLINE
from ali_viz.theme import ClassStyle

__all__ = ["HEIGHT", "StudioFigure", "arrow", "empty_figure", "title"]

HEIGHT = 412
INK, FRAME, GRID = "#1f2430", "#c3c8d1", "#eef0f3"
CONFIG = OFFLINE | {"responsive": True, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]}

Selected = Callable[[dict[int, list[int]]], None]


class StudioFigure(go.FigureWidget):
    """A FigureWidget that can be freed, and tells a lasso or box selection once instead of once per trace.

    Notes
    -----
    ``_esm`` as text: a path would be watched by anywidget, whose watcher keeps every figure for ever. plotly's own
    handling of selections also restyles every trace once per selection; with 2 C traces that is 2 C redraws.
    """

    _esm = str(BaseFigureWidget._esm)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._config = CONFIG
        self._fitted = False
        self._on_selected: Selected | None = None
        self._on_cleared: Callable[[], None] | None = None

    def listen(self, *, on_selected: Selected, on_cleared: Callable[[], None]) -> None:
        """Call ``on_selected`` with {trace index: point indices} of a lasso, ``on_cleared`` on a double click."""
        self._on_selected, self._on_cleared = on_selected, on_cleared

    @observe("_js2py_pointsCallback")
    def _handler_js2py_pointsCallback(self, change: dict[str, Any]) -> None:  # noqa: N802  # plotly's name
        message = change["new"]
        if not message:
            return
        kind, points = message["event_type"], message["points"]
        try:
            if kind == "plotly_selected" and points["point_indexes"] and self._on_selected is not None:
                chosen: dict[int, list[int]] = {}
                for trace, point in zip(points["trace_indexes"], points["point_indexes"], strict=True):
                    chosen.setdefault(trace, []).append(point)
                self._on_selected(chosen)
            elif kind == "plotly_deselect" and self._on_cleared is not None:
                self._on_cleared()
        finally:
            self._js2py_pointsCallback = None

    @observe("_js2py_traceDeltas")
    def _handler_js2py_traceDeltas(self, change: dict[str, Any]) -> None:  # noqa: N802  # plotly's name
        """Fill the cell once the browser has drawn: the first picture takes 700 pixels, not knowing its place.

        The message itself tells the defaults of all traces, which nobody here asks for.
        """
        if not change["new"]:
            return
        self._js2py_traceDeltas = None
        if not self._fitted:
            self._fitted = True
            ranges = {f"{axis}.range": list(self.layout[axis].range or ()) for axis in ("xaxis", "yaxis")}
            self._send_relayout_msg({"autosize": True, **{name: ends for name, ends in ranges.items() if ends}})

    def sync(self) -> None:
        """Put what is drawn now into the widget's state, so that a view opened from now on shows it."""
        self._fitted = False
        self._widget_layout = deepcopy(self._layout_obj._props)
        self._widget_data = deepcopy(self._data)

    def clear_outline(self) -> None:
        """Remove the lasso outline in the browser, and the fading of what lies outside; Python knows of neither."""
        traces = list(range(len(self.data)))
        self._send_update_msg({"selectedpoints": [None] * len(traces)}, {"selections": []}, traces)


def empty_figure(styles: list[ClassStyle], draw_order: list[int]) -> StudioFigure:
    """Return the figure without points: traces before and after and a legend entry per class.

    Parameters
    ----------
    styles
        Of each class.
    draw_order
        Codes in the order in which they are drawn; later ones lie on top.

    Notes
    -----
    Traces in this order: before of all classes in ``draw_order``, after of all, legend entries of all.
    """
    sides = [_points(styles[code], axis) for axis in ("", "2") for code in draw_order]
    legend = [_legend_entry(styles[code]) for code in draw_order]
    figure = StudioFigure(data=[*sides, *legend])
    figure.update_layout(
        template="none",
        height=HEIGHT,
        autosize=True,
        dragmode="lasso",
        hovermode="closest",
        margin={"l": 48, "r": 8, "t": 28, "b": 40},
        paper_bgcolor="white",
        plot_bgcolor="white",
        font={"family": "system-ui, sans-serif", "size": 12, "color": INK},
        legend={
            "x": 1.01,
            "y": 1.0,
            "yanchor": "top",
            "itemclick": "toggle",
            "itemdoubleclick": False,
            "itemsizing": "constant",
            "font": {"size": 12},
            "tracegroupgap": 0,
        },
        newselection={"line": {"color": INK, "width": 1.5, "dash": "dot"}},
        xaxis=_axis(domain=[0.0, 0.49]),
        xaxis2=_axis(domain=[0.51, 1.0], matches="x"),
        yaxis=_axis(scaleanchor="x", scaleratio=1),
        yaxis2=_axis(anchor="x2", matches="y", showticklabels=False),
    )
    return figure


def _axis(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    plain = {
        "showline": True,
        "mirror": True,
        "linecolor": FRAME,
        "gridcolor": GRID,
        "zeroline": False,
        "ticks": "",
        "title": {"standoff": 4},
        "tickfont": {"size": 10, "color": "#5b6270"},
    }
    return plain | more


def _points(style: ClassStyle, axis: str) -> go.Scattergl:
    return go.Scattergl(
        x=[],
        y=[],
        text=[],
        name=style.label,
        mode="markers",
        xaxis=f"x{axis}",
        yaxis=f"y{axis}",
        showlegend=False,
        marker={"color": style.colour, "symbol": style.symbol, "size": 6, "opacity": 0.8},
        hovertemplate=f"<b>{style.label}</b><br>%{{text}}<extra></extra>",
    )


def _legend_entry(style: ClassStyle) -> go.Scatter:
    return go.Scatter(
        x=[None],
        y=[None],
        name=style.label,
        mode="markers",
        marker={"color": style.colour, "symbol": style.symbol, "size": 9},
        legendrank=style.order + 1,
        hoverinfo="skip",
    )


def title(text: str, x: float) -> dict[str, Any]:
    """Return the annotation that stands as a title over the side at ``x`` (in paper coordinates)."""
    return {
        "text": f"<b>{text}</b>",
        "x": x,
        "y": 1.0,
        "yshift": 4,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 14},
    }


def arrow(tail: Sequence[float], head: Sequence[float], *, rim: bool) -> dict[str, Any]:
    """Return the annotation that is an arrow on the right side, or its white rim.

    Notes
    -----
    Not a trace: the browser draws every SVG trace, quiver included, underneath all ``scattergl`` points.
    """
    colour, width = ("white", 5.0) if rim else (INK, 2.0)
    return {
        "text": "",
        "x": float(head[0]),
        "y": float(head[1]),
        "ax": float(tail[0]),
        "ay": float(tail[1]),
        "xref": "x2",
        "yref": "y2",
        "axref": "x2",
        "ayref": "y2",
        "showarrow": True,
        "arrowhead": 2,
        "arrowsize": 0.6 if rim else 1.0,
        "arrowwidth": width,
        "arrowcolor": colour,
    }
