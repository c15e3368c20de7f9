"""Fig. 4 draws means over whole sets of folds, counts curves that ended at 1 as 1, and never mixes the scores."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection

from ali_core import AliError, InterventionSettings
from ali_core.experiments.curve_book import CurveBook
from ali_core.experiments.sweep_grid import configuration_name
from ali_viz.panels.dry_run_panel import COLOURS, HEADS, draw_dry_run, dry_run_panel
from ali_viz.panels.dry_run_table import DRY_RUN_COLUMNS, dry_run_table

N_FOLDS, N_MAX, HOLD = 3, 6, 2
CRITERIA = ("closest", "mean-std", "mean-all", "product")


def curve(space, combination, name, *, oracle, fold, sweep="strengths", transfer=None, **settings):
    """Rows of one configuration in one fold; ``oracle`` from no intervention on."""
    plain = {"contract": 0.5, "rotate": 0.0, "shift": 0.0, "shift_mix": 1.0, "criterion": "product"}
    rows = pd.DataFrame({"n_interventions": range(len(oracle)), "oracle_f1": oracle})
    rows["transfer_f1"] = transfer if transfer is not None else 0.6 - 0.01 * rows["n_interventions"]
    values = plain | {"selection": "deterministic", "n_neighbours": 15} | settings
    return rows.assign(space=space, combination=combination, configuration=name, sweep=sweep, fold=fold, **values)


@pytest.fixture(scope="module")
def curves():
    """Two spaces and three combinations; curves end early at 1; one configuration has one fold only."""
    rng = np.random.default_rng(4)
    parts = []
    for space, combination, contract, criterion, selection in itertools.product(
        ("2d", "nd"), ("c,s", "c", "all"), (0.125, 0.25, 0.5), CRITERIA, COLOURS
    ):
        name = f"{combination} {contract} {criterion} {selection}"
        for fold in range(1 if name == "c 0.125 closest probabilistic" else N_FOLDS):
            oracle = np.minimum(0.5 + np.cumsum(rng.uniform(0, 0.4 * contract + 0.05, N_MAX + 1)), 1.0)
            length = int(np.argmax(oracle == 1.0)) + HOLD if oracle[-1] == 1.0 else N_MAX + 1
            look = {"contract": contract, "criterion": criterion, "selection": selection}
            parts.append(curve(space, combination, name, oracle=oracle[:length], fold=fold, **look))
    parts.append(curve("nd", "c", "second sweep", oracle=[0.1, 0.2], fold=0, sweep="neighbours", n_neighbours=3))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def panel(curves):
    return dry_run_panel(curves, hold=HOLD, data="made-up curves", settings="Seed 4")


def test_a_score_that_is_1_throughout_leaves_room_for_the_name_of_its_axis():
    flat = pd.concat(curve("nd", "c", "one", oracle=[1.0, 1.0, 1.0], fold=fold) for fold in (0, 1))
    figure = draw_dry_run(dry_run_table(flat, "oracle", hold=2))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    name = axes.yaxis.label.get_window_extent()
    ticks = [tick.get_window_extent() for tick in axes.get_yticklabels() if tick.get_text()]
    assert ticks
    assert name.x1 <= min(tick.x0 for tick in ticks)


def test_a_fold_that_held_one_counts_as_one_and_any_other_end_is_an_end():
    held = [curve("nd", "c", "one", oracle=[0.5, 1.0, 1.0], fold=fold) for fold in (0, 1)]
    longer = [curve("nd", "c", "one", oracle=[0.5, 0.7, 0.8, 0.9], fold=2)]
    short = [curve("nd", "c", "two", oracle=[0.4, 0.8], fold=fold) for fold in range(3)]
    curves = pd.concat(held + longer + short)
    table = dry_run_table(curves, "oracle", hold=2)
    one, two = (table[table["configuration"] == name] for name in ("one", "two"))
    np.testing.assert_allclose(one["f1"], [0.5, 2.7 / 3, 2.8 / 3, 2.9 / 3])
    assert list(one["n_measured"]) == [3, 3, 3, 1]
    assert list(two["n_interventions"]) == [0, 1]
    transfer = dry_run_table(curves, "transfer", hold=2)
    assert list(transfer[transfer["configuration"] == "one"]["n_interventions"]) == [0, 1, 2]
    for hold in (3, None):  # as after a race, which left the folds where others had been as fast
        left = dry_run_table(curves, "oracle", hold=hold)
        assert list(left[left["configuration"] == "one"]["n_interventions"]) == [0, 1, 2]


def test_a_curve_that_left_one_again_is_no_longer_held():
    parts = [curve("nd", "c", "one", oracle=[0.5, 1.0, 1.0, 0.9], fold=0)]
    parts.append(curve("nd", "c", "one", oracle=[0.5, 0.6, 0.7, 0.8, 0.9], fold=1))
    assert list(dry_run_table(pd.concat(parts), "oracle", hold=2)["n_interventions"]) == [0, 1, 2, 3]


def test_means_are_those_of_a_loop_over_configurations(curves, panel):
    first = curves[curves["sweep"] == "strengths"]
    oracle = panel.table[panel.table["score"] == "oracle"]
    drawn = oracle.set_index(["space", "combination", "configuration", "n_interventions"])["f1"]
    n_rows = 0
    for key, rows in first.groupby(["space", "combination", "configuration"]):
        folds = [fold["oracle_f1"].to_numpy() for _, fold in rows.groupby("fold")]
        if len(folds) < N_FOLDS:
            assert key not in drawn.index
            continue
        length = max(map(len, folds))
        padded = [np.append(fold, np.ones(length - len(fold))) for fold in folds]
        np.testing.assert_allclose(drawn.loc[key].sort_index(), np.mean(padded, axis=0))
        n_rows += length
    assert len(drawn) == n_rows
    assert drawn.index.get_level_values("n_interventions").max() <= N_MAX + 1


def test_the_second_sweep_and_unfinished_configurations_are_not_drawn_and_said(panel):
    names = set(panel.table["configuration"])
    assert not names & {"second sweep", "c 0.125 closest probabilistic"}
    assert "2 of 144 configurations were not followed in all folds" in panel.caption
    assert list(panel.table.columns) == list(DRY_RUN_COLUMNS)


def test_the_best_has_the_highest_maximum_then_the_fewest_interventions():
    curves = [
        curve("nd", "c", name, oracle=oracle, fold=0)
        for name, oracle in (("slow", [0.5, 0.6, 0.9]), ("fast", [0.5, 0.9, 0.7]), ("low", [0.8, 0.8, 0.8]))
    ]
    panel = dry_run_panel(pd.concat(curves), score="oracle", data="x")
    assert set(panel.table.loc[panel.table["is_best"], "configuration"]) == {"fast"}
    assert "0.900 at 1" in [text.get_text() for text in panel.figure.texts]


def test_of_two_that_are_equal_the_one_with_the_better_transfer_score_is_best():
    parts = [
        curve("nd", "c", name, oracle=[0.5, 1.0], transfer=[0.5, transfer], fold=fold)
        for name, transfer in (("a", 0.4), ("b", 0.6), ("c", 0.5))
        for fold in range(2)
    ]
    table = dry_run_table(pd.concat(parts), "oracle")
    assert set(table.loc[table["is_best"], "configuration"]) == {"b"}
    blind = dry_run_table(pd.concat(parts).drop(columns="transfer_f1"), "oracle")
    assert set(blind.loc[blind["is_best"], "configuration"]) == {"a"}


@pytest.mark.parametrize("space", ["nd", "2d"])
@pytest.mark.parametrize("combination", ["c", "c,s", "all"])
def test_the_best_is_the_one_that_a_dry_run_ranks_first(curves, panel, space, combination):
    book = CurveBook(N_FOLDS, HOLD)
    of_sweep = curves[curves["sweep"] == "strengths"]
    swept = of_sweep[(of_sweep["space"] == space) & (of_sweep["combination"] == combination)]
    texts = {}
    for (text, fold), rows in swept.groupby(["configuration", "fold"], sort=False):
        first = rows.iloc[0]
        chosen = {name: first[name] for name in ("contract", "criterion", "selection")}
        settings = InterventionSettings(**chosen, n_neighbours=15)
        texts[configuration_name(settings)] = text
        book.add(settings, fold, rows[["n_interventions", "oracle_f1", "transfer_f1"]])
    name, outcome = book.ranked(texts)[0]
    best = panel.table[panel.table["is_best"]]
    best = best[(best["space"] == space) & (best["combination"] == combination)]
    assert set(best["configuration"]) == {texts[name]}
    stars = best[best["is_star"]].set_index("score")
    assert set(stars["n_interventions"]) == {outcome.n_interventions}
    assert stars.loc["oracle", "f1"] == pytest.approx(outcome.oracle_f1)
    if np.isnan(outcome.transfer_f1):
        assert "transfer" not in stars.index
    else:
        assert stars.loc["transfer", "f1"] == pytest.approx(outcome.transfer_f1)


def test_both_rows_mark_the_same_configuration_after_the_same_interventions():
    parts = [
        curve("nd", "c", name, oracle=oracle, transfer=transfer, fold=fold)
        for name, oracle, transfer in (
            ("winner", [0.5, 0.7, 0.9, 0.8], [0.6, 0.5, 0.41, 0.5]),
            ("higher", [0.5, 0.6, 0.7, 0.7], [0.6, 0.9, 0.9, 0.9]),
        )
        for fold in range(2)
    ]
    panel = dry_run_panel(pd.concat(parts), data="x")
    assert "t-SNE" not in panel.caption
    marked = [next(line for line in axes.lines if line.get_marker() == "*") for axes in panel.figure.axes]
    assert [line.get_xdata()[0] for line in marked] == [2, 2]
    np.testing.assert_allclose([line.get_ydata()[0] for line in marked], [0.9, 0.41])
    texts = [text.get_text() for text in panel.figure.texts]
    assert {"0.900 at 2", "0.410 at 2"} <= set(texts)
    assert "no star" not in panel.caption


def test_there_is_no_star_where_a_fold_was_not_followed_so_far():
    parts = [
        curve("nd", "c", "one", oracle=[0.5, 0.7, 1.0, 1.0, 1.0], fold=0),
        curve("nd", "c", "one", oracle=[0.5, 0.6, 0.7, 0.8, 0.9, 1.0], fold=1),
    ]
    panel = dry_run_panel(pd.concat(parts), data="x")
    stars = [[line for line in axes.lines if line.get_marker() == "*"] for axes in panel.figure.axes]
    assert [len(lines) for lines in stars] == [1, 0]
    assert [text.get_text() for text in panel.figure.texts if " at " in text.get_text()] == ["1.000 at 5"]
    assert "There is no star where some fold was not followed so far." in panel.caption


def test_strength_is_the_mean_rank_in_the_grids():
    grid = itertools.product((0.0625, 0.25, 0.5), (1.0, 8.0))
    parts = [curve("nd", "c,s", f"{c} {s}", oracle=[0.5], fold=0, contract=c, shift=s) for c, s in grid]
    parts.append(curve("nd", "c", "alone", oracle=[0.5], fold=0, contract=0.5, shift=np.nan))
    strength = dry_run_table(pd.concat(parts), "oracle").set_index("configuration")["strength"].to_dict()
    expected = {"0.0625 1.0": 0.0, "0.25 1.0": 0.25, "0.5 1.0": 0.5, "0.0625 8.0": 0.5, "0.25 8.0": 0.75}
    assert strength == expected | {"0.5 8.0": 1.0, "alone": 1.0}


def test_scores_stand_in_rows_of_their_own_and_are_named(panel):
    labels = [axes.get_ylabel() for axes in panel.figure.axes[::3]]
    assert labels == ["Oracle F1 (macro)"] * 2 + ["Transfer F1 (macro)"] * 2
    heads = [text.get_text() for text in panel.figure.texts if "validation" in text.get_text()]
    assert [head.rsplit(", ", 1)[0] for head in heads] == [HEADS["oracle"]] * 2 + [HEADS["transfer"]] * 2
    assert [head.rsplit(", ", 1)[1] for head in heads] == ["n-D (ALI)", "2-D (PALI)"] * 2
    for words in (
        "3 folds",
        "made-up curves",
        "Seed 4",
        "uses their labels",
        "for 2 numbers",
        "without their labels",
        "t-SNE",
    ):
        assert words in panel.caption


def test_one_score_says_nothing_of_the_other_but_what_is_marked(curves):
    panel = dry_run_panel(curves, score="transfer", hold=HOLD, data="x")
    assert set(panel.table["score"]) == {"transfer"}
    sentences = [*panel.caption.split(". "), *(text.get_text() for text in panel.figure.texts)]
    (mark,) = [sentence for sentence in sentences if "racle" in sentence]
    assert mark.startswith("Thick line and star: the configuration whose oracle score")


def test_each_plot_draws_its_configurations_with_their_colour(panel):
    plots = panel.table.groupby(["score", "space", "combination"])
    spaces, names = ("nd", "2d"), ("c", "c,s", "all")
    expected = itertools.product(("oracle", "transfer"), spaces, names)
    for axes, key in zip(panel.figure.axes, expected, strict=True):
        rows = plots.get_group(key)
        (lines,) = (artist for artist in axes.collections if isinstance(artist, LineCollection))
        drawn = sorted(float(segment[1, 1]) for segment in lines.get_segments())
        assert drawn == sorted(rows.loc[rows["n_interventions"] == 1, "f1"])
        red = np.array([colour[0] > colour[2] for colour in lines.get_colors()])
        assert red.sum() == rows.loc[rows["selection"] == "probabilistic", "configuration"].nunique()
        assert len({str(style) for style in lines.get_linestyle()}) == len(CRITERIA)


@pytest.mark.parametrize("width", ["single", "double"])
def test_texts_stay_on_the_page_apart_and_legible(panel, width):
    figure = draw_dry_run(panel.table, width=width)
    FigureCanvasAgg(figure).draw()
    texts = [*figure.texts, *figure.legends[0].get_texts()]
    texts += [label for axes in figure.axes for label in (axes.xaxis.label, axes.yaxis.label)]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 6.0
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_the_same_curves_give_the_same_bytes(curves, tmp_path):
    few = curves[(curves["space"] == "nd") & (curves["combination"] == "c")]
    one, two = (dry_run_panel(few, data="x").save(tmp_path / name, "fig4") for name in "ab")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_many_lines_become_an_image(tmp_path):
    parts = [curve("nd", "c", str(k), oracle=[0.5, 0.5 + k / 300], fold=0, contract=k + 1) for k in range(101)]
    for n_lines, n_images in ((101, 1), (100, 0)):
        panel = dry_run_panel(pd.concat(parts[:n_lines]), score="oracle", data="x")
        svg = panel.save(tmp_path, f"lines-{n_lines}")[1].read_text("utf-8")
        assert len(re.findall("<image ", svg)) == n_images
        assert ("600 dpi" in panel.caption) == bool(n_images)


def test_curves_without_what_is_to_be_drawn_are_refused(curves):
    with pytest.raises(AliError, match="no column 'transfer_f1'"):
        dry_run_panel(curves.drop(columns="transfer_f1"), data="x")
    with pytest.raises(AliError, match="no transfer score"):
        dry_run_panel(curves.assign(transfer_f1=np.nan), score="transfer", data="x")
    with pytest.raises(AliError, match="no column 'oracle_f1'"):
        dry_run_table(curves.drop(columns="oracle_f1"), "transfer")
    with pytest.raises(AliError, match="hold must be at least 1"):
        dry_run_table(curves, "oracle", hold=0)
    with pytest.raises(AliError, match="no oracle score"):
        dry_run_table(curves[curves["sweep"] == "neighbours"], "oracle")
    torn = pd.concat([curve("nd", "c", str(fold), oracle=[0.5], fold=fold) for fold in range(2)])
    with pytest.raises(AliError, match="in all folds"):
        dry_run_table(torn, "oracle")
