"""The Studio without a browser: clicks and calls reach the session, and every view shows it."""

import dataclasses
import gc
import threading
import weakref
from contextlib import closing
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
from ipywidgets import Textarea
from ipywidgets.widgets.widget import _instances

from ali_core import AliError, LabelledEmbedding, ManualStep, Session, preset
from ali_core.data import CellImages
from ali_viz import Studio
from tests.ali_viz.studio.clouds import cloud
from tests.ali_viz.studio.hands import (
    LYMPHOCYTE,
    alert,
    app,
    chip,
    chips,
    choose,
    control,
    drawn,
    escape,
    fill,
    held,
    inside,
    lasso,
    listed,
    only,
    open_tab,
    picture,
    planned,
    positions,
    press,
    rows_of,
    seen,
    status,
    switch,
    text,
    timeline,
    titles,
    waiting,
)


def test_buttons_and_methods_do_the_same(studio):
    press(studio, "Step")
    assert studio.session.cursor == 1
    studio.step()
    fill(studio, "steps", 4)
    press(studio, "Run 4")
    assert studio.wait(30)
    assert studio.session.cursor == 6
    press(studio, "Undo")
    studio.undo()
    assert studio.session.cursor == 4
    press(studio, "Redo")
    assert studio.session.cursor == 5
    press(studio, "Reset")
    assert studio.session.cursor == 0
    studio.redo()
    assert studio.session.cursor == 1


def test_a_change_of_the_session_from_outside_is_shown(studio):
    studio.session.run(3)
    assert len(timeline(studio).rows[0]["codes"]) == 3
    assert titles(studio)[1] == "After: 3 steps"
    studio.session.settings = preset("c", dim=5)
    assert control(studio, "preset").value == "c"
    assert control(studio, "shift λs").value == 0.0


def test_a_slider_changes_the_session_only_and_all_else_follows(studio):
    control(studio, "contract λc").value = 0.25
    assert studio.session.settings.contract == 0.25
    assert control(studio, "preset").value == "custom"
    control(studio, "preset").value = "c,r"
    assert studio.session.settings == preset("c,r", dim=5)


def test_manual_steps_move_the_selected_classes(studio):
    choose(studio, "Manual")
    assert seen(studio, "away from")
    assert not seen(studio, "criterion Ω")
    chip(studio, 1)
    chip(studio, 3)
    assert studio.selected == ("monocyte", "platelet")
    press(studio, "Apply to selected classes")
    step = studio.session.steps[-1]
    assert (step.source, step.classes, step.contract, step.shift) == ("manual", (1, 3), 0.5, 4.0)
    fill(studio, "away from", "chosen")
    press(studio, "Apply to selected classes")
    assert "no class to move away from is chosen" in alert(studio)
    fill(studio, "classes", (0,))
    press(studio, "Apply to selected classes")
    assert studio.session.steps[-1].neighbours == ((0,), (0,))


def test_apply_selection_is_the_manual_step_of_the_session(studio):
    other = Session(studio.session.embedding, studio.session.settings)
    studio.select(["lymphocyte"])
    studio.apply_selection(away_from=["blast"], contract=0.3, shift=0.0)
    other.apply(ManualStep(classes=("lymphocyte",), away_from=("blast",), contract=0.3, shift=0.0))
    assert np.array_equal(studio.session.after.vectors, other.after.vectors)


def test_automatic_and_manual_steps_are_one_list(studio):
    studio.step()
    studio.select("blast")
    studio.apply_selection()
    studio.run(2)
    assert [step.source for step in studio.session.steps] == ["automatic", "manual", "automatic", "automatic"]


def test_lasso_and_legend_select(studio):
    lasso(studio, rows_of(studio, LYMPHOCYTE)[:12])
    assert studio.selected == ("lymphocyte",)
    assert "12 points" in status(studio)
    chip(studio, 0)
    assert studio.selected == ("lymphocyte", "blast")
    chip(studio, 2)
    assert studio.selected == ("blast",)
    assert chips(studio).selected == [0]
    press(studio, "Clear selection")
    assert studio.selected == ()


def test_what_cannot_be_done_is_said_and_nothing_changes(studio):
    press(studio, "Apply to selected classes")
    assert "no class is selected" in alert(studio)
    assert studio.session.cursor == 0
    studio.select("blast")
    control(studio, "contract λc").value = 0.0
    control(studio, "shift λs").value = 0.0
    press(studio, "Apply to selected classes")
    assert "all are 0" in alert(studio)
    press(studio, "Step")
    assert alert(studio) == ""
    with pytest.raises(AliError, match="no step to redo"):
        studio.redo()
    with pytest.raises(AliError, match="no class is called"):
        studio.select(["nobody"])


