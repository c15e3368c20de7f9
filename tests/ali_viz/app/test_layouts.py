"""Layouts: the numbers of `layout`, made in the background, only those that are wanted."""

import gc
import logging
import threading
from dataclasses import replace

import numpy as np
import pytest

from ali_core import AliError, Session, preset
from ali_core.projection import LAYOUTS, layout
from ali_viz.app import layouts as app_layouts
from ali_viz.app.layouts import Layouts
from tests.ali_viz.studio.clouds import cloud

PATIENCE = 60.0
SLOW_VIEWS = tuple(view for view, spec in LAYOUTS.items() if spec.slow)


def session_of(steps=0, **options):
    session = Session(cloud(**options), preset("c,s", dim=5))
    session.run(steps)
    return session


def layouts_of(session, **options):
    return Layouts(session, **({"max_points": 5000, "max_tsne_points": 60} | options))


def vectors_of(layouts, view, session, cursor):
    rows, embedding = layouts.rows[view], session.embedding
    vectors = embedding.vectors[rows]
    return session.state_at(cursor).transforms.apply(vectors, embedding.labels[rows]).astype(np.float64)


def positions(layouts, view, session, cursor):
    """Where the drawn samples are, (n, 2); None while that is not known."""
    places = layouts.places(view, session, cursor)
    return None if places is None else places.positions(layouts.labels[view])


def computed(layouts, view, session, cursor):
    layouts.places(view, session, cursor)
    assert layouts.wait(PATIENCE)
    return positions(layouts, view, session, cursor)


def alike(found, expected):
    """Equal but for the float32 about the mean of a class in which places are kept."""
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.ptp(expected))


class Gate:
    """Stands in for `layout`: notes what is asked of it, and takes until it is let go."""

    def __init__(self, monkeypatch):
        self.asked, self.done, self.retrained = [], [], []
        self.begun, self.go = threading.Semaphore(0), threading.Event()
        monkeypatch.setattr(app_layouts, "layout", self)

    def __call__(self, vectors, view, *, previous, retrained, progress, **_):
        self.retrained.append(retrained)
        self.asked.append((view, round(float(vectors.sum()), 3)))
        self.begun.release()
        progress(0, 10)
        while not self.go.wait(0.002):
            progress(1, 10)
        progress(10, 10)
        self.done.append((view, round(float(vectors.sum()), 3)))
        start = 0.0 if previous is None else previous.positions
        made = layout(vectors, "dims")
        return replace(made, view=view, frame=None, positions=start + np.ones((len(vectors), 2)))

    def wait_for_begin(self):
        assert self.begun.acquire(timeout=PATIENCE)


@pytest.fixture
def gate(monkeypatch):
    return Gate(monkeypatch)


def mark(layouts, view, session, cursor):
    """What the gate notes of a state."""
    return view, round(float(vectors_of(layouts, view, session, cursor).sum()), 3)


@pytest.mark.parametrize("view", ["dims", "pca", "discriminant"])
def test_fast_views_are_there_at_once(view):
    session = session_of(3)
    layouts = layouts_of(session, max_points=50)
    first = layout(vectors_of(layouts, view, session, 0), view, labels=session.embedding.labels[layouts.rows[view]])
    for cursor in (2, 0, 3):
        expected = first.place(vectors_of(layouts, view, session, cursor))
        alike(positions(layouts, view, session, cursor), expected)
        parts = layouts.places(view, session, cursor).parts
        assert layouts.places(view, session, cursor).parts == parts  # the same, that a browser need not be sent again
    assert not layouts.busy


@pytest.mark.parametrize("view", SLOW_VIEWS)
def test_in_the_background_the_numbers_are_those_of_layout_in_line(view):
    session = session_of(2)
    layouts = layouts_of(session, seed=7)
    assert positions(layouts, view, session, 2) is None
    assert layouts.wait(PATIENCE)
    labels = session.embedding.labels[layouts.rows[view]]
    before, after = (vectors_of(layouts, view, session, cursor) for cursor in (0, 2))
    first = layout(before, view, labels=labels, seed=7)
    second = layout(after, view, labels=labels, seed=7, previous=first)
    alike(positions(layouts, view, session, 0), first.positions)
    alike(positions(layouts, view, session, 2), second.positions)


def test_the_layout_of_the_untouched_state_does_not_depend_on_what_was_clicked():
    session = session_of(4)
    straight, wandering = layouts_of(session), layouts_of(session)
    expected = computed(straight, "tsne", session, 0)
    for cursor in (3, 1, 4, 2):
        positions(wandering, "tsne", session, cursor)
    assert wandering.wait(PATIENCE)
    alike(positions(wandering, "tsne", session, 0), expected)


