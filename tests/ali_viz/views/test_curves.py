"""The curves: every drawn line is read back from the SVG and compared with the rows of the history."""

import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ali_core.training.history import COLUMNS
from ali_viz.views.curves import LABEL_STEP, CurvesView, curves_svg

DRAWN = ["base_loss", "intervention_loss", "active_fraction", "validation_f1"]


def rows_of(n_epochs, seed=0, **changes):
    """A history with scores at every second epoch, and a test score that stands out."""
    rng = np.random.default_rng(seed)
    rows = [dict.fromkeys(COLUMNS) | {"epoch": epoch, "test_f1": 0.123456} for epoch in range(n_epochs + 1)]
    for row in rows[1:]:
        row.update({name: float(rng.uniform(0.2, 0.9)) for name in DRAWN[:3]})
    for row in rows[::2]:
        row["validation_f1"] = float(rng.uniform(0.2, 0.9))
    return SimpleNamespace(rows=[row | changes for row in rows])


def drawn_lines(svg):
    """Read each line back: from its data, and from its pixels with the ticks of its panel as the only scale."""
    for panel in svg.iter("g"):
        values = [
            (float(t.get("data-value")), float(t.get("y")) - 3) for t in panel.iter("text") if t.get("data-value")
        ]
        epochs = [(int(t.get("data-epoch")), float(t.get("x"))) for t in panel.iter("text") if t.get("data-epoch")]
        (v0, y0), (v1, y1) = values[0], values[-1]
        (e0, x0), (e1, x1) = epochs[0], epochs[-1]
        for line in panel.iter("polyline"):
            pixels = np.array([[float(part) for part in pair.split(",")] for pair in line.get("points").split()])
            yield SimpleNamespace(
                column=line.get("data-column"),
                control=line.get("data-control") == "true",
                dashed=line.get("stroke-dasharray") is not None,
                name=line.find("title").text,
                epochs=[int(word) for word in line.get("data-epochs").split()],
                values=[float(word) for word in line.get("data-values").split()],
                pixel_epochs=e0 + (pixels[:, 0] - x0) * (e1 - e0) / (x1 - x0),
                pixel_values=v0 + (pixels[:, 1] - y0) * (v1 - v0) / (y1 - y0),
                resolution=abs((v1 - v0) / (y1 - y0)) * 0.011,
            )


def check(history, control=None):
    svg = ET.fromstring(curves_svg(history, control))
    lines = {(line.column, line.control): line for line in drawn_lines(svg)}
    for of_control, source in ((False, history), (True, control)):
        for column in DRAWN:
            rows = [] if source is None else [row for row in source.rows if row[column] is not None]
            if not rows:
                assert (column, of_control) not in lines
                continue
            line = lines.pop((column, of_control))
            assert line.dashed == of_control
            assert line.epochs == [row["epoch"] for row in rows]
            assert line.values == [row[column] for row in rows]
            np.testing.assert_allclose(line.pixel_values, line.values, atol=line.resolution)
            np.testing.assert_allclose(line.pixel_epochs, line.epochs, atol=0.01 * max(line.epochs[-1], 1))
    assert lines == {}
    return svg


def test_lines_and_pixels_are_the_rows_of_the_history_and_of_its_control():
    svg = check(rows_of(7), rows_of(7, seed=1, intervention_loss=None))
    names = {line.name for line in drawn_lines(svg) if line.control}
    assert names == {"control: equal-budget control"}


@given(st.integers(0, 30), st.integers(0, 99), st.floats(-6, 6))
def test_any_history_can_be_read_back(n_epochs, seed, power):
    history = rows_of(n_epochs, seed)
    for row in history.rows[1:]:
        row["base_loss"] *= 10.0**power
    svg = check(history)
    for panel in svg.iter("g"):
        heights = sorted(float(text.get("y")) for text in panel.iter("text") if text.find("tspan") is not None)[1:]
        assert all(np.diff(heights) >= LABEL_STEP - 0.02)


def test_a_constant_line_and_a_start_without_losses_are_drawn():
    check(rows_of(3, active_fraction=0.0, base_loss=2.5))
    svg = check(rows_of(0))
    assert sum(text.text == "none yet" for text in svg.iter("text")) == 2
    svg = ET.fromstring(curves_svg(rows_of(3, active_fraction=None)))
    assert [panel.get("data-panel") for panel in svg.iter("g")] == ["Loss", "Validation F1"]
    assert ET.fromstring(curves_svg(SimpleNamespace(rows=[]))).find("desc").text == "no epoch is finished yet"


def test_the_score_of_the_test_fold_is_nowhere():
    assert "0.1234" not in curves_svg(rows_of(5))
    assert "test" not in curves_svg(rows_of(5)).lower()


@pytest.mark.parametrize("at", [None, 2])
def test_the_epoch_of_rest_is_marked(at):
    svg = ET.fromstring(curves_svg(rows_of(6), at=at))
    marks = [line.get("data-epoch") for line in svg.iter("line") if line.get("class") == "ali-now"]
    assert marks == [str(6 if at is None else at)] * 3


def test_it_is_told_in_words_as_well():
    history = rows_of(4)
    svg = ET.fromstring(curves_svg(history, rows_of(4, seed=1)))
    assert svg.get("role") == "img"
    assert svg.find("title").text == "Training after epoch 4"
    assert f"{history.rows[4]['validation_f1']:.4g} in epoch 4" in svg.find("desc").text
    assert "validation f1, equal-budget control" in svg.find("desc").text
    assert [text.text for text in svg.iter("text") if text.text == "epochs"] == ["epochs"] * 3


def test_the_widget_is_set_only_when_something_changed():
    view, seen = CurvesView(), []
    view.widget.observe(seen.append, "value")
    view.update(rows_of(2))
    view.update(rows_of(2))
    view.update(rows_of(3), rows_of(3, seed=1))
    assert len(seen) == 2
