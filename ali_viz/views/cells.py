"""Cells to look at: a contact sheet with a list of the same ids, and the cell under the pointer."""

from collections import deque
from collections.abc import Sequence
from html import escape
from typing import Any, Literal

import ipywidgets as widgets
import numpy as np
from ipyevents import Event

from ali_core.embedding import LabelledEmbedding
from ali_viz.app.actions import Actions
from ali_viz.app.state import Cells, Scene
from ali_viz.theme import ClassStyle
from ali_viz.views.contact_sheet import PER_PAGE, TILE_PX, Tile, as_png, draw_sheet, tile_at
from ali_viz.views.controls import box, button, dot, dropdown, html, put, row
from ali_viz.views.pictures import ImageSource

__all__ = ["CellsView", "ImageSource"]

CHOICES = (
    ("selected cells", "selected"),
    ("changed neighbours most", "changed"),
    ("hovered last", "hovered"),
)
NOTHING = {
    "selected": "No cell is selected: use the lasso, the legend or the list of classes.",
    "changed": "No cell has other neighbours than before.",
    "hovered": "Move the pointer over a point of the plot.",
}
LARGE_PX = 128
LIST_HELP = (
    "The cells of this page; type a number to go to it. A chosen cell is marked in the plot. Percent: how many of its "
    "nearest neighbours changed"
)
NO_IMAGES = 'No pictures are known. Open the app with <code>Studio(…, images="FOLDER")</code> to see them.'


