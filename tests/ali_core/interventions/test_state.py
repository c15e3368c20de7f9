"""States in closed form: small, and the same numbers whether they were kept or are made anew."""

import gc
import sys
import weakref

import numpy as np
import pytest

from ali_core import AliError, LabelledEmbedding, ManualStep, Session, preset
from ali_core.interventions import ClassStatistics
from ali_core.interventions.state import KEPT_EVERY


def embedding(rng, n_classes=6, dim=8, per_class=20, scale=1.0):
    labels = np.repeat(np.arange(n_classes), per_class)
    centers, noise = rng.normal(size=(n_classes, dim)), 0.3 * rng.normal(size=(len(labels), dim))
    return LabelledEmbedding(scale * (centers[labels] + noise), labels)


@pytest.mark.parametrize("name", ["c,s", "c,s,r"])
def test_states_that_are_made_anew_have_the_numbers_they_had(rng, name):
    session, seen = Session(embedding(rng), preset(name, 8)), []
    for _ in range(2 * KEPT_EVERY):
        session.step()
        now = session.statistics
        seen.append((now.centers.copy(), now.squares.copy(), session.transforms.offsets.copy()))
    places = weakref.ref(session.state_at(3).places)
    session.go_to(40)
    session.go_to(2 * KEPT_EVERY)
    [session.state_at(k).statistics for k in range(10, 20)]
    gc.collect()
    assert places() is None
    for number, (centers, squares, offsets) in enumerate(seen, start=1):
        state = session.state_at(number)
        np.testing.assert_array_equal(state.statistics.centers, centers)
        np.testing.assert_array_equal(state.statistics.squares, squares)
        np.testing.assert_array_equal(state.transforms.offsets, offsets)


def bytes_of(found, seen):
    """Count the bytes of arrays and tuples that an object holds, each once."""
    if id(found) in seen:
        return 0
    seen.add(id(found))
    if isinstance(found, np.ndarray):
        return found.nbytes if found.base is None else bytes_of(found.base, seen)
    inner = list(found) if isinstance(found, (list, tuple)) else list(getattr(found, "__dict__", {}).values())
    return sys.getsizeof(found) + sum(bytes_of(one, seen) for one in inner)


def test_a_step_keeps_less_than_a_megabyte_at_two_thousand_classes(rng):
    session = Session(embedding(rng, n_classes=2000, dim=128, per_class=2))
    steps = [ManualStep(classes=(str(code),), shift=0.5) for code in range(KEPT_EVERY)]
    for step in steps[:4]:
        session.apply(step)
    before = bytes_of(session._branches, set())
    for step in steps[4:]:
        session.apply(step)
    assert (bytes_of(session._branches, set()) - before) / (len(steps) - 4) < 1e6


@pytest.mark.parametrize("power", [-190, -100, 100, 195])
def test_a_power_of_two_changes_nothing_but_the_size(rng, power):
    one, other = (Session(embedding(np.random.default_rng(1), scale=2.0**k), preset("c,s", 8)) for k in (0, power))
    for session, scale in ((one, 1.0), (other, 2.0**power)):
        session.run(10)
        session.apply(ManualStep(classes=("1",), shift=2.0))
        session.apply(ManualStep(classes=("2",), displacement=(3.0 * scale,) * 8))
    assert [step.classes for step in one.steps] == [step.classes for step in other.steps]
    np.testing.assert_array_equal(one.after.vectors, other.after.vectors * 2.0**-power)


@pytest.mark.parametrize("scale", [1e300, 1e200, 1e75, 1e-80, 1e-200])
def test_numbers_whose_squares_overflow_are_refused_with_the_range(rng, scale):
    with pytest.raises(AliError, match=r"from 1e-60 to 1e\+60 in size"):
        embedding(rng, scale=scale)


@pytest.mark.parametrize("far", [{"shift": 1e300}, {"displacement": (1e300,) * 8}, {"displacement": (1e20,) * 8}])
def test_a_move_that_leaves_nothing_of_the_other_classes_is_refused(rng, far):
    session = Session(embedding(rng))
    with pytest.raises(AliError, match="at most 1e\\+09 times the root mean square length"):
        session.apply(ManualStep(classes=("1",), **far))
    assert session.cursor == 0
    session.apply(ManualStep(classes=("1",), shift=1e6))
    assert np.ptp(session.statistics.centers[0]) > 0.0


def test_distances_that_are_computed_for_what_moved_equal_all_of_them(rng):
    session = Session(embedding(rng, n_classes=40, dim=5, per_class=3), preset("c,s", 5))
    for _ in range(30):
        session.step()
        now = session.statistics
        fresh = ClassStatistics(counts=now.counts, centers=now.centers, squares=now.squares)
        np.testing.assert_array_equal(now.nearest, fresh.distances.min(axis=1))
        np.testing.assert_array_equal(
            now.mean_distances, np.where(np.isfinite(fresh.distances), fresh.distances, 0.0).sum(axis=1) / 39
        )
        np.testing.assert_array_equal(now.distances_from(7), fresh.distances[7])