def test_positions_come_when_they_are_ready_and_nobody_can_write_to_them():
    session, ready = session_of(1), []
    layouts = layouts_of(session, on_ready=lambda: ready.append(positions(layouts, "tsne", session, 0) is not None))
    assert positions(layouts, "tsne", session, 0) is None
    assert layouts.wait(PATIENCE)
    assert ready == [True]
    found = layouts.places("tsne", session, 0)
    assert layouts.places("tsne", session, 0) is found
    with pytest.raises(ValueError, match="read-only"):
        found.parts[0].points[:] = 0.0
    assert computed(layouts, "tsne", session, 1) is not None
    assert ready == [True, True]


def test_no_lock_is_held_while_on_ready_runs(gate):
    session, answers = session_of(1), []

    def ask_elsewhere():
        other = threading.Thread(target=lambda: answers.append(layouts.nearest("tsne", session, 0)))
        other.start()
        other.join(PATIENCE)
        answers.append((layouts.busy, layouts.wait(PATIENCE)))

    layouts = layouts_of(session, on_ready=ask_elsewhere)
    gate.go.set()
    positions(layouts, "tsne", session, 0)
    assert layouts.wait(PATIENCE)
    assert answers[0][0] == 0
    assert answers[1] == (True, False)  # the thread itself does not wait for itself


def test_rapid_clicks_lay_out_the_last_state_and_the_one_it_starts_from(gate):
    session = session_of(20)
    layouts = layouts_of(session)
    positions(layouts, "tsne", session, 1)
    gate.wait_for_begin()
    for cursor in range(2, 21):
        positions(layouts, "tsne", session, cursor)
    gate.go.set()
    assert layouts.wait(PATIENCE)
    assert gate.done == [mark(layouts, "tsne", session, 0), (mark(layouts, "tsne", session, 20))]


def test_a_click_gives_up_the_state_that_is_wanted_no_more(gate):
    session, told = session_of(3), []
    layouts = layouts_of(session, on_progress=told.append)
    gate.go.set()
    computed(layouts, "tsne", session, 0)
    gate.go.clear()
    positions(layouts, "tsne", session, 1)
    positions(layouts, "tsne", session, 2)
    gate.go.set()
    assert layouts.wait(PATIENCE)
    n = len(layouts.rows["tsne"])
    assert (told[0], told[-1]) == (f"t-SNE of {n} points … 0 %", "")
    assert set(told) <= {"", *(f"t-SNE of {n} points … {percent} %" for percent in range(0, 101, 2))}
    assert layouts.nearest("tsne", session, 1)[0] == 0
    assert layouts.nearest("tsne", session, 3)[0] == 2


def test_asking_again_for_what_runs_changes_nothing(gate):
    session = session_of(1)
    layouts = layouts_of(session)
    positions(layouts, "tsne", session, 0)
    gate.wait_for_begin()
    for _ in range(5):
        assert positions(layouts, "tsne", session, 0) is None
    gate.go.set()
    assert layouts.wait(PATIENCE)
    assert len(gate.asked) == 1


def test_what_one_picture_needs_is_wanted_together_in_its_order(gate):
    session = session_of(5)
    layouts = layouts_of(session)
    gate.go.set()
    with layouts.together():
        positions(layouts, "tsne", session, 4)
        with layouts.together():
            positions(layouts, "tsne", session, 5)
        assert layouts.busy
        assert gate.asked == []
    assert layouts.wait(PATIENCE)
    assert gate.done == [(mark(layouts, "tsne", session, cursor)) for cursor in (0, 4, 5)]
    # each starts from the nearest earlier one: the gate adds 1 to it
    assert [positions(layouts, "tsne", session, cursor)[0, 0] for cursor in (0, 4, 5)] == [1.0, 2.0, 3.0]


def test_what_is_cancelled_is_not_begun_again_until_resumed(gate):
    session, told = session_of(2), []
    layouts = layouts_of(session, on_progress=told.append)
    positions(layouts, "tsne", session, 2)
    gate.wait_for_begin()
    layouts.cancel()
    assert layouts.wait(PATIENCE)
    assert told[-1] == ""
    gate.go.set()
    for cursor in (2, 0):
        assert positions(layouts, "tsne", session, cursor) is None
    assert not layouts.busy
    assert layouts.nearest("tsne", session, 2) is None
    layouts.resume()
    assert computed(layouts, "tsne", session, 2) is not None


