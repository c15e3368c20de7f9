"""Several apps and threads on one session."""

import threading

import numpy as np
import pytest

from ali_core import AliError, ManualStep, Session, preset
from tests.ali_core.interventions.histories import cells


def test_who_unsubscribes_while_listeners_are_told_is_not_told():
    session, heard = Session(cells()), []

    def first(_):
        heard.append("first")
        stop_second()
        stop_first()

    stop_first = session.subscribe(first)
    stop_second = session.subscribe(lambda _: heard.append("second"))
    session.subscribe(lambda _: heard.append("third"))
    session.step()
    assert heard == ["first", "third"]
    session.step()
    assert heard == ["first", "third", "third"]
    stop_first()


def test_two_apps_hear_the_same_and_may_act_on_what_they_hear():
    session, heard = Session(cells(), preset("c,s", 4)), []
    session.subscribe(lambda event: heard.append(("one", event.kind, session.cursor)))

    def other(event):
        heard.append(("two", event.kind, session.cursor))
        if event.kind == "step":
            session.undo()

    session.subscribe(other)
    session.step()
    assert heard == [("one", "step", 1), ("two", "step", 1), ("one", "undo", 0), ("two", "undo", 0)]


def test_no_step_of_any_thread_is_lost():
    session = Session(cells(), preset("c,s", 4))
    manual = [ManualStep(classes=(name,), contract=0.01) for name in ("blast", "monocyte", "band", "segment")]
    read = []

    def work(step):
        for _ in range(25):
            session.apply(step)
            read.append(len(session.steps) <= session.cursor and np.isfinite(session.after.vectors).all())

    threads = [threading.Thread(target=work, args=(step,)) for step in manual]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert session.cursor == 100
    assert session.contractions.tolist() == [25, 25, 25, 25, 0, 0]
    assert len(read) == 100
    assert all(read)
    fresh = Session(session.embedding, session.settings)
    fresh.replay(session.steps)
    np.testing.assert_array_equal(fresh.after.vectors, session.after.vectors)


def free(lock):
    """Return whether another thread gets the lock."""
    got = threading.Event()

    def take():
        with lock:
            got.set()

    threading.Thread(target=take, daemon=True).start()
    return got.wait(5)


def test_listeners_are_told_without_the_lock():
    session, could = Session(cells()), []
    session.subscribe(lambda _: could.append(free(session.lock)))
    session.step()
    assert could == [True]


def test_several_calls_can_be_one_and_are_told_when_all_are_done():
    session, heard = Session(cells()), []
    session.subscribe(lambda event: heard.append((event.kind, event.cursor, free(session.lock))))
    with session.lock:
        session.step()
        with session.lock:
            session.run(2)
            session.undo()
        assert heard == []
    assert heard == [("step", 1, True), ("step", 3, True), ("undo", 2, True)]


def test_what_was_done_before_a_mistake_is_told():
    session, heard = Session(cells()), []
    session.subscribe(lambda event: heard.append(event.kind))
    session.step()
    with pytest.raises(AliError, match="no step to redo"), session.lock:
        session.undo() and session.redo() and session.redo()
    assert heard == ["step", "undo", "redo"]


def test_a_listener_that_fails_costs_nobody_an_event_and_the_caller_nothing(caplog):
    session, heard = Session(cells()), []

    def fails(_):
        raise RuntimeError("no picture")

    session.subscribe(fails)
    session.subscribe(lambda event: heard.append((event.kind, event.cursor)))
    with session.lock:
        session.run(2) and session.undo()
    assert heard == [("step", 2), ("undo", 1)]
    assert [str(record.exc_info[1]) for record in caplog.records] == ["no picture"] * 2
    assert free(session.lock)


def test_an_app_with_a_lock_of_its_own_and_a_thread_with_that_of_the_session_do_not_wait_for_each_other():
    session, own, begun = Session(cells()), threading.RLock(), threading.Event()

    def shown(_):
        with own:
            pass

    def several():
        with session.lock:
            begun.set()
            session.step()
            session.undo()

    session.subscribe(shown)
    threads = [threading.Thread(target=several, daemon=True), threading.Thread(target=session.step, daemon=True)]
    with own:  # as an app holds it in which somebody clicks
        threads[0].start()
        assert begun.wait(5)
        threads[1].start()
        assert free(session.lock)
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert session.cursor == 1
