"""The one FigureWidget of a Studio: how it is set up, and what it hears from the browser."""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.basewidget import BaseFigureWidget
from plotly.serializers import custom_serializers
from traitlets import Dict, observe

from ali_viz.offline import OFFLINE
from ali_viz.views.figure_style import FIGURE_STYLE

__all__ = ["FIGURE_STYLE", "Listener", "StudioFigure"]

CONFIG = OFFLINE | {
    "responsive": True,
    "modeBarButtonsToRemove": ["toImage", "autoScale2d"],
    "edits": {"shapePosition": True},
}
MOVED_SHAPE = re.compile(r"shapes\[(\d+)\]\.([xy])anchor")


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Whom a figure tells what a person did in the browser; points are pairs of a trace's and a point's number.

    Attributes
    ----------
    selected
        Called with {trace: points} of a lasso or box.
    cleared
        Called on a double click.
    clicked
        Called with a point and the modifier keys that were down (``shift``, ``ctrl``, ``alt``, ``meta``).
    hovered
        Called with the point under the mouse, None when there is none.
    dropped
        Called with the number of a shape and where it was dropped.
    resized
        Called with the width in pixels whenever the browser has given the figure another one.
    """

    selected: Callable[[dict[int, list[int]]], None]
    cleared: Callable[[], None]
    clicked: Callable[[tuple[int, int], frozenset[str]], None]
    hovered: Callable[[tuple[int, int] | None], None]
    dropped: Callable[[int, tuple[float, float]], None]
    resized: Callable[[float], None]


class StudioFigure(go.FigureWidget):
    """A FigureWidget that can be freed, and tells what happened in it once instead of once per trace.

    Notes
    -----
    ``_esm`` as text: a path would be watched by anywidget, whose watcher keeps every figure for ever. plotly's own
    handling of selections also restyles every trace once per selection; with 2 C traces that is 2 C redraws. What the
    browser makes of the layout it tells under a name (plotly 7.1) that plotly's own Python does not listen to.
    """

    _esm = str(BaseFigureWidget._esm)
    _js2py_widget_layoutDelta = Dict(allow_none=True, default_value=None).tag(sync=True)  # noqa: N815  # plotly's name

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._config = CONFIG
        self._fitted = False
        self._drawn_width = 0.0
        self._listener: Listener | None = None

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` from now on."""
        self._listener = listener

    @observe("_js2py_pointsCallback")
    def _handler_js2py_pointsCallback(self, change: dict[str, Any]) -> None:  # noqa: N802  # plotly's name
        message = change["new"]
        if not message:
            return
        try:
            if self._listener is not None:
                self._tell(self._listener, message)
        finally:
            self._js2py_pointsCallback = None

    def _tell(self, listener: Listener, message: dict[str, Any]) -> None:
        kind, indices = message["event_type"], message["points"]
        points = list(zip(indices["trace_indexes"], indices["point_indexes"], strict=True))
        if kind == "plotly_selected" and (points or message.get("selector")):  # none: an outline was removed
            chosen: dict[int, list[int]] = {}
            for trace, point in points:
                chosen.setdefault(trace, []).append(point)
            listener.selected(chosen)
        elif kind == "plotly_deselect":
            listener.cleared()
        elif kind == "plotly_click" and points:
            state = message.get("device_state") or {}
            listener.clicked(points[0], frozenset(name for name in ("shift", "ctrl", "alt", "meta") if state.get(name)))
        elif kind in ("plotly_hover", "plotly_unhover"):
            listener.hovered(points[0] if points and kind == "plotly_hover" else None)

    @observe("_js2py_relayout")
    def _handler_js2py_relayout(self, change: dict[str, Any]) -> None:
        """Take over what was changed in the browser, then tell of dropped shapes."""
        message = change["new"]
        super()._handler_js2py_relayout(change)
        places: dict[int, dict[str, float]] = {}
        for name, value in (message or {}).get("relayout_data", {}).items():
            if found := MOVED_SHAPE.fullmatch(name):
                places.setdefault(int(found[1]), {})[found[2]] = float(value)
        for number, place in places.items():
            shape = self.layout.shapes[number]
            if self._listener is not None:
                self._listener.dropped(number, (place.get("x", shape.xanchor), place.get("y", shape.yanchor)))

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
            self.refit()

    @observe("_js2py_widget_layoutDelta")
    def _handler_layout_delta(self, change: dict[str, Any]) -> None:
        """Tell the width, which nobody but the browser knows."""
        width = ((change["new"] or {}).get("layout_delta") or {}).get("width")
        if width and width != self._drawn_width:
            self._drawn_width = width
            if self._listener is not None:
                self._listener.resized(float(width))

    def put_annotations(self, annotations: list[dict[str, Any]]) -> None:
        """Replace the annotations, within ``batch_update``; ``layout.annotations`` is then not to be read.

        plotly's own assignment makes and checks an object of each, which is 40 % of a step.
        """
        self._relayout_child(self.layout, "annotations", annotations)

    def refit(self) -> None:
        """Let the browser fill the cell and show the limits again; to keep units equal it widens them by itself."""
        ranges = {f"{axis}.range": list(self.layout[axis].range or ()) for axis in ("xaxis", "yaxis")}
        self._send_relayout_msg({"autosize": True, **{name: ends for name, ends in ranges.items() if ends}})

    def sync(self) -> None:
        """Put what is drawn now into the widget's state, so that a view opened from now on shows it."""
        self._fitted = False
        self._widget_layout = deepcopy(self._layout_obj._props)
        self._widget_data = deepcopy(self._data)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: ANN401
        """Return the state as a page asks for it that is opened later: with what is drawn now, not what was at first.

        plotly sends changes as messages, and lets the state rest as it was when the figure was displayed.
        """
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if key is None and hasattr(self, "_fitted"):
            self._fitted = False
            state["_widget_layout"] = custom_serializers["to_json"](self._layout_obj._props, self)
            state["_widget_data"] = custom_serializers["to_json"](self._data, self)
        return state

    def clear_outline(self) -> None:
        """Remove the lasso outline in the browser, and the fading of what lies outside; Python knows of neither."""
        traces = list(range(len(self.data)))
        self._send_update_msg({"selectedpoints": [None] * len(traces)}, {"selections": []}, traces)
