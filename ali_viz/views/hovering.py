"""Tells of the last of many quick changes."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Latest"]

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """Calls ``tell`` with the values it is given, at most once in ``pause`` seconds, and always with the last one.

    Parameters
    ----------
    tell
        Called at once after a rest, else later, in a thread of its own; never twice at the same time.
    pause
        Seconds between two calls.
    """

    def __init__(self, tell: Callable[[Value], None], *, pause: float) -> None:
        self._tell, self._pause = tell, pause
        self._lock, self._telling = threading.Lock(), threading.Lock()
        self._waiting: list[Value] = []
        self._timer: threading.Timer | None = None
        self._last = -float("inf")

    def put(self, value: Value) -> None:
        """Tell ``value`` now, or soon unless another comes."""
        with self._lock:
            self._waiting = [value]
            if self._timer is not None:
                return
            rest = self._last + self._pause - time.monotonic()
            if rest > 0:
                self._timer = threading.Timer(rest, self._late)
                self._timer.daemon = True
                self._timer.start()
                return
        self._now()

    def close(self) -> None:
        """Tell nothing any more of what waits."""
        with self._lock:
            self._waiting = []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _late(self) -> None:
        with self._lock:
            self._timer = None
        self._now()

    def _now(self) -> None:
        with self._telling:
            with self._lock:
                waiting, self._waiting = self._waiting, []
            for value in waiting:
                self._tell(value)
            with self._lock:
                self._last = time.monotonic()
