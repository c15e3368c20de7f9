"""Exported files hold what was drawn, and the page fetches nothing."""

import re

import numpy as np
import pandas as pd
import pytest

from ali_core import AliError, LabelledEmbedding, ManualStep, Session
from ali_viz import export
from ali_viz.export import export_panels, export_session
from ali_viz.offline import OFFLINE
from ali_viz.page import page_figure
from ali_viz.panels import TrainedEpoch, state_table


@pytest.fixture
def session(rng):
    labels = np.repeat(["blast", "monocyte", "lymphocyte"], [14, 9, 17])
    vectors = rng.normal(size=(40, 4)) + 3 * (labels == "blast")[:, None]
    session = Session(LabelledEmbedding(vectors, labels))
    session.run(2)
    session.apply(ManualStep(classes=("monocyte",), contract=0.4, shift=1.0))
    return session


def test_the_files_hold_the_numbers_of_the_session(session, tmp_path):
    heard = []
    paths = export_session(session, tmp_path, report=heard.append)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    again = Session.load(tmp_path / "session.json", LabelledEmbedding.load(tmp_path / "embedding.npz"))
    np.testing.assert_array_equal(again.after.vectors, session.after.vectors)
    np.testing.assert_array_equal(LabelledEmbedding.load(tmp_path / "after.npz").vectors, session.after.vectors)
    steps = pd.read_csv(tmp_path / "steps.csv")
    assert steps["source"].tolist() == ["automatic", "automatic", "manual"]
    drawn = pd.read_csv(tmp_path / "fig6.csv")
    first = drawn[(drawn["view"] == "dims") & (drawn["state"] == "Before")]
    np.testing.assert_allclose(first[["x", "y"]], session.before.vectors[:, :2])
    last = drawn[(drawn["view"] == "dims") & (drawn["state"] == "After 3 interventions")]
    np.testing.assert_allclose(last[["x", "y"]], session.after.vectors[:, :2])
    assert heard == ["laying out 40 samples before and after"]


def test_large_embeddings_are_drawn_in_part_and_say_so(session, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "MAX_DRAWN", 30)
    export_panels(session, tmp_path, views=("dims",))
    drawn = pd.read_csv(tmp_path / "fig6.csv")
    assert len(drawn) < 2 * 35
    assert set(drawn["class_name"]) == {"blast", "monocyte", "lymphocyte"}
    n_drawn = drawn["id"].nunique()
    for name in ("fig3.txt", "fig6.txt"):
        assert f"40 samples of 3 classes, {n_drawn} of them drawn" in (tmp_path / name).read_text()


def test_skipped_interventions_are_not_counted_as_in_force(session, tmp_path):
    session.toggle(2)
    export_session(session, tmp_path, views=("dims",))
    assert "After 2 interventions, 1 skipped" in set(pd.read_csv(tmp_path / "fig6.csv")["state"])
    page = (tmp_path / "embedding.html").read_text()
    assert "<summary>2 interventions, 1 skipped</summary>" in page
    assert "Numbers 1 to 3" not in page


def test_without_steps_there_is_no_step_to_explain(rng, tmp_path):
    session = Session(LabelledEmbedding(rng.normal(size=(20, 3)), [0, 1] * 10))
    names = {path.name for path in export_panels(session, tmp_path, views=("dims",))}
    assert "fig3.pdf" not in names
    with pytest.raises(AliError, match="5"):
        export_panels(session, tmp_path, step=5, views=("dims",))


def test_the_page_is_alone_and_sends_nothing(session, tmp_path):
    export_session(session, tmp_path, views=("dims", "pca"))
    page = (tmp_path / "embedding.html").read_text()
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    assert '"showSendToCloud": false' in page
    assert "cloud.plotly.com" not in page.split("Plotly.newPlot")[-1]
    assert session.describe(session.steps[-1]) in page
    assert OFFLINE == {"showSendToCloud": False, "plotlyServerURL": "", "displaylogo": False}


def test_no_name_in_the_data_is_a_script_of_the_page(tmp_path):
    evil = "</script><script>alert(1)</script>"
    vectors = np.random.default_rng(0).normal(size=(12, 3))
    embedding = LabelledEmbedding(
        vectors, [evil, "b", "c"] * 4, ids=[f"{evil}{row}" for row in range(12)], description=evil
    )
    session = Session(embedding)
    session.step()
    export_session(session, tmp_path, views=("dims",))
    page = (tmp_path / "embedding.html").read_text()
    assert "alert(1)" in page  # the names are there
    assert "<script>alert" not in page
    assert page.count("</script>") == page.count("<script>") == 2


def test_the_page_shows_one_view_at_a_time_on_shared_axes(session):
    table = state_table({"Before": session.before, "After": session.after}, ("dims", "pca"))
    figure = page_figure(table)
    assert len(figure.data) == 2 * 2 * 3
    assert sum(trace.visible for trace in figure.data) == 6
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    for button in figure.layout.updatemenus[0].buttons:
        assert sum(button.args[0]["visible"]) == 6
    assert {trace.name for trace in figure.data if trace.showlegend} == {"Blast", "Monocyte", "Lymphocyte"}


def test_the_axes_of_the_page_are_named_and_numbered_where_they_have_a_unit(session):
    table = state_table({"Before": session.before, "After": session.after}, ("dims",))
    figure = page_figure(pd.concat([table, table.assign(view="tsne")]))
    dims, tsne = (button.args[1] for button in figure.layout.updatemenus[0].buttons)
    for frame, name, numbered in ((dims, "Dimension", True), (tsne, "t-SNE", False)):
        axes = ("xaxis", "xaxis2", "yaxis", "yaxis2")
        assert [frame[f"{axis}.title"]["text"] for axis in axes] == [f"{name} 1", f"{name} 1", f"{name} 2", ""]
        assert all(frame[f"{axis}.showticklabels"] is numbered for axis in axes)
    assert figure.layout.xaxis2.title.text == "Dimension 1"


def test_an_epoch_of_training_takes_fig_6_and_leaves_the_page_to_the_session(session, tmp_path, rng):
    labels = np.repeat([0, 1], [8, 6])
    other = Session(LabelledEmbedding(rng.normal(size=(14, 4)), labels, ids=[f"t{k}" for k in range(14)]))
    other.run(1)
    trained = TrainedEpoch(session=other, following=other.before, epoch=3, data="others")
    heard = []
    export_session(session, tmp_path, views=("dims",), trained=trained, report=heard.append)
    drawn = pd.read_csv(tmp_path / "fig6.csv")
    assert drawn.groupby("state", sort=False).size().to_dict() == {
        "Before": 14,
        "After 1 intervention": 14,
        "After one more epoch": 14,
    }
    assert set(drawn["id"]) == set(other.before.ids)
    assert "After 3 interventions" in (tmp_path / "embedding.html").read_text()
    assert heard == [
        "laying out 40 samples before and after",
        "laying out 14 samples before, after, and after one more epoch",
    ]


@pytest.mark.browser
def test_the_page_draws_its_points_with_webgl_and_without(session, tmp_path, chromium):
    export_session(session, tmp_path, views=("dims",))
    without = "HTMLCanvasElement.prototype.getContext = (kind) => null;"
    for script, drawn in (("", ".gl-canvas-context"), (without, "path.point")):
        page = chromium.new_page()
        page.add_init_script(script)
        page.goto((tmp_path / "embedding.html").as_uri())
        page.locator(drawn).first.wait_for(state="attached")
        assert page.get_by_text("WebGL is not supported").count() == 0
        page.close()
