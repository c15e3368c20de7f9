"""Fig. 5: bars, intervals and lines are those of a computation by hand, and the caption says what they are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from scipy import stats

from ali_core import AliError
from ali_core.evaluation import compare_methods
from ali_viz.panels import RESULTS_PANEL_COLUMNS, draw_results, results_panel, results_panel_table
from ali_viz.panels.results_panel import slots

PRESETS = ("c", "c,s", "c,r", "c,s,os", "c,s,r", "all")


def runs(method, scores, *, loss=None, preset="", weight=0.0, class_weights=False, control=False, seed=0):
    """Rows of one method, a fold a score."""
    about = {"loss": loss or method.split()[0], "preset": preset, "intervention_weight": weight, "seed": seed}
    rows = pd.DataFrame({"fold": range(len(scores)), "macro_f1": scores})
    return rows.assign(method=method, class_weights=class_weights, control=control, **about)


def paper_like(presets=PRESETS, n_folds=6, seed=4):
    """All cells of the paper's Table II."""
    rng = np.random.default_rng(seed)
    parts = [runs(name, rng.normal(0.68, 0.02, n_folds)) for name in ("pli", "tml")]
    for preset in presets:
        for loss, weight, words in (("pali", 0.9, ""), ("ali", 0.8, ""), ("ali", 1.0, " w=1")):
            for with_weights in (False, True):
                label = f"{loss} {preset}{words}{' +cw' * with_weights}"
                about = {"preset": preset, "weight": weight, "class_weights": with_weights}
                parts.append(runs(label, rng.normal(0.68, 0.03, n_folds), **about))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def results():
    return paper_like()


@pytest.fixture(scope="module")
def panel(results):
    return results_panel(results, n_folds=6, data="made-up features", settings="Trained for 5 epochs")


def test_means_and_intervals_are_those_by_hand():
    scores = np.array([0.60, 0.66, 0.63, 0.69])
    table = results_panel_table(
        pd.concat([runs("tml", [0.5, 0.7]), runs("ali c", scores, preset="c", weight=0.8)]), n_folds=6
    )
    bar = table[table["kind"] == "bar"].iloc[0]
    # s² = (.045² + .015² + .015² + .045²) / 3 = .0015; t(.975, 3) = 3.1824463; variance (1/4 + 1/4) s²
    half = 3.182446305284263 * np.sqrt(0.5 * 0.0015)
    np.testing.assert_allclose([bar["mean"], bar["low"], bar["high"]], [0.645, 0.645 - half, 0.645 + half])
    assert (bar["n"], bar["combination"], bar["weight"]) == (4, "c", 0.8)


@settings(max_examples=25)
@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=12), st.integers(3, 9))
def test_the_interval_is_that_of_a_difference_from_nothing(scores, n_folds):
    zero = runs("tml", np.zeros(len(scores)))
    both = pd.concat([zero, runs("ali c", scores, preset="c", weight=0.8)])
    drawn = results_panel_table(both, n_folds=n_folds)
    bar = drawn[drawn["kind"] == "bar"].iloc[0]
    other = compare_methods(both, baseline="tml", test_train_ratio=1 / (n_folds - 2)).iloc[0]
    np.testing.assert_allclose([bar["low"], bar["high"]], [other["low"], other["high"]], atol=1e-12)


def test_means_are_those_of_pandas_over_folds_and_seeds():
    twice = pd.concat([paper_like(seed=1).assign(seed=0), paper_like(seed=2).assign(seed=1)])
    table = results_panel_table(twice, n_folds=6)
    assert list(table.columns) == list(RESULTS_PANEL_COLUMNS)
    means = table[table["kind"] != "run"].set_index("method")
    expected = twice.groupby("method")["macro_f1"]
    np.testing.assert_allclose(means["mean"], expected.mean()[means.index])
    error = expected.std() * np.sqrt(1 / 12 + 1 / 4)
    np.testing.assert_allclose(means["high"] - means["mean"], (stats.t.ppf(0.975, 11) * error)[means.index])
    assert (means["n"] == 12).all()
    single = table[table["kind"] == "run"].merge(twice, on=["method", "fold", "seed"], validate="one_to_one")
    assert len(single) == len(twice)
    np.testing.assert_array_equal(single["mean"], single["macro_f1"])


def test_bars_have_the_heights_and_intervals_of_the_table(panel):
    axes, bars = panel.figure.axes[0], panel.table[panel.table["kind"] == "bar"]
    assert len(axes.patches) == 36 + 1  # and the interval of the baseline
    drawn = sorted(bar.get_height() for bar in axes.patches[1:])
    np.testing.assert_allclose(drawn, sorted(bars["mean"]))
    ends = [segment[:, 1] for lines in axes.collections for segment in lines.get_segments()]
    assert isinstance(axes.collections[0], LineCollection)
    np.testing.assert_allclose(sorted(map(tuple, ends)), sorted(zip(bars["low"], bars["high"], strict=True)))


