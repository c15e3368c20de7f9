"""Before and after side by side, with a lasso, a legend that selects, and an arrow for each moved class."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_viz.theme import ClassStyle, class_styles
from ali_viz.views.drawing import Drawing
from ali_viz.views.figure import StudioFigure, arrow, empty_figure, title

__all__ = ["ScatterView", "lassoed_classes"]

ALL, CHOSEN, OTHERS = 0.8, 0.9, 0.12
CROWD = 2500
MAX_RIMS = 40


def lassoed_classes(inside: Mapping[int, int], drawn: Mapping[int, int]) -> list[int]:
    """Return the classes that a lasso selects.

    Parameters
    ----------
    inside
        Points in the lasso by class code.
    drawn
        Drawn points by class code.

    Returns
    -------
    list of int
        Classes with at least half of their drawn points in the lasso, by code; if there is none, the class with
        most points in it.
    """
    half = sorted(code for code, count in inside.items() if 2 * count >= drawn[code])
    if half or not inside:
        return half
    return [max(inside, key=lambda code: (inside[code], -code))]


class ScatterView:
    """The figure of a Studio.

    Parameters
    ----------
    embedding
        Names, counts and ids of what is drawn.
    on_lasso
        Called with the codes that a lasso or box selects, and the number of points in it.
    on_toggle
        Called with the code whose legend entry was clicked.
    on_clear
        Called on a double click.
    """

    def __init__(
        self,
        embedding: LabelledEmbedding,
        *,
        on_lasso: Callable[[list[int], int], None],
        on_toggle: Callable[[int], None],
        on_clear: Callable[[], None],
    ) -> None:
        self._ids = embedding.ids
        self._on_lasso, self._on_toggle, self._on_clear = on_lasso, on_toggle, on_clear
        present = np.flatnonzero(embedding.counts)
        self._codes = [int(code) for code in present[np.argsort(-embedding.counts[present], kind="stable")]]
        self.styles: list[ClassStyle] = [
            replace(style, label=escape(style.label)) for style in class_styles(embedding.class_names)
        ]
        self.widget: StudioFigure = empty_figure(self.styles, self._codes)
        count = len(self._codes)
        self._before, self._after = self.widget.data[:count], self.widget.data[count : 2 * count]
        self._legend = self.widget.data[2 * count :]
        self._selected: frozenset[int] = frozenset()
        self._drawing: Drawing | None = None
        self._outlined = False
        self.widget.listen(on_selected=self._lassoed, on_cleared=self._cleared)
        for code, entry in zip(self._codes, self._legend, strict=True):
            entry.on_change(self._legend_listener(code), "visible")

    def update(self, drawing: Drawing, selected: Collection[int]) -> None:
        """Show ``drawing`` with the ``selected`` classes in full and all others faint; only changes are sent."""
        chosen = frozenset(selected)
        if self._outlined:
            self._outlined = False
            self.widget.clear_outline()
        with self.widget.batch_update():
            if drawing is not self._drawing:
                self._put_points(drawing)
                self._put_frame(drawing)
                self._drawing = drawing
            self._selected = chosen
            self._put_selection(chosen)

    # From Python to the browser ------------------------------------------------------------------------------------

    def _put_points(self, drawing: Drawing) -> None:
        same_rows = self._drawing is not None and np.array_equal(drawing.rows, self._drawing.rows)
        for position, code in enumerate(self._codes):
            mine = drawing.labels == code
            texts = None if same_rows else [escape(name) for name in self._ids[drawing.rows[mine]]]
            _put(self._before[position], drawing.before[mine], texts)
            _put(self._after[position], drawing.after[mine], texts)

    def _put_frame(self, drawing: Drawing) -> None:
        layout, (across, upwards) = self.widget.layout, drawing.axis_names
        _set(layout.xaxis, "range", drawing.limits[0])
        _set(layout.yaxis, "range", drawing.limits[1])
        _set(layout.yaxis, "scaleanchor", "x" if drawing.equal_units else False)
        for axis, name in ((layout.xaxis, across), (layout.xaxis2, across), (layout.yaxis, upwards)):
            _set(axis.title, "text", name)
            _set(axis, "showticklabels", name is not None)
        ends = list(zip(drawing.tails.tolist(), drawing.heads.tolist(), strict=True))
        rims = [arrow(tail, head, rim=True) for tail, head in ends] if len(ends) <= MAX_RIMS else []
        layout.annotations = [
            title(drawing.before_title, 0.245),
            title(drawing.after_title, 0.755),
            *rims,
            *(arrow(tail, head, rim=False) for tail, head in ends),
        ]

    def _put_selection(self, chosen: frozenset[int]) -> None:
        size = 6 if self._drawing is None or len(self._drawing.rows) <= CROWD else 5
        for code, before, after, entry in zip(self._codes, self._before, self._after, self._legend, strict=True):
            opacity = ALL if not chosen else CHOSEN if code in chosen else OTHERS
            for trace in (before, after):
                _set(trace.marker, "opacity", opacity)
                _set(trace.marker, "size", size + 1 if code in chosen else size)
            _set(entry, "visible", self._legend_state(code))

    def _legend_state(self, code: int) -> bool | str:
        return True if not self._selected or code in self._selected else "legendonly"

    # From the browser to Python ------------------------------------------------------------------------------------

    def _lassoed(self, points: dict[int, list[int]]) -> None:
        """Tell which classes a lasso holds; on either side the same sample counts once."""
        count = len(self._codes)
        inside = {self._codes[trace % count]: len(rows) for trace, rows in points.items() if trace < 2 * count and rows}
        if not inside:
            return
        self._outlined = True
        drawn = {code: len(self._before[position].x) for position, code in enumerate(self._codes)}
        self._on_lasso(lassoed_classes(inside, drawn), sum(inside.values()))

    def _cleared(self) -> None:
        self._outlined = True
        self._on_clear()

    def _legend_listener(self, code: int) -> Callable[..., None]:
        def clicked(_trace: object, visible: object) -> None:
            if visible != self._legend_state(code):
                self._on_toggle(code)

        return clicked


def _put(trace: Any, positions: NDArray[np.float32], texts: list[str] | None) -> None:  # noqa: ANN401
    x, y = positions.T
    if texts is not None:
        trace.text = texts
    if not (np.array_equal(trace.x, x) and np.array_equal(trace.y, y)):
        trace.x, trace.y = np.ascontiguousarray(x), np.ascontiguousarray(y)


def _set(target: Any, name: str, value: object) -> None:  # noqa: ANN401
    if target[name] != value:
        target[name] = value
