"""Below the picture: the buttons that take steps, and the timeline of all steps of all branches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from ali_core.interventions import Session
from ali_core.interventions.branches import count_shared
from ali_viz.app.actions import GOALS, Actions
from ali_viz.app.state import Scene
from ali_viz.app.words import step_words
from ali_viz.theme import ClassStyle
from ali_viz.views.controls import box, button, dropdown, number, put, row

__all__ = ["TimelineView", "branch_rows"]

GOAL_HELP = "\n".join(["Run until goes on", *(f"{label}: {text}" for label, _, text in GOALS.values())])


def branch_rows(session: Session) -> list[dict[str, Any]]:
    """Return what the timeline draws of each branch, the one that is worked on first.

    ``name``; ``codes`` of the first class that each step moves; ``hand`` and ``skipped``, the numbers of steps by hand
    and of those left out; ``shared``, how many steps it has in common with the branch that is worked on.
    """
    names = [session.branch, *(name for name in session.branches if name != session.branch)]
    branches = [(name, session.steps_of(name)) for name in names]
    return [
        {
            "name": name,
            "codes": [step.classes[0] for step in steps],
            "hand": [number for number, step in enumerate(steps, start=1) if step.source != "automatic"],
            "skipped": [number for number, step in enumerate(steps, start=1) if step.skipped],
            "shared": count_shared(steps, branches[0][1]),
        }
        for name, steps in branches
    ]


class Timeline(anywidget.AnyWidget):
    """What the browser draws."""

    _esm = (Path(__file__).parent / "timeline.js").read_text("utf-8")
    colours: Any = traitlets.List().tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    cursor = traitlets.Int().tag(sync=True)
    busy = traitlets.Bool().tag(sync=True)


class TimelineView:
    """Steps to take, and steps taken.

    Parameters
    ----------
    actions
        What the controls do.
    styles
        Of each class, by code.
    """

    def __init__(self, actions: Actions, styles: Sequence[ClassStyle]) -> None:
        self._actions = actions
        self.step = button(
            "Step", "Move the class that Ω chooses, marked in the table", actions.step.click, style="primary"
        )
        self.run = button("Run", "Take n steps in a row", actions.begin_run.click)
        self.n_iterations = number(
            "steps",
            "How many steps Run takes, 1 to 1,000",
            lambda value: actions.change_settings.click(n_iterations=value),
            width="92px",
            whole=True,
            min=1,
            max=1000,
        )
        self.run_until = button(
            "Run until",
            "Take steps until the goal on the right is reached",
            lambda: actions.run_until.click(self.goal.value, self.limit.value),
        )
        self.goal = dropdown(
            "", [(label, key) for key, (label, _, _) in GOALS.items()], GOAL_HELP, self._goal_chosen, width="112px"
        )
        self.limit = number("", "Value of the goal, 0 to 100", lambda _: "", width="60px", min=0.0, max=100.0)
        put(self.limit.widget, value=GOALS["crowding"][1], step=0.01)
        self.apply = button(
            "Apply to selected classes",
            "Move the selected classes with the strengths on the right, or to where they were dragged",
            actions.apply.click,
            style="primary",
        )
        self.undo = button("Undo", "Take back the last step", actions.undo.click)
        self.redo = button("Redo", "Bring back the step undone last", actions.redo.click)
        self.reset = button("Reset", "Back to the start; Redo still brings the steps back", actions.reset.click)
        self.stop = button("Stop", "Stop after the step under way; the steps taken so far stay", actions.stop.click)
        self.branch = widgets.Text(
            placeholder="rename branch",
            tooltip="Type a name for the branch shown and press Enter",
            continuous_update=False,
            layout={"width": "112px", "display": "none"},
        )
        self.branch.observe(self._named, "value")
        until = row(self.run_until, self.goal.widget, self.limit.widget, name="ali-group")
        self._automatic = [self.step, row(self.run, self.n_iterations.widget, name="ali-group"), until]
        self.ticks = Timeline(colours=[style.colour for style in styles])
        self.ticks.on_msg(self._told)
        back = row(self.stop, self.undo, self.redo, self.reset, self.branch, name="ali-end")
        self.widget = box(row(*self._automatic, self.apply, back, name="ali-steps"), self.ticks, name="ali-below")

    def update(self, scene: Scene) -> None:
        """Show the steps, and what can be done."""
        session, state, busy = scene.session, scene.state, bool(scene.busy)
        manual = state.mode == "manual"
        for control in self._automatic:
            put(control.layout, display="none" if manual else "")
        put(self.apply.layout, display="" if manual else "none")
        count = max(session.settings.n_iterations, 1)
        most = max(1000, count)
        self.n_iterations.show(count, max=most, tooltip=f"How many steps Run takes, 1 to {most:,}", disabled=busy)
        put(self.run, description=f"Run {count}")
        for control in (self.step, self.run, self.run_until):
            put(control, disabled=busy)
        put(self.apply, disabled=busy or not state.selected)
        put(self.undo, disabled=busy or session.cursor == 0)
        put(self.reset, disabled=busy or session.cursor == 0)
        put(self.redo, disabled=busy or not session.undone)
        put(self.stop, disabled=not scene.stoppable, button_style="danger" if scene.stoppable else "")
        put(self.branch.layout, display="" if len(session.branches) > 1 else "none")
        with self.ticks.hold_sync():
            put(self.ticks, rows=branch_rows(session), cursor=session.cursor, busy=busy)

    def _goal_chosen(self, goal: str) -> None:
        self.limit.show(GOALS[goal][1])

    def _named(self, change: dict[str, Any]) -> None:
        if name := change["new"].strip():
            self.branch.value = ""
            self._actions.rename_branch.click(name)

    def _told(self, _: object, message: dict[str, Any], __: object) -> None:
        """Hear what was done in the timeline: one of ``go``, ``toggle``, ``switch``, and ``ask`` for a tooltip."""
        actions = self._actions
        if "go" in message:
            actions.go_to.click(message["go"])
        elif "toggle" in message:
            actions.toggle.click(message["toggle"])
        elif "switch" in message:
            actions.switch.click(message["switch"])
        else:
            session, (branch, asked) = actions.session, message["ask"]
            step = session.steps_of(branch)[asked - 1]
            who = "Ω" if step.source == "automatic" else "by hand"
            words = f"{asked} {who} · {step_words(step, session.embedding.class_names)}"
            self.ticks.send({"branch": branch, "number": asked, "words": words})
