"""The steps so far, the buttons that go back and forth among them, and the branches."""

from collections.abc import Callable

import ipywidgets as widgets

from ali_core.interventions import InterventionStep, Session
from ali_viz.views.appearance import heading, quiet, wide
from ali_viz.views.words import step_words

__all__ = ["HistoryView", "StepButtons", "step_lines"]

ROWS = 13


def step_lines(session: Session) -> list[tuple[str, int]]:
    """Return (line, number) of every step of ``session``, newest first, and of the start, number 0."""
    steps = [*session.steps, *session.undone]
    lines = [(_line(session, number, step), number) for number, step in enumerate(steps, start=1)]
    return [*reversed(lines), (f"{'▸' if session.cursor == 0 else ' '} 0 the untouched embedding", 0)]


def _line(session: Session, number: int, step: InterventionStep) -> str:
    mark = "▸" if number == session.cursor else "↶" if number > session.cursor else " "
    who = "Ω" if step.source == "automatic" else "by hand"
    return f"{mark} {number} {who} · {step_words(step, session.embedding.class_names)}"


class HistoryView:
    """The list of steps and the branches.

    Parameters
    ----------
    on_go
        Called with the number of the step to go to; 0 is the start.
    on_toggle
        Called with the number of the step to skip, or to use again.
    on_switch
        Called with the name of the branch to show.
    on_rename
        Called with the new name of the branch that is shown.
    """

    def __init__(
        self,
        *,
        on_go: Callable[[int], None],
        on_toggle: Callable[[int], None],
        on_switch: Callable[[str], None],
        on_rename: Callable[[str], None],
    ) -> None:
        self._quiet = quiet()
        self._resting = False
        self._lines: list[tuple[str, int]] = []
        self._skipped: list[bool] = []
        self._stood: tuple[str, int, int] | None = None
        self.list = widgets.Select(
            rows=ROWS,
            tooltip="Steps, newest first. ▸ is where you are, ↶ are undone steps",
            layout=wide(min_width="0"),
        )
        self.go = _button("Go here", "Undo or redo up to the marked step", lambda: on_go(self.list.value))
        self.toggle = _button(
            "Skip step", "Leave the marked step out, and carry the later ones out again", self._toggled(on_toggle)
        )
        self.branch = widgets.Dropdown(
            tooltip="Lines of steps that were left when others were taken from an earlier state",
            layout={"width": "auto", "flex": "1 1 0%", "min_width": "0"},
        )
        self.name = widgets.Text(
            placeholder="rename branch",
            tooltip="Type a name for the branch shown and press Enter",
            continuous_update=False,
            layout={"width": "auto", "flex": "1 1 0%", "min_width": "0"},
        )
        self.list.observe(lambda _: self._marked(), "value")
        self.branch.observe(lambda change: None if self._quiet.active else on_switch(change["new"]), "value")
        self.name.observe(lambda change: self._named(change["new"], on_rename), "value")
        self.widget = widgets.VBox(
            [
                heading("Steps"),
                widgets.HBox([self.branch, self.name]),
                self.list,
                widgets.HBox([self.go, self.toggle]),
            ],
            layout={"flex": "1 1 0%", "min_width": "230px"},
        )

    def update(self, session: Session) -> None:
        """Show the steps and branches of ``session``; where it has gone to, the mark goes as well."""
        lines = step_lines(session)
        stands = (session.branch, session.cursor, len(lines))
        self._skipped = [step.skipped for step in (*session.steps, *session.undone)]
        with self._quiet:
            if lines != self._lines:
                kept, self._lines = self.list.value, lines
                self.list.options = lines
                self.list.value = kept if stands == self._stood else session.cursor
            self._stood = stands
            if self.branch.options != session.branches:
                self.branch.options = session.branches
            self.branch.value = session.branch
        self._marked()

    def rest(self, *, working: bool) -> None:
        """Switch off what changes the steps while others do, and on again."""
        self._resting = self.go.disabled = self.branch.disabled = working
        self._marked()

    def _marked(self) -> None:
        if self._quiet.active:
            return
        number = self.list.value or 0
        self.toggle.disabled = self._resting or number == 0
        skipped = bool(number) and self._skipped[number - 1]
        self.toggle.description = "Use step" if skipped else "Skip step"

    def _toggled(self, tell: Callable[[int], None]) -> Callable[[], None]:
        return lambda: tell(self.list.value)

    def _named(self, name: str, tell: Callable[[str], None]) -> None:
        if name.strip():
            self.name.value = ""
            tell(name.strip())


class StepButtons:
    """Undo, Redo, Reset, and Stop.

    Parameters
    ----------
    on_undo, on_redo, on_reset, on_stop
        Called on a click.
    """

    def __init__(
        self,
        *,
        on_undo: Callable[[], None],
        on_redo: Callable[[], None],
        on_reset: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        self.undo = _button("Undo", "Take back the last step", on_undo)
        self.redo = _button("Redo", "Bring back the step undone last", on_redo)
        self.reset = _button("Reset", "Back to the start; Redo still brings the steps back", on_reset)
        self.stop = _button("Stop", "Stop after the step under way; the steps taken so far stay", on_stop)
        self.widget = widgets.HBox([self.undo, self.redo, self.reset, self.stop])

    def update(self, session: Session, *, working: bool, stoppable: bool) -> None:
        """Offer only what can be done."""
        self.stop.disabled = not stoppable
        self.stop.button_style = "danger" if stoppable else ""
        self.undo.disabled = working or session.cursor == 0
        self.reset.disabled = working or session.cursor == 0
        self.redo.disabled = working or not session.undone


def _button(label: str, tooltip: str, tell: Callable[[], None]) -> widgets.Button:
    button = widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto", "flex": "1 1 0%"})
    button.on_click(lambda _: tell())
    return button
