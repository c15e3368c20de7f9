"""Apps on one session know of each other's work."""

import gc
import weakref

from ali_core import Session
from ali_viz.views.work import Work
from tests.ali_viz.studio.clouds import cloud


def test_work_is_known_to_all_on_the_session_and_goes_with_its_app():
    first, second = Session(cloud()), Session(cloud())
    told, stopped = [], []
    mine, beside, elsewhere = (
        Work(session, lambda name=name: told.append(name))
        for name, session in (("mine", first), ("beside", first), ("elsewhere", second))
    )
    mine.begin("a run", lambda: stopped.append("a run"))
    assert sorted(told) == ["beside", "mine"]
    assert (beside.name, beside.stoppable, elsewhere.name) == ("a run", True, "")
    beside.stop()
    elsewhere.stop()
    assert stopped == ["a run"]
    mine.follow(second)
    assert (beside.name, elsewhere.name) == ("", "a run")
    with beside.during("writing files"):
        assert (beside.name, beside.stoppable, elsewhere.name) == ("writing files", False, "a run")
    mine.end("a run")
    assert not any(work.name for work in (mine, beside, elsewhere))


def test_a_session_that_nobody_holds_is_forgotten():
    work = Work(Session(cloud()), print)
    session = weakref.ref(work._session)
    work.begin("a run")
    del work
    gc.collect()
    assert session() is None
