"""Right of the picture: one tab for each thing to look at closely."""

from collections.abc import Sequence
from typing import Any, Protocol

import ipywidgets as widgets

from ali_viz.app.actions import Actions
from ali_viz.app.state import Scene
from ali_viz.views.controls import box, put

__all__ = ["InspectorView", "TabView"]


class TabView(Protocol):
    """What shows something of a scene on a tab."""

    name: str
    widget: widgets.Widget

    def update(self, scene: Scene) -> None:
        """Show ``scene``."""


class InspectorView:
    """Tabs, of which only the open one is kept up to date.

    Parameters
    ----------
    actions
        What opening a tab does.
    tabs
        In order.
    """

    def __init__(self, actions: Actions, tabs: Sequence[TabView]) -> None:
        self._tabs, self._actions, self._showing = tuple(tabs), actions, False
        self.tabs = widgets.Tab(
            children=[tab.widget for tab in tabs], titles=[tab.name for tab in tabs], selected_index=0
        )
        self.tabs.observe(self._opened, "selected_index")
        self.widget = box(self.tabs, name="ali-inspector")

    def update(self, scene: Scene) -> None:
        """Show the open tab."""
        index = next(place for place, tab in enumerate(self._tabs) if tab.name == scene.state.tab)
        self._showing = True
        put(self.tabs, selected_index=index)
        self._showing = False
        self._tabs[index].update(scene)

    def fold(self, unfolded: bool) -> None:
        """Fold the tabs away, or back."""
        put(self.widget.layout, display="" if unfolded else "none")

    def _opened(self, change: dict[str, Any]) -> None:
        if not self._showing:
            self._actions.open_tab.click(self._tabs[change["new"] or 0].name)
