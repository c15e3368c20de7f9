"""The row on top: mode, view, comparison, and what must be known about the picture."""

from collections.abc import Callable

import ipywidgets as widgets

from ali_core.projection import View
from ali_viz.views.appearance import quiet
from ali_viz.views.drawing import COMPARISONS, VIEW_NAMES, Comparison, Drawing

__all__ = ["MODES", "Toolbar"]

MODES = {"automatic": "Automatic", "manual": "Manual"}
MODE_HELP = ("Ω chooses the class that moves", "You choose the classes that move")
VIEW_HELP = (
    "Draw the first two dimensions of the embedding",
    "Draw the two principal components of the untouched embedding",
    "t-SNE; each state starts from the one before",
    "t-SNE that is told the labels: for looking only, never score it",
)


class Toolbar:
    """Toggles for mode, view and comparison.

    Parameters
    ----------
    on_mode, on_view, on_comparison
        Called with the new key when a person switches.
    """

    def __init__(
        self,
        *,
        on_mode: Callable[[str], None],
        on_view: Callable[[View], None],
        on_comparison: Callable[[Comparison], None],
    ) -> None:
        self._quiet = quiet()
        self.mode = _toggle([(name, key) for key, name in MODES.items()], "Mode", MODE_HELP)
        self.view = _toggle([(name, key) for key, name in VIEW_NAMES.items()], "View", VIEW_HELP)
        self.comparison = _toggle(
            [(name, key) for key, name in COMPARISONS.items()],
            "Compare with",
            ("Left: the untouched embedding", "Left: the state before the last step"),
        )
        self.badge = widgets.HTML()
        for widget, tell in ((self.mode, on_mode), (self.view, on_view), (self.comparison, on_comparison)):
            widget.observe(lambda change, tell=tell: None if self._quiet.active else tell(change["new"]), "value")
        self.widget = widgets.HBox(
            [self.mode, self.view, self.comparison, self.badge],
            layout={"flex_flow": "row wrap", "align_items": "center", "grid_gap": "2px 16px"},
        )

    def update(self, drawing: Drawing, mode: str, comparison: Comparison) -> None:
        """Show which toggles are on and what is drawn."""
        with self._quiet:
            self.mode.value, self.view.value, self.comparison.value = mode, drawing.view, comparison
        self.badge.value = '<span class="ali-badge">uses labels: never score it</span>' if drawing.uses_labels else ""


def _toggle(options: list[tuple[str, str]], label: str, tooltips: tuple[str, ...]) -> widgets.ToggleButtons:
    return widgets.ToggleButtons(
        options=options,
        description=label,
        tooltips=tooltips,
        style={"button_width": "auto", "description_width": "auto"},
        layout={"width": "max-content"},
    )
