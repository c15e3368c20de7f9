"""Fig. 6 with its third column holds the embedding after the epoch, and says what it is."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ali_core import AliError, LabelledEmbedding, Session, preset
from ali_core.files import read_csv
from ali_core.projection import project
from ali_viz.panels import TrainedEpoch, epoch_panel

TITLES = ["Before", "After 3 interventions", "After one more epoch"]


@pytest.fixture(scope="module")
def session():
    rng = np.random.default_rng(8)
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    vectors = rng.normal(size=(60, 5)) + 2.0 * np.eye(5)[labels]
    ids = [f"cell-{number}" for number in rng.permutation(60)]
    session = Session(LabelledEmbedding(vectors, labels, ("a", "b", "c"), ids=ids), preset("c,s", dim=5))
    session.run(3)
    return session


@pytest.fixture(scope="module")
def after_epoch(session):
    """Another embedding of the same samples, in their order."""
    rng = np.random.default_rng(9)
    return session.before.with_vectors(session.before.vectors + rng.normal(scale=0.5, size=(60, 5)))


@pytest.fixture(scope="module")
def trained(session, after_epoch):
    shuffled = after_epoch.subset(np.random.default_rng(1).permutation(60))
    return TrainedEpoch(session=session, following=shuffled, epoch=7, data="made-up", samples="the cells it learnt")


@pytest.fixture(scope="module")
def panel(trained):
    return epoch_panel(trained)


def test_the_third_state_is_the_embedding_after_the_epoch_sample_by_sample(panel, after_epoch, tmp_path):
    panel.save(tmp_path, "fig6")
    table = read_csv(tmp_path / "fig6.csv")
    assert list(table["state"].unique()) == TITLES
    drawn = table[(table["view"] == "dims") & (table["state"] == TITLES[2])]
    assert list(drawn["id"]) == list(after_epoch.sample_names)
    np.testing.assert_array_equal(drawn[["x", "y"]], after_epoch.vectors[:, :2])


def test_layouts_follow_from_state_to_state(panel, session, after_epoch):
    states = [session.before.vectors, session.after.vectors, after_epoch.vectors]
    expected = project(states, "supervised_tsne", labels=session.before.labels)
    for title, positions in zip(TITLES, expected, strict=True):
        rows = panel.table[(panel.table["view"] == "supervised_tsne") & (panel.table["state"] == title)]
        np.testing.assert_array_equal(rows[["x", "y"]], positions)


def test_three_columns_are_as_wide_as_each_other_and_share_their_axes(panel):
    boxes = [axes.get_position() for axes in panel.figure.axes]
    assert len(boxes) == 6
    np.testing.assert_allclose([box.width for box in boxes], boxes[0].width)
    for row in (panel.figure.axes[:3], panel.figure.axes[3:]):
        assert len({axes.get_xlim() for axes in row}) == len({axes.get_ylim() for axes in row}) == 1
        edges = np.array([[axes.get_position().x0, axes.get_position().x1] for axes in row])
        assert (np.diff(edges.ravel()) > 0).all()
        assert edges[-1, 1] < 1


def test_titles_stand_over_their_columns_and_clear_of_each_other(panel):
    FigureCanvasAgg(panel.figure).draw()
    found = {text.get_text(): text.get_window_extent() for text in panel.figure.texts if text.get_text() in TITLES}
    assert set(found) == set(TITLES)
    for title, axes in zip(TITLES, panel.figure.axes[:3], strict=True):
        column = axes.get_window_extent()
        assert column.x0 < found[title].x0 < found[title].x1 < column.x1


def test_the_caption_says_which_samples_how_many_epochs_and_what_the_last_column_is(panel):
    for words in (
        "Embedding of made-up: 60 samples of 3 classes",
        "Shown are the cells it learnt",
        "after epoch 6",
        "epoch 7, the last of 7",
        "own embedding after that epoch, not moved by labels",
        "nothing follows for others",
    ):
        assert words in panel.caption
    assert any("made-up: the cells it learnt" in text.get_text() for text in panel.figure.texts)


def test_a_part_is_drawn_and_said(trained, after_epoch):
    rows = np.arange(0, 60, 2)
    panel = epoch_panel(trained, ["dims"], rows=rows)
    last = panel.table[panel.table["state"] == TITLES[2]]
    np.testing.assert_array_equal(last[["x", "y"]], after_epoch.vectors[rows, :2])
    assert "60 samples of 3 classes, 30 of them drawn" in panel.caption


def test_other_samples_or_another_space_are_refused(session, after_epoch):
    with pytest.raises(AliError, match=r"other samples \(59\).*\(60\)"):
        TrainedEpoch(session=session, following=after_epoch.subset(np.arange(59)), epoch=1, data="x")
    renamed = LabelledEmbedding(after_epoch.vectors, after_epoch.labels)
    with pytest.raises(AliError, match="other samples"):
        TrainedEpoch(session=session, following=renamed, epoch=1, data="x")
    narrow = after_epoch.with_vectors(after_epoch.vectors[:, :2])
    with pytest.raises(AliError, match=r"5 dimensions .* 2;"):
        TrainedEpoch(session=session, following=narrow, epoch=1, data="x")
