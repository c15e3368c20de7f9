"""The controls, as real widgets: both directions of each."""

import numpy as np
import pytest

from ali_core import LabelledEmbedding, ManualStep, Session, preset
from ali_core.interventions import PRESETS
from ali_viz.theme import class_styles
from ali_viz.views.automatic import AutomaticView
from ali_viz.views.history import HistoryView, StepButtons, step_lines
from ali_viz.views.manual import ManualView
from ali_viz.views.scores import scores_table
from ali_viz.views.selection import SelectionView
from ali_viz.views.strengths import StrengthsView, preset_of
from tests.ali_viz.studio.clouds import NAMES, cloud

OPTIONS = [(name, code) for code, name in enumerate(NAMES)]


def test_strengths_are_shown_without_being_told_back():
    told = []
    view = StrengthsView(dim=5, n_others=3, on_change=told.append)
    view.update(preset("c,r", dim=5))
    assert view.sliders["rotate"].value == 0.32
    assert view.n_neighbours.value == 3
    assert view.preset.value == "c,r"
    assert told == []


def test_a_slider_tells_and_stops():
    told = []
    view = StrengthsView(dim=5, n_others=3, on_change=told.append)
    view.update(preset("c", dim=5))
    view.sliders["shift"].value = 2.0
    view.n_neighbours.value = 2
    assert told == [{"shift": 2.0}, {"n_neighbours": 2}]


def test_a_strength_beyond_the_slider_is_shown_as_it_is():
    view = StrengthsView(dim=5, n_others=3, on_change=print)
    view.update(preset("c,s", dim=5).changed(shift=20.0))
    assert view.sliders["shift"].value == 20.0
    assert view.preset.value == "custom"


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dim", [2, 5])
def test_a_preset_fills_the_strengths_of_table_one(name, dim):
    settings = [preset("c", dim=dim) if name != "c" else preset("all", dim=dim)]
    view = StrengthsView(dim=dim, n_others=3, on_change=lambda values: settings.append(settings[-1].changed(**values)))
    view.update(settings[0])
    view.preset.value = name
    assert settings[-1] == preset(name, dim=dim)
    assert preset_of(settings[-1], dim) == name


def test_automatic_controls_tell_and_show():
    told = []
    view = AutomaticView(
        on_step=lambda: told.append("step"),
        on_run=lambda: told.append("run"),
        on_run_until=lambda goal, value: told.append((goal, value)),
        on_preview=lambda on: told.append(("preview", on)),
        on_change=told.append,
    )
    view.update(preset("c,s", dim=5))
    view.step.click()
    view.run.click()
    view.criterion.value = "closest"
    view.selection.value = "probabilistic"
    view.n_iterations.value = 7
    assert told == ["step", "run", {"criterion": "closest"}, {"selection": "probabilistic"}, {"n_iterations": 7}]
    view.update(preset("c,s", dim=5).changed(criterion="mine", n_iterations=5000))
    assert (view.criterion.value, view.run.description) == ("mine", "Run 5000")


def test_each_choice_is_explained_in_a_line_of_the_tooltip_and_limits_are_told():
    view = AutomaticView(on_step=print, on_run=print, on_run_until=print, on_preview=print, on_change=print)
    strengths = StrengthsView(dim=5, n_others=3, on_change=print)
    for choice in (view.criterion, view.selection, view.goal, strengths.preset):
        lines = choice.tooltip.splitlines()
        for option in choice.options:
            label = option[0] if isinstance(option, tuple) else option
            assert sum(line.startswith(f"{label}: ") for line in lines) == 1
    for top in (1000, 5000):
        view.update(preset("c,s", dim=5).changed(n_iterations=top))
        assert view.n_iterations.tooltip.endswith(f"{view.n_iterations.min} to {top:,}")
        assert view.n_iterations.max == top
    assert view.limit.tooltip.endswith(f"{view.limit.min:g} to {view.limit.max:g}")


def test_run_until_tells_the_goal_and_its_value():
    told = []
    view = AutomaticView(
        on_step=print,
        on_run=print,
        on_run_until=lambda goal, value: told.append((goal, value)),
        on_preview=told.append,
        on_change=print,
    )
    view.goal.value = "transfer_f1"
    view.limit.value = 0.75
    view.run_until.click()
    view.preview.value = False
    assert told == [("transfer_f1", 0.75), False]


def test_only_a_run_can_be_stopped_and_nothing_else_done_meanwhile():
    told, session = [], Session(cloud())
    view = StepButtons(
        on_undo=lambda: told.append("undo"),
        on_redo=lambda: told.append("redo"),
        on_reset=lambda: told.append("reset"),
        on_stop=lambda: told.append("stop"),
    )
    session.run(2)
    session.undo()
    view.update(session, working=False, stoppable=False)
    buttons = (view.undo, view.redo, view.reset, view.stop)
    assert [button.disabled for button in buttons] == [False, False, False, True]
    view.update(session, working=True, stoppable=True)
    assert [button.disabled for button in buttons] == [True, True, True, False]
    for button in buttons:
        button.click()
    assert told == ["undo", "redo", "reset", "stop"]