def test_a_closed_one_computes_nothing_and_tells_nobody(gate):
    session, told = session_of(1), []
    layouts = layouts_of(session, on_ready=lambda: told.append("ready"), on_error=told.append)
    positions(layouts, "tsne", session, 0)
    gate.wait_for_begin()
    thread = next(one for one in threading.enumerate() if one is layouts._worker._thread)
    layouts.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    gate.go.set()
    assert positions(layouts, "tsne", session, 1) is None
    assert not layouts.busy
    assert told == []


def test_a_failure_is_told_once_in_words_and_not_tried_again(monkeypatch, caplog):
    session, told, tried = session_of(2), [], []

    def failing(*_, **__):
        tried.append(1)
        raise AliError("the layout collapsed; take another view") if len(tried) == 1 else RuntimeError("out of paper")

    monkeypatch.setattr(app_layouts, "layout", failing)
    layouts = layouts_of(session, on_error=told.append)
    positions(layouts, "tsne", session, 2)
    assert layouts.wait(PATIENCE)
    assert told == ["the layout collapsed; take another view"]
    for cursor in (0, 2):
        with pytest.raises(AliError, match="collapsed"):
            positions(layouts, "tsne", session, cursor)
    with caplog.at_level(logging.CRITICAL):
        positions(layouts, "supervised_tsne", session, 0)
        assert layouts.wait(PATIENCE)
    assert told[1:] == ["the layout 'supervised_tsne' failed (RuntimeError: out of paper); take another layout"]
    assert len(tried) == 2
    assert positions(layouts, "pca", session, 2) is not None


def test_a_listener_that_fails_does_not_end_the_thread(gate, caplog):
    session = session_of(1)
    layouts = layouts_of(session, on_ready=lambda: 1 / 0)
    gate.go.set()
    with layouts.together():
        positions(layouts, "tsne", session, 0)
        positions(layouts, "tsne", session, 1)
    assert layouts.wait(PATIENCE)
    assert len(gate.done) == 2
    assert caplog.text.count("ZeroDivisionError") == 2


@pytest.mark.parametrize("view", SLOW_VIEWS)
def test_too_few_samples_are_said_at_once(view):
    session = session_of(counts=(2, 1))
    with pytest.raises(AliError, match="got 3 samples"):
        layouts_of(session).places(view, session, 0)


def test_other_samples_are_refused():
    session = session_of()
    layouts = layouts_of(session)
    other = session_of(counts=(30, 40, 20, 10))
    for ask in (lambda: positions(layouts, "pca", other, 0), lambda: layouts.follow(other, session)):
        with pytest.raises(AliError, match="other samples"):
            ask()


def trained(session, seed):
    """The same samples after an epoch: everything has moved."""
    embedding = session.embedding
    noise = np.random.default_rng(seed).normal(scale=0.3, size=embedding.vectors.shape).astype(np.float32)
    after = Session(embedding.with_vectors(embedding.vectors + noise), preset("c,s", dim=5))
    after.run(2)
    return after


@pytest.mark.parametrize("view", SLOW_VIEWS)
def test_after_an_epoch_a_layout_goes_on_from_the_last_one(view):
    session = session_of(1)
    following = trained(session, 1)
    layouts = layouts_of(session)
    computed(layouts, view, session, 0)
    layouts.follow(following, session)
    found = computed(layouts, view, following, 0)
    labels = session.embedding.labels[layouts.rows[view]]
    first = layout(vectors_of(layouts, view, session, 0), view, labels=labels)
    second = layout(vectors_of(layouts, view, following, 0), view, labels=labels, previous=first, retrained=True)
    alike(found, second.positions)
    assert positions(layouts, view, session, 0) is not None


def test_after_an_epoch_the_plane_of_pca_is_that_of_the_first_session():
    session = session_of()
    second = trained(session, 1)
    third = trained(second, 2)
    layouts = layouts_of(session)
    layouts.follow(second, session)
    layouts.follow(third, second)
    first = layout(session.embedding.vectors, "pca")
    for later in (third, second, session):
        expected = first.frame.project(later.at(0).vectors.astype(np.float64))
        alike(positions(layouts, "pca", later, 0), expected)


