"""Fig. 7: seconds are those of pandas, points lie at them, and the caption says what they contain."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from ali_core import AliError
from ali_viz.panels import TIMING_PANEL_COLUMNS, draw_timing, timing_panel, timing_panel_table


def times(method, preset, intervene, train, *, fold=0):
    loss = method.split()[0]
    about = {"method": method, "loss": loss, "preset": preset, "space": "2d" if loss in ("pali", "pli") else "nd"}
    rows = [("train", train), ("data", train / 9), ("embed", 1.0), ("intervene", intervene), ("evaluate", 3.0)]
    return pd.DataFrame(rows, columns=["stage", "seconds"]).assign(fold=fold, seed=0, **about)


@pytest.fixture(scope="module")
def timing():
    rng = np.random.default_rng(3)
    parts = []
    for fold, preset, more in itertools.product(range(3), ("c", "c,s", "all"), ("", " +cw", " w=1")):
        parts.append(times(f"ali {preset}{more}", preset, rng.uniform(0.01, 0.1), rng.uniform(9, 15), fold=fold))
        if not more and preset != "all":
            parts.append(times(f"pali {preset}", preset, rng.uniform(2, 5), rng.uniform(9, 15), fold=fold))
    for fold in range(3):
        parts += [times("tml", "", 0.0, rng.uniform(9, 15), fold=fold), times("pli", "", 4.0, 8.0, fold=fold)]
        parts.append(times("ali c control", "c", 0.0, 7.0, fold=fold))
    return pd.concat(parts, ignore_index=True).assign(preset=lambda rows: rows["preset"].replace("", np.nan))


@pytest.fixture(scope="module")
def panel(timing):
    return timing_panel(timing, data="made-up features", device="cpu", settings="Seeds 0, 1")


def test_planning_is_averaged_by_combination_and_space_over_weights_and_folds(timing, panel):
    table = panel.table
    assert list(table.columns) == list(TIMING_PANEL_COLUMNS)
    drawn = table[table["stage"] == "intervene"].set_index(["combination", "space"])
    assert list(drawn.index) == [("c", "nd"), ("c", "2d"), ("c,s", "nd"), ("c,s", "2d"), ("all", "nd")]
    real = timing[
        (timing["stage"] == "intervene") & timing["preset"].notna() & ~timing["method"].str.contains("control")
    ]
    expected = real.groupby(["preset", "space"])["seconds"].agg(["mean", "min", "max", "size"])
    np.testing.assert_allclose(drawn[["mean", "low", "high", "n"]], expected.loc[list(drawn.index)])
    assert list(drawn["n"]) == [9, 3, 9, 3, 9]


def test_training_is_averaged_by_what_intervenes(timing, panel):
    drawn = panel.table[panel.table["stage"] == "train"].set_index("space")
    seconds = timing[timing["stage"] == "train"].set_index("method")["seconds"]
    is_pali = seconds.index.str.startswith("pali")
    is_ali = seconds.index.str.startswith("ali") & ~seconds.index.str.contains("control")
    for space, chosen in (("nd", is_ali), ("2d", is_pali), ("none", ~is_ali & ~is_pali)):
        assert drawn.loc[space, "mean"] == pytest.approx(seconds[chosen].mean())
        assert drawn.loc[space, "n"] == chosen.sum()


def test_points_and_lines_lie_at_the_numbers_of_the_table(panel):
    axes, table = panel.figure.axes[0], panel.table
    assert axes.get_yscale() == "log"
    points = np.concatenate([line.get_ydata() for line in axes.lines if line.get_marker() in "osD"])
    np.testing.assert_allclose(np.sort(points), np.sort(table["mean"]))
    ends = [
        one[:, 1] for lines in axes.collections if isinstance(lines, LineCollection) for one in lines.get_segments()
    ]
    np.testing.assert_allclose(sorted(map(tuple, ends)), sorted(zip(table["low"], table["high"], strict=True)))
    low, high = axes.get_ylim()
    assert low < table["low"].min() < table["high"].max() < high
    for line in (line for line in axes.lines if line.get_marker() == "s"):
        assert list(np.round(line.get_xdata())) == [0, 1, 3]


@pytest.mark.parametrize("width", ["single", "double"])
def test_texts_are_legible_and_name_groups_and_spaces(panel, width, check_texts):
    texts = check_texts(draw_timing(panel.table, width=width))
    assert {"c", "c,s", "all", "n-D (ALI)", "2-D (PALI)", "Without interventions"} <= set(texts)
    assert "Network training" in " ".join(texts)


def test_the_caption_says_what_the_times_contain(panel, timing):
    for words in (
        "made-up features, on cpu. Seeds 0, 1. Points",
        "3 to 27 runs",
        "fit of the parametric t-SNE",
        "waiting for batches",
        "use the labels of the training fold",
    ):
        assert words in panel.caption
    alone = timing_panel(timing[timing["loss"] == "ali"], data="x", per="epoch")
    assert "t-SNE" not in alone.caption
    assert "epochs, lines" in alone.caption


def test_one_run_is_a_point(check_texts):
    panel = timing_panel(times("ali c", "c", 0.02, 0.5), data="x")
    assert list(panel.table["n"]) == [1, 1]
    assert (panel.table["low"] == panel.table["high"]).all()
    check_texts(panel.figure)


def test_files_are_the_same_twice_and_hold_their_fonts(timing, check_files):
    files = check_files(lambda: timing_panel(timing, data="x"))
    assert len(pd.read_csv(files["csv"])) == 8


def test_times_without_interventions_are_refused(timing):
    with pytest.raises(AliError, match="no run has planned interventions"):
        timing_panel_table(timing[timing["loss"] == "tml"])
    with pytest.raises(AliError, match="column 'stage'"):
        timing_panel_table(timing.drop(columns="stage"))
