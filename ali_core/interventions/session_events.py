"""What a session tells, and how its listeners hear it."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Listener", "SessionEvent", "SessionLock", "tell_all"]

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
        How many steps are in force now.
    """

    kind: Kind
    cursor: int


Listener = Callable[[SessionEvent], None]


def tell_all(listeners: list[Listener], event: SessionEvent) -> None:
    """Call every listener, also when one fails; then raise the first failure.

    Parameters
    ----------
    listeners
        In the order in which they are called. One that is taken off while another one is called is not called any
        more; one that is added hears the next event.
    event
        What they are told.
    """
    errors = []
    for listener in list(listeners):
        if listener not in listeners:
            continue
        try:
            listener(event)
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]


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
        with ExitStack() as all_of_them:  # also when a listener fails
            for listeners, event in reversed(told):
                all_of_them.callback(tell_all, listeners, event)

    def tell(self, listeners: list[Listener], event: SessionEvent) -> None:
        """Tell ``event`` as soon as this thread does not hold the lock."""
        with self:
            self._untold.append((listeners, event))
