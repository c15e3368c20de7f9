"""A step that is skipped is as if it had never been taken; toggled again, as if nothing had happened."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import AliError, ManualStep, Session, preset
from tests.ali_core.interventions.histories import ACTIONS, cells, lived


@given(actions=ACTIONS, number=st.integers(0, 20))
@settings(max_examples=60)
def test_without_a_step_is_the_replay_of_the_others_and_twice_is_nothing(actions, number):
    session = lived(actions)
    records = [*session.steps, *session.undone]
    if not records:
        return
    number = 1 + number % len(records)
    before, cursor = session.after.vectors, session.cursor
    was_skipped = records[number - 1].skipped
    toggled = session.toggle(number)
    assert toggled.skipped is not was_skipped
    assert session.cursor == cursor
    fresh = Session(session.embedding, session.settings)
    fresh.replay(step for step in session.steps if not step.skipped)
    np.testing.assert_array_equal(session.after.vectors, fresh.after.vectors)
    session.toggle(number)
    np.testing.assert_array_equal(session.after.vectors, before)
    again = [*session.steps, *session.undone]
    assert [step.model_dump_json() for step in again] == [step.model_dump_json() for step in records]


def test_a_skipped_step_keeps_its_place_and_its_record_and_has_no_outcome():
    session = Session(cells(), preset("c,s", 4))
    session.run(4)
    records, states = session.steps, [session.state_at(k) for k in range(5)]
    skipped = session.toggle(2)
    assert skipped.changed(skipped=False, shift_lengths=records[1].shift_lengths) == records[1].changed(norm_factor=1.0)
    assert (skipped.shift_lengths, skipped.norm_factor, skipped.notes) == ((), 1.0, ())
    assert skipped.moved == ()
    assert records[1].moved == records[1].classes
    assert session.state_at(2) is session.state_at(1) is states[1]
    assert [step.classes for step in session.steps] == [step.classes for step in records]
    table = session.table().set_index("step")
    assert table["skipped"].tolist() == [False, True, False, False]
    assert np.isnan(table.loc[2, "shift_length"])
    assert "skipped" in session.describe(skipped)
    session.toggle(2)
    assert [session.state_at(k) for k in range(5)] == states  # the very same, so that layouts stay known


def test_undone_steps_can_be_toggled_and_stay_undone():
    session = Session(cells(), preset("c,s", 4))
    session.run(3)
    session.undo()
    shown = session.after
    session.toggle(3)
    assert session.after is shown
    assert session.undone[0].skipped
    session.redo()
    np.testing.assert_array_equal(session.after.vectors, shown.vectors)


@pytest.mark.parametrize("number", [0, -1, 3])
def test_a_step_that_is_not_there_cannot_be_toggled(number):
    session = Session(cells())
    session.run(2)
    with pytest.raises(AliError, match=f"no step {number} to toggle; this branch has 2"):
        session.toggle(number)


def test_contractions_count_what_is_in_force_and_contracts():
    session = Session(cells(), preset("c,s", 4))
    session.apply(ManualStep(classes=("band", "blast"), contract=0.5))
    session.apply(ManualStep(classes=("band",), contract=0.1))
    session.apply(ManualStep(classes=("band", "rare"), shift=0.5))
    session.apply(ManualStep(classes=("monocyte",), contract=0.5))
    assert session.contractions.tolist() == [1, 1, 2, 0, 0, 0]
    assert session.contractions.dtype == np.int64
    session.toggle(1)
    assert session.contractions.tolist() == [0, 1, 1, 0, 0, 0]
    session.undo()
    assert session.contractions.tolist() == [0, 0, 1, 0, 0, 0]
    session.reset()
    assert session.contractions.tolist() == [0] * 6
