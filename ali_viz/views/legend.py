"""The legend: a chip a class with its count; a click selects, Shift adds, Alt takes out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from ali_viz.app.actions import Actions
from ali_viz.app.state import Scene
from ali_viz.theme import ClassStyle

__all__ = ["LegendView"]


class Chips(anywidget.AnyWidget):
    """What the browser draws."""

    _esm = (Path(__file__).parent / "legend.js").read_text("utf-8")
    entries: Any = traitlets.List().tag(sync=True)
    selected: Any = traitlets.List().tag(sync=True)


class LegendView:
    """The classes with samples, in their order.

    Parameters
    ----------
    actions
        What a click does.
    styles
        Of each class, by code.
    order
        Codes in the order of the chips.
    counts
        Samples of each class, (C,).
    """

    def __init__(
        self, actions: Actions, styles: Sequence[ClassStyle], order: Sequence[int], counts: NDArray[np.int64]
    ) -> None:
        self._actions = actions
        self._classes = [
            {
                "code": code,
                "label": styles[code].label,
                "count": f"{counts[code]:,}",
                "colour": styles[code].colour,
                "symbol": styles[code].symbol.removesuffix("-open"),
                "filled": styles[code].filled,
            }
            for code in order
        ]
        self.widget = Chips(entries=self._classes)
        self.widget.on_msg(self._clicked)

    def update(self, scene: Scene) -> None:
        """Show which classes are selected."""
        selected = list(scene.state.selected)
        if self.widget.selected != selected:
            self.widget.selected = selected

    def _clicked(self, _: object, message: dict[str, Any], __: object) -> None:
        if "clear" in message:
            self._actions.clear.click()
        else:
            self._actions.select_also.click(message["code"])
