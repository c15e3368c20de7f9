"""The events of a session, and the lock under which they happen."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ali_core.interventions.steps import InterventionStep

__all__ = ["Kind", "Listener", "SessionEvent", "SessionLock"]

log = logging.getLogger(__name__)

Kind = Literal["step", "undo", "redo", "reset", "toggle", "branch", "settings"]


@dataclass(frozen=True, kw_only=True)
class SessionEvent:
    """What has just changed in a session, told to its listeners after the change.

    Parameters
    ----------
    kind
        ``step`` (one or several were added, perhaps on a new branch), ``undo``, ``redo``, ``reset``, ``toggle``,
        ``branch`` (switched, renamed or dropped) or ``settings``.
    cursor
        How many steps were in force after it; by the time a listener hears of it, another thread may have gone on.
    step
        The step that was added, undone, redone or toggled, the last of several; None for the other kinds.
    """

    kind: Kind
    cursor: int
    step: InterventionStep | None = None


Listener = Callable[[SessionEvent], None]


class SessionLock:
    """The lock of a session; the thread that holds it may take it again.

    Events that occur while it is held are sent after the outermost ``with`` has ended and the lock is free. So a
    listener that waits for another lock cannot cause a deadlock with the thread that holds that one. The failure of a
    listener is logged; it reaches neither the others nor whoever changed the session. A listener that is taken off
    while another one is called is not called any more; one that is added hears the next event.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._untold: list[tuple[list[Listener], SessionEvent]] = []

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        told: list[tuple[list[Listener], SessionEvent]] = []
        if not self._depth:
            told, self._untold = self._untold, []
        self._lock.release()
        for listener, listeners, event in ((one, ones, event) for ones, event in told for one in list(ones)):
            if listener in listeners:
                try:
                    listener(event)
                except Exception:
                    log.exception("a listener of a session failed at %s, step %d", event.kind, event.cursor)

    def tell(self, listeners: list[Listener], event: SessionEvent) -> None:
        """Send ``event`` to ``listeners`` as soon as this thread no longer holds the lock."""
        with self:
            self._untold.append((listeners, event))
