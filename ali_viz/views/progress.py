"""A thin line that tells how far a slow layout is, with a button that gives it up; hidden at rest."""

from collections.abc import Callable

import ipywidgets as widgets

from ali_core.projection import LAYOUTS, View
from ali_viz.views.layouts import Progress

__all__ = ["LayoutProgress"]


class LayoutProgress(Progress):
    """Shows what is told while a layout is computed; no other control rests meanwhile.

    Parameters
    ----------
    on_cancel
        Called when a person clicks Cancel.
    """

    def __init__(self, *, on_cancel: Callable[[], None]) -> None:
        self.text = widgets.HTML(layout={"margin": "0"})
        self.bar = widgets.IntProgress(value=0, min=0, max=100, layout={"width": "120px", "height": "8px"})
        self.cancel = widgets.Button(
            description="Cancel", tooltip="Stop computing this layout", layout={"width": "auto", "height": "24px"}
        )
        self.cancel.on_click(lambda _: on_cancel())
        self.widget = widgets.HBox(
            [self.text, self.bar, self.cancel], layout={"align_items": "center", "grid_gap": "8px", "display": "none"}
        )
        self._what = ""

    def started(self, n_points: int, view: View) -> None:
        """Show the line, at the start."""
        self._what = f"{LAYOUTS[view].title} of {n_points:,} points"
        self._show(0)
        self.widget.layout.display = "flex"

    def advanced(self, done: int, total: int) -> None:
        """Show how far it is, in steps of two per cent."""
        percent = 100 * done // total // 2 * 2
        if percent != self.bar.value:
            self._show(percent)

    def finished(self) -> None:
        """Hide the line."""
        self.widget.layout.display = "none"

    def cancelled(self) -> None:
        """Hide the line."""
        self.finished()

    def _show(self, percent: int) -> None:
        self.bar.value = percent
        self.text.value = f'<span class="ali-muted" role="status">{self._what} … {percent} %</span>'
