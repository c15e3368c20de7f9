"""What takes long: one task after another, stopped when asked, its mistakes told, known to all apps on a session."""

import gc
import threading
import weakref

import pytest

from ali_core import AliError, Session
from ali_viz.app.jobs import Jobs, Task
from tests.ali_viz.studio.clouds import cloud

WAIT = 10.0


class Waiting:
    """Work that goes on until it is stopped or let go."""

    def __init__(self):
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, stopped):
        self.begun.set()
        while not stopped() and not self.go.wait(0.005):
            pass
        return "stopped" if stopped() else "done"


@pytest.fixture
def jobs():
    jobs = Jobs()
    yield jobs
    jobs.stop()
    assert jobs.wait(WAIT)


def test_tasks_are_done_in_turn_and_told_at_both_ends(jobs):
    told, first, second = [], Waiting(), Waiting()
    jobs.subscribe(lambda task: told.append((task.name, task.done.is_set())))
    one = jobs.start(Task(name="first", work=first))
    two = jobs.start(Task(name="second", work=second))
    assert first.begun.wait(WAIT)
    assert (jobs.name, second.begun.is_set()) == ("first", False)
    first.go.set()
    assert one.result() == "done"
    assert second.begun.wait(WAIT)
    assert jobs.name == "second"
    second.go.set()
    assert two.result() == "done"
    assert jobs.wait(WAIT)
    assert (jobs.name, jobs.stoppable) == ("", False)
    assert [name for name, done in told if done] == ["first", "second"]
    assert ("second", False) in told


def test_what_is_stopped_ends_at_its_next_safe_point_and_what_waits_never_begins(jobs):
    running, waiting, mine = Waiting(), Waiting(), object()
    one = jobs.start(Task(name="running", work=running))
    two = jobs.start(Task(name="waiting", work=waiting, owner=mine))
    assert running.begun.wait(WAIT)
    jobs.stop(owner=mine)
    assert jobs.stoppable
    jobs.stop()
    assert not jobs.stoppable
    assert one.result() == "stopped"
    assert two.result() is None
    assert not waiting.begun.is_set()


@pytest.mark.parametrize(
    ("error", "words"),
    [(AliError("too few samples"), "too few samples"), (ValueError("odd"), r"scoring failed \(ValueError: odd\)")],
)
def test_what_goes_wrong_is_told_in_words_and_the_next_one_begins(jobs, error, words):
    def broken(_stopped):
        raise error

    task = jobs.start(Task(name="scoring", work=broken))
    with pytest.raises(AliError, match=words):
        task.result()
    assert jobs.start(Task(name="next", work=lambda _: 3)).result() == 3


def test_a_listener_that_fails_keeps_nothing_from_being_done(jobs, caplog):
    task = Task(name="counting", work=lambda _: 7)
    jobs._worker.put(task)
    jobs.subscribe(lambda _: 1 / 0)
    assert task.result() == 7
    assert jobs.wait(WAIT)
    assert "ZeroDivisionError" in caplog.text


def test_all_who_ask_for_a_session_have_the_same_and_those_of_others_have_their_own():
    session, other = Session(cloud()), Session(cloud())
    jobs = Jobs.of(session)
    assert Jobs.of(session) is jobs
    assert Jobs.of(other) is not jobs
    later = Session(cloud())
    assert jobs.go_on_with(later) is jobs
    assert Jobs.of(later) is jobs


def test_an_epoch_is_under_way_while_the_training_runs(jobs):
    class Training:
        running = True

    training, told = Training(), []
    jobs.attend(training)
    assert (jobs.name, jobs.stoppable) == ("an epoch", False)
    jobs.subscribe(told.append)
    training.running = False
    jobs.tell()
    assert (jobs.name, told) == ("", [None])


def test_a_session_that_is_gone_takes_its_jobs_along():
    session = Session(cloud())
    jobs = weakref.ref(Jobs.of(session))
    del session
    gc.collect()
    assert jobs() is None
