import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ali_core import AliError, InterventionSettings, LabelledEmbedding, ManualStep, Session, preset
from ali_viz.panels import STEP_COLUMNS, draw_step, step_geometry, step_panel, step_table
from ali_viz.panels.print_style import INK

NAMES = ("monocyte", "lymphocyte", "blast", "platelet")


def make_session(dim=5, name="c,s,os", n_classes=4, steps=3):
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(n_classes), 12)
    vectors = rng.normal(size=(len(labels), dim)) + 3.0 * rng.normal(size=(n_classes, dim))[labels]
    session = Session(LabelledEmbedding(vectors, labels, NAMES[:n_classes]), preset(name, dim=dim))
    session.run(steps)
    return session


@pytest.fixture(scope="module")
def session():
    return make_session()


def part(table, panel, kind):
    return table[(table["panel"] == panel) & (table["kind"] == kind)]


def lengths(rows):
    return np.hypot(rows["x_end"] - rows["x"], rows["y_end"] - rows["y"]).to_numpy()


def test_the_plane_shows_the_distances_of_the_three_centers_exactly(session):
    geometry = step_geometry(session, 2)
    table = step_table(geometry)
    assert list(table.columns) == list(STEP_COLUMNS)
    lines = part(table, "a", "neighbour")
    vectors, labels = session.at(1).vectors, session.before.labels
    centers = np.stack([vectors[labels == code].mean(axis=0) for code in range(4)])
    expected = [np.linalg.norm(centers[geometry.chosen] - centers[code]) for code in lines["class_code"]]
    np.testing.assert_allclose(lengths(lines), expected)
    assert list(lines["class_code"]) == list(geometry.neighbours[:2])
    assert expected[0] <= expected[1]


def test_with_two_neighbours_the_whole_shift_lies_in_the_plane():
    session = make_session(name="c,s")
    geometry = step_geometry(session, 1)
    assert len(geometry.neighbours) == 2
    shift = part(step_table(geometry), "b", "shift")
    np.testing.assert_allclose(lengths(shift), np.linalg.norm(geometry.shift))


@pytest.mark.parametrize("name", ["c", "c,s", "c,r", "c,s,os", "c,s,r", "all"])
@pytest.mark.parametrize("dim", [2, 5])
def test_the_vectors_are_what_the_step_did(name, dim):
    session = make_session(dim=dim, name=name)
    for number in (1, 2, 3):
        geometry = step_geometry(session, number)
        step = session.steps[number - 1]
        np.testing.assert_allclose(np.linalg.norm(geometry.shift), step.shift_lengths[0], atol=1e-12)
        before, after = session.at(number - 1).vectors, session.at(number).vectors
        rows = session.before.labels == step.classes[0]
        moved = after[rows].mean(axis=0)
        np.testing.assert_allclose(geometry.centers_after[step.classes[0]], moved, atol=1e-9)
        assert geometry.spread == pytest.approx(
            np.sqrt(np.square(before[rows] - before[rows].mean(axis=0)).sum(axis=1).mean() / dim)
        )


def test_the_parts_lead_to_the_tip_of_the_shift(session):
    geometry = step_geometry(session, 1)
    table = step_table(geometry)
    away, ortho, shift = (part(table, "b", kind).iloc[0] for kind in ("v_shift", "v_ortho", "shift"))
    np.testing.assert_allclose([away.x_end, away.y_end], [ortho.x, ortho.y])
    np.testing.assert_allclose([ortho.x_end, ortho.y_end], [shift.x_end, shift.y_end], atol=1e-12)


def test_samples_are_before_and_after_and_the_chosen_leave_ghosts(session):
    table = step_table(step_geometry(session, 1))
    assert len(part(table, "a", "sample")) == len(part(table, "c", "sample")) == 48
    ghosts, chosen = part(table, "c", "ghost"), part(table, "a", "sample").query("role == 'chosen'")
    np.testing.assert_array_equal(ghosts[["x", "y"]].to_numpy(), chosen[["x", "y"]].to_numpy())
    assert len(ghosts) == 12
    counts = part(table, "a", "sample")["role"].value_counts().to_dict()
    assert counts == {"neighbour": 24, "chosen": 12, "other": 12}


def test_contraction_shrinks_the_circle_by_its_strength(session):
    table = step_table(step_geometry(session, 1))
    before, after = (lengths(part(table, "b", f"spread_{when}"))[0] for when in ("before", "after"))
    assert after / before == pytest.approx(1.0 - session.steps[0].contract)


@pytest.mark.parametrize(("dim", "n_classes"), [(1, 4), (2, 2), (6, 2), (3, 3)])
@pytest.mark.parametrize("width", ["single", "double"])
def test_few_dimensions_and_classes_can_be_drawn(dim, n_classes, width):
    session = make_session(dim=dim, n_classes=n_classes, steps=1)
    panel = step_panel(session, 1, data="x", width=width)
    assert len(panel.figure.axes) == 3
    assert np.isfinite(panel.table[["x", "y"]].to_numpy()).all()


def test_centers_on_a_line_and_coincident_centers_can_be_drawn():
    for vectors in (np.outer(np.arange(40), np.ones(4)), np.tile(np.eye(4), (10, 1))):
        embedding = LabelledEmbedding(vectors, np.repeat(np.arange(4), 10), NAMES)
        session = Session(embedding, InterventionSettings(contract=0.5, shift=1.0))
        session.apply(ManualStep(classes=("blast",), contract=0.5, shift=1.0))
        panel = step_panel(session, 1, data="x")
        assert np.isfinite(panel.table[["x", "y"]].to_numpy()).all()


