"""Table II against cells computed by hand, and its two printed forms against the table."""

import re

import numpy as np
import pandas as pd
import pytest

from ali_core.evaluation import compare_methods
from ali_core.experiments.result_tables import (
    TABLE_TWO_COLUMNS,
    caption,
    table_two,
    table_two_latex,
    table_two_markdown,
)
from ali_core.experiments.run_results import RESULT_COLUMNS, compared, results_table, timing_rows

SCORES = {
    "tml": [0.60, 0.64, 0.62],
    "ali c,s": [0.66, 0.68, 0.70],
    "ali c,s w=1 +cw": [0.50, 0.60, 0.70],
    "pali c,s,os +cw": [0.61, 0.63, 0.62],
    "ali c,s learning_rate=0.1": [0.10, 0.10, 0.10],
}


@pytest.fixture
def results():
    rows = [
        {"method": label, "loss": label.split()[0], "preset": "", "fold": fold, "seed": 0, "macro_f1": score}
        for label, scores in SCORES.items()
        for fold, score in enumerate(scores)
    ]
    return results_table(rows)


@pytest.fixture
def comparison(results):
    return compare_methods(results, baseline="tml", test_train_ratio=1 / 4)


@pytest.fixture
def table(results, comparison):
    return table_two(results, comparison)


NAMES = {"name": "50 % & more_", "data": "a_b {c}.npz", "n_folds": 6}


@pytest.fixture
def about(table, results):
    return caption(table, results, planned=15, **NAMES)


def cell(table, row, column):
    return table[(table.row == row) & (table.column == column)].iloc[0]


def test_cells_are_means_of_their_runs(table, comparison):
    assert list(table) == list(TABLE_TWO_COLUMNS)
    assert len(table) == 2 + 36
    shift = cell(table, "shift", "TML+ALI")
    assert (shift.method, shift.n) == ("ali c,s", 3)
    assert (shift["mean"], shift.sd) == (pytest.approx(68.0), pytest.approx(2.0))
    assert shift.difference == pytest.approx(6.0)
    assert shift.low < 6.0 < shift.high
    assert shift.n_comparisons == 4  # ali c,s learning_rate=0.1 is no cell, but compared
    assert shift.p_holm == comparison.set_index("method").p_holm["ali c,s"]
    alone = cell(table, "shift", "ALI (w=1) CW")
    assert (alone["mean"], alone.sd) == (pytest.approx(60.0), pytest.approx(10.0))
    assert cell(table, "shift+oshift", "PALI+TML CW")["mean"] == pytest.approx(62.0)
    assert cell(table, "baseline", "TML")["mean"] == pytest.approx(62.0)
    assert table[table.n > 0].method.tolist() == ["tml", "ali c,s", "ali c,s w=1 +cw", "pali c,s,os +cw"]
    assert table[table.n == 0][["mean", "sd", "difference", "p_holm", "n_comparisons"]].isna().all(axis=None)


def test_the_papers_figures_are_beside(table):
    """The best cell, the worst cell and the baselines, as the paper's text has them."""
    assert table.paper_mean.max() == 71.9
    best = table[table.paper_mean == 71.9]
    assert best.method.tolist() == ["ali c,s +cw", "ali c,s,os +cw"]
    assert best.paper_sd.tolist() == [2.21, 1.95]
    worst = table.loc[table.paper_mean.idxmin()]
    assert (worst.row, worst.column, worst.paper_mean) == ("contract", "ALI (w=1)", 56.8)
    assert table[table.row == "baseline"].paper_mean.tolist() == [68.9, 68.9]


def test_a_single_run_has_no_deviation(results, about):
    one = table_two(results[results.fold == 0])
    shift = cell(one, "shift", "TML+ALI")
    assert (shift["mean"], shift.n) == (pytest.approx(66.0), 1)
    assert np.isnan(shift.sd)
    assert one.difference.isna().all()
    assert "66.0 ± – (69.2 ± 1.67)" in table_two_markdown(one, about)


def test_markdown_has_every_cell(table, about):
    text = table_two_markdown(table, about)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 8
    assert {line.count("|") for line in lines} == {8}
    shift = next(line for line in lines if line.startswith("| shift |"))
    assert shift.split(" | ")[3] == "68.0 ± 2.00 (69.2 ± 1.67)"
    assert shift.split(" | ")[1] == "(68.8 ± 1.81)"
    assert "TML: 62.0 ± 2.00 (68.9 ± 2.87)" in text
    assert "PLI: not run (68.9 ± 2.15)" in text
    assert "over 3 of 6 folds, 1 seed; in brackets" in text
    assert text.startswith(r"50 % \& more\_: macro F1 on test folds of a\_b {c}.npz")


