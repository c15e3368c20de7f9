"""Let Ω work: step, run, run until, and how it chooses."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ali_core.interventions import CRITERIA, InterventionSettings
from ali_viz.views.appearance import heading, quiet, wide

__all__ = ["GOALS", "AutomaticView"]

CRITERION_HELP = """Ω: which class moves next, the one with the largest score
closest: of the two classes nearest to each other, the one with the larger mean-std
mean-std: wide with a near neighbour; spread / distance to the nearest center
mean-all: central; 1 / mean distance to all other centers
product: both; mean-std times mean-all"""
SELECTION_HELP = """How the scores decide
deterministic: the class with the largest score moves
probabilistic: the class is drawn with the probabilities in the table"""
GOALS: dict[str, tuple[str, float, str]] = {
    "crowding": (
        "crowding ≤",
        0.1,
        "until the most crowded class has at most this mean-std: spread / distance to its nearest neighbour",
    ),
    "transfer_f1": (
        "transfer F1 ≥",
        0.9,
        "until held-out samples, moved without their labels, are classified with at least this macro F1; scoring takes "
        "a second or more a step",
    ),
}
"""Goals of Run until, by key: label, first value, help."""
GOAL_HELP = "\n".join(["Run until goes on", *(f"{label}: {text}" for label, _, text in GOALS.values())])


class AutomaticView:
    """Step, Run and Run until, criterion and selection.

    Parameters
    ----------
    on_step, on_run
        Called on a click.
    on_run_until
        Called on a click with the key of the goal and its value.
    on_preview
        Called with whether the next step is shown as a preview.
    on_change
        Called with the settings that change, by name.
    """

    def __init__(
        self,
        *,
        on_step: Callable[[], None],
        on_run: Callable[[], None],
        on_run_until: Callable[[str, float], None],
        on_preview: Callable[[bool], None],
        on_change: Callable[[dict[str, Any]], None],
    ) -> None:
        self._tell, self._quiet = on_change, quiet()
        self.step = _button("Step", "Move the class that Ω chooses, marked in the table", style="primary")
        self.run = _button("Run", "Take n steps in a row")
        self.run_until = _button("Run until", "Take steps until the goal on the right is reached")
        self.n_iterations = widgets.BoundedIntText(
            min=1,
            max=1000,
            description="steps",
            tooltip="How many steps Run takes, 1 to 1,000",
            style={"description_width": "38px"},
            layout={"width": "96px", "flex": "0 0 auto"},
        )
        self.goal = widgets.Dropdown(
            options=[(label, key) for key, (label, _, _) in GOALS.items()],
            tooltip=GOAL_HELP,
            layout={"width": "112px", "flex": "0 0 auto"},
        )
        self.limit = widgets.BoundedFloatText(
            value=GOALS["crowding"][1],
            min=0.0,
            max=100.0,
            step=0.01,
            tooltip="Value of the goal, 0 to 100",
            layout={"width": "64px", "flex": "0 0 auto"},
        )
        self.preview = widgets.Checkbox(
            value=True,
            description="show the next step before it is taken",
            tooltip="Hollow points: where the next step would move its class",
            indent=False,
            layout=wide(),
        )
        self.criterion = _dropdown(list(CRITERIA), "criterion Ω", CRITERION_HELP)
        self.selection = _dropdown(["deterministic", "probabilistic"], "choice", SELECTION_HELP)
        for button, tell in ((self.step, on_step), (self.run, on_run)):
            button.on_click(lambda _, tell=tell: tell())
        self.run_until.on_click(lambda _: on_run_until(self.goal.value, self.limit.value))
        self.goal.observe(self._goal_chosen, "value")
        self.preview.observe(lambda change: None if self._quiet.active else on_preview(change["new"]), "value")
        for name, widget in self.fields.items():
            widget.observe(lambda change, name=name: self._changed(name, change["new"]), "value")
        self.widget = widgets.VBox(
            [
                heading("Automatic"),
                widgets.HBox([self.step, self.run, self.n_iterations]),
                widgets.HBox([self.run_until, self.goal, self.limit]),
                self.preview,
                self.criterion,
                self.selection,
            ]
        )

    @property
    def buttons(self) -> list[widgets.Button]:
        """What must rest while steps cannot be taken."""
        return [self.step, self.run, self.run_until]

    @property
    def fields(self) -> dict[str, Any]:
        """The controls of settings, by name; they rest as well."""
        return {"n_iterations": self.n_iterations, "criterion": self.criterion, "selection": self.selection}

    def update(self, settings: InterventionSettings, *, preview: bool = True) -> None:
        """Show ``settings``, and whether the next step is shown."""
        with self._quiet:
            self.preview.value = preview
            for name, widget in self.fields.items():
                value = getattr(settings, name)
                if name == "criterion" and value not in widget.options:
                    widget.options = [*widget.options, value]
                if name == "n_iterations":
                    widget.max = max(widget.max, value)
                    widget.tooltip = f"How many steps Run takes, 1 to {widget.max:,}"
                    value = max(value, 1)
                widget.value = value
        self.run.description = f"Run {self.n_iterations.value}"

    def _changed(self, name: str, value: object) -> None:
        if not self._quiet.active:
            self._tell({name: value})

    def _goal_chosen(self, change: dict[str, Any]) -> None:
        self.limit.value = GOALS[change["new"]][1]


def _button(label: str, tooltip: str, *, style: str = "") -> widgets.Button:
    return widgets.Button(
        description=label, tooltip=tooltip, button_style=style, layout={"width": "auto", "flex": "1 1 0%"}
    )


def _dropdown(options: list[str], label: str, tooltip: str) -> widgets.Dropdown:
    return widgets.Dropdown(
        options=options,
        description=label,
        tooltip=tooltip,
        style={"description_width": "82px"},
        layout=wide(),
    )
