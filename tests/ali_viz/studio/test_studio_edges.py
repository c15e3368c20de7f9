"""Odd embeddings: the app shows them or says why not, and goes on working."""

import threading

import numpy as np
import pytest

from ali_core import AliError, LabelledEmbedding, Session
from ali_viz import Studio
from tests.ali_viz.studio.clouds import cloud
from tests.ali_viz.studio.hands import alert, choose, control, drawn, fill, open_tab, positions, press, switch, text


def many(classes):
    labels = np.arange(classes * 5) % classes
    vectors = np.random.default_rng(0).normal(size=(len(labels), 6)) + labels[:, None] % 7
    return LabelledEmbedding(vectors, labels)


def pair(labels, names):
    return LabelledEmbedding(np.random.default_rng(0).normal(size=(20, 4)), np.repeat(labels, 10), names)


ODD = {
    "one sample": lambda: cloud(counts=(30, 20, 1)),
    "two classes": lambda: cloud(counts=(10, 12)),
    "coincident": lambda: LabelledEmbedding(np.zeros((12, 3)), np.repeat([0, 1, 2], 4)),
    "named but empty": lambda: pair([0, 2], ("a", "empty", "c")),
    "equal labels": lambda: pair([0, 1], ("a_b", "a b")),
    "D=1": lambda: cloud(dim=1),
    "D=2": lambda: cloud(dim=2),
    "60 classes": lambda: many(60),
    "200 classes": lambda: many(200),
}


@pytest.mark.parametrize("kind", ODD)
def test_the_app_stays_usable(kind):
    studio = Studio(ODD[kind]())
    press(studio, "Step")
    assert alert(studio) == ""
    assert studio.session.cursor == 1
    for view in ("dims", "pca"):
        switch(studio, "PCA").value = view
        assert studio.view == view
    first = studio.session.embedding.class_names[0]
    studio.select([first])
    studio.apply_selection(contract=0.4)
    press(studio, "Undo")
    assert studio.session.cursor == 1
    assert np.isfinite(positions(studio, 1)).all()
    assert np.all(np.diff(drawn(studio).limits) > 0)
    studio.close()


def test_a_view_that_cannot_be_drawn_is_refused_and_the_old_one_stays():
    studio = Studio(cloud(counts=(2, 1), dim=3))
    choose(studio, "t-SNE")
    assert "at least 4" in alert(studio)
    assert studio.view == "pca"
    assert switch(studio, "PCA").value == "pca"
    assert not control(studio, "Step").disabled
    press(studio, "Step")
    assert studio.session.cursor == 1
    studio.close()


def test_nan_is_one_clear_error(tmp_path):
    np.savez(tmp_path / "nan.npz", vectors=np.full((4, 2), np.nan), labels=np.array([0, 0, 1, 1]))
    with pytest.raises(AliError, match="vectors must be finite"):
        Studio(tmp_path / "nan.npz")


def test_an_empty_class_cannot_be_selected():
    studio = Studio(ODD["named but empty"]())
    with pytest.raises(AliError, match="has no sample"):
        studio.select(["empty"])
    studio.close()


def test_many_rows_are_thinned_and_moved_all():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 8, 200_000)
    embedding = LabelledEmbedding(rng.normal(size=(200_000, 4)).astype(np.float32) + labels[:, None], labels)
    studio = Studio(embedding, max_points=5000)
    assert "of 200,000 points drawn" in text(studio)
    press(studio, "Step")
    assert len(drawn(studio).rows) <= 5_010
    assert len(studio.session.after) == 200_000
    studio.close()


def test_the_search_for_changed_neighbours_can_be_stopped(monkeypatch):
    studio = Studio(cloud())
    studio.step()
    begun, go = threading.Event(), threading.Event()

    def slow(*_, **__):
        begun.set()
        go.wait(10)
        raise AliError("the search for neighbours was stopped")

    monkeypatch.setattr("ali_core.evaluation.neighbours.changed_neighbours", slow)
    open_tab(studio, "Cells")
    fill(studio, "List", "changed")
    assert begun.wait(10)
    press(studio, "Stop")
    go.set()
    assert studio.wait(10)
    assert "search for neighbours was stopped" in alert(studio)
    with pytest.raises(AliError, match="search for neighbours was stopped"):
        studio.list_cells("changed")
    studio.close()


def test_a_custom_criterion_is_named_in_the_list():
    def mine(statistics):
        return statistics.spreads

    studio = Studio(Session(cloud(), criterion=mine))
    studio.step()
    assert studio.session.steps[0].criterion == "mine"
    studio.close()
