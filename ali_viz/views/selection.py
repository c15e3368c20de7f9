"""The classes as a list that the keyboard can reach, and the button that clears the selection."""

import difflib
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from ali_viz.views.appearance import heading, quiet, wide

__all__ = ["SelectionView"]

HELP = (
    "Click chooses, Ctrl or Shift adds; by keyboard Home, End, Ctrl with arrows, and Ctrl+Space. In the plot: a lasso "
    "or box selects the classes with at least half of their drawn points in it, or else the class with most points in "
    "it; a click on a legend entry adds or removes that class."
)


class SelectionView:
    """Which classes are selected.

    Parameters
    ----------
    options
        (label, code) of the classes with samples, in the order in which they are listed.
    on_select
        Called with the codes when a person changes the selection.
    on_trouble
        Called with words when no class has the name that was typed.
    """

    def __init__(
        self,
        options: Sequence[tuple[str, int]],
        *,
        on_select: Callable[[tuple[int, ...]], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._quiet = quiet()
        self.classes = widgets.SelectMultiple(
            options=list(options), rows=min(max(len(options), 3), 9), tooltip=HELP, layout=wide()
        )
        self.clear = widgets.Button(
            description="Clear selection",
            tooltip="Select no class; a double click in the plot does the same",
            layout={"flex": "0 0 auto", "width": "auto"},
        )
        self._codes = dict(options)
        self._typed = {_plain(label): code for label, code in options}
        self.by_name = widgets.Combobox(
            options=[label.rsplit(" (", 1)[0] for label in self._codes],
            placeholder="add/remove by name",
            tooltip="Type a class and press Enter; a selected class is taken out again",
            continuous_update=False,
            layout={"width": "auto", "min_width": "0", "flex": "1 1 0%"},
        )
        self.by_name.observe(lambda _: self._named(on_select, on_trouble), "value")
        self.classes.observe(lambda change: self._changed(change, on_select), "value")
        self.clear.on_click(lambda _: on_select(()))
        self.widget = widgets.VBox(
            [heading("Selected classes"), self.classes, widgets.HBox([self.by_name, self.clear])]
        )

    def update(self, selected: Sequence[int]) -> None:
        """Show which classes are selected."""
        with self._quiet:
            self.classes.value = tuple(selected)
        self.clear.disabled = not selected

    def _changed(self, change: dict[str, Any], tell: Callable[[tuple[int, ...]], None]) -> None:
        if not self._quiet.active:
            tell(tuple(change["new"]))

    def _named(self, tell: Callable[[tuple[int, ...]], None], complain: Callable[[str], None]) -> None:
        """Add or remove the class that was typed; JupyterLab keeps arrow keys from lists, but not keys from texts."""
        typed = self.by_name.value.strip()
        if not typed:
            return
        self.by_name.value = ""
        code = self._codes.get(typed, self._typed.get(_plain(typed)))
        if code is None:
            complain(f"no class here is called {typed!r}; {self._remedy(typed)}")
            return
        selected = tuple(self.classes.value)
        tell(tuple(other for other in selected if other != code) if code in selected else (*selected, code))

    def _remedy(self, typed: str) -> str:
        labels = {_plain(label): label.rsplit(" (", 1)[0] for label in self._codes}
        near = difflib.get_close_matches(_plain(typed), labels)
        return f"did you mean {' or '.join(labels[name] for name in near)}?" if near else "take one from the list"


def _plain(label: str) -> str:
    """Return a class name as people type it: without its count, in small letters, underscores as spaces."""
    return label.rsplit(" (", 1)[0].strip().lower().replace("_", " ")