def test_what_is_not_done_is_told(results):
    """Of 15 runs two are left: one of a cell, and one of a method that is none."""
    lacking = results[~((results.method == "ali c,s") & (results.fold == 1))]
    lacking = lacking[~((lacking.method == "ali c,s learning_rate=0.1") & (lacking.fold == 0))]
    table = table_two(lacking)
    text = caption(table, lacking, planned=15, **NAMES)
    assert "over 3 of 6 folds, 1 seed, n = 3 where no n is given; in" in text
    assert text.endswith("Unfinished: 13 of 15 runs.")
    assert text.count("n = ") == 1
    cells = table_two_markdown(table, text)
    assert cells.count(", n = 2") == 1
    assert "68.0 ± 2.83, n = 2 (69.2 ± 1.67)" in cells
    assert r"$68.0 \pm 2.83$, $n = 2$ &" in table_two_latex(table, text)
    done = caption(table_two(results), results, planned=15, **NAMES)
    assert "n = " not in done
    assert "Unfinished" not in done
    first = results[results.method == "ali c,s learning_rate=0.1"].assign(seed=7)
    assert "over 0 of 6 folds, 0 seeds; in" in caption(table_two(first), first, planned=15, **NAMES)
    more = pd.concat([results, results.assign(seed=4)])
    assert "over 3 of 6 folds, 2 seeds; in" in caption(table_two(more), more, planned=30, **NAMES)


def test_latex_is_whole_and_escaped(table, about):
    text = table_two_latex(table, about)
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + 2 * 6 + 2
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {6}
    assert text.count(r"\begin") == text.count(r"\end")
    assert r"50 \% \& more\_" in text
    assert r"a\_b \{c\}.npz" in text
    assert text.count("{") == text.count("}")
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    assert "±" not in text
    shift = next(row for row in rows if row.startswith("shift &"))
    assert r"\pm \mbox{--}$" in table_two_latex(table_two(pd.DataFrame({"method": ["tml"], "macro_f1": [0.5]})), "")
    assert shift.split(" & ")[3] == r"$68.0 \pm 2.00$"
    below = rows[rows.index(shift) + 1]
    assert below.split(" & ")[3] == r"\small($69.2 \pm 1.67$)"


def test_only_pairs_that_all_methods_have_are_compared(results):
    methods = list(SCORES)
    table, note = compared(results, methods, baseline="tml", n_folds=6)
    assert table.n_comparisons.tolist() == [4] * 4
    expected = compare_methods(results, baseline="tml", test_train_ratio=1 / 4)
    pd.testing.assert_frame_equal(table.drop(columns="n_comparisons"), expected)
    assert note == ""
    lacking = results[~((results.method == "ali c,s") & (results.fold == 1))]
    table, note = compared(lacking, [*methods, "pli"], baseline="tml", n_folds=6)
    assert table.n_pairs.unique().tolist() == [2]
    by_hand = np.mean([0.66 - 0.60, 0.70 - 0.62])
    assert table.set_index("method").difference["ali c,s"] == pytest.approx(by_hand)
    assert "1 of 6 methods (less than half of the runs of tml)" in note
    assert "1 of 3 pairs of fold and seed" in note
    late = results[(results.method != "ali c,s") | (results.fold == 0)]  # one pair of three
    table, note = compared(late, methods, baseline="tml", n_folds=6)
    assert table.n_pairs.unique().tolist() == [3]
    assert "ali c,s" not in set(table.method)
    assert table.n_comparisons.tolist() == [3] * 3
    assert "1 of 5 methods" in note


def test_nothing_is_compared_without_two_pairs_or_a_baseline(results):
    for rows in (results[results.fold == 0], results[results.method == "tml"], results[results.method != "tml"]):
        table, note = compared(rows, list(SCORES), baseline="tml", n_folds=6)
        assert table is None
        assert note.startswith("nothing is compared")
    assert compared(results_table([]), list(SCORES), baseline="tml", n_folds=6)[0] is None


def test_no_results_are_tables_without_rows():
    empty = results_table([])
    assert list(empty) == list(RESULT_COLUMNS)
    assert len(timing_rows(empty)) == 0
    assert (table_two(empty).n == 0).all()