class CellsView:
    """The cells selected, changed most, or hovered: a page of pictures, and a list of the same.

    Parameters
    ----------
    actions
        What a click does.
    embedding
        Ids and classes of the cells; only read.
    styles
        Of each class, by code.
    images
        Where pictures come from; None lists the cells without.
    """

    name = "Cells"

    def __init__(
        self,
        actions: Actions,
        embedding: LabelledEmbedding,
        styles: Sequence[ClassStyle],
        images: ImageSource | None = None,
    ) -> None:
        self._actions, self._ids, self._labels = actions, embedding.sample_names, embedding.labels
        self._rows = dict(zip(embedding.sample_names.tolist(), range(len(embedding)), strict=True))
        self._styles, self._images, self._quiet = styles, images, False
        self._given = Cells(ids=embedding.sample_names[:0], why="selected")
        self._hovered: deque[str] = deque(maxlen=PER_PAGE)
        self._shown: tuple[tuple[str, ...], int] | None = None
        self._marked: str | None = None
        self._build()
        self._draw()

    def _build(self) -> None:
        self.what = dropdown("List", CHOICES, "Which cells are listed", self._chosen, width="230px")
        self.earlier = button("◀ Back", "The page before", lambda: self._turn(-1))
        self.later = button("More ▶", "The next page", lambda: self._turn(1))
        self.note = html()
        self.sheet = widgets.Image(format="png", layout={"max_width": "100%", "display": "none"})
        self.sheet.add_class("ali-cells-sheet")
        self.events = Event(source=self.sheet, watched_events=["click"])
        self.events.on_dom_event(self._clicked)
        self.list = widgets.Select(options=[], rows=8, tooltip=LIST_HELP, layout={"width": "auto"})
        self.list.observe(self._listed, "value")
        self.large = widgets.Image(format="png", layout={"display": "none", "flex": "0 0 auto"})
        self.words = html()
        self.widget = box(
            row(self.what.widget, self.earlier, self.later),
            self.note,
            self.sheet,
            self.list,
            row(self.large, self.words),
        )

    def update(self, scene: Scene) -> None:
        """List the cells of ``scene``; while the cells hovered last are looked at, these stay."""
        given, state = scene.cells, scene.state
        if given is None:
            return
        marked = None if state.marked is None else str(self._ids[state.marked])
        page = self._shown[1] if self._shown is not None and np.array_equal(self._given.ids, given.ids) else 0
        if marked != self._marked:
            self._marked, self._shown = marked, None
        self._given = given
        if self.what.value != "hovered":
            self.what.show(given.why)
        self._hover(None if state.hovered is None else str(self._ids[state.hovered]))
        self._draw(page)

    def _hover(self, name: str | None) -> None:
        """Show the cell called ``name`` larger, with what is known of it; None: no cell."""
        picture = None if name is None or self._images is None else self._images.picture(name, LARGE_PX)
        put(self.large, value=b"" if picture is None else as_png(picture))
        put(self.large.layout, display="none" if picture is None else "")
        put(self.words, value="" if name is None else self._described(name, missing=picture is None))
        if name is not None and (not self._hovered or self._hovered[0] != name):
            if name in self._hovered:
                self._hovered.remove(name)
            self._hovered.appendleft(name)

    def close(self) -> None:
        """End what listens to clicks; the widgets are closed by whoever shows them."""
        self.events.reset_callbacks()
        self.events.close()

    # Inside --------------------------------------------------------------------------------------------------------

    def _draw(self, page: int = 0) -> None:
        """Show a page of the cells; pages that do not exist are as the nearest one that does."""
        ids = np.array(self._hovered) if self.what.value == "hovered" else self._given.ids
        page = max(0, min(page, (len(ids) - 1) // PER_PAGE))
        start = page * PER_PAGE
        shown = tuple(ids[start : start + PER_PAGE].tolist())
        put(self.earlier, disabled=page == 0)
        put(self.later, disabled=start + PER_PAGE >= len(ids))
        put(self.note, value=f'<span class="ali-muted">{self._note(len(ids), start, shown)}</span>')
        if self._shown is None or self._shown != (shown, page):
            self._draw_sheet(shown, start)
        self._shown = (shown, page)
        options = [(self._line(name, number), name) for number, name in enumerate(shown, start=start + 1)]
        self._quiet = True
        try:
            if tuple(options) != tuple(self.list.options):
                self.list.options = options
            self.list.index = shown.index(self._marked) if self._marked in shown else None
        finally:
            self._quiet = False

    def _draw_sheet(self, shown: Sequence[str], start: int) -> None:
        images = self._images
        if images is not None:
            tiles = [
                Tile(
                    picture=images.picture(name, TILE_PX),
                    colour=self._style(name).colour,
                    number=number,
                    marked=name == self._marked,
                )
                for number, name in enumerate(shown, start=start + 1)
            ]
            self.sheet.value = draw_sheet(tiles)
        put(self.sheet.layout, display="none" if images is None or not shown else "")

    def _note(self, count: int, start: int, shown: Sequence[str]) -> str:
        if not count:
            return NOTHING[self.what.value]
        where = f"{start + 1:,}–{start + len(shown):,} of {count:,}"
        if self._images is None:
            return f"{where}. {NO_IMAGES}"
        missing = sum(name not in self._images for name in shown)
        return where + (f", {missing:,} of these without a picture" if missing else "")

    def _line(self, name: str, number: int) -> str:
        """Return the line of a cell in the list; plain text."""
        parts = [str(number)]
        if name in self._given.shares:
            parts.append(f"{100.0 * self._given.shares[name]:.0f} %")
        parts.append(self._style(name).label)
        if self._images is not None and name not in self._images:
            parts.append("no picture")
        return " · ".join([*parts, name.rsplit("/", 1)[-1]])

    def _described(self, name: str, *, missing: bool) -> str:
        style = self._style(name)
        lines = [f"<b>{escape(name)}</b>", dot(style.colour) + escape(style.label)]
        if name in self._given.shares:
            lines.append(f"{100.0 * self._given.shares[name]:.0f} % of its nearest neighbours changed")
        if missing and self._images is not None:
            lines.append('<span class="ali-muted">no picture</span>')
        return f'<div class="ali-cell-words">{"<br>".join(lines)}</div>'

    def _style(self, name: str) -> ClassStyle:
        return self._styles[int(self._labels[self._rows[name]])]

    def _turn(self, by: int) -> None:
        self._draw((self._shown[1] if self._shown else 0) + by)

    def _chosen(self, what: Literal["selected", "changed", "hovered"]) -> None:
        self._draw()
        if what != "hovered":
            self._actions.list_cells.click(what)

    def _listed(self, change: dict[str, Any]) -> None:
        if not self._quiet and change["new"] is not None:
            self._actions.find.click(change["new"])

    def _clicked(self, event: dict[str, Any]) -> None:
        shown = self._shown[0] if self._shown else ()
        place = tile_at(event.get("dataX", -1), event.get("dataY", -1), len(shown))
        if place is not None:
            self._actions.find.click(shown[place])