def test_the_picture_holds_all_lines_with_equal_axes(session):
    table = step_table(step_geometry(session, 3))
    figure = draw_step(table)
    first = figure.axes[0]
    lines = table[table["x_end"].notna()]
    for axes in figure.axes:
        assert axes.get_xlim() == first.get_xlim()
        assert axes.get_aspect() == 1.0
        assert axes.get_xlim()[0] <= lines[["x", "x_end"]].to_numpy().min()
        assert axes.get_ylim()[1] >= lines[["y", "y_end"]].to_numpy().max()
    FigureCanvasAgg(figure).draw()
    for text in figure.legends[0].get_texts():
        assert text.get_window_extent().x1 <= figure.bbox.x1


def far_session(distance):
    """Three small classes so far apart that what moves is small against the way between them."""
    rng = np.random.default_rng(6)
    labels = np.repeat(np.arange(4), 12)
    vectors = 0.3 * rng.normal(size=(48, 4)) + distance * np.eye(4)[labels]
    session = Session(LabelledEmbedding(vectors, labels, NAMES), preset("c,s,os", dim=4))
    session.apply(ManualStep(classes=("blast",), contract=0.5, shift=2.0, shift_mix=0.5))
    return session


def test_short_vectors_are_shown_close_up_and_framed_in_the_first_panel():
    table = step_table(step_geometry(far_session(10.0), 1))
    figure = draw_step(table)
    first, second, third = figure.axes
    assert first.get_xlim() == third.get_xlim()
    assert np.ptp(second.get_xlim()) < 0.4 * np.ptp(first.get_xlim())
    frame = first.patches[-1]
    np.testing.assert_allclose([frame.get_x(), frame.get_x() + frame.get_width()], second.get_xlim())
    np.testing.assert_allclose([frame.get_y(), frame.get_y() + frame.get_height()], second.get_ylim())
    vectors = table[(table["panel"] == "b") & table["kind"].isin(["shift", "v_shift", "v_ortho"])]
    for values, (low, high) in (("x", second.get_xlim()), ("y", second.get_ylim())):
        assert low < vectors[[values, f"{values}_end"]].to_numpy().min()
        assert vectors[[values, f"{values}_end"]].to_numpy().max() < high
    circle = second.patches[0]
    assert second.get_xlim()[0] < circle.center[0] - circle.radius
    assert "Direction, close-up" in [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("distance", [2.0, 10.0])
def test_the_motion_is_seen_up_to_the_center_that_it_leads_to(distance):
    table = step_table(step_geometry(far_session(distance), 1))
    figure = draw_step(table)
    axes = figure.axes[2]
    FigureCanvasAgg(figure).draw()
    (note,) = (text for text in axes.texts if getattr(text, "arrow_patch", None) is not None)
    assert note.get_zorder() > max(line.get_zorder() for line in axes.lines)
    motion = part(table, "c", "motion")
    ends = axes.transData.transform([*motion[["x", "y"]].to_numpy(), *motion[["x_end", "y_end"]].to_numpy()])
    box = note.arrow_patch.get_window_extent()
    for end in ends:
        np.testing.assert_array_less([box.x0 - 2, box.y0 - 2], end)
        np.testing.assert_array_less(end, [box.x1 + 2, box.y1 + 2])


def test_the_keys_of_shift_and_motion_are_told_apart():
    figure = draw_step(step_table(step_geometry(far_session(10.0), 1)))
    legend = figure.legends[0]
    looks = dict(zip((text.get_text() for text in legend.get_texts()), legend.legend_handles, strict=True))
    colours = [mpl.colors.to_rgb(looks[name].get_color()) for name in ("Shift of the class", "Motion of the center")]
    assert max(abs(one - other) for one, other in zip(*colours, strict=True)) > 0.5


@pytest.mark.parametrize("chosen", NAMES)
def test_roles_show_whatever_the_colours_of_the_classes(chosen):
    session = far_session(1.0)
    session.undo()
    session.apply(ManualStep(classes=(chosen,), contract=0.5, shift=2.0))
    figure = step_panel(session, 1, data="x").figure
    _, second_neighbour, first_neighbour, mover = _scatters(figure.axes[0])
    assert (mover.get_edgecolors()[:, :3] == mpl.colors.to_rgb(INK)).all()
    assert len(first_neighbour.get_edgecolors()) == 0
    assert len(second_neighbour.get_facecolors()) == 0
    assert {"1", "2"} <= {text.get_text() for text in figure.axes[0].texts}


def _scatters(axes):
    """Samples of the other classes, of the second and first neighbour and of the chosen class."""
    others, one, other, mover = axes.collections
    first, second = (one, other) if len(one.get_facecolors()) else (other, one)
    return others, second, first, mover


def test_a_part_of_the_samples_keeps_the_geometry_of_all(session):
    rows = np.arange(0, 48, 4)
    some, everything = step_geometry(session, 1, rows=rows), step_geometry(session, 1)
    np.testing.assert_array_equal(some.centers, everything.centers)
    assert len(part(step_table(some), "a", "sample")) == len(rows)


def test_the_caption_says_class_plane_and_share(session):
    panel = step_panel(session, 1, data="made_up.npz")
    for words in (
        "made_up.npz",
        "48 samples of 4 classes",
        "chosen by Ω",
        "orthogonal projection onto the plane",
        "% of the",
    ):
        assert words in panel.caption


def test_same_input_same_bytes(session, tmp_path):
    one, two = (step_panel(session, 1, data="x").save(tmp_path / name, "fig3") for name in "ab")
    assert len(one) == 5
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("number", [0, -1, 4])
def test_steps_that_are_not_there_are_refused(session, number):
    with pytest.raises(AliError, match=f"no step {number}"):
        step_geometry(session, number)


def test_classes_that_did_not_move_are_refused(session):
    with pytest.raises(AliError, match="moved 1 classes"):
        step_geometry(session, 1, moved=1)
