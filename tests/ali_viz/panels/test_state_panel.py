import re
import subprocess
from shutil import which

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from ali_core import AliError, LabelledEmbedding, Session, preset
from ali_core.files import read_csv
from ali_core.projection import project
from ali_viz.panels import STATE_COLUMNS, draw_states, save_panel, state_panel, state_table
from ali_viz.theme import class_styles

NAMES = ("monocyte", "lymphocyte", "unheard of")


@pytest.fixture(scope="module")
def session():
    rng = np.random.default_rng(5)
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    vectors = rng.normal(size=(60, 5)) + 2.0 * np.eye(5)[labels]
    session = Session(LabelledEmbedding(vectors, labels, NAMES), preset("c,s", dim=5))
    session.run(3)
    return session


@pytest.fixture(scope="module")
def states(session):
    return {"Before": session.before, "After 3 interventions": session.after}


@pytest.fixture(scope="module")
def table(states):
    return state_table(states)


@pytest.fixture(scope="module")
def panel(states):
    return state_panel(states, data="three_made-up_classes.npz", settings="Preset c,s")


@pytest.fixture(scope="module")
def files(panel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    return {path.suffix[1:]: path for path in panel.save(folder, "fig6")}


def test_the_table_has_a_row_for_each_view_state_and_sample(table, states):
    assert list(table.columns) == list(STATE_COLUMNS)
    assert (table.groupby(["view", "state"]).size() == 60).all()
    assert list(table["view"].unique()) == ["dims", "supervised_tsne"]
    assert list(table["state"].unique()) == list(states)


def test_positions_are_those_of_the_projection(table, states, session):
    for view in ("dims", "supervised_tsne"):
        expected = project([e.vectors for e in states.values()], view, labels=session.before.labels)
        for state, positions in zip(states, expected, strict=True):
            rows = table[(table["view"] == view) & (table["state"] == state)]
            np.testing.assert_array_equal(rows[["x", "y"]].to_numpy(), positions)
            assert list(rows["id"]) == list(session.before.sample_names)


def test_classes_look_as_the_theme_says(table):
    for style in class_styles(NAMES):
        rows = table[table["class_name"] == style.name]
        assert set(rows["colour"]) == {style.colour}
        assert set(rows["symbol"]) == {style.symbol}
        assert set(rows["order"]) == {style.order}


@pytest.mark.parametrize(("width", "millimetres"), [("single", 88.0), ("double", 181.0)])
def test_the_figure_has_journal_width_and_the_same_axes_along_a_row(table, width, millimetres):
    figure = draw_states(table, width=width)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(millimetres)
    assert figure.get_size_inches()[1] * 25.4 < 247.0
    first, second, third, fourth = figure.axes
    assert first.get_xlim() == second.get_xlim()
    assert third.get_ylim() == fourth.get_ylim()
    for axes in figure.axes:
        box = axes.get_position()
        assert 0 < box.x0 < box.x1 < 1
        assert 0 < box.y0 < box.y1 < 1
        assert axes.get_aspect() == 1.0
        drawn = np.concatenate([collection.get_offsets() for collection in axes.collections])
        assert len(drawn) == 60
        for values, limits in ((drawn[:, 0], axes.get_xlim()), (drawn[:, 1], axes.get_ylim())):
            assert limits[0] < values.min()
            assert values.max() < limits[1]


@pytest.mark.parametrize("n_states", [1, 3, 4])
def test_columns_are_as_many_as_states(session, n_states):
    states = {f"Step {k}": session.at(k) for k in range(n_states)}
    figure = draw_states(state_table(states, ["dims", "pca", "tsne"]))
    assert len(figure.axes) == 3 * n_states


def test_no_text_leaves_the_figure_and_none_is_below_six_points(table):
    for width in ("single", "double"):
        figure = draw_states(table, width=width)
        FigureCanvasAgg(figure).draw()
        box = figure.bbox
        texts = [*figure.texts, *figure.legends[0].get_texts()]
        for axes in figure.axes:
            texts += [axes.xaxis.label, axes.yaxis.label]
        for text in texts:
            assert text.get_fontsize() >= 6.0
            extent = text.get_window_extent()
            assert extent.x0 >= box.x0 - 1, text
            assert extent.x1 <= box.x1 + 1, text
            assert extent.y0 >= box.y0 - 1, text


@pytest.mark.parametrize("scale", [0.004, 0.04, 0.3, 3000.0])
def test_the_name_of_an_axis_is_clear_of_its_numbers(session, scale):
    small = session.before.with_vectors(session.before.vectors * scale / np.ptp(session.before.vectors[:, 1]))
    figure = draw_states(state_table({f"State {k}": small for k in range(3)}, ["dims"]))
    FigureCanvasAgg(figure).draw()
    axes = figure.axes[0]
    numbers = [tick.get_window_extent() for tick in axes.yaxis.get_ticklabels() if tick.get_text()]
    name = axes.yaxis.label.get_window_extent()
    assert name.x0 > 0
    assert name.x1 < min(number.x0 for number in numbers)


def test_fonts_are_embedded_as_truetype(files):
    data = files["pdf"].read_bytes()
    assert b"/FontFile2" in data
    assert b"/Type3" not in data
    assert b"CreationDate" not in data


@pytest.mark.skipif(which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_text_in_the_pdf_is_text(files):
    shown = subprocess.run(["pdftotext", files["pdf"], "-"], capture_output=True, text=True, check=True)
    assert "Monocyte (30)" in shown.stdout
    assert "uses labels" in shown.stdout


def test_text_in_the_svg_is_text(files):
    svg = files["svg"].read_text(encoding="utf-8")
    for words in ("After 3 interventions", "2 Lymphocyte (20)", "Supervised t-SNE (uses labels)"):
        assert f">{words}</text>" in svg
    assert "<dc:date>" not in svg


def test_the_png_has_print_resolution(files):
    with Image.open(files["png"]) as image:
        assert image.width == pytest.approx(181.0 / 25.4 * 400, abs=1)


def test_the_numbers_beside_are_exactly_the_plotted_ones(files, panel):
    read = read_csv(files["csv"])
    np.testing.assert_array_equal(read[["x", "y"]].to_numpy(), panel.table[["x", "y"]].to_numpy())
    assert list(read["class_name"]) == list(panel.table["class_name"])


def test_the_caption_says_data_numbers_seed_and_labels(files):
    caption = files["txt"].read_text(encoding="utf-8")
    for words in (
        "three_made-up_classes.npz",
        "60 samples",
        "3 classes",
        "seed 0",
        "perplexity",
        "help of their class",
    ):
        assert words in caption
    plain = state_panel({"Before": _two_points()}, ["dims"], data="x").caption
    assert "did not place them" in plain


def _two_points():
    return LabelledEmbedding(np.eye(2), np.array([0, 1]), ("a", "b"))


def test_same_input_same_bytes_and_no_trace_in_the_global_settings(states, files, tmp_path):
    settings = dict(mpl.rcParams)
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path"}):
        again = state_panel(states, data="three_made-up_classes.npz", settings="Preset c,s")
        written = {path.suffix[1:]: path for path in again.save(tmp_path, "fig6")}
    for kind, path in files.items():
        assert written[kind].read_bytes() == path.read_bytes(), kind
    assert dict(mpl.rcParams) == settings


def test_above_five_thousand_samples_the_points_are_an_image(tmp_path):
    rng = np.random.default_rng(0)
    embedding = LabelledEmbedding(rng.normal(size=(5_001, 2)), np.arange(5_001) % 3, NAMES)
    panel = state_panel({"Before": embedding}, ["dims"], data="x")
    assert "600 dpi" in panel.caption
    svg = save_panel(panel.figure, panel.table, tmp_path, "big", caption=panel.caption)[1].read_text("utf-8")
    assert len(re.findall("<image ", svg)) >= 1
    assert ">1 Monocyte (1667)</text>" in svg


def test_200_classes_fit(tmp_path):
    labels = np.repeat(np.arange(200), 2)
    vectors = np.random.default_rng(0).normal(size=(400, 3))
    embedding = LabelledEmbedding(vectors, labels, tuple(f"class {i}" for i in range(200)))
    figure = draw_states(state_table({"Before": embedding}, ["pca"]))
    legend = figure.legends[0]
    FigureCanvasAgg(figure).draw()
    assert len(legend.get_texts()) == 200
    assert legend.get_window_extent().x1 <= figure.bbox.x1
    assert legend.get_window_extent().y1 <= figure.axes[0].get_window_extent().y0


def test_one_dimension_and_coincident_samples_can_be_drawn():
    embedding = LabelledEmbedding(np.ones((4, 1)), np.array([0, 0, 1, 1]), ("a", "b"))
    figure = draw_states(state_table({"Before": embedding}, ["dims", "pca"]))
    assert len(figure.axes) == 2


def test_states_of_other_samples_are_refused(session):
    other = session.before.subset(np.arange(40))
    with pytest.raises(AliError, match="'After' holds other samples"):
        state_table({"Before": session.before, "After": other})


def test_nothing_to_draw_is_refused():
    with pytest.raises(AliError, match="0 states"):
        state_table({})


def test_an_unknown_width_is_refused(table):
    with pytest.raises(AliError, match="'poster' is unknown"):
        draw_states(table, width="poster")


def test_the_caption_tells_the_control_and_the_map_for_what_they_are(states):
    panel = state_panel(states, ["shuffled_tsne", "parametric"], data="x")
    assert "labels that place the samples are shuffled" in panel.caption
    assert "help of their class" not in panel.caption
    assert "fitted to the first state, perplexity 30, seed 0; one map for all states" in panel.caption
    assert set(panel.table["view"]) == {"shuffled_tsne", "parametric"}