def test_manual_controls_give_the_neighbours_or_the_chosen_classes():
    told = []
    view = ManualView(
        OPTIONS,
        on_change=lambda: told.append("changed"),
        on_drag=told.append,
        on_undrag=lambda: told.append("undrag"),
        on_apply=lambda: told.append(view.chosen),
    )
    view.apply.click()
    view.away.value = "chosen"
    view.away_from.value = (1, 2)
    view.apply.click()
    assert told == [None, "changed", "changed", (1, 2)]
    assert view.away_from.layout.display == "flex"


def test_a_place_is_typed_where_a_class_can_be_dragged():
    told = []
    view = ManualView(
        OPTIONS, on_change=print, on_drag=told.append, on_undrag=lambda: told.append("undrag"), on_apply=print
    )
    view.update((1,), None, dragged=False)
    assert view.place.layout.display == "none"
    view.update((1,), (0.123456, -2.0), dragged=False)
    assert (view.x.value, view.y.value, told) == (0.1235, -2.0, [])
    assert view.undrag.disabled
    view.x.value = 3.0
    assert told == [(3.0, -2.0)]
    view.update((1,), (3.0, -2.0), dragged=True)
    view.undrag.click()
    assert told == [(3.0, -2.0), "undrag"]
    assert "dragged" in view.moving.value


def test_the_list_of_classes_selects_and_shows():
    told = []
    view = SelectionView(OPTIONS, on_select=told.append, on_trouble=print)
    view.update((2,))
    assert (view.classes.value, told) == ((2,), [])
    view.classes.value = (0, 3)
    view.clear.click()
    assert told == [(0, 3), ()]


def test_a_typed_name_adds_or_removes_a_class():
    told, troubles = [], []
    view = SelectionView(OPTIONS, on_select=told.append, on_trouble=troubles.append)
    view.update((2,))
    view.by_name.value = "monocyte"
    view.by_name.value = "lymphocyte"
    assert told == [(2, 1), ()]
    for typed, words in (("monocyt", "did you mean monocyte?"), ("zebra", "take one from the list")):
        view.by_name.value = typed
        assert troubles.pop() == f"no class here is called {typed!r}; {words}"
        assert view.by_name.value == ""
    assert told == [(2, 1), ()]


def test_the_table_marks_the_class_that_would_move_and_its_neighbours():
    session = Session(cloud(names=("<i>x</i>", "b", "c", "d")), preset("c,s", dim=5))
    proposal = session.propose()
    styles = class_styles(("first", "second", "third", "fourth"))
    table = scores_table(proposal, styles, range(4), np.array([0, 7, 0, 0]))
    assert table.count("<td>7</td>") == 1
    assert table.count('class="ali-chosen"') == 1
    assert table.count('class="ali-neighbour"') == len(proposal.step.neighbours[0]) == 2
    chosen = styles[proposal.step.classes[0]].label
    row = next(row for row in table.split("<tr") if "ali-chosen" in row)
    assert chosen in row
    assert f"{proposal.probabilities[proposal.step.classes[0]]:.3f}" in row


def test_many_classes_are_listed_by_score_with_the_chosen_one_first():
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 30
    session = Session(LabelledEmbedding(rng.normal(size=(90, 4)), labels, tuple(f"c{code}" for code in range(30))))
    proposal = session.propose()
    table = scores_table(proposal, class_styles(session.embedding.class_names), range(30), session.contractions)
    rows = table.split("<tr")[2:]
    assert "ali-chosen" in rows[0]
    shown = [float(row.split("</span> ")[-1].split("<")[0]) for row in rows]
    assert shown == sorted(shown, reverse=True)


def test_the_history_shows_what_is_in_force_what_was_undone_and_what_is_skipped():
    session = Session(cloud())
    assert step_lines(session) == [("▸ 0 the untouched embedding", 0)]
    session.run(3)
    session.undo()
    session.toggle(1)
    lines = step_lines(session)
    assert [number for _, number in lines] == [3, 2, 1, 0]
    assert [line[0] for line, _ in lines] == ["↶", "▸", " ", " "]
    assert [line.count("skipped") for line, _ in lines] == [0, 0, 1, 0]


def test_the_history_tells_where_to_go_and_which_step_to_skip():
    told = []
    session = Session(cloud())
    view = HistoryView(
        on_go=lambda number: told.append(("go", number)),
        on_toggle=lambda number: told.append(("toggle", number)),
        on_switch=lambda name: told.append(("switch", name)),
        on_rename=lambda name: told.append(("rename", name)),
    )
    view.update(session)
    assert view.toggle.disabled
    session.run(3)
    view.rest(working=True)
    view.update(session)
    assert view.go.disabled
    assert view.toggle.disabled
    assert view.branch.disabled
    view.rest(working=False)
    assert not view.toggle.disabled
    view.update(session)
    assert view.list.value == 3
    view.list.value = 1
    view.go.click()
    view.toggle.click()
    session.toggle(1)
    view.update(session)
    assert (view.list.value, view.toggle.description) == (1, "Use step")
    session.go_to(1)
    session.apply(ManualStep(classes=(NAMES[0],), contract=0.5))
    view.update(session)
    assert view.branch.options == session.branches
    assert view.list.value == 2
    view.branch.value = session.branches[0]
    view.name.value = "tight"
    assert told == [("go", 1), ("toggle", 1), ("switch", session.branches[0]), ("rename", "tight")]
