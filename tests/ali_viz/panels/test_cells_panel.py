"""Fig. 1: each tile is the image that the table names, of its class, in its place."""

import numpy as np
import pandas as pd
import pytest

from ali_core import AliError
from ali_core.data import CellImages, open_images
from ali_viz.panels import CELLS_COLUMNS, CellsGrid, cells_panel, cells_table

NAMES = ("blast", "own kind", "platelet", "unseen")


@pytest.fixture
def images():
    """Every image has one grey of its own; the last class has none, and blasts are two."""
    labels = np.array([2, 1, 2, 0, 1, 2, 0, 1])
    pixels = np.empty((8, 16, 16, 3), dtype=np.uint8)
    pixels[:] = (10 + 30 * np.arange(8))[:, None, None, None]
    ids = [f"cell-{number}" for number in range(8)]
    return CellImages(labels=labels, class_names=NAMES, ids=np.array(ids), pixels=pixels)


@pytest.fixture
def two_each(images):
    return cells_panel(images, data="made-up cells", per_class=2, seed=5)


def test_rows_are_images_of_their_class_in_the_order_of_lineage(images):
    table = cells_table(images, per_class=3, seed=1)
    assert list(table.columns) == list(CELLS_COLUMNS)
    assert list(table["class_name"]) == ["blast"] * 2 + ["platelet"] * 3 + ["own kind"] * 3
    label_of = dict(zip(images.ids.tolist(), images.labels.tolist(), strict=True))
    assert [NAMES[label_of[name]] for name in table["id"]] == list(table["class_name"])
    assert table["id"].is_unique


def test_the_seed_chooses_and_every_image_can_be_chosen(images):
    chosen = [tuple(cells_table(images, seed=seed)["id"]) for seed in range(40)]
    assert chosen[0] == tuple(cells_table(images, seed=0)["id"])
    assert {name for names in chosen for name in names} == set(images.ids)


def test_each_tile_shows_the_image_that_the_table_names(images, two_each):
    tiles = two_each.figure.axes
    assert len(tiles) == len(two_each.table) == 6
    for axes, name in zip(tiles, two_each.table["id"], strict=True):
        shown = axes.images[0].get_array()
        assert (shown == 10 + 30 * int(name.removeprefix("cell-"))).all()


@pytest.mark.parametrize("width", ["single", "double"])
def test_tiles_are_square_of_one_size_and_in_the_places_of_the_table(images, width):
    panel = cells_panel(images, data="x", per_class=2, width=width)
    size = panel.figure.get_size_inches() * 25.4
    boxes = np.array([axes.get_position().bounds for axes in panel.figure.axes]) * np.tile(size, 2)
    np.testing.assert_allclose(boxes[:, 2:], boxes[0, 2])
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 0] + boxes[:, 2] <= size[0]).all()
    order = np.lexsort((boxes[:, 0], -boxes[:, 1].round(6)))
    places = list(zip(panel.table["row"], panel.table["column"], strict=True))
    assert [places[index] for index in order] == sorted(places)
    same_row = np.diff(boxes[order, 0])[np.diff(panel.table["row"].to_numpy()[order]) == 0]
    assert (same_row > boxes[0, 2]).all()


def test_a_class_with_too_few_images_leaves_its_place_empty(images):
    panel = cells_panel(images, data="x", per_class=3, width="double")
    assert list(panel.table["column"]) == [1, 2, 4, 5, 6, 7, 8, 9]
    assert "show all they have" in panel.caption
    assert "One class has no image." in panel.caption


def test_the_caption_says_how_they_were_chosen(two_each):
    for words in ("made-up cells", "2 images of each of 3 classes, of 8 in all", "seed 5, not picked", "not known"):
        assert words in two_each.caption


@pytest.mark.parametrize(("tile_um", "bar"), [(30.0, 10.0), (60.0, 20.0), (12.6, 5.0), (0.9, 0.2)])
def test_the_bar_has_the_length_that_the_caption_says(images, tile_um, bar):
    panel = cells_panel(images, data="x", tile_um=tile_um)
    assert f"Bar: {bar:g} µm." in panel.caption
    for line in panel.figure.axes[0].lines:
        assert np.ptp(line.get_xdata()) * tile_um == pytest.approx(bar)
    assert not any(axes.lines for axes in panel.figure.axes[1:])


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize(("n_classes", "per_class"), [(1, 1), (2, 1), (15, 1), (60, 1), (11, 6)])
def test_names_are_legible_for_any_number_of_classes(n_classes, per_class, width, check_texts):
    names = [f"a rather long name of class {number}" for number in range(n_classes)]
    pixels = np.zeros((n_classes, 8, 8, 3), dtype=np.uint8)
    images = CellImages(labels=np.arange(n_classes), class_names=names, ids=np.array(names), pixels=pixels)
    texts = check_texts(cells_panel(images, data="x", per_class=per_class, width=width).figure)
    assert " ".join(texts) == " ".join(name.capitalize() for name in names)


def test_images_are_read_as_large_as_they_are_printed():
    grid = CellsGrid(n_classes=8, per_class=1, width="double")
    assert grid.n_beside == 8
    assert grid.px / 300 * 25.4 == pytest.approx(grid.tile_mm, abs=0.05)


def test_files_are_the_same_twice_and_hold_their_fonts(images, check_files):
    files = check_files(lambda: cells_panel(images, data="x"))
    assert list(pd.read_csv(files["csv"])["row"]) == [1, 1, 1]


def test_nonsense_is_refused(images):
    with pytest.raises(AliError, match="per_class must be at least 1; got 0"):
        cells_panel(images, data="x", per_class=0)
    with pytest.raises(AliError, match="tile_um must be above 0; got -1"):
        cells_panel(images, data="x", tile_um=-1.0)


def test_real_cells_are_drawn_from_their_files(real_data, check_texts):
    images = open_images(real_data / "pbc_dev", where=("clean_label", "1"))
    panel = cells_panel(images, data="PBC", seed=2)
    check_texts(panel.figure)
    row = int(np.flatnonzero(images.ids == panel.table["id"].iloc[3])[0])
    drawn = panel.figure.axes[3].images[0].get_array()
    np.testing.assert_array_equal(drawn, images.load([row], drawn.shape[0])[0])
