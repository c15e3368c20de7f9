"""Cells to look at: a contact sheet with a list of the same ids, and the cell under the pointer."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Literal

import ipywidgets as widgets
from ipyevents import Event

from ali_core.embedding import LabelledEmbedding
from ali_viz.theme import ClassStyle, class_label
from ali_viz.views.appearance import quiet, wide
from ali_viz.views.contact_sheet import PER_PAGE, TILE_PX, Tile, as_png, draw_sheet, tile_at
from ali_viz.views.pictures import ImageSource

__all__ = ["CELLS_STYLE", "CellsView", "ImageSource", "Listed"]

Listed = Literal["selected", "changed", "hovered"]
"""Which cells are listed."""

CELLS_STYLE = """
.ali-studio .ali-cells-sheet img, .ali-studio img.ali-cells-sheet { cursor: pointer; max-width: 100%; }
.ali-studio .ali-cell-words { overflow-wrap: anywhere; font-size: 12px; }
"""

CHOICES: tuple[tuple[str, Listed], ...] = (
    ("selected cells", "selected"),
    ("changed neighbours most", "changed"),
    ("hovered last", "hovered"),
)
NOTHING = {
    "selected": "No cell is selected: use the lasso, the legend or the list of classes.",
    "changed": "No cell has got other neighbours.",
    "hovered": "Move the pointer over a point of the plot.",
}
LARGE_PX = 160
LIST_HELP = (
    "The cells of this page; type a number to go to it. A chosen cell is marked in the plot. Percent: how many of its "
    "nearest neighbours changed"
)
NO_IMAGES = 'No pictures are known. Open the app with <code>Studio(…, images="FOLDER")</code> to see them.'


class CellsView:
    """The cells selected, changed most, or hovered.

    Parameters
    ----------
    embedding
        Ids and classes of the cells; only read.
    styles
        Of each class, by code.
    images
        Where pictures come from; None lists the cells without.
    on_list
        Called with ``selected`` or ``changed`` when a person wants these listed; cells hovered last are known here.
    on_pick
        Called with the id of a cell that was clicked, or chosen in the list.
    """

    def __init__(
        self,
        embedding: LabelledEmbedding,
        styles: Sequence[ClassStyle],
        images: ImageSource | None = None,
        *,
        on_list: Callable[[str], None],
        on_pick: Callable[[str], None],
    ) -> None:
        self._codes = dict(zip(embedding.sample_names.tolist(), embedding.labels.tolist(), strict=True))
        self._styles, self._images = styles, images
        self._on_list, self._on_pick, self._quiet = on_list, on_pick, quiet()
        self._given: tuple[str, ...] = ()
        self._among = 0
        self._shares: Mapping[str, float] = {}
        self._hovered: deque[str] = deque(maxlen=PER_PAGE)
        self._shown: tuple[tuple[str, ...], int] | None = None
        self._marked: str | None = None
        self._build()
        self._draw()

    def _build(self) -> None:
        self.what = widgets.Dropdown(options=CHOICES, value="selected", description="List", layout=wide(width="230px"))
        self.what.observe(self._chosen, "value")
        self.earlier = _button("◀ Back", "The page before", lambda: self._turn(-1))
        self.later = _button("More ▶", "The next page", lambda: self._turn(1))
        self.note = widgets.HTML()
        self.sheet = widgets.Image(format="png", layout={"flex": "0 0 auto", "max_width": "100%"})
        self.sheet.add_class("ali-cells-sheet")
        self.events = Event(source=self.sheet, watched_events=["click"])
        self.events.on_dom_event(self._clicked)
        self.list = widgets.Select(
            options=[],
            rows=12,
            tooltip=LIST_HELP,
            layout={"width": "auto", "min_width": "220px", "flex": "1 1 260px"},
        )
        self.list.observe(self._listed, "value")
        self.large = widgets.Image(format="png", layout={"display": "none", "flex": "0 0 auto"})
        self.words = widgets.HTML(layout={"min_width": "150px", "flex": "1 1 150px"})
        top = widgets.HBox([self.what, self.earlier, self.later, self.note], layout={"flex_flow": "row wrap"})
        hover = widgets.HBox([self.large, self.words], layout={"flex_flow": "row wrap", "grid_gap": "4px 8px"})
        below = [self.sheet, widgets.VBox([self.list, hover], layout={"flex": "1 1 240px", "min_width": "0"})]
        self.widget = widgets.VBox([top, widgets.HBox(below, layout={"flex_flow": "row wrap", "grid_gap": "4px 10px"})])

    def update(
        self, ids: Sequence[str], reason: str, shares: Mapping[str, float] | None = None, *, among: int = 0
    ) -> None:
        """List cells.

        Parameters
        ----------
        ids
            In the order in which they are listed.
        reason
            ``selected`` or ``changed``: why they are. While the cells hovered last are looked at, these stay.
        shares
            Share of changed neighbours by id, for those where it is known.
        among
            Number of all such cells, when more than are listed.
        """
        page = self._shown[1] if self._shown is not None and self._given == tuple(ids) else 0
        self._given, self._shares, self._among = tuple(ids), dict(shares or {}), among
        if self.what.value != "hovered":
            with self._quiet:
                self.what.value = reason
        self._draw(page)

    def mark(self, name: str | None) -> None:
        """Mark the cell called ``name`` in the list and on the sheet, where it is on the page; None: no cell."""
        if name != self._marked:
            page = self._shown[1] if self._shown else 0
            self._marked, self._shown = name, None
            self._draw(page)

    def show_hover(self, name: str | None) -> None:
        """Show the cell called ``name`` larger, with what is known of it; None: no cell."""
        picture = None if name is None or self._images is None else self._images.picture(name, LARGE_PX)
        self.large.value = b"" if picture is None else as_png(picture)
        self.large.layout.display = "none" if picture is None else ""
        self.words.value = "" if name is None else self._described(name, missing=picture is None)
        if name is not None and (not self._hovered or self._hovered[0] != name):
            if name in self._hovered:
                self._hovered.remove(name)
            self._hovered.appendleft(name)
            if self.what.value == "hovered":
                self._draw()

    def close(self) -> None:
        """End what listens to clicks; the widgets are closed by whoever shows them."""
        self.events.reset_callbacks()
        self.events.close()

    # Inside --------------------------------------------------------------------------------------------------------

    def _draw(self, page: int = 0) -> None:
        """Show a page of the cells; pages that do not exist are as the nearest one that does."""
        ids = tuple(self._hovered) if self.what.value == "hovered" else tuple(self._given)
        page = max(0, min(page, (len(ids) - 1) // PER_PAGE))
        start = page * PER_PAGE
        shown = ids[start : start + PER_PAGE]
        self.earlier.disabled, self.later.disabled = page == 0, start + PER_PAGE >= len(ids)
        self.note.value = f'<span class="ali-muted">{self._note(ids, start, len(shown))}</span>'
        if self._shown is None or self._shown[0] != shown or self._shown[1] != page:
            self._draw_sheet(shown, start)
        self._shown = (shown, page)
        options = [(self._line(name, number), name) for number, name in enumerate(shown, start=start + 1)]
        if tuple(options) != tuple(self.list.options):
            with self._quiet:
                self.list.options = options
        with self._quiet:
            self.list.index = shown.index(self._marked) if self._marked in shown else None

    def _draw_sheet(self, shown: Sequence[str], start: int) -> None:
        images = self._images
        self.sheet.layout.display = "none" if images is None or not shown else ""
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

    def _note(self, ids: Sequence[str], start: int, count: int) -> str:
        if not ids:
            return NOTHING[self.what.value]
        where = f"{start + 1:,}–{start + count:,} of {len(ids):,}"
        if self.what.value != "hovered" and self._among > len(ids):
            where = f"{start + 1:,}–{start + count:,} of the first {len(ids):,} of {self._among:,}"
        if self._images is None:
            return f"{where}. {NO_IMAGES}"
        missing = sum(name not in self._images for name in ids)
        return where + (f", {missing:,} without a picture" if missing else "")

    def _line(self, name: str, number: int) -> str:
        """Return the line of a cell in the list; plain text."""
        parts = [str(number)]
        if name in self._shares:
            parts.append(f"{100.0 * self._shares[name]:.0f} %")
        parts.append(class_label(self._style(name).name))
        if self._images is not None and name not in self._images:
            parts.append("no picture")
        return " · ".join([*parts, name.rsplit("/", 1)[-1]])

    def _described(self, name: str, *, missing: bool) -> str:
        style = self._style(name)
        dot = f'<span class="ali-dot" style="background:{style.colour}"></span>'
        lines = [f"<b>{escape(name)}</b>", f"{dot}{escape(class_label(style.name))}"]
        if name in self._shares:
            lines.append(f"{100.0 * self._shares[name]:.0f} % of its nearest neighbours changed")
        if missing and self._images is not None:
            lines.append('<span class="ali-muted">no picture</span>')
        return f'<div class="ali-cell-words">{"<br>".join(lines)}</div>'

    def _style(self, name: str) -> ClassStyle:
        return self._styles[self._codes[name]]

    def _turn(self, by: int) -> None:
        self._draw((self._shown[1] if self._shown else 0) + by)

    def _chosen(self, change: dict[str, Any]) -> None:
        if self._quiet.active:
            return
        self._draw()
        if change["new"] != "hovered":
            self._on_list(change["new"])

    def _listed(self, change: dict[str, Any]) -> None:
        if not self._quiet.active and change["new"] is not None:
            self._on_pick(change["new"])

    def _clicked(self, event: dict[str, Any]) -> None:
        shown = self._shown[0] if self._shown else ()
        place = tile_at(event.get("dataX", -1), event.get("dataY", -1), len(shown))
        if place is not None:
            self._on_pick(shown[place])


def _button(label: str, tooltip: str, tell: Callable[[], None]) -> widgets.Button:
    button = widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto", "flex": "0 0 auto"})
    button.on_click(lambda _: tell())
    return button
