"""What is exported from the screen says of how many samples, which steps and which settings it is."""

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from ali_core import LabelledEmbedding, Session
from ali_viz import screen_export
from ali_viz.app.layouts import Layouts
from ali_viz.app.presenter import draw
from ali_viz.app.state import AppState, Scene
from ali_viz.picture import colouring
from ali_viz.screen_export import export_screen, screen_panel, selection_table


@pytest.fixture(scope="module")
def session():
    rng = np.random.default_rng(0)
    labels = np.repeat(["blast", "monocyte", "lymphocyte"], 400)
    session = Session(LabelledEmbedding(rng.normal(size=(1200, 4)) + 3 * (labels == "blast")[:, None], labels))
    session.run(3)
    session.toggle(2)
    return session


def drawing_of(session, view, seed=0):
    layouts = Layouts(session, max_points=300, max_tsne_points=30, seed=seed)
    draw(session, layouts, view)
    assert layouts.wait(30)
    drawing = draw(session, layouts, view)
    layouts.close()
    return drawing


def scene_of(session, drawing, **looked):
    state = AppState(view=drawing.view, **looked)
    return Scene(state=state, session=session, last=None, drawing=drawing, planned=None, proposal=None)


@pytest.fixture(scope="module")
def drawing(session):
    return drawing_of(session, "pca")


