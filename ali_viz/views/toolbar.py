"""The row on top: mode, view, comparison, names, and what must be known about the picture."""

from collections.abc import Callable, Sequence
from html import escape

import ipywidgets as widgets

from ali_core.projection import LAYOUTS, View
from ali_viz.views.appearance import quiet
from ali_viz.views.drawing import COMPARISONS, Comparison

__all__ = ["MODES", "Toolbar"]

MODES = {"automatic": "Automatic", "manual": "Manual"}
MODE_HELP = ("Ω chooses the class that moves", "You choose the classes that move")
SUPERVISED: tuple[View, ...] = ("supervised_tsne", "shuffled_tsne")


class Toolbar:
    """Toggles for mode, view and comparison.

    Parameters
    ----------
    live
        Whether a training is attached: then the last epoch can be looked at.
    on_mode, on_view, on_comparison
        Called with the new key when a person switches.
    on_names
        Called with whether the classes' names stand in the picture.
    """

    def __init__(
        self,
        *,
        live: bool,
        on_mode: Callable[[str], None],
        on_view: Callable[[View], None],
        on_comparison: Callable[[Comparison], None],
        on_names: Callable[[bool], None],
    ) -> None:
        self._quiet = quiet()
        self.mode = _toggle([(name, key) for key, name in MODES.items()], "Mode", MODE_HELP)
        offered = {name: spec for name, spec in LAYOUTS.items() if spec.labels != "shuffled"}
        self.view = _toggle(
            [(spec.title, name) for name, spec in offered.items()],
            "View",
            tuple(spec.help for spec in offered.values()),
        )
        compared = [(name, key) for key, name in COMPARISONS.items() if live or key != "epoch"]
        self.comparison = _toggle(
            compared,
            "Compare with",
            (
                "Left: the untouched embedding",
                "Left: the state before the last step",
                "Three columns: before, after the interventions, and what one epoch of training made of them",
            )[: len(compared)],
        )
        self.shuffled = widgets.ToggleButton(
            description="shuffled labels",
            tooltip="The control: the same with shuffled labels. What looks separate there is made by the method",
            layout={"width": "auto", "display": "none"},
        )
        self.names = widgets.ToggleButton(
            value=True,
            description="names",
            tooltip="Write the names of the classes into the picture",
            layout={"width": "auto"},
        )
        self.badge = widgets.HTML()
        told = ((self.mode, on_mode), (self.view, on_view), (self.comparison, on_comparison), (self.names, on_names))
        for widget, tell in told:
            widget.observe(lambda change, tell=tell: None if self._quiet.active else tell(change["new"]), "value")
        self.shuffled.observe(lambda change: self._shuffled(change["new"], on_view), "value")
        self.widget = widgets.HBox(
            [self.mode, self.view, self.shuffled, self.badge, self.comparison, self.names],
            layout={"flex_flow": "row wrap", "align_items": "center", "grid_gap": "2px 16px"},
        )

    def update(self, view: View, mode: str, comparison: Comparison, *, names: bool) -> None:
        """Show which toggles are on; ``view`` is what is looked at."""
        with self._quiet:
            self.mode.value, self.comparison.value, self.names.value = mode, comparison, names
            self.view.value = "supervised_tsne" if view in SUPERVISED else view
            self.shuffled.value = view == "shuffled_tsne"
        self.shuffled.layout.display = "flex" if view in SUPERVISED else "none"
        badge = LAYOUTS[view].badge
        self.badge.value = f'<span class="ali-badge">{escape(badge)}</span>' if badge else ""

    def _shuffled(self, on: bool, tell: Callable[[View], None]) -> None:
        if not self._quiet.active:
            tell("shuffled_tsne" if on else "supervised_tsne")


def _toggle(options: Sequence[tuple[str, str]], label: str, tooltips: tuple[str, ...]) -> widgets.ToggleButtons:
    return widgets.ToggleButtons(
        options=options,
        description=label,
        tooltips=tooltips,
        style={"button_width": "auto", "description_width": "auto"},
        layout={"width": "max-content"},
    )
