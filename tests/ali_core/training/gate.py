"""A door in the progress of a training, so that tests decide when a batch ends."""

import threading

WAIT = 20


class Gate:
    """A progress callback that stops at a batch, by default the first of all, until it is opened."""

    def __init__(self, stop_at=1):
        self.calls, self.stop_at = 0, stop_at
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, done, total):
        self.calls += 1
        if self.calls == self.stop_at:
            self.reached.set()
            assert self.opened.wait(WAIT)

    def wait(self):
        """Return when the training stands at the gate."""
        assert self.reached.wait(WAIT)

    def open(self):
        self.opened.set()