def test_the_layout_of_the_session_before_is_finished_for_the_one_that_follows(gate):
    session = session_of()
    second = trained(session, 1)
    third = trained(second, 2)
    layouts = layouts_of(session)
    positions(layouts, "tsne", session, 0)
    gate.wait_for_begin()
    for earlier, later in ((session, second), (second, third)):
        layouts.follow(later, earlier)
        positions(layouts, "tsne", later, 0)
    gate.go.set()
    assert layouts.wait(PATIENCE)
    assert gate.done == [(mark(layouts, "tsne", one, 0)) for one in (session, third)]
    assert positions(layouts, "tsne", third, 0)[0, 0] == 2.0


def test_a_session_with_the_same_vectors_keeps_every_point(gate):
    session = session_of(2)
    again = Session(session.embedding, session.settings)
    layouts = layouts_of(session)
    gate.go.set()
    computed(layouts, "parametric", session, 0)
    layouts.follow(again, session)
    computed(layouts, "parametric", again, 0)
    assert gate.retrained == [False, False]


def test_going_back_to_a_session_keeps_its_layouts(gate):
    session = session_of()
    second = trained(session, 1)
    layouts = layouts_of(session)
    gate.go.set()
    computed(layouts, "tsne", session, 0)
    layouts.follow(second, session)
    computed(layouts, "tsne", second, 0)
    layouts.follow(session, second)
    assert positions(layouts, "tsne", session, 0) is not None
    branch = trained(session, 3)
    layouts.follow(branch, session)
    computed(layouts, "tsne", branch, 0)
    assert positions(layouts, "tsne", branch, 0)[0, 0] == 2.0  # from the first session, not from the second


def test_the_nearest_known_state_is_found_and_the_earlier_of_two(gate):
    session = session_of(6)
    session.undo()
    layouts = layouts_of(session)
    assert layouts.nearest("tsne", session, 3) is None
    gate.go.set()
    for cursor in (0, 2, 6):
        computed(layouts, "tsne", session, cursor)
    found = [layouts.nearest("tsne", session, cursor)[0] for cursor in range(7)]
    assert found == [0, 0, 2, 2, 2, 6, 6]
    assert layouts.nearest("tsne", session, 5)[1] is layouts.places("tsne", session, 6)


def test_states_that_are_gone_are_forgotten(gate):
    first = session_of()
    layouts = layouts_of(first)
    gate.go.set()
    other = session_of(5)
    for cursor in range(6):
        computed(layouts, "tsne", other, cursor)
        positions(layouts, "pca", other, cursor)
    assert len(layouts._known["tsne"]) == 6
    del other
    gc.collect()
    assert len(layouts._known["tsne"]) == 0


def test_where_a_step_would_lead_is_told_on_maps_and_nowhere_else():
    session = session_of(1)
    layouts = layouts_of(session)
    assert layouts.planned("parametric", session, session.outcome(), (1,)) is None
    computed(layouts, "parametric", session, 0)
    for view in ("dims", "pca", "discriminant", "parametric"):
        outcome, code = session.outcome(), session.propose().step.classes[0]
        places = layouts.planned(view, session, outcome, (code,))
        mine = layouts.labels[view] == code
        session.step()
        now = positions(layouts, view, session, session.cursor)[mine]
        np.testing.assert_allclose(places.positions(layouts.labels[view])[mine], now, rtol=1e-4, atol=1e-4)
    assert layouts.planned("tsne", session, session.outcome(), (1,)) is None


@pytest.mark.parametrize("view", ["dims", "pca", "parametric"])
def test_a_dragged_center_arrives(view):
    session = session_of(2)
    layouts = layouts_of(session)
    before = computed(layouts, view, session, 2)
    mine = layouts.labels[view] == 1
    target = before[mine].mean(axis=0) + 0.2 * np.ptp(before)
    moved = vectors_of(layouts, view, session, 2)[mine] + layouts.pull_back(view, session, 2, 1, target)
    first = layout(vectors_of(layouts, view, session, 0), view, labels=layouts.labels[view])
    arrived = first.place(moved).mean(axis=0)
    assert np.linalg.norm(arrived - target) < 2e-3 * np.ptp(before)


def test_nothing_is_dragged_where_there_is_no_map_or_not_yet(gate):
    session = session_of()
    layouts = layouts_of(session)
    with pytest.raises(AliError, match="'tsne', which is no map"):
        layouts.pull_back("tsne", session, 0, 1, (0.0, 0.0))
    with pytest.raises(AliError, match="still being computed"):
        layouts.pull_back("parametric", session, 0, 1, (0.0, 0.0))
    gate.go.set()
    assert layouts.wait(PATIENCE)