def test_an_unexpected_failure_is_said_too(studio, monkeypatch):
    monkeypatch.setattr(studio.session, "step", lambda: 1 / 0)
    press(studio, "Step")
    assert "step failed (ZeroDivisionError" in alert(studio)


def test_views_switch_and_never_block(studio):
    studio.step()
    choose(studio, "Supervised t-SNE")
    assert studio.view == "supervised_tsne"
    assert "never score it" in text(studio)
    press(studio, "Step")
    assert studio.session.cursor == 2
    assert studio.wait(60)
    assert not waiting(studio)
    fill(studio, "shuffled labels", True)
    assert studio.view == "shuffled_tsne"
    assert "uses shuffled labels: what is separate here is made by the method" in text(studio)
    studio.set_view("dims")
    assert switch(studio, "PCA").value == "dims"
    assert "shuffled labels: what" not in text(studio)
    with pytest.raises(AliError, match="view must be one of"):
        studio.set_view("umap")


def test_a_picture_that_is_not_there_yet_says_so_and_is_not_exported(studio, tmp_path):
    with held(studio):  # nothing is shown as there before this block ends
        studio.set_view("tsne")
        assert waiting(studio)
        with pytest.raises(AliError, match="still being laid out"):
            studio.export(tmp_path)
        assert list(tmp_path.iterdir()) == []
    assert studio.wait(60)
    assert "laid out" not in titles(studio)[0]


def test_a_cancelled_layout_says_so_and_is_begun_again_when_asked_for(studio):
    with held(studio):
        choose(studio, "Supervised t-SNE")
        press(studio, "Cancel")
    assert studio.wait(60)
    assert (studio.view, switch(studio, "PCA").value) == ("pca", "pca")
    assert "Supervised t-SNE was cancelled; choose it again" in status(studio)
    choose(studio, "Supervised t-SNE")
    assert studio.wait(60)
    assert studio.view == "supervised_tsne"
    assert not waiting(studio)


def test_a_failed_layout_is_said_and_another_view_shown(studio, monkeypatch):
    monkeypatch.setattr("ali_viz.app.layouts.layout", lambda *_, **__: 1 / 0)
    studio.set_view("tsne")
    assert studio.wait(30)
    assert studio.view == "pca"
    assert "failed (ZeroDivisionError" in alert(studio)
    studio.set_view("dims")


def test_what_fails_in_the_background_is_raised_by_the_call(studio, monkeypatch):
    def broken(*_, **__):
        raise AliError("the embedding cannot be divided")

    monkeypatch.setattr("ali_core.experiments.session_scorer.SessionScorer.scores", broken)
    with pytest.raises(AliError, match="cannot be divided"):
        studio.score()
    assert "cannot be divided" in alert(studio)
    assert not control(studio, "Step").disabled


def test_the_left_side_can_be_the_previous_step(studio):
    studio.run(2)
    choose(studio, "previous step")
    assert studio.comparison == "previous"
    assert titles(studio)[0] == "Before: 1 step"


def test_the_next_step_is_shown_before_it_is_taken(studio):
    codes, centers = planned(studio)
    assert codes == studio.session.propose().step.classes
    studio.step()
    mine = drawn(studio).labels == codes[0]
    assert np.allclose(positions(studio, 1)[mine].mean(axis=0), centers[0], atol=1e-5)
    control(studio, "next step").value = False
    assert planned(studio) == ((), None)


def test_lassos_replace_add_and_remove(studio):
    lasso(studio, np.array([74, 75]))
    lasso(studio, np.array([1]), "add")
    assert studio.selected == ("lymphocyte", "blast")
    assert studio.selected_ids.tolist() == studio.session.embedding.sample_names[[1, 74, 75]].tolist()
    lasso(studio, np.array([74, 75]), "remove")
    assert studio.selected == ("blast",)
    escape(studio)
    assert studio.selected == ()
    assert len(studio.selected_ids) == 0


def test_a_dragged_class_goes_to_the_place(studio):
    studio.set_mode("manual")
    studio.drag("blast", (2.0, -1.0))
    assert np.allclose(planned(studio)[1], [[2.0, -1.0]], atol=0.05)
    step = studio.apply_selection()
    assert (step.rotate, step.shift) == (0.0, 0.0)
    assert len(step.displacement) == 5
    assert control(studio, "Undrag").disabled