@pytest.fixture(scope="module")
def folder(session, drawing, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    export_screen(scene_of(session, drawing), folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    """What a reader of the page sees beside the figure: caption and heading of the steps."""
    text = (folder / "embedding.html").read_text(encoding="utf-8")
    found = re.search(r"<pre>(.*?)</pre>\s*<details><summary>(.*?)</summary>", text, flags=re.DOTALL)
    return [unescape(part) for part in found.groups()]


def test_captions_count_all_samples_and_those_drawn(drawing, folder, page):
    n_drawn = len(drawing.rows)
    assert n_drawn < 400
    for text in ((folder / "screen.txt").read_text("utf-8"), (folder / "fig3.txt").read_text("utf-8"), page[0]):
        assert text.count(f"1,200 samples of 3 classes, {n_drawn} of them drawn") == 1
        assert "labels of all 1,200 samples." in text


def test_skipped_steps_are_not_counted_as_in_force(folder, page):
    for text in ((folder / "screen.txt").read_text("utf-8"), page[0]):
        assert "2 steps, 1 skipped" in text
    assert page[1] == "2 interventions, 1 skipped"


def test_the_page_speaks_only_of_what_is_on_it(folder, page):
    printed = (folder / "screen.txt").read_text("utf-8")
    for words in ("Numbers 1 to 3 mark", "Rows: ", "The legend counts"):
        assert words in printed
        assert words not in page[0]


def test_only_t_sne_is_said_to_be_aligned_and_with_which_settings(session, drawing):
    tsne = screen_panel(drawing_of(session, "tsne", seed=7), session.embedding, seed=7)
    assert "openTSNE, perplexity 30, seed 7; every layout starts from" in tsne.caption
    assert "layout" not in screen_panel(drawing, session.embedding).caption


def test_selected_samples_are_told_with_where_they_are_in_each_picture(session, drawing):
    rows = np.array([3, 500, *drawing.rows[:2]])
    table = selection_table(scene_of(session, drawing, lassoed=rows))
    assert table["id"].tolist() == session.embedding.sample_names[rows].tolist()
    assert table["class"].tolist() == [session.embedding.class_names[session.embedding.labels[row]] for row in rows]
    assert table["state 2"].unique().tolist() == ["After: 2 steps, 1 skipped"]
    for side in (1, 2):
        places = drawing.places[side - 1].positions(drawing.labels)
        for at, row in enumerate(rows):
            found = np.flatnonzero(drawing.rows == row)
            expected = places[found[0]] if len(found) else [np.nan, np.nan]
            np.testing.assert_allclose(table.loc[at, [f"x {side}", f"y {side}"]].to_numpy(float), expected)


def test_of_many_samples_a_part_is_printed_and_all_positions_are_kept(session, drawing, tmp_path, monkeypatch):
    monkeypatch.setattr(screen_export, "MAX_DRAWN", 60)
    export_screen(scene_of(session, drawing), tmp_path)
    with np.load(tmp_path / "screen.npz") as whole:
        place_of = dict(zip(whole["ids"].tolist(), whole["positions_2"], strict=True))
    assert len(place_of) == len(drawing.rows)
    table = pd.read_csv(tmp_path / "screen.csv", dtype={"id": str})
    after = table[table["state"] == drawing.titles[1]]
    assert len(after) == 60
    assert after["class_name"].value_counts().to_dict() == {"blast": 20, "monocyte": 20, "lymphocyte": 20}
    np.testing.assert_allclose(after[["x", "y"]], [place_of[name] for name in after["id"]])
    for name in ("screen.txt", "fig3.txt"):
        assert "1,200 samples of 3 classes, 60 of them drawn" in (tmp_path / name).read_text("utf-8")


@pytest.mark.parametrize("lassoed", [None, np.arange(0, 600, 2)], ids=["class", "lasso"])
def test_on_the_sheet_as_on_screen_what_is_not_selected_is_faint(session, drawing, lassoed):
    state = AppState(view="pca", selected=(0,), lassoed=lassoed)
    panel = screen_panel(drawing, session.embedding, state)
    chosen = np.flatnonzero(session.embedding.labels == 0) if lassoed is None else lassoed
    assert panel.table["selected"].tolist() == 2 * np.isin(drawing.rows, chosen).tolist()
    axes = [axes for axes in panel.figure.axes if axes.collections]
    assert len(axes) == 2
    for one in axes:
        opacities = np.concatenate(
            [points.get_facecolor()[:, 3] * np.ones(len(points.get_offsets())) for points in one.collections]
        )
        strong = opacities > 0.5 * opacities.max()
        assert strong.sum() == np.isin(drawing.rows, chosen).sum()
        assert opacities[~strong].max() < 0.2 * opacities[strong].min()
    assert "not selected are faint" in panel.caption
    everything = screen_panel(drawing, session.embedding, AppState(view="pca"))
    assert "selected" not in everything.table
    assert "faint" not in everything.caption


def test_hollow_marks_that_are_not_selected_are_faint_too(rng):
    session = Session(LabelledEmbedding(rng.normal(size=(40, 4)), np.tile(["blast", "own"], 20)))
    panel = screen_panel(drawing_of(session, "pca"), session.embedding, AppState(view="pca", selected=(0,)))
    faint, strong = next(
        axes for axes in panel.figure.axes if axes.collections
    ).collections  # the selected class on top
    assert faint.get_edgecolor()[:, 3].max() < 0.2 * strong.get_facecolor()[:, 3].min()
    assert len(faint.get_facecolor()) == 0


@pytest.mark.parametrize("column", ["donor", "age"])
def test_the_sheet_has_the_colours_of_the_screen_and_says_what_they_mean(session, drawing, column):
    n = len(session.embedding)
    values = np.array([f"d{k % 3}" for k in range(n)]) if column == "donor" else np.linspace(20.0, 80.0, n)
    found = colouring(column, values)
    panel = screen_panel(drawing, session.embedding, AppState(view="pca", colouring=found))
    expected = [f"#{found.palette[found.tints[row], :3].tobytes().hex()}" for row in drawing.rows]
    for _, rows in panel.table.groupby("state"):
        assert rows["colour"].tolist() == expected
    points = {
        to_hex(colour) for axes in panel.figure.axes for one in axes.collections for colour in one.get_facecolor()
    }
    assert points == set(expected)
    written = " ".join(one.get_text() for one in panel.figure.findobj(Text))
    for words in (f"Colour: {column}", *(("d0", "d1", "d2") if column == "donor" else ("20", "80"))):
        assert words in written
    assert f"Colours show {column}, shapes the classes." in panel.caption