def test_groups_and_places_follow_the_paper(panel, check_texts):
    texts = check_texts(panel.figure)
    assert [text for text in texts if text in PRESETS] == list(PRESETS)
    bars = panel.table[panel.table["kind"] == "bar"]
    for number, preset in enumerate(PRESETS):
        own = bars[bars["combination"] == preset].set_index("method")["mean"]
        words = [f"{loss} {preset}{more}" for loss, more in (("pali", ""), ("ali", ""), ("ali", " w=1"))]
        expected = [own[f"{word}{weighted}"] for word in words for weighted in ("", " +cw")]
        inside = [bar for bar in panel.figure.axes[0].patches[1:] if abs(bar.get_x() + 0.01 - number) < 0.5]
        drawn = [bar.get_height() for bar in sorted(inside, key=lambda bar: bar.get_x())]
        np.testing.assert_allclose(drawn, expected)


def test_class_weights_darken_the_colour_of_a_loss(results):
    table = results_panel_table(results, n_folds=6)
    light, dark = slots(table[table["kind"] == "bar"])[2:4]
    assert (light.class_weights, dark.class_weights) == (False, True)
    assert sum(dark.colour) < sum(light.colour)
    share = (1 - np.array(light.colour)) / (1 - np.array(dark.colour))
    np.testing.assert_allclose(share, share[0])


def test_single_runs_stand_over_their_bars(panel):
    axes, table = panel.figure.axes[0], panel.table
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    runs_of_bars = table[(table["kind"] == "run") & (table["combination"] != "")]
    drawn = np.concatenate([line.get_ydata() for line in dots])
    np.testing.assert_allclose(sorted(drawn), sorted(runs_of_bars["mean"]))
    for line, bar in zip(dots, axes.patches[1:], strict=True):
        assert bar.get_x() < line.get_xdata().min() < line.get_xdata().max() < bar.get_x() + bar.get_width()


def test_the_baseline_comes_first_with_its_interval_and_is_named(panel):
    lines = panel.table[panel.table["kind"] == "baseline"]
    assert list(lines["method"]) == ["tml", "pli"]
    axes = panel.figure.axes[0]
    level = [line.get_ydata()[0] for line in axes.lines if line.get_transform() == axes.get_yaxis_transform()]
    np.testing.assert_allclose(level, lines["mean"])
    band = axes.patches[0]
    tml = lines.iloc[0]
    np.testing.assert_allclose([band.get_y(), band.get_y() + band.get_height()], [tml["low"], tml["high"]])
    written = [text.get_text() for text in panel.figure.texts]
    assert {f"{row['method']} {row['mean']:.3f}" for _, row in lines.iterrows()} <= set(written)


def test_the_caption_says_what_the_figure_cannot(panel):
    floor = panel.figure.axes[0].get_ylim()[0]
    for words in (
        "made-up features",
        "6 runs a method (6 of 6 folds, seed 0)",
        "Trained for 5 epochs.",
        "95 % t interval",
        "(1/n + 1/4) s²",
        "Nadeau and Bengio 2003",
        "not of differences",
        f"begins at {floor:.2f}, not at 0",
        "highest of 36 bars",
        "labels of the training folds",
    ):
        assert words in panel.caption
    assert "n/a" not in panel.caption


def test_a_missing_bar_leaves_its_place_and_is_marked_beside_its_sibling(results, check_texts):
    without = results[~results["method"].isin(["ali c,r +cw", "pali c,s", "pali c,s +cw"])]
    panel = results_panel(without, n_folds=6, data="x")
    axes = panel.figure.axes[0]
    (mark,) = axes.texts
    assert check_texts(panel.figure).count("n/a") == 1
    assert "n/a: not run." in panel.caption
    whole = results_panel(results, n_folds=6, data="x").figure.axes[0]
    edges = {round(bar.get_x(), 9) for bar in whole.patches[1:]}
    left = {round(bar.get_x(), 9) for bar in axes.patches[1:]}
    assert left < edges
    assert len(edges - left) == 3
    assert sum(0 < mark.get_position()[0] - edge < 0.2 for edge in edges - left) == 1


def test_one_run_has_no_interval():
    both = pd.concat([runs("tml", [0.5]), runs("ali c", [0.6], preset="c", weight=0.8)])
    panel = results_panel(both, n_folds=3, data="x")
    assert panel.table.loc[panel.table["kind"] != "run", ["low", "high"]].isna().all(axis=None)
    assert not panel.figure.axes[0].collections
    assert "1 run a method (1 of 3 folds, seed 0)" in panel.caption
    assert "grey" not in panel.caption
    assert "interval" not in panel.caption


def test_controls_and_other_losses_are_lines(check_texts):
    parts = [runs(name, [0.5, 0.52]) for name in ("tml", "tml +cw", "ce", "supcon", "proxyanchor")]
    parts.append(runs("ali c control", [0.5, 0.51], preset="c", control=True))
    parts.append(runs("ali c", [0.6, 0.62], preset="c", weight=0.8))
    for width in ("single", "double"):
        figure = draw_results(results_panel_table(pd.concat(parts), n_folds=6), width=width)
        texts = check_texts(figure)
        assert {"tml 0.510", "tml +cw 0.510", "ce 0.510", "ali c control 0.505"} <= set(texts)