def test_run_until_ends_when_the_goal_is_reached(studio):
    from ali_core.interventions import crowding

    now = crowding(studio.session.statistics)
    taken = studio.run_until("crowding", 0.8 * now, most=50)
    assert 0 < taken <= 50
    assert crowding(studio.session.statistics) <= 0.8 * now
    assert studio.run_until("crowding", 0.8 * now) == 0
    assert "reached after 0 steps" in status(studio)
    for arguments, message in (
        (("happiness", 1.0, 9), "goal must be one of"),
        (("crowding", np.nan, 9), "value must be a finite number"),
        (("crowding", 0.1, -3), "most must be at least 0"),
    ):
        with pytest.raises(AliError, match=message):
            studio.run_until(*arguments[:2], most=arguments[2])
    assert studio.session.cursor == taken


def test_steps_are_skipped_and_lines_kept(studio):
    studio.run(3)
    moved = studio.session.after.vectors
    studio.toggle(2)
    assert not np.array_equal(studio.session.after.vectors, moved)
    studio.toggle(2)
    assert np.array_equal(studio.session.after.vectors, moved)
    studio.go_to(1)
    studio.select("blast")
    studio.apply_selection()
    assert len(studio.session.branches) == 2
    studio.rename_branch("by hand")
    studio.switch("main")
    assert np.array_equal(studio.session.after.vectors, moved)
    assert [row["name"] for row in timeline(studio).rows] == ["main", "by hand"]


def test_scores_fill_the_tabs(studio):
    studio.run(2)
    scores = studio.score()
    assert scores.n_steps == 2
    for name, words in (("Effect", "untouched"), ("Confusion", "Untouched, macro F1")):
        open_tab(studio, name)
        assert words in text(studio)
    open_tab(studio, "Code")
    assert "session.run(2)" in only([one for one in inside(app(studio)) if isinstance(one, Textarea)], "code").value


def test_scores_are_shown_for_the_steps_that_were_scored_and_no_others(studio):
    open_tab(studio, "Effect")
    studio.run(2)
    scores = studio.score()
    told = f"predicted after 2 steps {scores.transfer.macro_f1:.3f} ("
    assert told in text(studio)
    studio.step()
    assert "has not been scored" in text(studio)
    studio.reset()
    studio.select("blast")
    studio.apply_selection(contract=1.0, shift=0.0)
    studio.apply_selection(contract=1.0, shift=0.0)
    assert "has not been scored" in text(studio)
    studio.switch("main")
    studio.go_to(2)
    assert told in text(studio)


def test_scores_are_written_where_they_are_known(studio, tmp_path, monkeypatch):
    from ali_viz import screen_export

    monkeypatch.setattr(screen_export, "screen_panel", Mock(return_value=Mock(save=lambda *_: [])))
    monkeypatch.setattr(screen_export, "page_caption", lambda *_, **__: "")
    monkeypatch.setattr(screen_export, "write_page", lambda *_, **__: tmp_path)
    monkeypatch.setattr(screen_export, "step_panel", Mock(return_value=Mock(save=lambda *_: [])))
    studio.run(2)
    scores = studio.score()
    assert tmp_path / "scores.csv" in studio.export(tmp_path)
    table = pd.read_csv(tmp_path / "scores.csv")
    assert len(table) == 3 * 5
    for state in ("untouched", "transfer", "oracle"):
        expected = getattr(scores, state)
        mine = table[table["state"] == state]
        assert mine[mine["measure"] == "macro_f1"]["value"].item() == expected.macro_f1
        assert np.array_equal(mine[mine["measure"] == "f1"]["value"], expected.class_f1)
        assert all(words in mine["meaning"].iloc[0] for words in scores.words)
    assert "never a result" in table[table["state"] == "oracle"]["meaning"].iloc[0]
    studio.step()
    studio.export(tmp_path)
    assert not (tmp_path / "scores.csv").exists()
    for kind in ("csv", "pdf", "png", "svg", "txt", "docx"):
        (tmp_path / f"fig3.{kind}").touch()
    studio.reset()
    studio.export(tmp_path)
    assert [path.name for path in tmp_path.glob("fig3.*")] == ["fig3.docx"]  # none of steps that are no more


