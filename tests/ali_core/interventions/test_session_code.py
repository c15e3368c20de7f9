"""The script of a session does what the session did, bit for bit, and reads well."""

import json

import numpy as np
import pytest
from hypothesis import given, settings

from ali_core import LabelledEmbedding, ManualStep, Session, preset
from tests.ali_core.interventions.histories import ACTIONS, cells, lived


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return LabelledEmbedding.load(cells().save(tmp_path_factory.mktemp("code") / "cells.npz"))


def executed(code):
    names = {}
    exec(compile(code, "session.py", "exec"), names)
    return names["session"]


def commands(session):
    return session.as_code().split("\n\n")[-1].splitlines()[3:]


@given(actions=ACTIONS)
@settings(max_examples=80)
def test_any_history_is_done_again_bit_for_bit(stored, actions):
    session = lived(actions, stored, name="c,s")
    again = executed(session.as_code())
    np.testing.assert_array_equal(again.after.vectors, session.after.vectors)
    assert again.settings == session.settings
    assert [step.skipped for step in again.steps] == [step.skipped for step in session.steps]
    assert again.undone == ()


def test_the_usual_case_is_short(stored):
    session = Session(stored, preset("c,s", 4))
    session.run(25)
    code = session.as_code().replace(stored.source.as_posix(), "cells.npz").replace(stored.fingerprint[:16], "…")
    assert code == (
        "from ali_core import LabelledEmbedding\n"
        "from ali_core.interventions import Session, preset\n"
        "\n"
        "embedding = LabelledEmbedding.load('cells.npz')\n"
        "assert embedding.fingerprint.startswith('…'), 'this is another embedding'\n"
        "session = Session(embedding, preset('c,s', dim=embedding.dim))\n"
        "session.run(25)\n"
    )


def test_steps_by_hand_are_told_as_they_were_chosen(stored):
    session = Session(stored, preset("all", 4).changed(n_neighbours=2))
    manual = (
        ManualStep(classes=("band",), contract=0.5),
        ManualStep(classes=("blast", "rare"), n_neighbours=3, shift=1.5),
        ManualStep(
            classes=("blast",), away_from=("segment",), rotate=0.25, displacement=tuple(np.array((1, 0, 0, 0.1)))
        ),
    )
    for step in manual:
        session.apply(step)
    assert commands(session) == [
        "session.apply(ManualStep(contract=0.5, classes=('band',)))",
        "session.apply(ManualStep(shift=1.5, classes=('blast', 'rare'), n_neighbours=3))",
        "session.apply(ManualStep(rotate=0.25, classes=('blast',), away_from=('segment',), "
        "displacement=(1.0, 0.0, 0.0, 0.1)))",
    ]


def test_a_drag_in_many_dimensions_is_read_from_the_session_file(tmp_path):
    embedding = cells(dim=40)
    embedding = LabelledEmbedding.load(embedding.save(tmp_path / "cells.npz"))
    session = Session(embedding, preset("c", 40))
    session.step()
    session.apply(ManualStep(classes=("blast",), displacement=tuple(np.linspace(0.1, 0.7, 40))))
    session.step()
    file = session.save(tmp_path / "session.json")
    code = session.as_code(session_file=file)
    assert len(code) < 1000 < len(session.as_code())
    assert "the 40 numbers of each drag" in code
    for script in (code, session.as_code()):
        np.testing.assert_array_equal(executed(script).after.vectors, session.after.vectors)
    session.toggle(2)  # the file now holds a drag that the session skips, then none, then another
    skipping = session.as_code(session_file=file)
    with pytest.raises(AssertionError, match="save the session again"):
        executed(skipping)
    for steps in ([], [ManualStep(classes=("blast",), displacement=tuple(np.linspace(0.1, 0.8, 40)))]):
        other = Session(embedding, preset("c", 40))
        other.step()
        for step in steps:
            other.apply(step)
        other.save(file)
        with pytest.raises(AssertionError, match="save the session again"):
            executed(code)


def test_settings_that_changed_are_set_and_skipped_steps_are_records(stored):
    session = Session(stored, preset("c", 4))
    session.run(2)
    session.settings = session.settings.changed(shift=2.0)
    session.run(3)
    assert commands(session) == [
        "session.run(2)",
        "session.settings = InterventionSettings(shift=2.0, n_iterations=33)",
        "session.run(3)",
    ]
    assert "preset('c', dim=embedding.dim)" in session.as_code()
    session.toggle(5)
    assert commands(session)[:-1] == [
        "session.run(2)",
        "session.settings = InterventionSettings(shift=2.0, n_iterations=33)",
        "session.run(2)",
    ]
    assert "skipped=True" in commands(session)[-1]


def test_a_saved_step_without_a_selection_is_written_too(stored, tmp_path):
    session = Session(stored, preset("c,s", 4))
    session.run(2)
    file = session.save(tmp_path / "session.json")
    content = json.loads(file.read_text())
    content["steps"][1]["selection"] = None
    file.write_text(json.dumps(content))
    again = Session.load(file, stored)
    np.testing.assert_array_equal(executed(again.as_code()).after.vectors, session.after.vectors)


def test_undone_steps_and_other_branches_are_left_out(stored):
    session = Session(stored, preset("c", 4))
    session.run(4)
    session.undo()
    assert commands(session) == ["session.run(3)"]
    session.reset()
    assert executed(session.as_code()).after.vectors is not None
    assert commands(session) == []


def test_a_step_of_ones_own_criterion_is_written_as_its_record(stored):
    def largest(statistics):
        return statistics.counts.astype(float)

    session = Session(stored, preset("c,s", 4), criterion=largest)
    session.run(2)
    code = session.as_code()
    assert code.count("session.replay([InterventionStep(") == 2
    np.testing.assert_array_equal(executed(code).after.vectors, session.after.vectors)


def test_steps_recorded_on_other_data_are_written_as_records(stored):
    other = Session(cells(seed=5), preset("all", 4))
    other.run(4)
    session = Session(stored, preset("all", 4))
    session.replay(other.steps)
    np.testing.assert_array_equal(executed(session.as_code()).after.vectors, session.after.vectors)


def test_names_of_classes_are_written_so_that_python_reads_them(tmp_path):
    names = ('a "b"', "c\\d", "é\n", "\u2028'")
    embedding = LabelledEmbedding(np.random.default_rng(0).normal(size=(12, 2)), np.repeat(np.arange(4), 3), names)
    embedding = LabelledEmbedding.load(embedding.save(tmp_path / "odd 'name'.npz"))
    session, names = Session(embedding), embedding.class_names
    session.apply(ManualStep(classes=names[:3], away_from=names[3:], contract=0.5, shift=1.0))
    np.testing.assert_array_equal(executed(session.as_code()).after.vectors, session.after.vectors)


def test_an_embedding_from_memory_is_said_to_be_one_and_another_is_refused(tmp_path, monkeypatch):
    session = Session(cells())
    session.run(2)
    code = session.as_code()
    assert "came from memory" in code
    monkeypatch.chdir(tmp_path)
    cells(seed=1).save("embedding.npz")
    with pytest.raises(AssertionError, match="another embedding"):
        executed(code)
    cells().save("embedding.npz")
    np.testing.assert_array_equal(executed(code).after.vectors, session.after.vectors)
