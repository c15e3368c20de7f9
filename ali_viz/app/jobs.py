"""What takes long: a worker that does one task after another, and what is under way on a session."""

import logging
import threading
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from ali_core.errors import AliError
from ali_core.interventions import Session

__all__ = ["Jobs", "Stopped", "Task", "Worker"]

log = logging.getLogger(__name__)


class Stopped(Exception):  # noqa: N818  # not an error
    """Raised inside a task that nobody waits for any more."""


@dataclass(eq=False, kw_only=True)
class Task:
    """One piece of work, and its cancel token.

    Parameters
    ----------
    name
        What it is, in words.
    work
        Called in the thread of the worker with :attr:`stopped`, which it asks at every safe point.
    owner
        Who wants it.
    key
        Two tasks of equal keys want the same.

    Attributes
    ----------
    trouble
        What went wrong, in words; empty when nothing did.
    value
        What the work has returned.
    """

    name: str
    work: Callable[[Callable[[], bool]], Any]
    owner: object = None
    key: Hashable = None
    trouble: str = ""
    value: Any = None
    done: threading.Event = field(default_factory=threading.Event)
    token: threading.Event = field(default_factory=threading.Event)

    def stopped(self) -> bool:
        """Tell whether the work is to stop."""
        return self.token.is_set()

    def cancel(self) -> None:
        """Ask the work to stop at its next safe point; what has not begun never begins."""
        self.token.set()

    def result(self) -> Any:  # noqa: ANN401  # whatever the work returns
        """Wait for the end, and return what came of it; an interrupt cancels. AliError says what went wrong."""
        try:
            self.done.wait()
        except KeyboardInterrupt:
            self.cancel()
            raise
        if self.trouble:
            raise AliError(self.trouble)
        return self.value


class Worker:
    """Does tasks one after another, in a daemon thread that ends when nothing is left.

    Parameters
    ----------
    name
        Of the thread.
    changed
        Called without a lock when a task begins, in the thread, and when it has ended, with the task.

    Notes
    -----
    One condition protects what waits and what runs. Nobody is called while it is held.
    """

    def __init__(self, name: str, changed: Callable[[Task], object]) -> None:
        self._name, self._changed = name, changed
        self._condition = threading.Condition()
        self._waiting: list[Task] = []
        self._running: Task | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def tasks(self) -> list[Task]:
        """What runs and what waits, in order."""
        with self._condition:
            every = [*([] if self._running is None else [self._running]), *self._waiting]
            return [task for task in every if not task.done.is_set()]

    @property
    def closed(self) -> bool:
        """Whether nothing is begun any more."""
        return self._closed

    def put(self, *tasks: Task) -> None:
        """Do ``tasks`` after all that waits."""
        with self._condition:
            if self._closed:
                return
            self._waiting += tasks
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()

    def replace(self, tasks: Sequence[Task], useful: Collection[Hashable] = ()) -> None:
        """Do ``tasks`` and nothing else; what runs goes on if a task, or one of the ``useful`` keys, has its key."""
        with self._condition:
            if self._closed:
                return
            running = self._running
            if running is not None and running.key not in {*(task.key for task in tasks), *useful}:
                running.cancel()
            wanted: dict[Hashable, Task] = {}
            for task in tasks:
                doing = running is not None and not running.stopped() and running.key == task.key
                if not doing:
                    wanted.setdefault(task.key, task)
            self._waiting = list(wanted.values())
            self.put()

    def cancel(self, owner: object = None) -> list[Task]:
        """Stop what runs and what waits, of ``owner`` alone if one is given; return the tasks."""
        mine = (task for task in self.tasks if owner is None or task.owner is owner)
        cancelled = [task for task in mine if not task.stopped()]
        for task in cancelled:
            task.cancel()
        return cancelled

    def close(self) -> None:
        """Stop; from now on nothing is done any more and nobody is told."""
        self._closed = True
        self.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to do; tell whether that is so after ``timeout`` seconds."""
        with self._condition:
            if threading.current_thread() is self._thread:
                return False
            return self._condition.wait_for(lambda: not self._waiting and self._running is None, timeout)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            if not task.stopped():
                self._tell(task)
                self._do(task)
            task.done.set()
            self._tell(task)

    def _do(self, task: Task) -> None:
        try:
            task.value = task.work(task.stopped)
        except Stopped:
            log.debug("%s was stopped", task.name)
        except AliError as error:
            task.trouble = str(error)
        except Exception as error:
            log.exception("%s failed", task.name)
            task.trouble = f"{task.name} failed ({type(error).__name__}: {error})"

    def _tell(self, task: Task) -> None:
        if self._closed:
            return
        try:
            self._changed(task)
        except Exception:  # whoever listens must not end the thread
            log.exception("after %s", task.name)

    def _next(self) -> Task | None:
        with self._condition:
            self._running = self._waiting.pop(0) if self._waiting else None
            if self._running is None:
                self._thread = None
            self._condition.notify_all()
            return self._running


class Training(Protocol):
    """What is asked of a training."""

    @property
    def running(self) -> bool:
        """Whether an epoch is under way."""


class Jobs:
    """What is under way on a session, for all apps that show it: tasks of one worker, and an epoch of a training."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Task | None], object]] = []
        self._worker = Worker("ali-jobs", self.tell)
        self._training: Training | None = None

    @classmethod
    def of(cls, session: Session) -> "Jobs":
        """Return the jobs on ``session``, the same for all who ask."""
        with session.lock:
            return _JOBS.setdefault(session, cls())

    def go_on_with(self, session: Session) -> "Jobs":
        """Be the jobs of ``session`` as well, which follows in a training, and return whose they are."""
        with session.lock:
            return _JOBS.setdefault(session, self)

    @property
    def name(self) -> str:
        """What is under way, in words; empty when nothing is."""
        return next((task.name for task in self._worker.tasks), "an epoch" if self.epoch else "")

    @property
    def stoppable(self) -> bool:
        """Whether something is under way that :meth:`stop` stops."""
        return any(not task.stopped() for task in self._worker.tasks)

    @property
    def epoch(self) -> bool:
        """Whether an epoch is trained; steps, settings and files rest meanwhile."""
        return self._training is not None and self._training.running

    def attend(self, training: Training) -> None:
        """Let the apps rest while ``training`` trains an epoch; whoever hears of it calls :meth:`tell`."""
        self._training = training

    def start(self, task: Task) -> Task:
        """Do ``task`` when all before it is done."""
        self._worker.put(task)
        self.tell(task)
        return task

    def stop(self, owner: object = None) -> None:
        """Stop what can be stopped, of ``owner`` alone if one is given."""
        self._worker.cancel(owner)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no task is under way; return False when ``timeout`` seconds were not enough."""
        return self._worker.wait(timeout)

    def subscribe(self, listener: Callable[[Task | None], object]) -> Callable[[], None]:
        """Call ``listener`` with the task that began or ended, or None for an epoch; return what ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def tell(self, task: Task | None = None) -> None:
        """Tell all apps that ``task``, or an epoch, has begun or ended."""
        for listener in tuple(self._listeners):
            listener(task)


_JOBS: "WeakKeyDictionary[Session, Jobs]" = WeakKeyDictionary()
