"""Running until something holds, and what a step would do before it is taken."""

import itertools

import numpy as np
import pytest

from ali_core import AliError, LabelledEmbedding, ManualStep, Session, preset
from ali_core.interventions import ClassStatistics, crowding
from tests.ali_core.interventions.histories import MANUAL, cells


def test_it_stops_at_the_first_state_where_the_criterion_holds():
    stepped, ran = Session(cells(), preset("c,s", 4)), Session(cells(), preset("c,s", 4))
    while crowding(stepped.statistics) > 0.2:
        stepped.step()
    steps = ran.run_until(lambda now: crowding(now) <= 0.2)
    assert steps == ran.steps == stepped.steps
    assert len(steps) > 2
    assert ran.run_until(lambda now: crowding(now) <= 0.2) == ()


@pytest.mark.parametrize(("most", "stops_after", "expected"), [(5, 99, 5), (9, 3, 3), (0, 99, 0)])
def test_it_ends_at_the_most_steps_or_when_it_is_stopped(most, stops_after, expected):
    session, heard, asked = Session(cells()), [], itertools.count()
    session.subscribe(lambda event: heard.append(event.cursor))
    steps = session.run_until(lambda _: False, most=most, stop=lambda: next(asked) >= stops_after)
    assert len(steps) == session.cursor == expected
    assert heard == ([expected] if expected else [])


def test_a_criterion_that_fails_changes_nothing():
    session = Session(cells())
    session.run(1)
    with pytest.raises(ZeroDivisionError):
        session.run_until(lambda _: 1 / 0)
    with pytest.raises(AliError, match="most must be at least 0; got -1"):
        session.run_until(lambda _: False, most=-1)
    assert session.cursor == 1


def test_crowding_by_hand():
    centers = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 14.0], [0.0, 0.0]])
    squares = np.array([8.0, 200.0, 50.0, 0.0])  # of 4, 4, 1 and 0 samples in 2-D: spreads 1, 5, 5
    statistics = ClassStatistics(counts=np.array([4, 4, 1, 0]), centers=centers, squares=squares)
    assert crowding(statistics) == pytest.approx(max(1 / 5, 5 / 5, 5 / 10))
    alone = ClassStatistics(counts=np.array([4, 0]), centers=centers[:2], squares=squares[:2])
    assert crowding(alone) == 0.0
    together = ClassStatistics(counts=np.array([4, 4]), centers=centers[[0, 0]], squares=squares[:2])
    assert crowding(together) == np.inf


@pytest.mark.parametrize("manual", MANUAL)
def test_the_outcome_of_a_step_is_the_state_after_it(manual):
    session = Session(cells(), preset("all", 4))
    session.run(2)
    expected, record = session.outcome(manual), session.resolve(manual)
    replayed, shown = session.outcome(record), session.preview(manual)
    assert session.cursor == 2
    session.apply(manual)
    for state in (expected, replayed):
        np.testing.assert_array_equal(state.statistics.centers, session.statistics.centers)
        np.testing.assert_array_equal(state.transforms.scales, session.transforms.scales)
    np.testing.assert_array_equal(shown.vectors, session.after.vectors)


def test_the_outcome_of_nothing_is_what_the_criterion_would_do():
    session = Session(cells(), preset("all", 4))
    expected = session.outcome()
    session.step()
    np.testing.assert_array_equal(expected.statistics.centers, session.statistics.centers)
    skipped = session.steps[0].model_copy(update={"skipped": True})
    assert session.outcome(skipped) is session.state_at(1)
    with pytest.raises(AliError, match="no class is called"):
        session.outcome(ManualStep(classes=("nobody",), contract=0.5))


def test_two_hundred_steps_with_rotation_keep_few_matrices(rng):
    """Each of them would be as large as 30 times all that a state keeps; kept one a step, 200 of them take 100 MB."""
    import tracemalloc

    labels = np.repeat(np.arange(15), 4)
    embedding = LabelledEmbedding(rng.normal(size=(15, 256))[labels] + rng.normal(size=(60, 256)), labels)
    session = Session(embedding, preset("all", 256))
    tracemalloc.start()
    session.run(200)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 40e6
    last = session.after.vectors
    session.at(100), session.at(50), session.at(150), session.at(0)
    np.testing.assert_array_equal(session.at(200).vectors, last)
