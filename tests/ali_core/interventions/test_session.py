"""Steps, undo, redo, files: what a session promises."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core import AliError, InterventionSettings, LabelledEmbedding, ManualStep, Session, preset
from ali_core.interventions import PRESETS, ClassStatistics, plan
from tests.ali_core.interventions.histories import cells


@pytest.fixture
def embedding(rng):
    labels = np.repeat(np.arange(5), [3, 9, 20, 6, 1])
    vectors = rng.normal(size=(5, 6))[labels] + rng.normal(size=(len(labels), 6))
    return LabelledEmbedding(vectors, labels, ("blast", "monocyte", "band", "segment", "rare"))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("selection", ["deterministic", "probabilistic"])
def test_stepping_equals_running_equals_planning(embedding, name, selection):
    chosen = preset(name, embedding.dim).changed(selection=selection, seed=3, n_iterations=9)
    stepped, ran = Session(embedding, chosen), Session(embedding, chosen)
    for _ in range(9):
        proposed = stepped.propose().step
        assert stepped.step() == proposed
    ran.run()
    statistics = ClassStatistics.from_samples(embedding.vectors, embedding.labels, 5)
    planned = plan(statistics, chosen)
    assert stepped.steps == ran.steps == planned.steps
    np.testing.assert_array_equal(stepped.after.vectors, ran.after.vectors)
    np.testing.assert_array_equal(ran.after.vectors, planned.transforms.apply(embedding.vectors, embedding.labels))


def test_undo_goes_back_exactly_and_redo_forward(embedding):
    session = Session(embedding)
    positions = [session.after.vectors]
    for _ in range(4):
        session.step()
        positions.append(session.after.vectors)
    for expected in reversed(positions[:-1]):
        session.undo()
        np.testing.assert_array_equal(session.after.vectors, expected)
    assert session.after is embedding
    for expected in positions[1:]:
        session.redo()
        np.testing.assert_array_equal(session.after.vectors, expected)
    session.reset()
    assert session.cursor == 0
    assert len(session.undone) == 4
    np.testing.assert_array_equal(session.at(3).vectors, positions[3])


def test_the_moved_embedding_is_that_of_the_steps_in_force(embedding):
    session = Session(embedding)
    session.run(2)
    stale = session.after.vectors
    session.undo()
    session.apply(ManualStep(classes=("band",), contract=0.5))
    assert session.cursor == 2
    np.testing.assert_array_equal(session.after.vectors, session.at(2).vectors)
    assert not np.array_equal(session.after.vectors, stale)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_a_shift_alone_moves_the_class_by_its_strength_and_keeps_the_norm(embedding, shift):
    session = Session(embedding)
    before = session.statistics
    step = session.apply(ManualStep(classes=("band",), shift=shift))
    after = session.statistics
    assert step.shift_lengths[0] == pytest.approx(shift * before.spreads[2])
    unscaled = after.centers[2] / step.norm_factor - before.centers[2]
    assert np.linalg.norm(unscaled) == pytest.approx(shift * before.spreads[2])
    np.testing.assert_allclose(after.centers[1], step.norm_factor * before.centers[1])
    assert np.sum(session.after.vectors**2) == pytest.approx(np.sum(embedding.vectors**2))
    assert "whole embedding" in step.notes[-1]


def test_every_listener_hears_even_when_one_fails(embedding):
    session, heard = Session(embedding), []
    session.subscribe(lambda event: 1 / 0)
    session.subscribe(lambda event: heard.append(event.cursor))
    session.step()
    assert heard == [1]
    assert session.cursor == 1


def test_a_new_step_drops_the_undone_ones(embedding):
    session = Session(embedding)
    session.run(4)
    session.undo()
    session.undo()
    session.apply(ManualStep(classes=("blast",), contract=0.5))
    assert [step.source for step in session.steps] == ["automatic", "automatic", "manual"]
    assert session.undone == ()
    with pytest.raises(AliError, match="no step to redo"):
        session.redo()


def test_a_draw_does_not_depend_on_what_was_undone(embedding):
    chosen = preset("c", 6).changed(selection="probabilistic", seed=11)
    straight, wandering = Session(embedding, chosen), Session(embedding, chosen)
    straight.run(6)
    wandering.run(3)
    wandering.undo()
    wandering.propose()
    wandering.step()
    wandering.run(3)
    assert straight.steps == wandering.steps


def test_manual_contraction_by_hand(embedding):
    session = Session(embedding, InterventionSettings(norm_keeping="none"))
    session.apply(ManualStep(classes=("monocyte",), contract=0.25))
    own = embedding.labels == 1
    center = embedding.vectors[own].mean(axis=0)
    expected = embedding.vectors.copy()
    expected[own] = center + 0.75 * (embedding.vectors[own] - center)
    np.testing.assert_allclose(session.after.vectors, expected, atol=1e-13)


def test_several_classes_move_at_once_whatever_their_order(embedding):
    results = []
    for classes in (("monocyte", "band"), ("band", "monocyte")):
        session = Session(embedding)
        session.apply(ManualStep(classes=classes, away_from=classes, contract=0.5, shift=2.0))
        results.append(session.after.vectors)
        assert session.steps[0].neighbours == tuple((other,) for other in reversed(session.steps[0].classes))
    np.testing.assert_allclose(results[0], results[1], atol=1e-13)


def test_a_preview_shows_what_apply_does_and_changes_nothing(embedding):
    session = Session(embedding)
    session.run(2)
    manual = ManualStep(classes=("band",), shift=1.0, rotate=0.2, shift_mix=0.5, n_neighbours=2)
    shown = session.preview(manual)
    assert session.cursor == 2
    session.apply(manual)
    np.testing.assert_array_equal(shown.vectors, session.after.vectors)
    assert len(session.steps[-1].neighbours[0]) == 2


@pytest.mark.parametrize(
    ("manual", "message"),
    [
        ({"classes": ("eosinophil",), "contract": 0.5}, "no class is called 'eosinophil'"),
        ({"classes": ("band", "band"), "contract": 0.5}, "names a class twice"),
        ({"classes": ("band",)}, "contract, rotate or shift above 0"),
        ({"classes": ("band",), "away_from": ("band",), "shift": 1}, "another class"),
        ({"classes": ("empty",), "contract": 0.5}, "has no sample"),
    ],
)
def test_a_manual_step_that_makes_no_sense_changes_nothing(embedding, manual, message):
    with_empty = LabelledEmbedding(embedding.vectors, embedding.labels, (*embedding.class_names, "empty"))
    session = Session(with_empty)
    with pytest.raises(AliError, match=message):
        session.apply(ManualStep(**manual))
    assert session.steps == ()


def test_a_class_of_one_sample_is_not_shifted_and_the_record_says_so(embedding):
    session = Session(embedding)
    step = session.apply(ManualStep(classes=("rare",), shift=2.0))
    assert step.shift_lengths == (0.0,)
    assert "spread is 0" in session.describe(step)


def test_a_saved_session_gives_identical_numbers(embedding, tmp_path):
    session = Session(embedding, preset("all", 6).changed(selection="probabilistic", seed=5))
    session.run(5)
    session.apply(ManualStep(classes=("band", "blast"), contract=0.3, shift=1.5))
    session.run(2)
    session.undo()
    path = session.save(tmp_path / "session.json")
    again = Session.load(path, embedding)
    np.testing.assert_array_equal(again.after.vectors, session.after.vectors)
    assert again.settings == session.settings
    np.testing.assert_equal([s.model_dump() for s in again.steps], [s.model_dump() for s in session.steps])
    assert len(again.undone) == 1
    again.redo()
    session.redo()
    np.testing.assert_array_equal(again.after.vectors, session.after.vectors)
    assert again.save(tmp_path / "again.json").read_bytes() == session.save(path).read_bytes()


def test_infinite_scores_survive_the_file(tmp_path):
    embedding = LabelledEmbedding(np.array([[0.0, 1], [0, -1], [1, 0], [-1, 0], [5, 5]]), [0, 0, 1, 1, 2])
    session = Session(embedding)
    session.run(3)
    assert np.isinf(session.steps[0].scores).any()
    again = Session.load(session.save(tmp_path / "s.json"), embedding)
    assert again.steps == session.steps


def test_a_session_refuses_another_embedding(embedding, tmp_path):
    path = Session(embedding).save(tmp_path / "session.json")
    other = embedding.with_vectors(embedding.vectors + 1e-9)
    with pytest.raises(AliError, match="recorded on another embedding"):
        Session.load(path, other)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a readable session file"),
        ("[]", "not a session file"),
        ('{"format": "ali-session", "version": 7}', "damaged or from another version"),
    ],
)
def test_a_damaged_file_is_named(embedding, tmp_path, content, message):
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(AliError, match=message):
        Session.load(path, embedding)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": [99]},
        {"classes": [5]},
        {"neighbours": [[99]]},
        {"neighbours": [[0], [1]]},
        {"neighbours": [[5]]},
        {"scores": [1.0]},
        {"classes": [1], "neighbours": [[1]]},
        {"classes": [], "neighbours": []},
        {"classes": [0, 0], "neighbours": [[1], [1]]},
        {"self": 1},
        {"contract": "strong"},
        {"strength": 1},
    ],
)
def test_a_step_that_cannot_have_been_is_refused(embedding, tmp_path, change):
    embedding = LabelledEmbedding(embedding.vectors, embedding.labels, (*embedding.class_names, "empty"))
    session = Session(embedding)
    session.run(1)
    path = session.save(tmp_path / "session.json")
    content = json.loads(path.read_text())
    content["steps"][0] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(AliError, match="damaged"):
        Session.load(path, embedding)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": (7,)}, "it names class 7, but codes go from 0 to 5; replay it on"),
        ({"neighbours": ((-1,),)}, "class -1, but codes go from 0 to 5"),
        ({"classes": (5,)}, "class 5, which has no sample"),
        ({"neighbours": ((5,),)}, "class 5, which has no sample"),
        ({"classes": (1, 1), "neighbours": ((0,), (0,))}, r"each of its classes once, .*\(1, 1\)"),
        ({"neighbours": ((2,),), "classes": (2,)}, "away from itself"),
        ({"displacement": (1.0,)}, "displacement has 1 numbers, but there are 4 dimensions"),
        ({"scores": (1.0,)}, "scores of 1 classes, but there are 6"),
    ],
)
def test_a_record_that_does_not_fit_the_embedding_changes_nothing(change, message):
    session, told = Session(cells()), []
    good = session.step()
    session.undo()
    session.subscribe(told.append)
    bad = good.changed(**change)
    with pytest.raises(AliError, match=f"recorded step 2 .*{message}"):
        session.replay(iter((good, bad)))
    with pytest.raises(AliError, match=message):
        session.outcome(bad)
    assert session.cursor == 0
    assert session.undone == (good,)
    assert told == []


def test_listeners_hear_every_change_after_it_happened(embedding):
    session, heard = Session(embedding), []
    stop = session.subscribe(lambda event: heard.append((event.kind, event.cursor, session.cursor)))
    session.run(3)
    session.undo()
    session.redo()
    session.settings = session.settings.changed(contract=0.1)
    session.reset()
    stop()
    session.step()
    assert heard == [("step", 3, 3), ("undo", 2, 2), ("redo", 3, 3), ("settings", 3, 3), ("reset", 0, 0)]


def test_ones_own_criterion_decides_and_is_recorded(embedding, tmp_path):
    def largest_class(statistics):
        return statistics.counts.astype(float)

    session = Session(embedding, criterion=largest_class)
    step = session.step()
    assert step.classes == (2,)
    assert step.criterion == "largest_class"
    path = session.save(tmp_path / "session.json")
    with pytest.raises(AliError, match=r"'largest_class' is not known.*give your function"):
        Session.load(path, embedding).step()
    assert Session.load(path, embedding, criterion=largest_class).step().classes == (2,)
    session.settings = session.settings.changed(criterion="mean-all")
    assert session.step().criterion == "mean-all"
    session.settings = session.settings.changed(criterion="confusion")
    assert session.step().criterion == "confusion"
    bad = Session(embedding, criterion=lambda statistics: np.ones(2))
    with pytest.raises(AliError, match=r"shape \(5,\); got \(2,\)"):
        bad.step()


@given(actions=st.lists(st.sampled_from(["step", "undo", "redo", "manual", "reset"]), max_size=12))
@settings(max_examples=40)
def test_any_history_is_the_composition_of_its_steps(actions):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 5)
    embedding = LabelledEmbedding(rng.normal(size=(15, 3)), labels)
    session = Session(embedding)
    for action in actions:
        if action == "manual":
            session.apply(ManualStep(classes=("1",), contract=0.2, shift=1.0))
        elif (action != "undo" or session.cursor) and (action != "redo" or session.undone):
            getattr(session, action)()
    fresh = Session(embedding)
    for step in session.steps:
        names = tuple(embedding.class_names[code] for code in step.classes)
        others = tuple(embedding.class_names[code] for code in step.neighbours[0])
        strengths = {name: getattr(step, name) for name in ("contract", "rotate", "shift", "shift_mix")}
        fresh.apply(ManualStep(classes=names, away_from=others, **strengths))
    np.testing.assert_allclose(fresh.after.vectors, session.after.vectors, atol=1e-12)
    total = np.sum(session.after.vectors**2)
    assert total == pytest.approx(np.sum(embedding.vectors**2), rel=1e-10)


@pytest.mark.parametrize(
    "vectors",
    [
        np.array([[0.0], [1], [5], [6]]),
        np.array([[0.0, 0], [0, 0], [0, 0], [0, 0]]),
        np.array([[1.0, 2], [1, 2], [1, 2], [1, 2]]),
        np.array([[0.0, 0, 0], [2, 0, 0], [0, 0, 0], [2, 0, 0]]),
    ],
    ids=["one dimension", "all at the origin", "all at one point", "coincident centers"],
)
@pytest.mark.parametrize("name", PRESETS)
def test_degenerate_embeddings_stay_finite(vectors, name):
    embedding = LabelledEmbedding(vectors, ["a", "a", "b", "b"])
    session = Session(embedding, preset(name, embedding.dim))
    session.run(30)
    assert np.isfinite(session.after.vectors).all()
    assert np.sum(session.after.vectors**2) == pytest.approx(np.sum(vectors**2), rel=1e-9)


def test_two_hundred_classes(rng):
    labels = np.repeat(np.arange(200), 3)
    embedding = LabelledEmbedding(rng.normal(size=(600, 8)), labels)
    session = Session(embedding, preset("all", 8))
    session.run(10)
    assert np.isfinite(session.after.vectors).all()
    assert len(session.steps[0].neighbours[0]) == 15


def test_notes_name_the_class(rng):
    labels = np.array([0, 0, 1, 2, 2])
    session = Session(LabelledEmbedding(rng.normal(size=(5, 3)), labels, ("blast", "lone", "band")))
    step = session.apply(ManualStep(classes=("lone", "band"), shift=1.0))
    assert step.notes[0] == "class 1 was not shifted: its spread is 0"
    assert "lone was not shifted: its spread is 0" in session.describe(step)
    assert session.table()["notes"][0].startswith("lone was not shifted")


def test_a_session_is_told_in_three_lines(embedding):
    session = Session(embedding)
    session.run(5)
    session.undo()
    first, second, third = repr(session).splitlines()
    assert first == f"Session on {embedding!r}"
    assert second == "  4 steps, 1 undone, 0 skipped, on 'main' of 1 branches"
    assert third.startswith("  next: product, deterministic; contract 0.5, rotate 0, shift 4")


def test_a_preset_for_another_dimension_is_refused_but_an_old_file_opens(embedding, tmp_path):
    with pytest.raises(AliError, match="preset 'c,s' for 2 dimensions, but the vectors have 6"):
        Session(embedding, preset("c,s", 2))
    session = Session(embedding, InterventionSettings())
    session.settings = preset("c,s", 2)  # a session that an earlier version began so
    session.run(2)
    path = session.save(tmp_path / "session.json")
    again = Session.load(path, embedding)
    assert again.settings == preset("c,s", 2)
    np.testing.assert_array_equal(again.after.vectors, session.after.vectors)


def test_an_event_carries_the_step_it_tells_of(embedding):
    session, heard = Session(embedding), []
    first = session.step()
    session.subscribe(lambda event: heard.append((event.kind, event.cursor, event.step)))
    second, third = session.run(2)
    session.undo()
    session.redo()
    skipped = session.toggle(1)
    session.reset()
    session.go_to(2)
    replayed = session.steps[-1]
    assert (skipped.skipped, skipped.classes) == (True, first.classes)
    assert [(kind, cursor) for kind, cursor, _ in heard] == [
        ("step", 3), ("undo", 2), ("redo", 3), ("toggle", 3), ("reset", 0), ("redo", 2)
    ]  # fmt: skip
    assert [step for *_, step in heard] == [third, third, third, skipped, None, replayed]
    assert replayed.classes == second.classes
