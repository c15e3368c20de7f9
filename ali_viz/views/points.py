"""The points of the figure: where they are, which are faint, and which sample is which point."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ali_viz.theme import ClassStyle
from ali_viz.views.drawing import Drawing, Preview
from ali_viz.views.figure import StudioFigure
from ali_viz.views.frame import set_changed

__all__ = ["Points"]

ALL, CHOSEN, OTHERS = 0.8, 0.9, 0.12
CROWDS = (2500, 10_000)
NONE = np.empty((0, 2), np.float32)


class Points:
    """All traces of a figure that :func:`~ali_viz.views.figure_start.empty_figure` has made.

    Parameters
    ----------
    figure
        Whose traces they are.
    styles
        Of each class.
    codes
        In draw order, as the figure was made with.
    n_sides
        Likewise.
    ids
        Of all samples (N,).
    """

    def __init__(
        self,
        figure: StudioFigure,
        styles: Sequence[ClassStyle],
        codes: Sequence[int],
        *,
        n_sides: int,
        ids: NDArray[np.str_],
    ) -> None:
        self._styles, self._codes, self._ids = styles, codes, ids
        traces, count = figure.data, len(codes)
        self._old, self._ghosts = traces[0], traces[1 + n_sides * count]
        self._sides = [traces[1 + side * count : 1 + (side + 1) * count] for side in range(n_sides)]
        self._marks = traces[-count - n_sides : -count]
        self.legend = traces[-count:]
        self._rows = np.empty(0, np.int64)
        self._members = [self._rows] * count
        self._looks: list[tuple[float, int]] = [(0.0, 0)] * count

    # From Python to the browser ------------------------------------------------------------------------------------

    def put(self, drawing: Drawing) -> None:
        """Draw all samples, and the old places of the moved classes on side 2."""
        texts = self._texts(drawing)
        for number, traces in enumerate(self._sides):
            shown = number < len(drawing.sides)
            for place, (trace, mine) in enumerate(zip(traces, self._members, strict=True)):
                if number > 1:
                    _stand(trace, number, shown=shown)
                if shown and texts:
                    trace.text = texts[place]
                if shown:
                    _put(trace, drawing.sides[number].positions[mine])
        _put(self._old, drawing.sides[0].positions[np.isin(drawing.labels, drawing.moved)])

    def put_preview(self, preview: Preview | None) -> None:
        """Draw hollow ghosts where samples would be."""
        _put(self._ghosts, NONE if preview is None else preview.positions)
        if preview is not None and len(preview.positions):
            colours = [self._styles[code].colour for code in preview.labels]
            self._ghosts.marker.color = colours[0] if len(set(colours)) == 1 else colours

    def put_selection(self, selected: frozenset[int]) -> None:
        """Draw the ``selected`` classes in full and the others faint; with none, all alike."""
        size = 6 - sum(len(self._rows) > crowd for crowd in CROWDS)
        for place, code in enumerate(self._codes):
            look = (CHOSEN, size + 1) if code in selected else (OTHERS if selected else ALL, size)
            if look != self._looks[place]:
                self._looks[place] = look
                for traces in self._sides:
                    traces[place].marker.update(opacity=look[0], size=look[1])

    def put_mark(self, drawing: Drawing, row: int | None) -> None:
        """Draw a ring around the sample ``row`` on each side, if it is drawn."""
        place = np.flatnonzero(drawing.rows == (-1 if row is None else row))
        for number, trace in enumerate(self._marks):
            if number > 1:
                _stand(trace, number, shown=number < len(drawing.sides))
            if number < len(drawing.sides):
                _put(trace, drawing.sides[number].positions[place])

    def _texts(self, drawing: Drawing) -> list[list[str]]:
        """Return the ids of the samples of each class, as the traces show them; nothing if they do already."""
        shown = [traces[0].text is not None and len(traces[0].text) > 0 for traces in self._sides[: len(drawing.sides)]]
        if all(shown) and np.array_equal(drawing.rows, self._rows):
            return []
        self._rows = drawing.rows
        self._members = [np.flatnonzero(drawing.labels == code) for code in self._codes]
        return [[escape(name) for name in self._ids[drawing.rows[mine]]] for mine in self._members]

    # From the browser to Python ------------------------------------------------------------------------------------

    @property
    def drawn(self) -> dict[int, int]:
        """Number of drawn samples by class code."""
        return {code: len(mine) for code, mine in zip(self._codes, self._members, strict=True)}

    def row(self, trace: int, point: int) -> int | None:
        """Return which sample a point is; None for a point that is no sample."""
        if not 0 < trace <= len(self._sides) * len(self._codes):
            return None
        mine = self._members[(trace - 1) % len(self._codes)]
        return int(self._rows[mine[point]]) if point < len(mine) else None

    def rows(self, points: dict[int, list[int]]) -> NDArray[np.int64]:
        """Return which samples some points are, each once, sorted (p,)."""
        found = (self.row(trace, point) for trace, chosen in points.items() for point in chosen)
        return np.array(sorted({row for row in found if row is not None}), dtype=np.int64)


def _stand(trace: Any, number: int, *, shown: bool) -> None:  # noqa: ANN401
    """Put a trace on side ``number`` (from 0), or out of sight.

    An invisible trace still opens the side it stands on, which would lie over the others and take their clicks; so it
    waits on the first side.
    """
    axis = str(number + 1) if shown else ""
    set_changed(trace, "visible", shown)
    set_changed(trace, "xaxis", f"x{axis}")
    set_changed(trace, "yaxis", f"y{axis}")


def _put(trace: Any, positions: NDArray[np.float32]) -> None:  # noqa: ANN401
    x, y = positions.T
    if not (np.array_equal(trace.x, x, equal_nan=True) and np.array_equal(trace.y, y, equal_nan=True)):
        trace.x, trace.y = np.ascontiguousarray(x), np.ascontiguousarray(y)
