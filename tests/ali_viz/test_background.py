"""The thread for long work: one job at a time, stopped when asked, its mistakes told."""

import threading

import pytest

from ali_core import AliError
from ali_viz.background import Background


@pytest.fixture
def told():
    return []


@pytest.fixture
def background(told):
    thread = Background(
        on_start=lambda name: told.append(("start", name)), on_end=lambda name, trouble: told.append((name, trouble))
    )
    yield thread
    thread.stop()
    assert thread.wait(10)


def test_a_job_is_told_at_both_ends(background, told):
    background.start("counting", lambda stopped: None)
    assert background.wait(10)
    assert told == [("start", "counting"), ("counting", None)]


def test_one_job_at_a_time_and_it_stops_when_asked(background, told):
    begun, seen = threading.Event(), []

    def job(stopped):
        begun.set()
        while not stopped():
            seen.append(1) if not seen else None

    background.start("waiting", job)
    assert begun.wait(10)
    with pytest.raises(AliError, match="waiting is under way"):
        background.start("another", lambda stopped: None)
    assert background.busy
    background.stop()
    assert background.wait(10)
    assert not background.busy
    background.start("another", lambda stopped: seen.append(stopped()))
    assert background.wait(10)
    assert seen[-1] is False
    assert [what for what, _ in told] == ["start", "waiting", "start", "another"]


@pytest.mark.parametrize(
    ("error", "words"), [(AliError("too few samples"), "too few samples"), (ValueError("odd"), "ValueError: odd")]
)
def test_what_goes_wrong_is_told_in_words(background, told, error, words):
    def job(_stopped):
        raise error

    background.start("scoring", job)
    assert background.wait(10)
    assert words in told[-1][1]
