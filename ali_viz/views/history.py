"""The steps so far, and the buttons that go back and forth among them."""

from collections.abc import Callable
from html import escape

import ipywidgets as widgets

from ali_core.interventions import Session
from ali_viz.views.appearance import heading, wide

__all__ = ["HistoryView", "StepButtons", "history_list"]


def history_list(session: Session) -> str:
    """Return the steps of ``session`` as an HTML list, newest first; undone ones are struck through."""
    steps = [*session.steps, *session.undone]
    if not steps:
        return '<div class="ali-muted">no steps yet</div>'
    lines = []
    for number, step in reversed(list(enumerate(steps, start=1))):
        kind = "ali-undone" if number > session.cursor else "ali-now" if number == session.cursor else ""
        who = "Ω" if step.source == "automatic" else "by hand"
        lines.append(f'<li value="{number}" class="{kind}">{who} · {escape(session.describe(step))}</li>')
    return f'<ol class="ali-history">{"".join(lines)}</ol>'


class HistoryView:
    """The list of steps."""

    def __init__(self) -> None:
        self.list = widgets.HTML(layout=wide())
        box = widgets.VBox([self.list], layout={"max_height": "322px", "overflow": "auto", "display": "block"})
        self.title = heading("Steps")
        self.widget = widgets.VBox([self.title, box], layout={"flex": "2 1 0%", "min_width": "260px"})

    def update(self, session: Session) -> None:
        """Show the steps of ``session``."""
        self.list.value = history_list(session)


class StepButtons:
    """Undo, Redo, Reset.

    Parameters
    ----------
    on_undo, on_redo, on_reset
        Called on a click.
    """

    def __init__(
        self, *, on_undo: Callable[[], None], on_redo: Callable[[], None], on_reset: Callable[[], None]
    ) -> None:
        self.undo = _button("Undo", "Take back the last step", on_undo)
        self.redo = _button("Redo", "Bring back the step undone last", on_redo)
        self.reset = _button("Reset", "Back to the start; Redo still brings the steps back", on_reset)
        self.widget = widgets.HBox(self.buttons)

    @property
    def buttons(self) -> list[widgets.Button]:
        """What must rest while the app works."""
        return [self.undo, self.redo, self.reset]

    def update(self, session: Session, *, working: bool) -> None:
        """Offer only what can be done."""
        self.undo.disabled = working or session.cursor == 0
        self.reset.disabled = working or session.cursor == 0
        self.redo.disabled = working or not session.undone


def _button(label: str, tooltip: str, tell: Callable[[], None]) -> widgets.Button:
    button = widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto", "flex": "1 1 0%"})
    button.on_click(lambda _: tell())
    return button
