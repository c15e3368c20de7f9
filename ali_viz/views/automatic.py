"""Let Ω work: step, run, and how it chooses."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ali_core.interventions import CRITERIA, InterventionSettings
from ali_viz.views.appearance import heading, quiet, wide

__all__ = ["AutomaticView"]

CRITERION_HELP = (
    "Ω, which class moves next. mean-std: wide with a near neighbour; mean-all: central; product: both; "
    "closest: one of the two nearest classes"
)


class AutomaticView:
    """Step and Run buttons, criterion and selection.

    Parameters
    ----------
    on_step, on_run
        Called on a click.
    on_change
        Called with the settings that change, by name.
    """

    def __init__(
        self,
        *,
        on_step: Callable[[], None],
        on_run: Callable[[], None],
        on_change: Callable[[dict[str, Any]], None],
    ) -> None:
        self._tell, self._quiet = on_change, quiet()
        self.step = widgets.Button(
            description="Step",
            button_style="primary",
            tooltip="Move the class that Ω chooses, marked in the table",
            layout={"width": "auto", "flex": "1 1 0%"},
        )
        self.run = widgets.Button(
            description="Run", tooltip="Take n steps in a row", layout={"width": "auto", "flex": "1 1 0%"}
        )
        self.n_iterations = widgets.BoundedIntText(
            min=1,
            max=1000,
            description="steps",
            tooltip="How many steps Run takes",
            style={"description_width": "38px"},
            layout={"width": "110px"},
        )
        self.criterion = _dropdown(list(CRITERIA), "criterion Ω", CRITERION_HELP)
        self.selection = _dropdown(
            ["deterministic", "probabilistic"],
            "choice",
            "deterministic: the largest score; probabilistic: drawn with the probabilities in the table",
        )
        self.step.on_click(lambda _: on_step())
        self.run.on_click(lambda _: on_run())
        for name, widget in self._fields().items():
            widget.observe(lambda change, name=name: self._changed(name, change["new"]), "value")
        self.widget = widgets.VBox(
            [
                heading("Automatic"),
                widgets.HBox([self.step, self.run, self.n_iterations]),
                self.criterion,
                self.selection,
            ]
        )

    @property
    def buttons(self) -> list[widgets.Button]:
        """What must rest while the app works."""
        return [self.step, self.run]

    def update(self, settings: InterventionSettings) -> None:
        """Show ``settings``."""
        with self._quiet:
            for name, widget in self._fields().items():
                value = getattr(settings, name)
                if name == "criterion" and value not in widget.options:
                    widget.options = [*widget.options, value]
                if name == "n_iterations":
                    widget.max = max(widget.max, value)
                    value = max(value, 1)
                widget.value = value
        self.run.description = f"Run {self.n_iterations.value}"

    def _fields(self) -> dict[str, Any]:
        return {"n_iterations": self.n_iterations, "criterion": self.criterion, "selection": self.selection}

    def _changed(self, name: str, value: object) -> None:
        if not self._quiet.active:
            self._tell({name: value})


def _dropdown(options: list[str], label: str, tooltip: str) -> widgets.Dropdown:
    return widgets.Dropdown(
        options=options,
        description=label,
        tooltip=tooltip,
        style={"description_width": "82px"},
        layout=wide(),
    )
