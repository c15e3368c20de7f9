"""What happens in a training that is steered while it goes on, and who is told."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Listeners", "LiveEvent"]

log = logging.getLogger(__name__)

Kind = Literal["go", "batch", "epoch", "pause", "held", "rest", "failed", "rewound", "settings", "closed"]


@dataclass(frozen=True, kw_only=True)
class LiveEvent:
    """What has just happened; told after it happened, in the thread that caused it.

    Parameters
    ----------
    kind
        ``go``: training goes on; ``batch``: a batch is done, at most five times a second; ``epoch``: an epoch is done,
        and there is a new state; ``pause``: it shall rest; ``held``: it stands within an epoch; ``rest``: it rests
        between two epochs; ``failed``: it rests after an error; ``rewound``: it went back; ``settings``: strengths
        changed; ``closed``: it is over.
    epoch
        Epochs that are finished.
    done, total
        Batches of the epoch under way, for ``batch``.
    control
        Whether ``batch`` or ``epoch`` is one of the control.
    text
        What went wrong, for ``failed``.
    """

    kind: Kind
    epoch: int
    done: int = 0
    total: int = 0
    control: bool = False
    text: str = ""


class Listeners:
    """Who is told; a listener that fails is logged, and stops neither the others nor the training."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[LiveEvent], None]] = []

    def add(self, listener: Callable[[LiveEvent], None]) -> Callable[[], None]:
        """Tell ``listener`` from now on; return a function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def tell(self, event: LiveEvent) -> None:
        """Tell all of them."""
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception:
                log.exception("a listener of a live training failed at %s", event)
