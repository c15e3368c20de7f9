"""Branches: nothing is lost by going back, and lines share what they have in common."""

import json

import numpy as np
import pytest
from hypothesis import given, settings

from ali_core import AliError, ManualStep, Session, preset
from tests.ali_core.interventions.histories import ACTIONS, act, cells, lived

CONTRACT = ManualStep(classes=("band",), contract=0.5)
SHIFT = ManualStep(classes=("blast",), shift=2.0)


@pytest.fixture
def forked():
    session = Session(cells(), preset("c,s", 4))
    session.run(4)
    session.undo()
    session.undo()
    session.apply(CONTRACT)
    return session


def test_a_new_step_leaves_the_old_line_whole_under_its_own_name(forked):
    straight = Session(forked.embedding, forked.settings)
    straight.run(4)
    assert forked.branches == ("main", "branch 2")
    assert forked.branch == "branch 2"
    assert [step.source for step in forked.steps] == ["automatic", "automatic", "manual"]
    assert forked.undone == ()
    shared = [forked.state_at(k) for k in range(3)]
    here = forked.after.vectors
    forked.switch("main")
    assert forked.steps == straight.steps
    np.testing.assert_array_equal(forked.after.vectors, straight.after.vectors)
    assert [forked.state_at(k) for k in range(3)] == shared
    forked.switch("branch 2")
    np.testing.assert_array_equal(forked.after.vectors, here)


def test_a_step_that_equals_the_undone_one_brings_it_back(forked):
    forked.switch("main")
    states = [forked.state_at(k) for k in range(5)]
    forked.reset()
    assert forked.step() == forked.steps[0]
    forked.run(2)
    assert forked.branches == ("main", "branch 2")
    assert (forked.cursor, len(forked.undone)) == (3, 1)
    assert [forked.state_at(k) for k in range(5)] == states
    forked.run(3)  # one that is known, two that are new
    assert forked.branches == ("main", "branch 2")
    assert (forked.cursor, forked.undone) == (6, ())


def test_a_run_that_departs_on_its_way_shares_what_it_repeats(forked):
    forked.switch("main")
    records = forked.steps
    states = [forked.state_at(k) for k in range(5)]
    forked.reset()
    forked.replay((*records[:3], *records[:1]))
    assert forked.branch == "branch 3"
    assert [forked.state_at(k) for k in range(4)] == states[:4]
    assert forked.cursor == 4


def test_a_branch_is_as_it_was_left(forked):
    forked.undo()
    forked.switch("main")
    forked.undo()
    forked.switch("branch 2")
    assert (forked.cursor, len(forked.undone)) == (2, 1)
    forked.switch("main")
    assert (forked.cursor, len(forked.undone)) == (3, 1)


def test_a_toggle_changes_one_branch_only(forked):
    here = forked.after.vectors
    forked.switch("main")
    forked.toggle(1)
    forked.switch("branch 2")
    np.testing.assert_array_equal(forked.after.vectors, here)
    assert not forked.steps[0].skipped


def test_names_are_given_changed_and_dropped(forked):
    forked.rename_branch("with contraction")
    assert forked.branches == ("main", "with contraction")
    forked.rename_branch("straight", old="main")
    assert forked.branches == ("straight", "with contraction")
    assert forked.branch == "with contraction"
    forked.undo()
    forked.apply(SHIFT)
    assert forked.branch == "branch 3"
    forked.drop_branch("straight")
    assert forked.branches == ("with contraction", "branch 3")
    forked.undo()
    forked.step()
    assert forked.branches == ("with contraction", "branch 3", "branch 4")
    forked.rename_branch("branch 4", "branch 4")
    assert forked.branch == "branch 4"


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda session: session.switch("away"), "no branch 'away'; the branches are main, branch 2"),
        (lambda session: session.drop_branch("away"), "no branch 'away'"),
        (lambda session: session.rename_branch("new", "away"), "no branch 'away'"),
        (lambda session: session.rename_branch("main"), "a branch 'main' already"),
        (lambda session: session.rename_branch(" "), "not empty"),
        (lambda session: session.drop_branch("branch 2"), "the one you work on; switch"),
    ],
)
def test_what_cannot_be_done_with_branches_changes_nothing(forked, action, message):
    with pytest.raises(AliError, match=message):
        action(forked)
    assert (forked.branches, forked.branch) == (("main", "branch 2"), "branch 2")


