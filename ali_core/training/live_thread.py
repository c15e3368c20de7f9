"""A thread that trains one epoch after another, and when it rests; it knows nothing of what an epoch is."""

import atexit
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ali_core.errors import AliError
from ali_core.training.live_events import Kind

__all__ = ["EpochThread"]

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""How long a waiting thread may be deaf to an interrupt."""
EXIT_SECONDS = 10.0
"""How long the interpreter waits at its exit for the batch under way."""


class _Closed(BaseException):
    """Ends an epoch between two batches."""


class EpochThread:
    """Calls ``train_epoch`` until a target is reached, a pause is asked for, an error occurs, or there is no more.

    Parameters
    ----------
    train_epoch
        Trains an epoch, calling :meth:`after_batch` after each batch.
    epoch
        Returns how many epochs are finished.
    ended
        Whether there is no further epoch.
    tell
        Called with what happened, never while a lock is held.

    Attributes
    ----------
    running
        Whether an epoch is under way, held or not.
    held
        Whether it stands between two batches.
    closed
        Whether it is over.
    target
        Epochs after which it rests; 0 to rest after the present one.
    error
        What stopped it, in words; empty when nothing did.
    """

    def __init__(
        self,
        train_epoch: Callable[[], None],
        *,
        epoch: Callable[[], int],
        ended: Callable[[], bool],
        tell: Callable[[Kind], None],
    ) -> None:
        self._train_epoch, self._epoch, self._ended, self._tell = train_epoch, epoch, ended, tell
        self._change = threading.Condition()
        self.running = self.held = self.closed = False
        self.target, self.error = 0.0, ""
        self._claimed = self._hold = False
        self._alive = 0
        self._thread: threading.Thread | None = None

    @contextmanager
    def at_rest(self, what: str) -> Iterator[None]:
        """Let no epoch begin while the block runs; AliError when one is under way, or all is over."""
        with self._change:
            if self.closed:
                raise AliError(f"the training is closed, so it cannot {what}; open it again with resume=True")
            if self.running or self._claimed:
                raise AliError(f"an epoch is under way, so the training cannot {what}; pause it, and wait for it")
            self._claimed = True
        try:
            yield
        finally:
            with self._change:
                self._claimed = False

    def aim(self, n_epochs: int | None) -> bool:
        """Let ``n_epochs`` be trained from the present state, None for all; return False when it rests."""
        with self._change:
            if not self.running:
                return False
            self._aim(n_epochs)
        self._tell("go")
        return True

    def start(self, n_epochs: int | None) -> None:
        """Begin to train that many; only in a block of :meth:`at_rest`."""
        with self._change:
            self._aim(n_epochs)
            self.error, self.running = "", True
            self._alive += 1
        self._tell("go")
        self._thread = threading.Thread(target=self._work, name="live training", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Rest after the present epoch; asked again, stand before its next batch."""
        with self._change:
            if not self.running:
                return
            self._hold, self.target = not self.target, 0.0
        self._tell("pause")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it rests or is held; False after ``timeout`` seconds."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        with self._change:
            while self._alive and not self.held and threading.current_thread() is not self._thread:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._change.wait(min(POLL_SECONDS, left))
        return True

    def after_batch(self) -> None:
        """Stand here if asked to; end the epoch if all is over."""
        if self._hold and not self.closed:
            self._stand()
        if self.closed:
            raise _Closed

    def close(self, timeout: float | None = None) -> bool:
        """End it after the batch under way; return whether it ended within ``timeout`` seconds."""
        with self._change:
            self.closed, thread = True, self._thread
            self._change.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            return not thread.is_alive()
        return True

    def _stand(self) -> None:
        with self._change:
            self.held = self._hold
            self._change.notify_all()
        self._tell("held")
        with self._change:
            while self._hold and not self.closed:
                self.held = True  # again, if it went on and was stopped before this thread woke up
                self._change.notify_all()
                self._change.wait()
            self.held = False

    def _aim(self, n_epochs: int | None) -> None:
        self.target = math.inf if n_epochs is None else self._epoch() + n_epochs
        self._hold = self.held = False
        self._change.notify_all()

    def _work(self) -> None:
        atexit.register(self.close, EXIT_SECONDS)
        kind: Kind = "rest"
        try:
            while self._goes_on():
                self._train_epoch()
        except _Closed:
            pass
        except Exception as error:
            kind, self.error = "failed", str(error) if isinstance(error, AliError) else _in_words(error)
        finally:
            self.running = self.held = False
            if not self.closed:
                self._tell(kind)
            atexit.unregister(self.close)
            with self._change:
                self._alive -= 1
                self._change.notify_all()

    def _goes_on(self) -> bool:
        with self._change:
            self.running = not self.closed and not self._ended() and self._epoch() < self.target
            return self.running


def _in_words(error: Exception) -> str:
    log.error("the training stopped", exc_info=error)
    return f"{type(error).__name__}: {error}"
