"""What a session tells, and how its listeners hear it."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ali_core.interventions.steps import InterventionStep

__all__ = ["Kind", "Listener", "SessionEvent", "SessionLock", "tell_all"]

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


def tell_all(listeners: list[Listener], event: SessionEvent) -> None:
    """Call every listener; the failure of one is logged and reaches neither the others nor whoever changed the session.

    Parameters
    ----------
    listeners
        In the order in which they are called. One that is taken off while another one is called is not called any
        more; one that is added hears the next event.
    event
        What they are told.
    """
    for listener in list(listeners):
        if listener not in listeners:
            continue
        try:
            listener(event)
        except Exception:
            log.exception("a listener of a session failed at %s, step %d", event.kind, event.cursor)


class SessionLock:
    """Held while a session changes; a thread may hold it several times over.

    What happens while it is held is told when the outermost ``with`` has ended and others can have it: a listener
    that waits for a lock of its own then keeps nobody waiting who holds that one.
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
        for listeners, event in told:
            tell_all(listeners, event)

    def tell(self, listeners: list[Listener], event: SessionEvent) -> None:
        """Tell ``event`` as soon as this thread does not hold the lock."""
        with self:
            self._untold.append((listeners, event))
