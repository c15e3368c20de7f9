"""Move classes by hand: what they move away from, and Apply."""

from collections.abc import Callable, Sequence
from html import escape

import ipywidgets as widgets

from ali_viz.views.appearance import heading, wide

__all__ = ["ManualView"]

NEAREST = "nearest"


class ManualView:
    """The panel of the manual mode.

    Parameters
    ----------
    options
        (label, code) of the classes with samples, in the order in which they are listed.
    on_apply
        Called on a click with the codes to move away from, None for the nearest neighbours.
    """

    def __init__(
        self, options: Sequence[tuple[str, int]], *, on_apply: Callable[[tuple[int, ...] | None], None]
    ) -> None:
        self._labels = {code: label for label, code in options}
        self.moving = widgets.HTML(layout=wide())
        self.away = widgets.Dropdown(
            options=[("its n nearest neighbours", NEAREST), ("classes chosen below", "chosen")],
            description="away from",
            tooltip="What the selected classes are rotated and shifted away from",
            style={"description_width": "82px"},
            layout=wide(),
        )
        self.away_from = widgets.SelectMultiple(
            options=list(options),
            rows=4,
            description="classes",
            tooltip="Classes to move away from; Ctrl or Shift adds",
            style={"description_width": "82px"},
            layout=wide(display="none"),
        )
        self.apply = widgets.Button(
            description="Apply to selected classes",
            button_style="primary",
            tooltip="Contract, rotate and shift the selected classes with the strengths below",
            layout=wide(),
        )
        self.away.observe(self._show_list, "value")
        self.apply.on_click(lambda _: on_apply(self.chosen))
        self.widget = widgets.VBox([heading("Manual"), self.moving, self.away, self.away_from, self.apply])

    @property
    def chosen(self) -> tuple[int, ...] | None:
        """Codes to move away from, or None for the nearest neighbours."""
        return None if self.away.value == NEAREST else tuple(self.away_from.value)

    @property
    def buttons(self) -> list[widgets.Button]:
        """What must rest while the app works."""
        return [self.apply]

    def update(self, selected: Sequence[int]) -> None:
        """Say what would move."""
        names = ", ".join(escape(self._labels[code]) for code in selected)
        text = f"moves <b>{names}</b>" if names else "select classes: lasso, legend, or the list"
        self.moving.value = f'<div class="ali-muted">{text}</div>'

    def _show_list(self, _change: object) -> None:
        self.away_from.layout.display = "none" if self.away.value == NEAREST else "flex"
