"""Fig. 2: counts are those of numpy, bars are as long, and any number of classes fits."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from ali_core import AliError
from ali_viz.panels import DISTRIBUTION_COLUMNS, distribution_panel, distribution_table
from ali_viz.theme import class_styles

NAMES = ("blast", "monocyte", "own kind", "platelet")


@pytest.fixture
def labels(rng):
    return rng.permutation(np.repeat([3, 0, 2, 1], [1200, 7, 1, 40]))


def test_counts_are_those_of_pandas_in_the_order_of_lineage(labels):
    table = distribution_table(labels, NAMES)
    assert list(table.columns) == list(DISTRIBUTION_COLUMNS)
    assert list(table["class_name"]) == ["blast", "monocyte", "platelet", "own kind"]
    counts = pd.Series(np.array(NAMES)[labels]).value_counts()
    assert dict(zip(table["class_name"], table["n_samples"], strict=True)) == counts.to_dict()


def test_bars_end_at_the_counts_in_the_colours_of_the_classes(labels):
    axes = distribution_panel(labels, NAMES, data="x").figure.axes[0]
    assert axes.get_xscale() == "log"
    assert [bar.get_x() + bar.get_width() for bar in axes.patches] == [7, 40, 1200, 1]
    assert all(bar.get_width() > 0 for bar in axes.patches)
    styles = {style.name: style.colour for style in class_styles(NAMES)}
    drawn = [to_hex(bar.get_facecolor()) for bar in axes.patches]
    assert drawn == [styles[name] for name in ("blast", "monocyte", "platelet", "own kind")]


def test_colours_that_somebody_chose_are_those_of_the_bars(labels):
    axes = distribution_panel(labels, NAMES, data="x", colours={"own kind": "#123456"}).figure.axes[0]
    assert [to_hex(bar.get_facecolor()) for bar in axes.patches].index("#123456") == 3


def test_an_order_that_somebody_chose_is_that_of_the_bars_and_the_caption_says_so(labels):
    chosen = distribution_panel(3 - labels, NAMES[::-1], data="x")
    assert list(chosen.table["class_name"]) == ["platelet", "own kind", "monocyte", "blast"]
    assert "in the order that was chosen" in chosen.caption
    assert "by lineage and maturity" in distribution_panel(labels, NAMES, data="x").caption


def test_counts_are_written_and_the_caption_says_what_is_shown(labels, check_texts):
    panel = distribution_panel(labels, NAMES, data="made-up cells", settings="Thinned with seed 3")
    texts = check_texts(panel.figure)
    assert {"7", "40", "1,200", "Own kind"} <= set(texts)
    for words in ("made-up cells", "1,248 samples of 4 classes", "Thinned with seed 3.", "begins at 0.5", "1.2e+03"):
        assert words in panel.caption


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize("n_classes", [1, 2, 60])
def test_any_number_of_classes_is_legible(n_classes, width, check_texts):
    names = [f"class {number}" for number in range(n_classes)]
    labels = np.repeat(np.arange(n_classes), np.arange(n_classes) + 1)
    panel = distribution_panel(labels, names, data="x", width=width)
    assert {name.capitalize() for name in names} <= set(check_texts(panel.figure))


def test_long_names_are_broken_and_stay_on_the_page(check_texts):
    names = ["a very long name of a class that nobody would choose but somebody has", "b" * 90, "c"]
    texts = check_texts(distribution_panel([0, 1, 2], names, data="x").figure)
    assert sum("\n" in text for text in texts) == 2


def test_a_class_without_samples_has_no_bar_but_a_zero(check_texts):
    panel = distribution_panel([0, 0, 2], ["a", "b", "c"], data="x")
    assert panel.figure.axes[0].patches[1].get_width() == 0
    assert "0" in check_texts(panel.figure)


def test_files_are_the_same_twice_and_hold_their_fonts(labels, check_files):
    files = check_files(lambda: distribution_panel(labels, NAMES, data="x"))
    assert pd.read_csv(files["csv"])["n_samples"].sum() == len(labels)


def test_labels_without_a_class_are_refused():
    with pytest.raises(AliError, match=r"0 to 1; got 0 to 2"):
        distribution_table([0, 2], ["a", "b"])
    with pytest.raises(AliError, match="at least one class"):
        distribution_table([], [])