@given(actions=ACTIONS)
@settings(max_examples=40)
def test_every_branch_is_the_replay_of_its_steps(actions):
    session = lived(actions)
    for name in session.branches:
        session.switch(name)
        fresh = Session(session.embedding, session.settings)
        fresh.replay(session.steps)
        np.testing.assert_array_equal(session.after.vectors, fresh.after.vectors)
        assert len(session.steps) == session.cursor
    assert len(set(session.branches)) == len(session.branches)


@given(actions=ACTIONS)
@settings(max_examples=30)
def test_a_file_keeps_all_branches(actions, tmp_path_factory):
    session = lived(actions)
    folder = tmp_path_factory.mktemp("session")
    path = session.save(folder / "session.json")
    again = Session.load(path, session.embedding)
    assert (again.branches, again.branch, again.cursor) == (session.branches, session.branch, session.cursor)
    for name in session.branches:
        session.switch(name)
        again.switch(name)
        np.testing.assert_array_equal(again.after.vectors, session.after.vectors)
        assert len(again.undone) == len(session.undone)
    session.switch(again.branch)
    assert again.save(folder / "again.json").read_bytes() == session.save(path).read_bytes()


def test_branches_share_states_after_loading(forked, tmp_path):
    again = Session.load(forked.save(tmp_path / "session.json"), forked.embedding)
    own = [again.state_at(k) for k in range(3)]
    again.switch("main")
    assert [again.state_at(k) for k in range(3)] == own


def test_files_of_version_1_are_read(forked, tmp_path):
    content = json.loads(forked.save(tmp_path / "session.json").read_text())
    for name in ("branch", "others", "n_older"):
        del content[name]
    for step in content["steps"]:
        del step["skipped"], step["displacement"]
    (tmp_path / "old.json").write_text(json.dumps(content | {"version": 1}))
    again = Session.load(tmp_path / "old.json", forked.embedding)
    assert again.branches == ("main",)
    np.testing.assert_array_equal(again.after.vectors, forked.after.vectors)
    assert json.loads(again.save(tmp_path / "new.json").read_text())["version"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"branch": "main"},
        {"branch": ""},
        {"n_older": 2},
        {"others": [{"name": "main", "steps": [], "cursor": 1}]},
        {"others": [{"name": "main", "cursor": 0}]},
    ],
)
def test_branches_that_cannot_have_been_are_refused(forked, tmp_path, change):
    path = forked.save(tmp_path / "session.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(AliError, match="damaged"):
        Session.load(path, forked.embedding)


@pytest.mark.parametrize("change", [{"classes": [5]}, {"classes": [99]}, {"displacement": [1.0]}])
def test_steps_of_other_branches_are_checked(forked, tmp_path, change):
    path = forked.save(tmp_path / "session.json")
    content = json.loads(path.read_text())
    content["others"][0]["steps"][3] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(AliError, match="damaged"):
        Session.load(path, forked.embedding)


def test_listeners_hear_of_branches_and_toggles(forked):
    heard = []
    forked.subscribe(lambda event: heard.append((event.kind, event.cursor)))
    forked.toggle(1)
    forked.switch("main")
    forked.rename_branch("first")
    forked.drop_branch("branch 2")
    act(forked, ("reset", 0))
    forked.apply(SHIFT)
    assert heard == [("toggle", 3), ("branch", 4), ("branch", 4), ("branch", 4), ("reset", 0), ("step", 1)]


def test_equal_records_are_equal_though_an_absent_class_has_no_score(forked, tmp_path):
    other = Session(forked.embedding, forked.settings)
    other.run(2)
    assert np.isnan(other.steps[0].scores[-1])
    assert other.steps == forked.steps[:2]
    assert Session.load(forked.save(tmp_path / "session.json"), forked.embedding).steps == forked.steps


def test_going_to_a_step_is_undoing_or_redoing_up_to_it(forked):
    heard = []
    forked.switch("main")
    positions = [forked.at(k).vectors for k in range(5)]
    forked.subscribe(lambda event: heard.append((event.kind, event.cursor)))
    for number in (1, 4, 4, 0):
        forked.go_to(number)
        assert (forked.cursor, len(forked.undone)) == (number, 4 - number)
        np.testing.assert_array_equal(forked.after.vectors, positions[number])
    assert heard == [("undo", 1), ("redo", 4), ("undo", 0)]
    for number in (-1, 5):
        with pytest.raises(AliError, match=f"there is no state {number}"):
            forked.go_to(number)
    assert forked.cursor == 0
