"""A saved session taken in beside the steps of another one: neither loses a step."""

import numpy as np
import pytest
from hypothesis import given, settings

from ali_core import AliError, ManualStep, Session, preset
from tests.ali_core.interventions.histories import ACTIONS, cells, lived

CONTRACT = ManualStep(classes=("band",), contract=0.5)


def lines(session):
    """Return the cursor and the moved samples of each branch with steps, by its steps; leave the session as it was."""
    found, here = {}, session.branch
    for name in session.branches:
        session.switch(name)
        steps = (*session.steps, *session.undone)
        if steps:
            found[repr(steps)] = (session.cursor, session.after.vectors)
    session.switch(here)
    return found


@given(own=ACTIONS, other=ACTIONS)
@settings(max_examples=40)
def test_the_steps_of_both_are_there_afterwards(own, other, tmp_path_factory):
    session, saved = lived(own), lived(other)
    before, there = lines(session), lines(saved)
    session.merge(saved.save(tmp_path_factory.mktemp("merge") / "session.json"))
    merged = lines(session)
    assert set(merged) == set(before) | set(there)
    for steps, (cursor, vectors) in (before | there).items():
        assert merged[steps][0] == cursor
        np.testing.assert_array_equal(merged[steps][1], vectors)
    assert (session.steps, session.undone) == (saved.steps, saved.undone)
    assert session.settings == saved.settings
    assert len(set(session.branches)) == len(session.branches)
    assert session.branch in session.branches


def test_names_that_are_taken_are_replaced_and_what_is_here_is_not_taken_in_twice(tmp_path):
    session, saved = (Session(cells(), preset("c,s", 4)) for _ in range(2))
    session.apply(CONTRACT)
    saved.run(2)
    file = saved.save(tmp_path / "session.json")
    session.merge(file)
    assert session.branches == ("main", "branch 2")
    assert session.branch == "branch 2"
    states = [session.state_at(k) for k in range(3)]
    session.undo()
    session.merge(file)
    assert (set(session.branches), session.branch, session.cursor) == ({"main", "branch 2"}, "branch 2", 2)
    assert [session.state_at(k) for k in range(3)] == states


def test_listeners_hear_of_it_once(tmp_path):
    session, heard = Session(cells(), preset("c,s", 4)), []
    saved = Session(cells(), preset("c,s", 4))
    saved.run(3)
    session.subscribe(lambda event: heard.append((event.kind, event.cursor)))
    session.merge(saved.save(tmp_path / "session.json"))
    assert heard == [("branch", 3)]


def test_what_does_not_belong_here_is_refused_and_changes_nothing(tmp_path):
    session = Session(cells(), preset("c,s", 4))
    session.step()
    other = Session(cells(), preset("c,s", 4).changed(spread="radius"))
    with pytest.raises(AliError, match="recorded with spread 'radius', this session has"):
        session.merge(other.save(tmp_path / "spread.json"))
    with pytest.raises(AliError, match="embedding"):
        session.merge(Session(cells(seed=1)).save(tmp_path / "cells.json"))
    assert (session.branches, session.cursor, session.settings.spread) == (("main",), 1, preset("c,s", 4).spread)
