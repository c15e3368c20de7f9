"""A class that is moved freely, as a person drags it."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import AliError, InterventionSettings, ManualStep, Session, preset
from ali_core.interventions import carry_out
from tests.ali_core.interventions.histories import cells

FREE = InterventionSettings(norm_keeping="none")


def test_every_moved_class_goes_by_the_vector_and_no_other(rng):
    embedding, vector = cells(), rng.normal(size=4)
    session = Session(embedding, FREE)
    step = session.apply(ManualStep(classes=("band", "rare"), displacement=tuple(vector)))
    expected = embedding.vectors + np.isin(embedding.labels, [2, 4])[:, None] * vector
    np.testing.assert_allclose(session.after.vectors, expected, atol=1e-14)
    np.testing.assert_allclose(step.shift_lengths, [np.linalg.norm(vector)] * 2)
    assert session.describe(step) == f"band, rare: moved by {np.linalg.norm(vector):.3g}"
    turned = session.apply(ManualStep(classes=("band",), rotate=0.25, displacement=tuple(vector)))
    assert "(away from " in session.describe(turned)


def test_it_comes_after_contract_rotate_and_shift(rng):
    embedding, vector = cells(), rng.normal(size=4)
    strengths = {"classes": ("band",), "contract": 0.5, "rotate": 0.3, "shift": 2.0, "shift_mix": 0.5}
    plain, moved = Session(embedding, FREE), Session(embedding, FREE)
    plain.apply(ManualStep(**strengths))
    moved.apply(ManualStep(**strengths, displacement=tuple(vector)))
    expected = plain.after.vectors + (embedding.labels == 2)[:, None] * vector
    np.testing.assert_allclose(moved.after.vectors, expected, atol=1e-13)


@pytest.mark.parametrize("contracted", [False, True])
def test_a_dragged_class_lands_where_it_was_dropped_and_no_other_moves(contracted):
    session = Session(cells(), preset("c,s", 4))
    if contracted:
        session.apply(ManualStep(classes=("monocyte",), contract=0.5))
    before, vector = session.after.vectors, (3.0, 0.0, -1.0, 0.0)
    step = session.apply(ManualStep(classes=("band",), displacement=vector))
    mine = session.embedding.labels == session.embedding.class_index("band")
    np.testing.assert_allclose(session.after.vectors[mine], before[mine] + np.array(vector), atol=1e-5)
    np.testing.assert_allclose(session.after.vectors[~mine], before[~mine], atol=1e-5)
    assert (step.norm_keeping, step.norm_factor) == ("none", 1.0)


@given(vector=st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4).map(tuple))
@settings(max_examples=50)
def test_a_file_gives_bit_identical_vectors(vector, tmp_path_factory):
    session = Session(cells(), preset("c,s", 4))
    session.run(2)
    session.apply(ManualStep(classes=("band",), contract=0.1, displacement=vector))
    path = session.save(tmp_path_factory.mktemp("session") / "session.json")
    again = Session.load(path, session.embedding)
    np.testing.assert_array_equal(again.after.vectors, session.after.vectors)
    assert again.steps[-1].displacement == vector
    assert json.loads(path.read_text())["steps"][-1]["displacement"] == list(vector)


@pytest.mark.parametrize(
    ("displacement", "message"),
    [
        ((1.0, 2.0), "one number a dimension, 4 here; got 2"),
        ((), "above 0, or a displacement"),
        ((0.0,) * 4, "above 0, or a displacement"),
        ((1.0, float("nan"), 0.0, 0.0), "finite"),
        ((1.0, float("inf"), 0.0, 0.0), "finite"),
    ],
)
def test_a_displacement_that_makes_no_sense_is_told_in_one_line(displacement, message):
    session = Session(cells())
    with pytest.raises(AliError, match=message) as caught:
        session.apply(ManualStep(classes=("band",), displacement=displacement))
    assert "\n" not in str(caught.value)
    assert session.cursor == 0


def test_a_record_of_another_dimension_is_refused():
    session = Session(cells(), FREE)
    record = session.apply(ManualStep(classes=("band",), displacement=(1.0, 0.0, 0.0, 0.0)))
    other = Session(cells(dim=3), FREE)
    with pytest.raises(AliError, match="displacement must have one number a dimension, 3 here; got 4"):
        carry_out(other.state_at(0), record)


def test_the_table_has_its_numbers():
    session = Session(cells(), FREE)
    session.apply(ManualStep(classes=("band",), displacement=(0.1, 1 / 3, 0.0, -2.0)))
    session.step()
    table = session.table()
    assert [float(text) for text in table["displacement"][0].split("; ")] == [0.1, 1 / 3, 0.0, -2.0]
    assert table["displacement"][1] == ""
