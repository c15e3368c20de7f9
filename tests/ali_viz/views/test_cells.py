"""Thumbnails by id: the right picture whatever the order, the right cell for a click, no more in memory than wanted."""

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ali_core import AliError, LabelledEmbedding
from ali_core.data import CellImages
from ali_viz.app.state import Cells
from ali_viz.theme import class_styles
from ali_viz.views.cells import CellsView, ImageSource
from ali_viz.views.contact_sheet import COLUMNS, PER_PAGE, TILE_PX, Tile, draw_sheet, tile_at
from ali_viz.views.pictures import MOST_DECODED
from tests.ali_viz.views.told import Told, scene

N = 60
IDS = np.array([f"slide/{row:03d}.png" for row in range(N)])
NAMES = ("monocyte", "<i>odd</i>", "blast")
LABELS = np.arange(N) % 3
PAINT = np.stack([4 * np.arange(N), 255 - 4 * np.arange(N), np.full(N, 9)], axis=1).astype(np.uint8)
"""The colour of the picture of each sample: no two are alike."""


def embedding():
    return LabelledEmbedding(np.random.default_rng(0).normal(size=(N, 2)), LABELS, NAMES, IDS)


def images(order=range(N)):
    """Pictures of one colour each, in this order."""
    rows = np.asarray(order)
    pixels = np.broadcast_to(PAINT[rows][:, None, None], (len(rows), 20, 20, 3))
    return CellImages(labels=LABELS[rows], class_names=NAMES, ids=IDS[rows], pixels=pixels)


def view_of(source=None):
    told = Told()
    return CellsView(told, embedding(), class_styles(NAMES), source), told.calls


def show(view, rows, why="selected", shares=None, *, marked=None, hovered=None):
    """Show the cells ``rows``, of which one may be marked, and one under the mouse."""
    cells = Cells(ids=IDS[np.asarray(rows, int)], why=why, shares=shares or {})
    view.update(scene(cells=cells, state={"marked": marked, "hovered": hovered}))


