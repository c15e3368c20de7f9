"""Several apps and threads on one session."""

import threading

import numpy as np

from ali_core import ManualStep, Session, preset
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


def test_listeners_are_told_without_the_lock():
    session = Session(cells())
    could = []

    def asked(_):
        thread = threading.Thread(target=lambda: could.append(session.lock.acquire(timeout=5)))
        thread.start()
        thread.join(10)

    session.subscribe(asked)
    session.step()
    assert could == [True]
