"""One thread for what takes long: runs of steps, scores, neighbours. One job at a time, each can be stopped."""

import logging
import threading
from collections.abc import Callable

from ali_core.errors import AliError

__all__ = ["Background", "Job"]

Stopped = Callable[[], bool]
Job = Callable[[Stopped], object]
"""Called with a function that tells whether to stop."""

log = logging.getLogger(__name__)


class Background:
    """Runs one job at a time in a thread of its own.

    Parameters
    ----------
    on_start
        Called with the name of a job before it begins, in the thread that asked for it.
    on_end
        Called with the name of a job after it, in its thread, and with what went wrong, in words; None when nothing
        did.

    Attributes
    ----------
    trouble
        What went wrong in the last job, in words; None when nothing did.
    """

    def __init__(self, *, on_start: Callable[[str], object], on_end: Callable[[str, str | None], object]) -> None:
        self._on_start, self._on_end = on_start, on_end
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._name = ""
        self.trouble: str | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, name: str, job: Job) -> None:
        """Begin ``job``; AliError while another is under way."""
        if self.busy:
            raise AliError(f"{self._name} is under way; stop it first, or wait")
        self._stop.clear()
        self._name, self.trouble = name, None
        self._on_start(name)
        self._thread = threading.Thread(target=self._work, args=(name, job), name=f"ali-{name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the job under way to stop; it does so at its next safe point."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no job is under way; return False when ``timeout`` seconds were not enough."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self.busy

    def _work(self, name: str, job: Job) -> None:
        try:
            job(self._stop.is_set)
        except AliError as error:
            self.trouble = str(error)
        except Exception as error:
            log.exception("%s failed", name)
            self.trouble = f"{name} failed ({type(error).__name__}: {error})"
        self._on_end(name, self.trouble)
