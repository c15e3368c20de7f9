"""Samples without a class in the Studio: seen, counted and chosen as samples, and never moved."""

from dataclasses import replace

import numpy as np
import pytest

from ali_core import Session, preset
from ali_viz import Studio
from ali_viz.screen_export import selection_table
from ali_viz.theme import UNLABELLED
from tests.ali_viz.studio.clouds import cloud
from tests.ali_viz.studio.hands import (
    MONOCYTE,
    chips,
    control,
    drawn,
    ids_of,
    lasso,
    listed,
    open_tab,
    picture,
    point,
    positions,
    rows_of,
    status,
)

BARE = np.arange(0, 100, 9)  # 12 samples lose their class: 5 blasts, 3 monocytes, 2 lymphocytes, 2 platelets
COUNTS = [35, 27, 18, 8]


@pytest.fixture
def studio():
    full = cloud()
    labels = full.labels.copy()
    labels[BARE] = -1
    session = Session(replace(full, labels=labels, unlabelled="keep"), preset("c,s", dim=5))
    studio = Studio(session, max_tsne_points=60)
    yield studio
    studio.close()


def test_they_are_drawn_first_in_grey_and_counted(studio):
    counts = picture(studio)._packed.cloud.counts
    bare = picture(studio)._classes[-1]
    chip = chips(studio).entries[-1]
    assert (counts.tolist(), len(drawn(studio).rows)) == ([*COUNTS, len(BARE)], 100)
    assert picture(studio)._order == [4, 0, 1, 2, 3]
    assert (bare["colour"], bare["named"]) == (UNLABELLED.colour, False)
    assert all(one["named"] for one in picture(studio)._classes[:-1])
    assert (chip["label"], chip["count"], "code" in chip) == ("Unlabelled", "12", False)


@pytest.mark.parametrize("view", ["pca", "discriminant", "tsne"])
def test_steps_move_none_of_them(studio, view):
    studio.set_view(view)
    assert studio.wait(60)
    studio.run(3)
    assert studio.wait(60)
    before, after = (positions(studio, side) for side in (0, 1))
    bare = np.isin(drawn(studio).rows, BARE)
    assert bare.any()
    assert np.isfinite(before).all()
    assert not np.allclose(before[~bare], after[~bare])
    if view != "tsne":  # which sets every sample anew among its neighbours
        np.testing.assert_array_equal(before[bare], after[bare])


def test_in_a_plane_they_are_where_the_plane_of_the_classes_has_them(studio):
    vectors = studio.session.embedding.vectors.astype(np.float64)
    known = np.delete(vectors, BARE, axis=0)
    axes = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)[2][:2]
    expected = (vectors[BARE] - known.mean(axis=0)) @ axes.T
    found = positions(studio, 0)[BARE]
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)


def test_a_lasso_selects_them_as_samples(studio):
    lasso(studio, BARE)
    assert (studio.selected, studio.selected_ids.tolist()) == ((), ids_of(studio, BARE))
    assert "12 without a class" in status(studio)
    open_tab(studio, "Cells")
    assert set(listed(studio)) == set(ids_of(studio, BARE))
    table = selection_table(studio._actions.shown)
    assert table["class"].tolist() == [""] * 12
    np.testing.assert_allclose(table["x 1"], positions(studio, 0)[BARE, 0])
    open_tab(studio, "Step")
    monocytes = rows_of(studio, MONOCYTE)
    lasso(studio, monocytes, "add")
    assert (studio.selected, len(studio.selected_ids)) == (("monocyte",), 39)
    lasso(studio, monocytes, "remove")
    assert (studio.selected, len(studio.selected_ids)) == ((), 12)
    assert not control(studio, "Clear selection").disabled
    lasso(studio, BARE, "remove")
    assert "Nothing is selected" in status(studio)
    assert control(studio, "Clear selection").disabled


def test_a_click_on_one_selects_no_class(studio):
    studio.select(["blast"])
    point(studio, int(BARE[0]))
    assert studio.selected == ("blast",)
    studio.find(ids_of(studio, BARE[:1])[0])
    assert (studio.selected, drawn(studio).marked) == (("blast",), BARE[0])