def test_a_baseline_with_interventions_is_a_bar_and_a_line(check_texts):
    parts = [
        runs("ali c", [0.6, 0.7], preset="c", weight=0.8),
        runs("ali c,s", [0.5, 0.54], preset="c,s", weight=0.8),
        runs("ce", [0.4, 0.6]),
    ]
    panel = results_panel(pd.concat(parts), baseline="ali c", n_folds=6, data="x")
    kinds = panel.table[panel.table["kind"] != "run"].groupby("method", sort=False)["kind"].agg(list).to_dict()
    assert kinds == {"ali c": ["bar", "baseline"], "ali c,s": ["bar"], "ce": ["baseline"]}
    assert len(panel.table[panel.table["kind"] == "run"]) == 6
    texts = check_texts(panel.figure)
    assert {"ali c 0.650", "ce 0.500"} <= set(texts)
    axes = panel.figure.axes[0]
    level = [line.get_ydata()[0] for line in axes.lines if line.get_transform() == axes.get_yaxis_transform()]
    np.testing.assert_allclose(level, [0.65, 0.5])
    said = "Lines: ali c, the baseline, which is a bar as well; ce, trained without these interventions; grey, the "
    assert said + "interval of ali c." in panel.caption


def test_the_baseline_may_be_the_only_run(check_texts):
    panel = results_panel(runs("ali c", [0.6566], preset="c", weight=0.8), baseline="ali c", n_folds=6, data="x")
    assert list(panel.table["kind"]) == ["bar", "baseline", "run"]
    assert "trained without" not in panel.caption
    check_texts(panel.figure)
    low, high = panel.figure.axes[0].get_ylim()
    assert low < 0.6566 - 0.02 < 0.6566 + 0.02 < high


def test_what_else_a_label_says_makes_another_group():
    about = {"loss": "ali", "preset": "c,s", "weight": 0.8}
    labels = ["ali c,s width=64", "ali c,s", "tml, then ali c,s +cw", "ali c,s w=0.5"]
    weights = [0.8, 0.8, 0.8, 0.5]
    parts = [
        runs(label, [0.6, 0.7], class_weights="+cw" in label, **about | {"weight": weight})
        for label, weight in zip(labels, weights, strict=True)
    ]
    parts.append(runs("ali shift=2", [0.6, 0.7], loss="ali", preset="own", weight=0.8))
    table = results_panel_table(pd.concat([runs("tml", [0.5, 0.6]), *parts]), n_folds=6)
    found = table[table["kind"] == "bar"].set_index("method")["combination"].to_dict()
    assert found == {
        "ali c,s": "c,s",
        "ali c,s w=0.5": "c,s",
        "ali c,s width=64": "c,s width=64",
        "tml, then ali c,s +cw": "c,s after tml",
        "ali shift=2": "shift=2",
    }


@pytest.mark.parametrize("width", ["single", "double"])
def test_texts_are_legible_at_both_widths(results, width, check_texts):
    check_texts(draw_results(results_panel_table(results, n_folds=6), width=width))


def test_files_are_the_same_twice_and_hold_their_fonts(results, check_files):
    files = check_files(lambda: results_panel(results, n_folds=6, data="x"))
    assert (pd.read_csv(files["csv"])["kind"] == "bar").sum() == 36


def test_results_that_cannot_be_drawn_are_refused(results):
    cases = [
        (results.drop(columns="control"), {}, "column 'control'"),
        (results, {"baseline": "ce"}, r"baseline 'ce' has no run; .*\['pli', 'tml', 'pali c'"),
        (results[results["preset"] == ""], {}, "interventions of ali or pali"),
        (pd.concat([results, results.iloc[[20]]]), {}, "every run may occur once"),
        (pd.concat([results, results.iloc[[0]]]), {}, "every run may occur once"),
        (results.assign(macro_f1=np.nan), {}, "finite"),
        (results, {"n_folds": 2}, "at least 3"),
    ]
    for table, changed, message in cases:
        with pytest.raises(AliError, match=message):
            results_panel_table(table, **{"n_folds": 6} | changed)


@pytest.mark.parametrize("width", ["single", "double"])
def test_long_names_of_combinations_are_broken_below_the_axis(width, check_texts):
    words = "contract=0.5,shift=2.0,criterion=closest n_neighbours=3"
    parts = [runs(f"ali {words}", [0.6, 0.7], preset="own", weight=0.8), runs("ali c", [0.5], preset="c", weight=0.8)]
    table = results_panel_table(pd.concat([runs("tml", [0.5, 0.6]), *parts]), n_folds=6)
    texts = check_texts(draw_results(table, width=width))
    assert words.replace(" ", "") in "".join(texts).replace(" ", "")
