"""What is selected, marked and listed in the Studio, by mouse and by call."""

import numpy as np
import pytest

from ali_core import AliError
from ali_core.evaluation.neighbours import changed_neighbours
from tests.ali_viz.studio.hands import BLAST, LYMPHOCYTE, MONOCYTE, desk, ids_of, lasso, open_tab, opened, rows_of, tell


@pytest.fixture
def studio():
    studio = opened()
    yield studio
    studio.close()


def ring(studio):
    """Return how many samples have a ring on the left side."""
    return len(desk(studio).scatter._points._marks[0].x)


# Lasso ---------------------------------------------------------------------------------------------------------------


def test_a_lasso_is_added_to_all_samples_of_the_classes_selected_before(studio):
    studio.select(["blast"])
    few = rows_of(studio, LYMPHOCYTE)[:5]
    lasso(studio, few, "shift")
    assert studio.selected == ("blast", "lymphocyte")
    assert studio.selected_ids.tolist() == ids_of(studio, [*rows_of(studio, BLAST), *few])
    assert "45 samples" in desk(studio).messages.status_line.value


def test_a_lasso_takes_samples_out_and_a_class_with_its_last(studio):
    blasts, monocytes = rows_of(studio, BLAST)[:12], rows_of(studio, MONOCYTE)
    studio.select(["blast", "monocyte"])
    lasso(studio, blasts, "alt")
    assert studio.selected == ("blast", "monocyte")
    assert studio.selected_ids.tolist() == ids_of(studio, [*rows_of(studio, BLAST)[12:], *monocytes])
    lasso(studio, rows_of(studio, BLAST), "alt")
    assert studio.selected == ("monocyte",)
    assert studio.selected_ids.tolist() == ids_of(studio, monocytes)
    assert not desk(studio).selection.clear.disabled
    lasso(studio, monocytes, "alt")
    assert (studio.selected, studio.selected_ids.tolist()) == ((), [])
    assert desk(studio).selection.clear.disabled
    assert "Nothing is selected" in desk(studio).messages.status_line.value


def test_a_class_whose_drawn_points_are_all_taken_out_is_let_go():
    studio = opened((400, 300, 30, 10), max_points=100)
    studio.select(["blast", "monocyte"])
    drawn = studio._showing.drawing().rows
    mine = drawn[studio.session.embedding.labels[drawn] == BLAST]
    assert 0 < len(mine) < 400
    lasso(studio, mine, "alt")
    assert studio.selected == ("monocyte",)
    assert studio.selected_ids.tolist() == ids_of(studio, rows_of(studio, MONOCYTE))
    studio.close()


def test_an_empty_lasso_leaves_the_selection_and_nothing_faded(studio):
    studio.select(["blast"])
    sent = []
    widget = desk(studio).scatter.widget
    widget._send_update_msg = lambda style, layout, traces: sent.append((style, layout))
    tell(studio, "plotly_selected", [], selector={"type": "lasso", "selector_state": {"xs": [0.0], "ys": [0.0]}})
    assert studio.selected == ("blast",)
    assert sent == [({"selectedpoints": [None] * len(widget.data)}, {"selections": []})]
    tell(studio, "plotly_selected", [])  # the browser's answer to the removed outline
    assert len(sent) == 1


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


def test_with_the_last_class_its_lasso_is_let_go(studio):
    blasts, few = rows_of(studio, BLAST)[:25], rows_of(studio, LYMPHOCYTE)[:3]
    lasso(studio, np.concatenate([blasts, few]))
    assert (studio.selected, len(studio.selected_ids)) == (("blast",), 28)
    lasso(studio, blasts, "alt")
    assert (studio.selected, len(studio.selected_ids)) == ((), 0)


# Cells ---------------------------------------------------------------------------------------------------------------


def test_a_cell_chosen_in_the_list_is_marked_and_the_sheet_stays():
    studio = opened((200, 60, 20, 10))
    open_tab(studio, "Cells")
    chosen = np.concatenate([rows_of(studio, BLAST)[:130], rows_of(studio, MONOCYTE)[:40]])
    lasso(studio, chosen)
    assert studio.selected == ("blast", "monocyte")
    cells = desk(studio).cells
    cells.later.click()
    page = cells.list.options
    assert page[0][1] == ids_of(studio, chosen)[12]  # the classes take turns
    cells.list.value = page[2][1]
    assert ring(studio) == 1
    assert (cells.list.options, cells.list.value) == (page, page[2][1])
    assert studio.selected == ("blast", "monocyte")
    assert studio.selected_ids.tolist() == ids_of(studio, chosen)
    studio.set_view("dims")
    assert cells.list.options == page
    lasso(studio, chosen[1:])
    assert cells.list.options[0][1] == ids_of(studio, chosen)[1]
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


@pytest.mark.parametrize("how", ["Escape", "button", "call"])
def test_the_ring_goes_with_the_selection(studio, how):
    studio.find(ids_of(studio, rows_of(studio, MONOCYTE))[3])
    assert ring(studio) == 1
    if how == "Escape":
        studio._clicks.clicked("_key", "Escape")
    elif how == "button":
        desk(studio).selection.clear.click()
    else:
        studio.select([])
    assert ring(studio) == 0


def test_a_list_that_is_cut_says_of_how_many_cells():
    studio = opened((1200, 60, 20, 10))
    open_tab(studio, "Cells")
    studio.select(["monocyte"])
    assert "1–24 of 60." in desk(studio).cells.note.value
    studio.select(["blast"])
    assert "1–24 of the first 240 of 1,200" in desk(studio).cells.note.value
    studio.close()


def test_cells_that_changed_neighbours_are_listed_by_a_call(studio):
    open_tab(studio, "Cells")
    studio.run(9)
    studio.list_cells()
    share = changed_neighbours(studio.session.embedding.vectors, studio.session.after.vectors)
    listed = [name for _, name in desk(studio).cells.list.options]
    assert desk(studio).cells.what.value == "changed"
    assert len(listed) > 2
    assert f"1–{len(listed)} of {np.count_nonzero(share)}." in desk(studio).cells.note.value
    where = [studio.session.embedding.sample_names.tolist().index(name) for name in listed]
    assert share[where].tolist() == sorted(share.tolist(), reverse=True)[: len(listed)]
    studio.select(["platelet"])
    studio.list_cells("selected")
    assert [name for _, name in desk(studio).cells.list.options] == studio.selected_ids.tolist()
    with pytest.raises(AliError, match="'selected' or 'changed'; got 'hovered'"):
        studio.list_cells("hovered")
