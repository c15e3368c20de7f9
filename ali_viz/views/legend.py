"""The legend: a chip a class with its count; a click selects, Shift adds, Alt takes out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ali_core.embedding import LabelledEmbedding
from ali_viz.app.actions import Actions
from ali_viz.app.state import Scene
from ali_viz.picture.modules import as_one_module
from ali_viz.theme import UNLABELLED, ClassStyle
from ali_viz.views.controls import put

__all__ = ["LegendView"]


class Chips(anywidget.AnyWidget):
    """What the browser draws."""

    _esm = as_one_module(Path(__file__).parent / "legend.js")
    entries: Any = traitlets.List().tag(sync=True)
    selected: Any = traitlets.List().tag(sync=True)


class LegendView:
    """The classes with samples, in their order, and how many samples have none.

    Parameters
    ----------
    actions
        What a click does.
    embedding
        Counts of the classes.
    styles
        Of each class, by code.
    order
        Codes in the order of the chips.
    """

    def __init__(
        self,
        actions: Actions,
        embedding: LabelledEmbedding,
        styles: Sequence[ClassStyle],
        order: Sequence[int],
    ) -> None:
        self._actions = actions
        self._classes = [
            {
                "code": code,
                "label": styles[code].label,
                "count": f"{embedding.counts[code]:,}",
                "colour": styles[code].colour,
                "symbol": styles[code].symbol.removesuffix("-open"),
                "filled": styles[code].filled,
            }
            for code in order
        ]
        if none := int((embedding.labels < 0).sum()):
            self._classes.append(
                {
                    "label": UNLABELLED.label,
                    "count": f"{none:,}",
                    "colour": UNLABELLED.colour,
                    "symbol": UNLABELLED.symbol,
                    "filled": UNLABELLED.filled,
                }
            )
        self.widget = Chips(entries=self._classes)
        self.widget.on_msg(self._clicked)

    def update(self, scene: Scene) -> None:
        """Show which classes are selected; or the categories, while these colour the points."""
        colours, entries = scene.state.colouring, self._classes
        if colours is not None:
            entries = [
                {"label": label, "colour": colour, "symbol": "circle", "filled": True}
                for label, colour in colours.entries or ()
            ]
        put(self.widget, entries=entries)
        selected = list(scene.state.selected)
        if self.widget.selected != selected:
            self.widget.selected = selected

    def _clicked(self, _: object, message: dict[str, Any], __: object) -> None:
        if "clear" in message:
            self._actions.clear.click()
        else:
            self._actions.select_also.click(message["code"])
