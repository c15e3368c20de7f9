"""Odd embeddings: the app shows them or says why not, and goes on working."""

import numpy as np
import pytest

from ali_core import AliError, LabelledEmbedding, Session
from ali_viz import Studio
from tests.ali_viz.studio.clouds import cloud


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
    desk = studio._showing.desk
    desk.automatic.step.click()
    assert desk.messages.alert_line.value == ""
    assert studio.session.cursor == 1
    for view in ("dims", "pca"):
        desk.toolbar.view.value = view
        assert studio.view == view
    first = studio.session.embedding.class_names[0]
    studio.select([first])
    studio.apply_selection(contract=0.4)
    desk.buttons.undo.click()
    assert studio.session.cursor == 1
    drawn = studio._showing.drawing()
    assert np.isfinite(drawn.sides[1].positions).all()
    assert np.all(np.diff(drawn.limits) > 0)
    studio.close()


def test_a_view_that_cannot_be_drawn_is_refused_and_the_old_one_stays():
    studio = Studio(cloud(counts=(2, 1), dim=3))
    desk = studio._showing.desk
    desk.toolbar.view.value = "tsne"
    assert "at least 4" in desk.messages.alert_line.value
    assert studio.view == "pca"
    assert desk.toolbar.view.value == "pca"
    assert not desk.automatic.step.disabled
    desk.automatic.step.click()
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
    studio = Studio(embedding)
    assert "of 200,000 points drawn" in studio._showing.desk.messages.note.value
    studio._showing.desk.automatic.step.click()
    assert len(studio._showing.drawing().rows) <= 5_010
    assert len(studio.session.after) == 200_000
    studio.close()


def test_the_search_for_changed_neighbours_can_be_stopped(monkeypatch):
    studio = Studio(cloud())
    studio.step()
    monkeypatch.setattr(studio._background, "start", lambda _, job: job(lambda: True))
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
