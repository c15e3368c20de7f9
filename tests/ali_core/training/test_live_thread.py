"""The thread of a live training, on epochs that are only counted: who may begin one, who waits, what the exit does."""

import threading
from types import SimpleNamespace

import pytest

from ali_core import AliError
from ali_core.training import live_thread
from ali_core.training.live_thread import EpochThread
from tests.ali_core.training.gate import WAIT, Gate


class Counted:
    """A thread whose epochs are one batch each, and what it told; ``on_rest`` is called at its first rest."""

    def __init__(self, gate=None, on_rest=None):
        self.done, self.gate, self.on_rest, self.told = 0, gate, on_rest, []
        self.thread = EpochThread(
            self.epoch, lambda _: None, epoch=lambda: self.done, ended=lambda: False, tell=self.tell
        )

    def go(self, n_epochs=1):
        with self.thread.at_rest("go on"):
            self.thread.start(n_epochs)

    def epoch(self):
        if self.gate:
            self.gate(1, 1)
        self.thread.after_batch()
        self.done += 1

    def tell(self, kind):
        self.told.append(kind)
        if kind == "rest" and self.on_rest:
            act, self.on_rest = self.on_rest, None
            act()


def ended(thread):
    thread.join(WAIT)
    return not thread.is_alive()


def test_who_goes_on_as_soon_as_it_rests_is_not_taken_for_resting(monkeypatch):
    gate = Gate(stop_at=2)
    counted, plain, old = Counted(gate), EpochThread._goes_on, []

    def goes_on(thread):
        going = plain(thread)
        if not going and not old:
            old.append(threading.current_thread())
            counted.go()  # as another thread may do at this very moment
        return going

    monkeypatch.setattr(EpochThread, "_goes_on", goes_on)
    counted.go()
    gate.wait()
    assert ended(old[0])
    assert counted.thread.running
    with pytest.raises(AliError, match="an epoch is under way"):
        counted.go()
    gate.open()
    assert counted.thread.wait(WAIT)
    assert (counted.done, counted.thread.running) == (2, False)


def test_a_thread_that_ends_leaves_the_exit_to_wait_for_the_next_one(monkeypatch):
    at_exit = []

    def unregister(function):
        at_exit[:] = [(one, words) for one, words in at_exit if one != function]

    registry = SimpleNamespace(register=lambda one, *words: at_exit.append((one, words)), unregister=unregister)
    monkeypatch.setattr(live_thread, "atexit", registry)
    gate = Gate(stop_at=2)
    counted, old = Counted(gate), []

    def onward():
        old.append(threading.current_thread())
        counted.go()

    counted.on_rest = onward
    counted.go()
    gate.wait()
    assert ended(old[0])
    threading.Timer(0.05, gate.open).start()
    [(close, words)] = at_exit
    close(*words)  # as the interpreter does
    assert (counted.thread.closed, counted.done, counted.thread._alive) == (True, 1, set())
    assert at_exit == []


def test_a_listener_may_go_on_and_wait_for_that():
    counted, waited = Counted(), []

    def onward():
        counted.go()
        waited.append(counted.thread.wait(2))

    counted.on_rest = onward
    counted.go()
    assert counted.thread.wait(3)
    assert (waited, counted.done, counted.told) == ([True], 2, ["go", "rest", "go", "rest"])


def test_what_is_done_at_rest_lets_nobody_begin_an_epoch():
    counted = Counted()
    with counted.thread.at_rest("go back"):
        for act in (counted.go, lambda: counted.thread.at_rest("skip").__enter__()):
            with pytest.raises(AliError, match="an epoch is under way"):
                act()
    counted.go()
    assert counted.thread.wait(WAIT)
    assert counted.done == 1


def test_an_interrupted_start_trains_nothing_and_leaves_it_at_rest():
    counted = Counted()
    tell = counted.thread._tell

    def interrupted(kind):
        counted.thread._tell = tell
        raise KeyboardInterrupt

    counted.thread._tell = interrupted
    with pytest.raises(KeyboardInterrupt):
        counted.go()
    assert counted.thread.wait(WAIT)
    assert (counted.thread.running, counted.done, counted.told) == (False, 0, ["rest"])
    counted.go()
    assert counted.thread.wait(WAIT)
    assert counted.done == 1


def test_a_call_within_an_epoch_counts_that_epoch_although_it_is_done_in_part():
    counted, gate = Counted(), Gate()
    epoch = counted.epoch

    def two_parts():
        epoch()
        gate(1, 1)  # as while the control follows

    counted.thread._train_epoch = two_parts
    counted.go()
    gate.wait()
    counted.thread.aim(1)
    gate.open()
    assert counted.thread.wait(WAIT)
    assert counted.done == 1


def test_whatever_ends_an_epoch_it_is_told_in_words():
    def leaves():
        raise SystemExit("no more")

    counted = Counted()
    counted.thread._train_epoch = leaves
    counted.go()
    assert counted.thread.wait(WAIT)
    assert (counted.thread.error, counted.thread.running) == ("SystemExit: no more", False)
    assert counted.told == ["go", "failed"]
