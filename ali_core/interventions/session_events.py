"""What a session tells, and how its listeners hear it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Listener", "SessionEvent", "tell_all"]

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
