"""Two or three states side by side, with a lasso, clicks, a legend that selects, arrows, ghosts, names and handles."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_viz.limits import Limits, widened
from ali_viz.theme import ClassStyle, class_label, class_styles
from ali_viz.views.drawing import Drawing, Preview, class_centers
from ali_viz.views.figure import Listener, StudioFigure
from ali_viz.views.figure_start import empty_figure
from ali_viz.views.frame import put_frame, set_changed
from ali_viz.views.hovering import Latest
from ali_viz.views.lasso import How, how, lassoed_classes
from ali_viz.views.overlay import Names, arrows, handle_shape, names, side_width, title
from ali_viz.views.points import Points

__all__ = ["ScatterView"]

HOVER_PAUSE = 0.2
NARROW = 700.0
"""Width of the figure in pixels until the browser tells it, as plotly draws one at first."""
NOWHERE = np.empty((0, 2))


class ScatterView:
    """The figure of a Studio.

    Parameters
    ----------
    embedding
        Names, counts and ids of what is drawn.
    live
        Whether there may be a third side.
    on_lasso
        Called with the codes that a lasso or box selects, the rows (p,) of the samples in it, and how: ``replace`` the
        selection by them, ``add`` them (Shift), or ``remove`` them (Alt).
    on_toggle
        Called with the code whose legend entry was clicked.
    on_clear
        Called on a double click.
    on_point
        Called with the row of the sample that was clicked, and how: ``add`` with Shift, Ctrl or Cmd, ``remove`` with
        Alt.
    on_hover
        Called with the row of the sample under the mouse, or None; a few times a second at most, perhaps in another
        thread.
    on_drag
        Called with a code and where the handle of that class was dropped, in the coordinates of the picture. The next
        :meth:`update` puts the handle where the class is.
    """

    def __init__(
        self,
        embedding: LabelledEmbedding,
        *,
        live: bool = False,
        on_lasso: Callable[[list[int], NDArray[np.int64], How], None],
        on_toggle: Callable[[int], None],
        on_clear: Callable[[], None],
        on_point: Callable[[int, How], None],
        on_hover: Callable[[int | None], None],
        on_drag: Callable[[int, tuple[float, float]], None],
    ) -> None:
        self._codes_of, self._n_classes = embedding.labels, embedding.n_classes
        self._on_lasso, self._on_toggle, self._on_clear = on_lasso, on_toggle, on_clear
        self._on_point, self._on_drag, self._hovered = on_point, on_drag, Latest(on_hover, pause=HOVER_PAUSE)
        present = np.flatnonzero(embedding.counts)
        self._codes = [int(code) for code in present[np.argsort(-embedding.counts[present], kind="stable")]]
        self._labels = {code: class_label(embedding.class_names[code]) for code in self._codes}
        self.styles: list[ClassStyle] = [
            replace(style, label=escape(style.label)) for style in class_styles(embedding.class_names)
        ]
        n_sides = 3 if live else 2
        self.widget: StudioFigure = empty_figure(self.styles, self._codes, n_sides)
        self._points = Points(self.widget, self.styles, self._codes, n_sides=n_sides, ids=embedding.sample_names)
        self._drawing: Drawing | None = None
        self._preview: Preview | None = None
        self._centers: list[NDArray[np.float64]] = []
        self._selected: frozenset[int] = frozenset()
        self._modifiers: frozenset[str] = frozenset()
        self._draggable: tuple[int, ...] = ()
        self._handles: dict[int, tuple[float, float]] = {}
        self._named, self._outlined = True, False
        self._width = NARROW
        self._marked: int | None = None
        self._written: list[dict[str, Any]] = []
        self._listen()

    # What is shown -------------------------------------------------------------------------------------------------

    def update(self, drawing: Drawing, selected: Collection[int], preview: Preview | None = None) -> None:
        """Show ``drawing`` with the ``selected`` classes in full and all others faint; only changes are sent.

        Old places of moved classes, and those of ``preview``, are drawn as hollow ghosts on the second side.
        """
        if self._outlined:
            self._outlined = False
            self.widget.clear_outline()
        self._selected = frozenset(selected)
        resized = self._drawing is not None and len(drawing.sides) != len(self._drawing.sides)
        with self.widget.batch_update():
            if drawing is not self._drawing:
                self._drawing = drawing
                self._centers = [
                    class_centers(side.positions, drawing.labels, self._n_classes) for side in drawing.sides
                ]
                self._points.put(drawing)
            if preview is not self._preview:
                self._preview = preview
                self._points.put_preview(preview)
            self._points.put_selection(self._selected)
            self._points.put_mark(drawing, self._marked)
            put_frame(self.widget, drawing, self._limits(drawing))
            self._put_overlay(drawing)
            self._put_handles(drawing)
            for code, entry in zip(self._codes, self._points.legend, strict=True):
                set_changed(entry, "visible", self._legend_state(code))
        if resized:
            self.widget.refit()

    def set_handles(self, codes: Iterable[int]) -> None:
        """Let these classes be dragged from the next :meth:`update` on, where the view allows it."""
        self._draggable = tuple(codes)

    def set_modifiers(self, modifiers: frozenset[str]) -> None:
        """Take note of the modifier keys of the last press of a mouse button; plotly tells none with a lasso."""
        self._modifiers = modifiers

    def show_labels(self, shown: bool) -> None:
        """Write the names of the classes into the picture from the next :meth:`update` on, or leave them out."""
        self._named = shown

    def mark(self, row: int | None) -> None:
        """Draw a ring around one sample from the next :meth:`update` on, if it is drawn; None takes it away."""
        self._marked = row

    def close(self) -> None:
        """Tell nothing more of what the mouse is over."""
        self._hovered.close()

    # From Python to the browser ------------------------------------------------------------------------------------

    def _limits(self, drawing: Drawing) -> Limits:
        if self._preview is None or not len(self._preview.positions):
            return drawing.limits
        return widened(drawing.limits, self._preview.positions, equal_units=drawing.equal_units)

    def _put_overlay(self, drawing: Drawing) -> None:
        n_sides = len(drawing.sides)
        width = side_width(self._width, self._labels.values(), n_sides)
        written = [title(side.title, number, n_sides, width) for number, side in enumerate(drawing.sides)]
        written += arrows(drawing.tails, drawing.heads)
        if self._preview is not None:
            written += arrows(self._preview.tails, self._preview.heads, planned=True)
        if self._named:
            written += self._names(drawing, width)
        if written != self._written:
            self.widget.put_annotations(written)
            self._written = written

    def _names(self, drawing: Drawing, width: float) -> list[dict[str, Any]]:
        planned = self._preview
        moving = set(drawing.moved.tolist()) | set(() if planned is None else planned.codes.tolist())
        spec = Names(
            labels=self._labels,
            limits=self._limits(drawing),
            equal_units=drawing.equal_units,
            width=width,
            first=sorted(self._codes, key=lambda code: (code not in self._selected, code not in moving)),
            bold=self._selected,
        )
        heads = drawing.heads if planned is None else np.concatenate([drawing.heads, planned.heads])
        handles = np.array(list(self._wanted_handles(drawing).values())).reshape(-1, 2)
        return [
            name
            for side, centers in enumerate(self._centers)
            for name in names(spec, side, centers, *((heads, handles) if side == 1 else (NOWHERE, NOWHERE)))
        ]

    def _wanted_handles(self, drawing: Drawing) -> dict[int, tuple[float, float]]:
        """Return where handles belong: where the class would be with a preview, else where it is."""
        places = dict(drawing.handles)
        if self._preview is not None:
            heads = self._preview.heads.tolist()
            places |= {int(code): (x, y) for code, (x, y) in zip(self._preview.codes, heads, strict=True)}
        return {code: places[code] for code in self._draggable if code in drawing.handles}

    def _put_handles(self, drawing: Drawing) -> None:
        wanted = self._wanted_handles(drawing)
        if wanted != self._handles:
            shapes = [handle_shape(place, self.styles[code].colour) for code, place in wanted.items()]
            self.widget.layout.shapes = shapes
            self._handles = wanted

    def _legend_state(self, code: int) -> bool | str:
        return True if not self._selected or code in self._selected else "legendonly"

    # From the browser to Python ------------------------------------------------------------------------------------

    def _listen(self) -> None:
        self.widget.listen(
            Listener(
                selected=self._lassoed,
                cleared=self._cleared,
                clicked=self._clicked,
                hovered=lambda point: self._hovered.put(None if point is None else self._points.row(*point)),
                dropped=self._dropped,
                resized=self._resized,
            )
        )
        for code, entry in zip(self._codes, self._points.legend, strict=True):
            entry.on_change(self._legend_listener(code), "visible")

    def _lassoed(self, points: dict[int, list[int]]) -> None:
        """Tell which classes a lasso holds; on any side the same sample counts once."""
        rows = self._points.rows(points)
        if not len(rows):
            self.widget.clear_outline()
            return
        self._outlined = True
        codes, counts = np.unique(self._codes_of[rows], return_counts=True)
        inside = dict(zip(codes.tolist(), counts.tolist(), strict=True))
        self._on_lasso(lassoed_classes(inside, self._points.drawn), rows, how(self._modifiers))

    def _clicked(self, point: tuple[int, int], modifiers: frozenset[str]) -> None:
        row = self._points.row(*point)
        if row is not None:
            self._on_point(row, how(modifiers))

    def _cleared(self) -> None:
        self._outlined = True
        self._on_clear()

    def _dropped(self, number: int, place: tuple[float, float]) -> None:
        code = list(self._handles)[number]
        self._handles = self._handles | {code: place}
        self._on_drag(code, place)

    def _resized(self, width: float) -> None:
        self._width = width
        if self._drawing is not None:
            with self.widget.batch_update():
                self._put_overlay(self._drawing)

    def _legend_listener(self, code: int) -> Callable[..., None]:
        def clicked(_trace: object, visible: object) -> None:
            if visible != self._legend_state(code):
                self._on_toggle(code)

        return clicked
