"""While the app works: buttons rest, the status line counts, and says afterwards how long it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import ipywidgets as widgets

from ali_core.interventions import Session
from ali_core.projection import View
from ali_viz.views.desk import Desk
from ali_viz.views.drawing import VIEW_NAMES
from ali_viz.views.layouts import Progress

__all__ = ["Work", "close_all", "resting"]


class Work(Progress):
    """Tells about slow layouts on the desk.

    Attributes
    ----------
    summary
        What the last layouts took, in words; whoever shows it empties it.
    """

    def __init__(self, desk: Desk, session: Session) -> None:
        self.summary = ""
        self._desk, self._session = desk, session
        self._text, self._since, self._shown = "", 0.0, -1

    def started(self, n_points: int, view: View) -> None:
        """Say what is computed, and let the buttons rest."""
        self._text, self._since, self._shown = f"{VIEW_NAMES[view]} of {n_points:,} points", time.perf_counter(), -1
        self._desk.messages.status(f"Computing {self._text} …")
        self._desk.rest(self._session, working=True)

    def advanced(self, done: int, total: int) -> None:
        """Count in tenths."""
        tenth = 10 * done // total
        if tenth > self._shown:
            self._shown = tenth
            self._desk.messages.status(f"Computing {self._text} … {10 * tenth} %")

    def finished(self) -> None:
        """Say how long it took, and let the buttons work."""
        took = f"{self._text} took {time.perf_counter() - self._since:.1f} s"
        self.summary = f"{self.summary}, {took}" if self.summary else took
        self._desk.messages.status(self.summary)
        self._desk.rest(self._session, working=False)


@contextmanager
def resting(desk: Desk, session: Session) -> Iterator[None]:
    """Let the buttons of ``desk`` rest while the block runs."""
    desk.rest(session, working=True)
    try:
        yield
    finally:
        desk.rest(session, working=False)


def close_all(widget: widgets.Widget) -> None:
    """Close ``widget`` and all widgets in it."""
    for child in getattr(widget, "children", ()):
        close_all(child)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, widgets.Widget):
            part.close()
    widget.close()