def test_cells_are_listed_and_found(studio):
    open_tab(studio, "Cells")
    studio.select("blast")
    ids = studio.session.embedding.sample_names[studio.session.embedding.labels == 0].tolist()
    assert listed(studio)[:3] == ids[:3]
    studio.find(ids[2])
    assert studio.selected == ("blast",)
    assert drawn(studio).marked == 2
    with pytest.raises(AliError, match="no sample is called"):
        studio.find("nobody")


def test_export_writes_what_is_on_screen_and_is_told(studio, tmp_path):
    studio.run(2)
    studio.drag("blast", (0.5, 0.5))
    studio.apply_selection()
    control(studio, "folder").value = str(tmp_path / "out")
    press(studio, "Export")
    assert studio.wait(60)
    assert status(studio).startswith("Wrote ")
    assert "(fig3 explains step 2: what is dragged" in status(studio)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    panels = {f"{panel}.{kind}" for panel in ("screen", "fig3") for kind in ("pdf", "svg", "png", "csv", "txt")}
    assert names == panels | {
        *("screen.npz", "selection.csv", "session.json", "steps.csv", "steps.py"),
        *("embedding.npz", "after.npz", "embedding.html"),
    }
    with np.load(tmp_path / "out" / "screen.npz") as arrays:
        assert np.array_equal(arrays["positions_2"], positions(studio, 1))
    blasts = studio.session.embedding.sample_names[studio.session.embedding.labels == 0]
    selected = (tmp_path / "out" / "selection.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in selected] == blasts.tolist()
    replayed = Session.load(tmp_path / "out" / "session.json", studio.session.embedding)
    assert np.array_equal(replayed.after.vectors, studio.session.after.vectors)
    told = {}
    exec((tmp_path / "out" / "steps.py").read_text(), told)  # it loads the embedding that lies beside it
    assert np.array_equal(told["session"].after.vectors, studio.session.after.vectors)
    control(studio, "folder").value = " "
    press(studio, "Export")
    assert "folder is empty" in alert(studio)


def test_a_second_export_lies_beside_the_first(studio, tmp_path):
    studio.save(tmp_path / "saved")
    before = (tmp_path / "saved" / "session.json").read_text()
    control(studio, "folder").value = str(tmp_path / "saved")
    for number in (2, 3):
        studio.step()
        press(studio, "Export")
        assert studio.wait(60)
        assert f"to {tmp_path / f'saved-{number}'}" in status(studio)
    assert (tmp_path / "saved" / "session.json").read_text() == before
    assert [path.name for path in (tmp_path / "saved").iterdir()] == ["session.json"]
    for number, steps in ((2, 1), (3, 2)):
        assert len(pd.read_csv(tmp_path / f"saved-{number}" / "steps.csv")) == steps


@pytest.mark.parametrize("name", [".", "..", "new/.."])
def test_an_export_beside_the_working_folder_is_refused(studio, tmp_path, monkeypatch, name):
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path)
    control(studio, "folder").value = name
    press(studio, "Export")
    assert "is the working folder, or holds it; type the name of a folder of its own" in alert(studio)
    assert sorted(path.name for path in tmp_path.parent.glob(f"{tmp_path.name}*")) == [tmp_path.name]


def test_a_dragged_step_has_no_figure_of_its_neighbours(studio, tmp_path):
    from ali_viz.panels import step_geometry

    studio.drag("blast", (2.0, -1.0))
    studio.apply_selection()
    with pytest.raises(AliError, match="step 1 drags a class"):
        step_geometry(studio.session, 1)
    names = {path.name for path in studio.export(tmp_path)}
    assert "screen.pdf" in names
    assert "fig3.pdf" not in names
    studio.step()
    assert "fig3.pdf" in {path.name for path in studio.export(tmp_path)}
    studio.toggle(2)
    with pytest.raises(AliError, match="step 2 is skipped"):
        step_geometry(studio.session, 2)


def test_a_saved_session_is_opened_again(studio, tmp_path):
    studio.run(3)
    moved = studio.session.after.vectors
    control(studio, "folder").value = str(tmp_path)
    press(studio, "Save session")
    studio.reset()
    studio.step()
    press(studio, "Open session")
    assert np.array_equal(studio.session.after.vectors, moved)
    other = Session(cloud(counts=(30, 30)))
    other.save(tmp_path / "session.json")
    press(studio, "Open session")
    assert "recorded on another embedding" in alert(studio)
    assert np.array_equal(studio.session.after.vectors, moved)


