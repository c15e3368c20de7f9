"""The tab Step, as real widgets: both directions of each control, and the table of Ω."""

import re

import numpy as np
import pytest

from ali_core import LabelledEmbedding, Session, preset
from ali_core.interventions import PRESETS
from ali_viz.theme import class_styles
from ali_viz.views.step import StepView, preset_of, scores_table
from tests.ali_viz.studio.clouds import NAMES, cloud
from tests.ali_viz.studio.hands import chip, choose, control, opened, press, text
from tests.ali_viz.views.told import Told, scene


def view_of(dim=5, names=NAMES):
    told, embedding = Told(), cloud(dim=dim, names=names)
    return StepView(told, embedding, class_styles(embedding.class_names), range(4)), told


def show(view, settings, dim=5, **state):
    session = Session(cloud(dim=dim), settings)
    view.update(scene(session=session, proposal=session.propose(), undecided="", state=state))


def test_strengths_are_shown_without_being_told_back():
    view, told = view_of()
    show(view, preset("c,r", dim=5))
    assert view.sliders["rotate"].value == 0.32
    assert view.sliders["n_neighbours"].value == 3
    assert view.preset.value == "c,r"
    assert told.calls == []


def test_controls_tell_and_stop():
    view, told = view_of()
    show(view, preset("c", dim=5))
    view.sliders["shift"].widget.value = 2.0
    view.sliders["n_neighbours"].widget.value = 2
    view.criterion.widget.value = "closest"
    view.selection.widget.value = "probabilistic"
    assert told.calls == [
        ("change_settings", ("shift", 2.0)),
        ("change_settings", ("n_neighbours", 2)),
        ("change_settings", ("criterion", "closest")),
        ("change_settings", ("selection", "probabilistic")),
    ]


def test_values_beyond_a_control_are_shown_as_they_are():
    view, told = view_of()
    show(view, preset("c,s", dim=5).changed(shift=20.0))
    assert view.sliders["shift"].value == 20.0
    assert view.preset.value == "custom"

    def mine(statistics):
        return statistics.spreads

    mine = Session(cloud(), criterion=mine)
    view.update(scene(session=mine, proposal=mine.propose(), undecided=""))
    assert view.criterion.value == mine.settings.criterion
    assert told.calls == []


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dim", [2, 5])
def test_a_preset_fills_the_strengths_of_table_one(name, dim):
    settings = preset("c", dim=dim) if name != "c" else preset("all", dim=dim)
    view, told = view_of(dim)
    show(view, settings, dim)
    view.preset.widget.value = name
    ((_, *changes),) = told.calls
    changed = settings.changed(**dict(changes))
    assert changed == preset(name, dim=dim)
    assert preset_of(changed, {name: preset(name, dim) for name in PRESETS}) == name


def test_each_choice_is_explained_in_a_line_of_the_tooltip():
    studio = opened()
    for label in ("criterion Ω", "choice", "preset"):
        choice = control(studio, label)
        lines = choice.tooltip.splitlines()
        for option in choice.options:
            assert sum(line.startswith(f"{option}: ") for line in lines) == 1
    studio.close()


def test_a_place_is_typed_where_a_class_can_be_dragged():
    studio = opened()
    choose(studio, "Manual")
    chip(studio, 1)
    assert control(studio, "Undrag").disabled
    control(studio, "x").value = 3.0
    assert "to where it was dragged" in text(studio)
    press(studio, "Undrag")
    assert "to where it was dragged" not in text(studio)
    control(studio, "x").value = 3.0
    y = control(studio, "y").value
    press(studio, "Apply to selected classes")
    rows = studio.session.embedding.labels == 1
    assert studio.session.steps[-1].displacement is not None
    assert (control(studio, "x").value, control(studio, "y").value) == pytest.approx((3.0, y), abs=0.01)
    assert rows.sum() == 30
    studio.close()


def test_a_typed_name_adds_or_removes_a_class():
    view, told = view_of()
    for typed, code in (("monocyte", 1), ("Lymphocyte", 2)):
        view.by_name.value = typed
        assert told.calls.pop() == ("select_also", code)
        assert view.by_name.value == ""
    for typed, words in (("monocyt", "did you mean Monocyte?"), ("zebra", "look at the legend")):
        view.by_name.value = typed
        assert told.calls.pop() == ("refuse", f"no class here is called {typed!r}; {words}")
    assert told.calls == []


def test_the_table_marks_the_class_that_would_move_and_its_neighbours():
    session = Session(cloud(names=("<i>x</i>", "b", "c", "d")), preset("c,s", dim=5))
    proposal = session.propose()
    styles = class_styles(("<i>first</i>", "second", "third", "fourth"))
    table = scores_table(proposal, styles, range(4), np.array([0, 7, 0, 0]))
    assert "<i>" not in table
    assert "contracted 7 times so far" in next(row for row in table.split("<tr") if "Second" in row and "title" in row)
    assert table.count('class="ali-chosen"') == 1
    assert table.count('class="ali-neighbour"') == len(proposal.step.neighbours[0]) == 2
    chosen = proposal.step.classes[0]
    row = next(row for row in table.split("<tr") if "ali-chosen" in row)
    assert styles[chosen].label.strip("<>/i") in row
    assert f"{proposal.probabilities[chosen]:.3f}" in row


def test_many_classes_are_listed_by_score_with_the_chosen_one_first():
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 30
    session = Session(LabelledEmbedding(rng.normal(size=(90, 4)), labels, tuple(f"c{code}" for code in range(30))))
    proposal = session.propose()
    table = scores_table(proposal, class_styles(session.embedding.class_names), range(30), session.contractions)
    rows = table.split("<tr")[2:]
    assert "ali-chosen" in rows[0]
    shown = [float(re.search(r">([\d.]+)</td></tr>", row)[1]) for row in rows]
    assert shown == sorted(shown, reverse=True)


def test_where_nothing_can_be_chosen_the_reason_is_there():
    view, _ = view_of()
    session = Session(cloud())
    view.update(scene(session=session, proposal=None, undecided="all classes lie <at> one place"))
    assert "all classes lie &lt;at&gt; one place" in view.table.value