def pixels_of(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def middle_of(place):
    """Where the middle of a tile is, by the order of tiles and the size of a sheet of one."""
    height, width = pixels_of(draw_sheet([Tile(picture=None, colour="#000000", number=1)])).shape[:2]
    pair = pixels_of(draw_sheet([Tile(picture=None, colour="#000000", number=1)] * (COLUMNS + 1)))
    row, column = divmod(place, COLUMNS)
    return (
        column * (pair.shape[1] - width) / (COLUMNS - 1) + width / 2,
        row * (pair.shape[0] - height) + height / 2,
    )


@given(seed=st.integers(0, 10_000), kept=st.integers(1, N))
@settings(max_examples=25)
def test_every_sample_has_its_own_picture_whatever_the_order_and_what_is_left_out(seed, kept):
    rng = np.random.default_rng(seed)
    there = rng.permutation(N)[:kept]
    filtered = embedding().subset(rng.permutation(N)[: rng.integers(10, N)])
    if not set(filtered.ids) & set(IDS[there]):
        return
    source = ImageSource(images(there), filtered)
    for row, name in enumerate(IDS.tolist()):
        picture = source.picture(name, 5)
        assert (picture is not None) == (row in there and name in filtered.ids.tolist())
        if picture is not None:
            assert picture.shape == (5, 5, 3)
            assert (picture == PAINT[row]).all()


def test_a_folder_of_files_is_opened_by_path(tmp_path):
    (tmp_path / "slide").mkdir()
    for row in (5, 2, 9):
        Image.fromarray(np.full((30, 20, 3), PAINT[row])).save(tmp_path / IDS[row])
    table = ["path,label", *(f"{IDS[row]},{NAMES[LABELS[row]]}" for row in (5, 2, 9))]
    (tmp_path / "labels.csv").write_text("\n".join(table))
    source = ImageSource(tmp_path, embedding())
    assert len(source) == 3
    assert (source.picture(IDS[2], 8) == PAINT[2]).all()
    assert IDS[3] not in source
    (tmp_path / IDS[9]).write_bytes(b"no picture")
    assert source.picture(IDS[9], 8) is None


def test_row_numbers_name_no_pictures():
    """Features of a shuffled loader, and a table whose ids are running numbers: they would match, wrongly."""
    bare = LabelledEmbedding(np.arange(8.0).reshape(4, 2), [0, 1, 0, 1])
    pixels = np.zeros((4, 4, 4, 3), np.uint8)
    numbered = CellImages(labels=[0, 1] * 2, class_names=NAMES, ids=list("0123"), pixels=pixels)
    with pytest.raises(AliError, match="this embedding has no ids to find pictures by"):
        ImageSource(numbered, bare)


def test_images_of_other_ids_are_refused():
    other = CellImages(labels=[0, 1], class_names=NAMES, ids=["0", "1"], pixels=np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(AliError, match=r"no id of the embedding names an image.*'slide/000.png'.*'0'"):
        ImageSource(other, embedding())


def test_a_picture_is_decoded_once_and_only_so_many_are_kept(monkeypatch):
    source, calls = ImageSource(images(), embedding()), []
    plain = CellImages.load
    monkeypatch.setattr(CellImages, "load", lambda self, rows, px: calls.append(px) or plain(self, rows, px))
    for _ in range(2):
        source.picture(IDS[0], 6)
    assert calls == [6]
    for px in range(7, 7 + MOST_DECODED):
        source.picture(IDS[1], px)
    source.picture(IDS[0], 6)
    assert len(calls) == MOST_DECODED + 2


@given(n_tiles=st.integers(1, PER_PAGE), x=st.integers(-5, 300), y=st.integers(-5, 400))
@settings(max_examples=60)
def test_a_place_is_a_tile_where_the_sheet_has_its_colour(n_tiles, x, y):
    tiles = [
        Tile(
            picture=np.full((TILE_PX, TILE_PX, 3), 10 * place, np.uint8), colour=f"#{10 * place:02x}" + "0000", number=1
        )
        for place in range(n_tiles)
    ]
    sheet = pixels_of(draw_sheet(tiles))
    inside = 0 <= y < sheet.shape[0] and 0 <= x < sheet.shape[1] and sheet[y, x, 3] == 255
    place = tile_at(x, y, n_tiles)
    assert (place is not None) == inside
    if place is not None:
        column, row = (
            round((at - middle) / size)
            for at, middle, size in zip(
                (x, y), middle_of(0), np.subtract(middle_of(COLUMNS + 1), middle_of(0)), strict=True
            )
        )
        assert place == row * COLUMNS + column
        assert (sheet[int(middle_of(place)[1]) - 8, int(middle_of(place)[0]), :3] == 10 * place).all()


def test_a_sheet_has_no_more_rows_than_it_needs():
    one = pixels_of(draw_sheet([Tile(picture=None, colour="#123456", number=1)] * COLUMNS)).shape[0]
    two = pixels_of(draw_sheet([Tile(picture=None, colour="#123456", number=1)] * (COLUMNS + 1))).shape[0]
    full = pixels_of(draw_sheet([Tile(picture=None, colour="#123456", number=1)] * PER_PAGE)).shape[0]
    assert full - one == (math.ceil(PER_PAGE / COLUMNS) - 1) * (two - one)
    assert draw_sheet([]) == b""


def test_a_click_on_a_picture_tells_the_id_whose_colour_is_there():
    view, told = view_of(ImageSource(images(np.random.default_rng(1).permutation(N)), embedding()))
    listed = np.random.default_rng(2).permutation(N)[:30]
    show(view, listed)
    view.later.click()
    sheet = pixels_of(view.sheet.value)
    for place in range(6):
        x, y = middle_of(place)
        view.events._dom_handlers({"type": "click", "dataX": round(x), "dataY": round(y)})
        row = listed[PER_PAGE + place]
        assert told.pop() == ("find", IDS[row])
        assert (sheet[round(y) - 10, round(x), :3] == PAINT[row]).all()
    view.events._dom_handlers({"type": "click", "dataX": 10_000, "dataY": 3})
    view.events._dom_handlers({"type": "click"})
    assert told == []


def test_the_list_has_the_ids_of_the_page_and_tells_what_is_chosen():
    view, told = view_of(ImageSource(images(range(28)), embedding()))
    show(view, range(30), "changed", {IDS[0]: 0.7})
    assert view.what.value == "changed"
    assert [name for _, name in view.list.options] == IDS[:PER_PAGE].tolist()
    assert view.list.options[0][0] == "1 · 70 % · Monocyte · 000.png"
    assert "1–24 of 30" in view.note.value
    assert (view.list.value, view.earlier.disabled, view.later.disabled) == (None, True, False)
    view.later.click()
    assert [name for _, name in view.list.options] == IDS[PER_PAGE:30].tolist()
    assert "25–30 of 30, 2 of these without a picture" in view.note.value
    assert view.list.options[-1][0] == "30 · Blast · no picture · 029.png"
    assert (view.earlier.disabled, view.later.disabled) == (False, True)
    assert told == []
    view.list.value = IDS[26]
    assert told == [("find", IDS[26])]
    show(view, range(2))
    assert told == [("find", IDS[26])]


def test_a_marked_cell_is_chosen_in_the_list_and_ringed_on_the_sheet():
    view, told = view_of(ImageSource(images(), embedding()))
    show(view, range(30))
    plain = pixels_of(view.sheet.value)
    show(view, range(30), marked=2)
    assert view.list.value == IDS[2]
    changed = np.argwhere((pixels_of(view.sheet.value) != plain).any(axis=2))
    spots = {tile_at(x, y, PER_PAGE) for y, x in changed}
    assert spots == {2}
    x, y = (round(middle) for middle in middle_of(2))
    assert (pixels_of(view.sheet.value)[y - 10, x, :3] == PAINT[2]).all()
    view.later.click()
    assert view.list.value is None
    view.earlier.click()
    show(view, range(30))
    assert (pixels_of(view.sheet.value) == plain).all()
    assert (view.list.value, told) == (None, [])


def test_what_is_listed_is_asked_for_and_hovered_cells_are_known_here():
    view, told = view_of(ImageSource(images(), embedding()))
    view.what.widget.value = "changed"
    assert told == [("list_cells", "changed")]
    for row in (3, 7, 3, None):
        show(view, (), hovered=row)
    view.what.widget.value = "hovered"
    assert [name for _, name in view.list.options] == [IDS[3], IDS[7]]
    show(view, range(5), hovered=9)
    assert [name for _, name in view.list.options] == [IDS[9], IDS[3], IDS[7]]
    assert told == [("list_cells", "changed")]
    view.what.widget.value = "selected"
    assert [name for _, name in view.list.options] == IDS[:5].tolist()


def test_the_hovered_cell_is_shown_large_with_its_class_and_share():
    view, _ = view_of(ImageSource(images(range(50)), embedding()))
    show(view, range(3), "changed", {IDS[1]: 0.3}, hovered=1)
    shown = pixels_of(view.large.value)
    assert shown.shape[:2] > (TILE_PX, TILE_PX)
    assert (shown[..., :3] == PAINT[1]).all()
    assert "&lt;i&gt;odd&lt;/i&gt;" in view.words.value
    assert "<i>" not in view.words.value
    assert "30 % of its nearest neighbours changed" in view.words.value
    show(view, range(3), "changed", {IDS[1]: 0.3}, hovered=55)
    assert view.large.layout.display == "none"
    assert "no picture" in view.words.value
    show(view, range(3))
    assert view.words.value == ""


def test_without_images_the_ids_are_listed_all_the_same():
    view, told = view_of()
    assert "No cell is selected" in view.note.value
    show(view, range(3), hovered=2)
    assert view.sheet.layout.display == "none"
    assert "No pictures are known" in view.note.value
    assert IDS[2] in view.words.value
    view.list.value = IDS[1]
    assert told == [("find", IDS[1])]
    view.close()
    assert view.events.comm is None


def test_real_cells_are_found_by_the_ids_of_their_features(real_data):
    found = LabelledEmbedding.load(real_data / "pbc_dev_features" / "densenet121_160px.npz")
    source = ImageSource(real_data / "pbc_dev", found)
    assert len(source) == len(found)
    name = str(found.ids[4321])
    with Image.open(real_data / "pbc_dev" / name) as file:
        side = min(file.size)
        expected = np.asarray(file.convert("RGB"))
    assert (source.picture(name, side) == expected).all()


def test_pictures_are_found_by_ids_that_are_paths_without_a_table(tmp_path):
    order = np.random.default_rng(2).permutation(N)
    (tmp_path / "slide").mkdir()
    for row in order:
        Image.new("RGB", (8, 8), tuple(PAINT[row].tolist())).save(tmp_path / IDS[row])
    source = ImageSource(tmp_path, embedding().subset(order))
    assert [tuple(source.picture(name, 4)[0, 0]) for name in IDS] == [tuple(paint) for paint in PAINT]


def test_a_table_says_which_picture_an_id_that_is_no_path_names(tmp_path):
    for row in range(N):
        Image.new("RGB", (8, 8), tuple(PAINT[row].tolist())).save(tmp_path / f"{N - row}.png")
    lines = [f"{row},{N - row}.png,x,{row % 3}" for row in range(1, N)]
    (tmp_path / "labels.csv").write_text("\n".join(["id,path,label,stain", *lines]))
    numbered = LabelledEmbedding(embedding().vectors, LABELS, NAMES, np.arange(N).astype(str))
    source = ImageSource(tmp_path, numbered)
    assert [tuple(source.picture(str(row), 4)[0, 0]) for row in range(1, N)] == [tuple(paint) for paint in PAINT[1:]]
    np.testing.assert_array_equal(source.columns["stain"], [np.nan, *(row % 3 for row in range(1, N))])
