"""What the app says: it is true, counted alike everywhere, and no longer there when it is over."""

import numpy as np
import pytest
from ipywidgets import Select

from ali_core import AliError, Session, preset
from ali_core.evaluation.neighbours import changed_neighbours
from ali_core.training import epochs
from ali_viz import Studio
from tests.ali_core.training.samples import features, small
from tests.ali_viz.studio.clouds import cloud
from tests.ali_viz.studio.hands import (
    BLAST,
    LYMPHOCYTE,
    MONOCYTE,
    alert,
    app,
    begin,
    chip,
    control,
    drawn,
    ids_of,
    inside,
    lasso,
    listed,
    only,
    open_tab,
    opened,
    press,
    rows_of,
    status,
    text,
    titles,
)

NAMES = ("band_neutrophil", "plasma_cell", "x_y", "z_z")


# Steps ---------------------------------------------------------------------------------------------------------------


def test_skipped_steps_are_counted_alike_everywhere(studio):
    studio.run(4)
    studio.toggle(2)
    assert status(studio) == "Step 2 left out: 3 of 4 steps in force, 1 skipped"
    assert titles(studio)[1] == "After: 3 steps, 1 skipped"
    studio.undo()
    assert status(studio) == "Undone: 2 of 4 steps in force, 1 skipped"
    open_tab(studio, "Effect")
    studio.score()
    assert "predicted after 2 steps" in text(studio)
    assert status(studio).endswith("predicted after 2 steps")
    studio.compare_with("previous")
    assert titles(studio)[0] == "Before: 1 step, 1 skipped"
    studio.toggle(2)
    assert status(studio) == "Step 2 taken in again: 3 of 4 steps in force"
    assert titles(studio)[1] == "After: 3 steps"


def test_a_coming_epoch_counts_the_steps_likewise():
    studio = Studio(epochs(features(), small()))
    studio.toggle(3)
    open_tab(studio, "Train")
    assert "the coming epoch follows 24 steps, 1 skipped" in text(studio)
    studio.close()
    studio.training.close()


def test_a_new_branch_is_told_when_it_begins(studio):
    studio.run(2)
    assert "branch" not in status(studio)
    studio.undo()
    studio.select("blast")
    studio.apply_selection(contract=0.25)
    assert status(studio).startswith("Step 2 on branch 2, a new branch: Blast: contract 0.25")
    studio.step()
    assert status(studio).startswith("Step 3 on branch 2: ")
    studio.switch("main")
    studio.step()
    assert status(studio).startswith("Step 3 on main: ")


def test_nothing_done_is_no_state_after_it(studio):
    assert titles(studio) == ["Before: the start", "After: no step yet"]


def test_classes_are_written_as_people_write_them():
    studio = Studio(Session(cloud(names=NAMES), preset("c,s", dim=5)))
    studio.select(NAMES[:1])
    said = [status(studio)]
    studio.apply_selection()
    lasso(studio, np.arange(9))
    said += [status(studio)]
    for line in said:
        assert "Band neutrophil" in line
        assert "_" not in line
    studio.close()


# What is over --------------------------------------------------------------------------------------------------------


def test_what_came_of_slow_work_is_said_when_it_is_done(studio):
    untouched = studio.score().untouched.macro_f1
    assert status(studio) == f"Scored: macro F1 {untouched:.3f} untouched"
    studio.run(9)
    scores = studio.score()
    predicted = f"{scores.transfer.macro_f1:.3f} predicted after 9 steps"
    assert status(studio) == f"Scored: macro F1 {untouched:.3f} untouched, {predicted}"
    studio.list_cells()
    share = changed_neighbours(studio.session.embedding.vectors, studio.session.after.vectors)
    assert status(studio) == f"Compared neighbours: {np.count_nonzero(share)} of 100 cells have other neighbours"
    begin(studio, "a run of 7 steps", lambda _: None)
    assert studio.wait(30)
    assert status(studio) == "Done: a run of 7 steps"


