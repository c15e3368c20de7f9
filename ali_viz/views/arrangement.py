"""Where the views stand on the desk."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ali_viz.views.appearance import quiet, style_sheet
from ali_viz.views.cells import CELLS_STYLE
from ali_viz.views.confusion import CONFUSION_STYLE
from ali_viz.views.effect import EFFECT_STYLE
from ali_viz.views.figure import FIGURE_STYLE
from ali_viz.views.keys import KEYS_STYLE

if TYPE_CHECKING:
    from ali_viz.views.desk import Desk

__all__ = ["Tabs", "arranged", "close_all"]

PANEL_WIDTH = "286px"
STYLES = (FIGURE_STYLE, EFFECT_STYLE, CONFUSION_STYLE, CELLS_STYLE, KEYS_STYLE)


class Tabs:
    """The tabs under the picture.

    Parameters
    ----------
    contents
        Widgets by the names of their tabs.
    on_tab
        Called with the name of a tab when a person opens it.
    """

    def __init__(self, contents: Mapping[str, widgets.Widget], *, on_tab: Callable[[str], None]) -> None:
        self._names, self._quiet = list(contents), quiet()
        self.widget = widgets.Tab(
            children=list(contents.values()),
            titles=self._names,
            selected_index=0,
            layout={"flex": "3 1 0%", "min_width": "min(520px, 100%)"},
        )
        self.widget.observe(lambda _: None if self._quiet.active else on_tab(self.name), "selected_index")

    @property
    def name(self) -> str:
        """Name of the open tab."""
        return self._names[self.widget.selected_index or 0]

    def open(self, name: str) -> None:
        """Open a tab without telling of it."""
        with self._quiet:
            self.widget.selected_index = self._names.index(name)


def arranged(desk: "Desk") -> widgets.VBox:
    """Return the whole app: a row on top, a panel of controls on the left, pictures and tabs on the right."""
    panel = widgets.VBox(
        [
            desk.automatic.widget,
            desk.manual.widget,
            desk.buttons.widget,
            desk.strengths.widget,
            desk.selection.widget,
            desk.files.widget,
        ],
        layout={"width": PANEL_WIDTH, "min_width": PANEL_WIDTH, "flex": "0 0 auto"},
    )
    tables = widgets.HBox(
        [desk.tabs.widget, desk.history.widget], layout={"flex_flow": "row wrap", "grid_gap": "2px 18px"}
    )
    pictures = widgets.VBox([desk.scatter.widget, tables], layout={"flex": "1 1 560px", "min_width": "0"})
    # In a narrow window the pictures go above the panel: wrap-reverse, where flex-end is the upper edge.
    body = widgets.HBox(
        [panel, pictures],
        layout={"flex_flow": "row wrap-reverse", "align_items": "flex-end", "grid_gap": "0 14px", "width": "100%"},
    )
    top = [style_sheet(*STYLES), desk.toolbar.widget, desk.messages.widget, desk.progress.widget]
    whole = widgets.VBox([*top, body], layout={"width": "100%"})
    whole.add_class("ali-studio")
    return whole


def close_all(widget: widgets.Widget) -> None:
    """Close ``widget`` and all widgets in it."""
    for child in getattr(widget, "children", ()):
        close_all(child)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, widgets.Widget):
            part.close()
    widget.close()