def test_opening_a_session_keeps_the_steps_that_are_not_saved(studio, tmp_path):
    session = studio.session
    other = Session(session.embedding, session.settings)
    other.run(2)
    other.save(tmp_path / "session.json")
    studio.select(["monocyte"])
    own = studio.apply_selection(contract=0.3)
    studio.open(tmp_path)
    assert studio.session is session
    assert session.steps == other.steps
    studio.switch(session.branches[0])
    assert session.steps == (own,)


def test_clicks_and_calls_from_two_threads_lose_no_step(studio):
    threads = [
        threading.Thread(target=lambda act=act: [act() for _ in range(15)])
        for act in (studio.step, control(studio, "Step").click)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert studio.session.cursor == 30
    assert titles(studio)[1] == "After: 30 steps"
    assert alert(studio) == ""


def test_two_studios_on_one_session_show_the_same(studio):
    other = Studio(studio.session)
    press(other, "Step")
    assert timeline(studio).rows == timeline(other).rows
    other.close()
    studio.step()
    assert studio.session.cursor == 2


def test_a_notebook_cell_shows_the_app(studio):
    bundle = studio._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in (bundle[0] if isinstance(bundle, tuple) else bundle)


def test_a_closed_studio_leaves_nothing_behind():
    gc.collect()
    before = set(_instances)
    session = Session(cloud())
    studio = Studio(session)
    figure = weakref.ref(picture(studio))
    studio.step()
    studio.close()
    del studio
    gc.collect()
    assert figure() is None
    assert not session._listeners
    assert set(_instances) <= before
    session.step()


def test_metadata_colour_the_points_and_travel_with_the_selection(tmp_path):
    embedding = dataclasses.replace(
        cloud(),
        ids=np.arange(100).astype(str),
        groups=np.repeat(["p1", "p2"], 50),
        metadata=pd.DataFrame({"stain": np.arange(100) % 2 * 1.5, "slide": ["a", "b"] * 50}),
    )
    images = CellImages(
        labels=embedding.labels,
        class_names=embedding.class_names,
        ids=embedding.ids,
        pixels=np.zeros((100, 1, 1, 3), np.uint8),
        metadata=pd.DataFrame({"slide": ["x", "y"] * 50, "scanner": ["s", "t"] * 50}),
    )
    studio = Studio(embedding, images=images, colours={"blast": "#123456"})
    assert chips(studio).entries[0]["colour"] == "#123456"
    assert studio.session.embedding.colours == {"blast": "#123456"}  # so that figures have it, too
    fill(studio, "colour", "slide")
    assert [entry["label"] for entry in chips(studio).entries] == ["a", "b"]
    assert drawn(studio).colouring.title == "slide"
    fill(studio, "colour", "scanner")
    assert [entry["label"] for entry in chips(studio).entries] == ["s", "t"]
    fill(studio, "colour", "stain")
    assert drawn(studio).colouring.range == (0.0, 1.5)
    studio.colour_by("group")
    assert [entry["label"] for entry in chips(studio).entries] == ["p1", "p2"]
    fill(studio, "colour", "")
    assert drawn(studio).colouring is None
    studio.close()
    for colours, words in (({"nobody": "#123456"}, "no class is called 'nobody'"), ({"blast": "red"}, "#rrggbb")):
        with pytest.raises(AliError, match=words):
            Studio(embedding, colours=colours)


def test_without_columns_a_colour_is_refused_with_the_remedy(studio):
    control(studio, "colour").options = [("by class", ""), ("slide", "slide")]
    fill(studio, "colour", "slide")
    assert "there is no column to colour by; got 'slide'; give the samples a group or metadata" in alert(studio)


def test_a_view_that_fails_reaches_nobody_and_keeps_no_other_from_showing(studio, caplog):
    class Broken:
        def update(self, scene):
            raise RuntimeError("no ink")

    studio._actions.views = (Broken(), *studio._actions.views)
    step = studio.step()
    assert step.classes == tuple(timeline(studio).rows[0]["codes"])
    assert "no ink" in caplog.text


def test_an_order_that_somebody_chose_is_that_of_the_legend():
    labels = np.repeat(["low", "middle", "high"], 20)
    places = {"low": 0.0, "middle": 10.0, "high": 4.0}  # by distance, high would stand between the two
    vectors = np.array([[places[name], 0.0] for name in labels]) + np.random.default_rng(0).normal(size=(60, 2))
    with closing(Studio(LabelledEmbedding(vectors, labels, ("low", "middle", "high")))) as studio:
        assert [entry["label"] for entry in chips(studio).entries] == ["Low", "Middle", "High"]
