"""What is selected, marked and listed in the Studio, by mouse and by call."""

import numpy as np
import pytest
from ipywidgets import Select

from ali_core import AliError
from ali_core.evaluation.neighbours import changed_neighbours
from tests.ali_viz.studio.hands import (
    BLAST,
    LYMPHOCYTE,
    MONOCYTE,
    app,
    control,
    drawn,
    escape,
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
)


def ring(studio):
    """Return how many samples have a ring."""
    return int(drawn(studio).marked is not None)


# Lasso ---------------------------------------------------------------------------------------------------------------


def test_a_lasso_is_added_to_all_samples_of_the_classes_selected_before(studio):
    studio.select(["blast"])
    few = rows_of(studio, LYMPHOCYTE)[:5]
    lasso(studio, few, "add")
    assert studio.selected == ("blast", "lymphocyte")
    assert studio.selected_ids.tolist() == ids_of(studio, [*rows_of(studio, BLAST), *few])
    assert "45 samples" in status(studio)


def test_a_lasso_takes_samples_out_and_a_class_with_its_last(studio):
    blasts, monocytes = rows_of(studio, BLAST)[:12], rows_of(studio, MONOCYTE)
    studio.select(["blast", "monocyte"])
    lasso(studio, blasts, "remove")
    assert studio.selected == ("blast", "monocyte")
    assert studio.selected_ids.tolist() == ids_of(studio, [*rows_of(studio, BLAST)[12:], *monocytes])
    lasso(studio, rows_of(studio, BLAST), "remove")
    assert studio.selected == ("monocyte",)
    assert studio.selected_ids.tolist() == ids_of(studio, monocytes)
    assert not control(studio, "Clear selection").disabled
    lasso(studio, monocytes, "remove")
    assert (studio.selected, studio.selected_ids.tolist()) == ((), [])
    assert control(studio, "Clear selection").disabled
    assert "Nothing is selected" in status(studio)


def test_a_class_whose_drawn_points_are_all_taken_out_is_let_go():
    studio = opened((400, 300, 30, 10), max_points=100)
    studio.select(["blast", "monocyte"])
    rows = drawn(studio).rows
    mine = rows[studio.session.embedding.labels[rows] == BLAST]
    assert 0 < len(mine) < 400
    lasso(studio, mine, "remove")
    assert studio.selected == ("monocyte",)
    assert studio.selected_ids.tolist() == ids_of(studio, rows_of(studio, MONOCYTE))
    studio.close()


def test_samples_are_selected_by_id_as_by_a_lasso(studio):
    blasts, monocytes, few = (rows_of(studio, code) for code in (BLAST, MONOCYTE, LYMPHOCYTE))
    mixed = [*few[:3], *blasts[:25]]
    studio.select_samples(ids_of(studio, mixed))
    assert studio.selected == ("blast",)
    assert studio.selected_ids.tolist() == sorted(
        ids_of(studio, mixed), key=studio.session.embedding.sample_names.tolist().index
    )
    studio.select_samples(ids_of(studio, monocytes), "add")
    assert studio.selected == ("blast", "monocyte")
    assert len(studio.selected_ids) == 28 + 30
    studio.select_samples(ids_of(studio, blasts), "remove")
    assert studio.selected == ("monocyte",)
    studio.select_samples(ids_of(studio, blasts[:2])[0])
    assert (studio.selected, len(studio.selected_ids)) == (("blast",), 1)
    for wrong, how, words in ((["nobody"], "add", "no sample is called 'nobody'"), ([], "some", "how must be one of")):
        with pytest.raises(AliError, match=words):
            studio.select_samples(wrong, how)
        assert len(studio.selected_ids) == 1
    studio.select_samples([])
    assert studio.selected == ()


def test_a_class_of_which_less_than_half_is_left_is_no_longer_selected(studio):
    studio.select(["blast", "monocyte"])
    lasso(studio, rows_of(studio, BLAST)[:20], "remove")
    assert studio.selected == ("blast", "monocyte")  # 20 of 40
    lasso(studio, rows_of(studio, BLAST)[20:21], "remove")
    assert studio.selected == ("monocyte",)


