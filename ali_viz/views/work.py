"""Work that takes a while on a session: the controls of every app that shows the session rest meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar
from weakref import WeakKeyDictionary, WeakSet

from ali_core.interventions import Session

__all__ = ["Work"]

Stop = Callable[[], object]


class Work:
    """What one app has under way, among the apps on the same session.

    Parameters
    ----------
    session
        What the app shows.
    on_change
        Called when something begins or ends, in this app or in another one on the session.
    """

    _lock = threading.Lock()
    _on: ClassVar[WeakKeyDictionary[Session, WeakSet["Work"]]] = WeakKeyDictionary()

    def __init__(self, session: Session, on_change: Callable[[], object]) -> None:
        self._session, self._on_change = session, on_change
        self._jobs: list[tuple[str, Stop | None]] = []
        self.follow(session)

    @property
    def name(self) -> str:
        """What is under way on the session, in words; empty when nothing is."""
        return next((name for name, _ in self._all_jobs()), "")

    @property
    def stoppable(self) -> bool:
        """Whether something is under way that can be stopped."""
        return any(stop is not None for _, stop in self._all_jobs())

    def follow(self, session: Session) -> None:
        """Go on among the apps on another session, with what this app has under way."""
        with self._lock:
            self._on.get(self._session, WeakSet()).discard(self)
            self._on.setdefault(session, WeakSet()).add(self)
            self._session = session

    def begin(self, name: str, stop: Stop | None = None) -> None:
        """Let the apps on the session know that ``name`` is under way, and how it is stopped."""
        self._jobs.append((name, stop))
        self._tell()

    def end(self, name: str) -> None:
        """Let them know that ``name`` is done."""
        self._jobs = [job for job in self._jobs if job[0] != name]
        self._tell()

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """Let ``name`` be under way while the block runs."""
        self.begin(name)
        try:
            yield
        finally:
            self.end(name)

    def stop(self) -> None:
        """Stop what can be stopped, whichever app began it."""
        for _, stop in self._all_jobs():
            if stop is not None:
                stop()

    def _here(self) -> list["Work"]:
        with self._lock:
            return list(self._on.get(self._session, ()))

    def _all_jobs(self) -> list[tuple[str, Stop | None]]:
        return [job for app in self._here() for job in app._jobs]

    def _tell(self) -> None:
        for app in self._here():
            app._on_change()
