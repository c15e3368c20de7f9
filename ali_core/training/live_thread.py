"""A thread that trains one epoch after another and rests between them; the caller says what an epoch is."""

import atexit
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Literal

from ali_core.errors import AliError
from ali_core.interventions import InterventionSettings

__all__ = ["EpochThread", "Kind"]

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""How long a waiting thread may be deaf to an interrupt."""
EXIT_SECONDS = 10.0
"""How long the interpreter waits at its exit for the batch under way."""


Kind = Literal["go", "batch", "epoch", "pause", "held", "rest", "failed", "rewound", "settings", "closed"]
"""What happens in a training that is steered; see :class:`~ali_core.training.live.LiveEvent`."""


class _Closed(BaseException):
    """Ends an epoch between two batches."""


class EpochThread:
    """Calls ``train_epoch`` until a target is reached, a pause is asked for, an error occurs, or there is no more.

    Parameters
    ----------
    train_epoch
        Trains an epoch, calling :meth:`after_batch` after each batch.
    change_settings
        Called between two epochs, or when one broke off, with the settings that :meth:`defer` was given meanwhile.
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
    deferred
        Settings that are not in force yet; None when there are none.
    target
        Epochs after which it rests; 0 to rest after the present one.
    error
        What stopped it, in words; empty when nothing did.
    """

    def __init__(
        self,
        train_epoch: Callable[[], None],
        change_settings: Callable[[InterventionSettings], None],
        *,
        epoch: Callable[[], int],
        ended: Callable[[], bool],
        tell: Callable[[Kind], None],
    ) -> None:
        self._train_epoch, self._change_settings = train_epoch, change_settings
        self._epoch, self._ended, self._tell = epoch, ended, tell
        self._change = threading.Condition()
        self.running = self.held = self.closed = False
        self.deferred: InterventionSettings | None = None
        self.target, self.error = 0.0, ""
        self._hold, self._began = False, 0
        self._claim: object | None = None
        self._alive: set[threading.Thread] = set()

    @contextmanager
    def at_rest(self, what: str) -> Iterator[None]:
        """Let no epoch begin while the block runs; AliError when one is under way, or all is over."""
        with self._change:
            if self.closed:
                raise AliError(f"the training is closed, so it cannot {what}; open it again with resume=True")
            if self.running or self._claim is not None:
                raise AliError(f"an epoch is under way, so the training cannot {what}; pause it, and wait for it")
            self._claim = claim = object()
        try:
            yield
        finally:
            with self._change:
                self._claim = None if self._claim is claim else self._claim

    def aim(self, n_epochs: int | None) -> bool:
        """Let ``n_epochs`` be trained, the one under way included, None for all; return False when it rests."""
        with self._change:
            if not self.running:
                return False
            self._aim(n_epochs)
        self._tell("go")
        return True

    def start(self, n_epochs: int | None) -> None:
        """Begin to train that many; only in a block of :meth:`at_rest`."""
        thread = threading.Thread(target=self._work, name="live training", daemon=True)
        with self._change:
            self._began = self._epoch()
            self._aim(n_epochs)
            self.error, self.running, self._claim = "", True, None  # once it rests, others may claim it
            self._alive.add(thread)
        try:
            self._tell("go")
        except BaseException:  # an interrupt: the thread rests at once
            self.target = 0.0
            raise
        finally:
            thread.start()

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
            while self._others() and not self.held:
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
        end = math.inf if timeout is None else time.monotonic() + timeout
        with self._change:
            self.closed, threads = True, [thread for thread in self._others() if thread.ident is not None]
            self._change.notify_all()
        for thread in threads:
            thread.join(None if timeout is None else max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def defer(self, settings: InterventionSettings) -> bool:
        """Let ``settings`` hold after the epoch under way; return False, and do nothing, when it rests."""
        with self._change:
            if self.running:
                self.deferred = settings
            return self.running

    def apply_deferred(self) -> None:
        """Change to the settings that were deferred; only in the thread."""
        while (settings := self.deferred) is not None:
            self._change_settings(settings)
            with self._change:
                self.deferred = None if self.deferred is settings else self.deferred

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
        self.target = math.inf if n_epochs is None else self._began + n_epochs
        self._hold = self.held = False
        self._change.notify_all()

    def _work(self) -> None:
        at_exit = partial(self.close, EXIT_SECONDS)  # another thread's is not equal to it
        atexit.register(at_exit)
        kind: Kind = "rest"
        try:
            while self._goes_on():
                self._train_epoch()
        except BaseException as error:
            kind = "rest" if isinstance(error, _Closed) else "failed"
            self._break_off("" if isinstance(error, _Closed) else _in_words(error))
        finally:
            if not self.closed:
                self._tell(kind)
            atexit.unregister(at_exit)
            with self._change:
                self._alive.remove(threading.current_thread())
                self._change.notify_all()

    def _goes_on(self) -> bool:
        while True:
            self.apply_deferred()
            with self._change:
                if self.deferred is None:
                    self._began = self._epoch()
                    self.running = not self.closed and not self._ended() and self._began < self.target
                    return self.running

    def _break_off(self, error: str) -> None:
        with suppress(Exception):  # what cannot be changed now stays deferred
            self.apply_deferred()
        with self._change:
            self.running, self.held, self.error = False, False, error

    def _others(self) -> list[threading.Thread]:
        return [thread for thread in self._alive if thread is not threading.current_thread()]


def _in_words(error: BaseException) -> str:
    if isinstance(error, AliError):
        return str(error)
    log.error("the training stopped", exc_info=error)
    return f"{type(error).__name__}: {error}"