def test_with_the_last_class_its_lasso_is_let_go(studio):
    blasts, few = rows_of(studio, BLAST)[:25], rows_of(studio, LYMPHOCYTE)[:3]
    lasso(studio, np.concatenate([blasts, few]))
    assert (studio.selected, len(studio.selected_ids)) == (("blast",), 28)
    lasso(studio, blasts, "remove")
    assert (studio.selected, len(studio.selected_ids)) == ((), 0)


# Cells ---------------------------------------------------------------------------------------------------------------


def test_a_cell_chosen_in_the_list_is_marked_and_the_sheet_stays():
    studio = opened((200, 60, 20, 10))
    open_tab(studio, "Cells")
    chosen = np.concatenate([rows_of(studio, BLAST)[:130], rows_of(studio, MONOCYTE)[:40]])
    lasso(studio, chosen)
    assert studio.selected == ("blast", "monocyte")
    press(studio, "More ▶")
    page = listed(studio)
    assert page[0] == ids_of(studio, chosen)[12]  # the classes take turns
    cells(studio).value = page[2]
    assert ring(studio) == 1
    assert (listed(studio), cells(studio).value) == (page, page[2])
    assert studio.selected == ("blast", "monocyte")
    assert studio.selected_ids.tolist() == ids_of(studio, chosen)
    studio.set_view("dims")
    assert listed(studio) == page
    lasso(studio, chosen[1:])
    assert listed(studio)[0] == ids_of(studio, chosen)[1]
    studio.close()


def test_a_found_cell_keeps_the_lasso_and_a_selection_with_its_class_and_else_selects_it(studio):
    studio.select(["blast", "monocyte"])
    studio.find(ids_of(studio, rows_of(studio, MONOCYTE))[3])
    assert studio.selected == ("blast", "monocyte")
    studio.find(ids_of(studio, rows_of(studio, LYMPHOCYTE))[3])
    assert studio.selected == ("lymphocyte",)
    lasso(studio, rows_of(studio, BLAST)[:25])
    studio.find(ids_of(studio, rows_of(studio, LYMPHOCYTE))[3])
    assert (studio.selected, len(studio.selected_ids), ring(studio)) == (("blast",), 25, 1)


def test_a_step_by_omega_lets_go_of_the_selection_and_one_by_hand_keeps_it(studio):
    lasso(studio, rows_of(studio, BLAST)[:25])
    studio.apply_selection(contract=0.5)
    assert studio.selected == ("blast",)
    studio.step()
    assert (studio.selected, len(studio.selected_ids)) == ((), 0)


@pytest.mark.parametrize("how", ["Escape", "button", "call"])
def test_the_ring_goes_with_the_selection(studio, how):
    studio.find(ids_of(studio, rows_of(studio, MONOCYTE))[3])
    assert ring(studio) == 1
    if how == "Escape":
        escape(studio)
    elif how == "button":
        press(studio, "Clear selection")
    else:
        studio.select([])
    assert ring(studio) == 0


def cells(studio):
    """The list on the tab Cells."""
    return only([widget for widget in inside(app(studio)) if isinstance(widget, Select)], "list of cells")


def test_all_cells_of_a_class_can_be_reached():
    studio = opened((1200, 60, 20, 10))
    open_tab(studio, "Cells")
    studio.select(["monocyte"])
    assert "1–24 of 60." in text(studio)
    studio.select(["blast"])
    assert "1–24 of 1,200." in text(studio)
    for _ in range(1200 // 24 - 1):
        press(studio, "More ▶")
    assert control(studio, "More ▶").disabled
    assert listed(studio)[-1] == ids_of(studio, rows_of(studio, BLAST))[-1]
    studio.close()


def test_cells_that_changed_neighbours_are_listed_by_a_call(studio):
    open_tab(studio, "Cells")
    studio.run(9)
    studio.list_cells()
    share = changed_neighbours(studio.session.embedding.vectors, studio.session.after.vectors)
    page = listed(studio)
    assert control(studio, "List").value == "changed"
    assert len(page) > 2
    assert f"1–{len(page)} of {np.count_nonzero(share)}." in text(studio)
    where = [studio.session.embedding.sample_names.tolist().index(name) for name in page]
    assert share[where].tolist() == sorted(share.tolist(), reverse=True)[: len(page)]
    studio.select(["platelet"])
    studio.list_cells("selected")
    assert listed(studio) == studio.selected_ids.tolist()
    with pytest.raises(AliError, match="'selected' or 'changed'; got 'hovered'"):
        studio.list_cells("hovered")
