"""One background thread that lays out what is wanted now, and gives up what is wanted no more."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ali_core.embedding import LabelledEmbedding
from ali_core.interventions import InterventionState
from ali_core.projection import View

__all__ = ["LayoutQueue", "Request", "Stopped"]

log = logging.getLogger(__name__)


class Stopped(Exception):  # noqa: N818  # not an error
    """Raised inside a layout that nobody waits for any more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """A layout that is wanted, in ``view``, of the last of ``states``; the others come before it, the first first."""

    view: View
    embedding: LabelledEmbedding
    states: tuple[InterventionState, ...]

    @property
    def state(self) -> InterventionState:
        """The state to lay out."""
        return self.states[-1]

    @property
    def start(self) -> "Request":
        """The request for the untouched state."""
        return Request(view=self.view, embedding=self.embedding, states=self.states[:1])

    def same_as(self, other: "Request") -> bool:
        """Tell whether both want the same layout."""
        return self.view == other.view and self.state is other.state

    def among(self, others: Collection["Request"]) -> bool:
        """Tell whether one of ``others`` wants the same layout."""
        return any(self.same_as(other) for other in others)


class LayoutQueue:
    """Does the requests of the moment one after another, in a daemon thread that ends when nothing is left.

    Parameters
    ----------
    work
        Called in the thread with a request and a function that it must call often, and let raise; tells whether
        something was made.
    on_made
        Called in the thread, holding no lock, after something was made.

    Notes
    -----
    One lock protects what is wanted, what runs, and the thread. Nobody is called while it is held.
    """

    def __init__(self, work: Callable[[Request, Callable[[], None]], bool], on_made: Callable[[], None]) -> None:
        self._work, self._on_made = work, on_made
        self._changed = threading.Condition()
        self._wanted: list[Request] = []
        self._running: Request | None = None
        self._stopping = self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being done, and not given up, or waits for its turn."""
        with self._changed:
            return bool(self._wanted) or (self._running is not None and not self._stopping)

    @property
    def closed(self) -> bool:
        """Whether nobody is to be told any more."""
        return self._closed

    def want(self, requests: Sequence[Request], useful: Collection[Request] = ()) -> None:
        """Do these requests, in order, and no others; what runs goes on if it is one of them or ``useful``."""
        with self._changed:
            if self._closed:
                return
            running = self._running
            if running is not None and not running.among([*requests, *useful]):
                self._stopping = True
            self._wanted = []
            for request in requests:
                doing = running is not None and not self._stopping and request.same_as(running)
                if not doing and not request.among(self._wanted):
                    self._wanted.append(request)
            if self._wanted and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ali-layouts", daemon=True)
                self._thread.start()

    def cancel(self) -> list[Request]:
        """Stop what runs, forget the rest, and return all of it."""
        with self._changed:
            dropped = self._wanted if self._running is None else [self._running, *self._wanted]
            self._wanted, self._stopping = [], True
            return dropped

    def close(self) -> None:
        """Stop; from now on nothing is done any more and nobody is told."""
        self._closed = True
        self.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to do, at most ``timeout`` seconds; tell whether that is so."""
        with self._changed:
            if threading.current_thread() is self._thread:
                return False
            return self._changed.wait_for(lambda: not self._wanted and self._running is None, timeout)

    def _run(self) -> None:
        while (request := self._next()) is not None:
            try:
                if self._work(request, self._check) and not self._closed:
                    self._on_made()
            except Stopped:
                pass
            except Exception:  # whoever listens must not end the thread
                log.exception("after a layout of the view %s", request.view)

    def _next(self) -> Request | None:
        with self._changed:
            self._running, self._stopping = None, False
            if self._wanted:
                self._running = self._wanted.pop(0)
            else:
                self._thread = None
            self._changed.notify_all()
            return self._running

    def _check(self) -> None:
        if self._stopping:
            raise Stopped