def test_the_selection_is_said_as_it_is_now(studio):
    lasso(studio, rows_of(studio, MONOCYTE)[:20])
    assert status(studio) == "Lasso of 20 points: Monocyte selected"
    chip(studio, LYMPHOCYTE)
    assert status(studio) == "Monocyte, Lymphocyte selected: 50 samples"
    press(studio, "Clear selection")
    assert status(studio) == "Nothing is selected"


# Mistakes ------------------------------------------------------------------------------------------------------------


def test_a_class_that_is_not_there_is_an_error_with_the_nearest_names(studio):
    control(studio, "add/remove by name").value = "monocyt"
    assert "no class here is called 'monocyt'; did you mean Monocyte?" in alert(studio)
    control(studio, "add/remove by name").value = "monocyte"
    assert (alert(studio), studio.selected) == ("", ("monocyte",))


def test_beside_an_error_no_success_is_told(studio, tmp_path):
    studio.save(tmp_path)
    assert status(studio).startswith("Saved 0 steps")
    press(studio, "Undo")
    assert "no step to undo" in alert(studio)
    assert status(studio) == ""


def test_apply_rests_while_nothing_is_selected(studio):
    apply = control(studio, "Apply to selected classes")
    assert apply.disabled
    studio.select("blast")
    assert not apply.disabled
    studio.select([])
    assert apply.disabled
    with pytest.raises(AliError, match="no class is selected"):
        studio.apply_selection()


# Cells ---------------------------------------------------------------------------------------------------------------


def pages(studio):
    """The ids of all pages of the tab Cells."""
    found = listed(studio)
    while not control(studio, "More ▶").disabled:
        press(studio, "More ▶")
        found += listed(studio)
    return found


def test_classes_take_turns_among_the_cells_listed():
    studio = opened((300, 60, 3, 10))
    open_tab(studio, "Cells")
    studio.select(["blast", "lymphocyte", "monocyte"])
    blasts, monocytes, few = (ids_of(studio, rows_of(studio, code)) for code in (BLAST, MONOCYTE, LYMPHOCYTE))
    turns = [name for three in zip(blasts, monocytes, few, strict=False) for name in three]
    rest = [name for pair in zip(blasts[3:], monocytes[3:], strict=False) for name in pair]
    assert pages(studio) == [*turns, *rest, *blasts[60:]]
    studio.close()


def test_classes_take_turns_among_cells_whose_neighbours_changed_as_much(studio, monkeypatch):
    share = np.ones(100)
    share[rows_of(studio, BLAST)[0]], share[rows_of(studio, MONOCYTE)[1:]] = 0.5, 0.0
    monkeypatch.setattr("ali_core.evaluation.neighbours.changed_neighbours", lambda *_, **__: share)
    open_tab(studio, "Cells")
    studio.list_cells()
    blasts, (first, *_), few, fewer = (ids_of(studio, rows_of(studio, code)) for code in range(4))
    turns = [name for three in zip(blasts[2:], few[1:], fewer[1:], strict=False) for name in three]
    rest = [name for pair in zip(blasts[11:], few[10:], strict=False) for name in pair]
    expected = [blasts[1], first, few[0], fewer[0], *turns, *rest, *blasts[21:], blasts[0]]
    assert pages(studio) == expected


def test_a_found_cell_is_marked_in_the_list_until_the_selection_goes(studio):
    open_tab(studio, "Cells")
    studio.select("blast")
    third = ids_of(studio, rows_of(studio, BLAST))[2]
    cells = only([widget for widget in inside(app(studio)) if isinstance(widget, Select)], "list of cells")
    cells.value = third
    assert drawn(studio).marked == rows_of(studio, BLAST)[2]
    press(studio, "More ▶")
    assert cells.value is None
    press(studio, "◀ Back")
    assert cells.value == third
    studio.select([])
    assert cells.value is None
