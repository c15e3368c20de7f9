"""Comparisons by hand, by scipy, and by a literal loop."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ali_core.errors import AliError
from ali_core.evaluation import compare_methods


def runs(scores):
    """Long form of {method: scores}, six folds a seed."""
    return pd.DataFrame(
        [
            {"method": method, "fold": at % 6, "seed": at // 6, "macro_f1": value}
            for method, values in scores.items()
            for at, value in enumerate(values)
        ]
    )


def test_a_case_by_hand():
    """d = 1, 2, 3, 4: mean 2.5, s² = 5/3; variance of the mean (1/4 + 1/4) · 5/3 = 5/6; t(.975; 3) = 3.182446."""
    row = compare_methods(runs({"a": [1, 2, 3, 4], "b": [2, 4, 6, 8]}), baseline="a", test_train_ratio=0.25).iloc[0]
    half = 3.1824463 * np.sqrt(5 / 6)
    assert (row["mean"], row.baseline_mean, row.difference, row.n_pairs) == (5, 2.5, 2.5, 4)
    assert row.low == pytest.approx(2.5 - half, rel=1e-7)
    assert row.high == pytest.approx(2.5 + half, rel=1e-7)
    t = 2.5 / np.sqrt(5 / 6)  # for 3 degrees of freedom the distribution of t is elementary
    tail = 0.5 - (np.arctan(t / np.sqrt(3)) + t / np.sqrt(3) / (1 + t**2 / 3)) / np.pi
    assert row.p == pytest.approx(2 * tail, rel=1e-9)
    assert row.p_holm == row.p
    assert row.sentence == (
        "b 5.000 against a 2.500: macro_f1 +2.500 (95 % interval -0.405 to +5.405), p = 0.071 over 4 pairs"
    )


def test_without_correction_it_is_the_paired_t_test_of_scipy(rng):
    a, b = rng.normal(size=18), rng.normal(size=18) + 0.3
    row = compare_methods(runs({"a": a, "b": b}), baseline="a", test_train_ratio=0).iloc[0]
    theirs = stats.ttest_rel(b, a)
    interval = theirs.confidence_interval(0.95)
    assert row.p == pytest.approx(theirs.pvalue, rel=1e-10)
    assert (row.low, row.high) == pytest.approx((interval.low, interval.high), rel=1e-10)


@given(st.integers(0, 999), st.integers(1, 6))
def test_holm_equals_the_literal_procedure(seed, n_methods):
    """Reject from the smallest p on, level / (number left), until one fails: at level p_holm a method is just kept."""
    rng = np.random.default_rng(seed)
    scores = {"base": rng.normal(size=12)} | {f"m{i}": rng.normal(size=12) + 0.3 * i for i in range(n_methods)}
    table = compare_methods(runs(scores), baseline="base", test_train_ratio=0.25)
    p = table.p.tolist()
    for level in [0.001, 0.01, 0.05, 0.2, 0.5, 0.9]:
        rejected, left = set(), sorted(range(len(p)), key=lambda i: p[i])
        while left and p[left[0]] <= level / len(left):
            rejected.add(left.pop(0))
        assert set(np.flatnonzero(table.p_holm <= level)) == rejected
    assert (table.p_holm <= 1).all()


def test_pairs_and_methods_may_come_in_any_order(rng):
    results = runs({"base": rng.normal(size=12), "x": rng.normal(size=12), "y": rng.normal(size=12)})
    shuffled = results.sample(frac=1, random_state=1)
    first, second = (
        compare_methods(table, baseline="base", test_train_ratio=0.25).set_index("method")
        for table in (results, shuffled)
    )
    assert first.index.tolist() == ["x", "y"]
    pd.testing.assert_frame_equal(first, second.loc[first.index])
    assert "among 2 comparisons (Holm)" in first.sentence["x"]


def test_a_constant_shift_of_both_changes_nothing_and_overlap_widens_the_interval(rng):
    a, b = rng.normal(size=12), rng.normal(size=12)
    here = compare_methods(runs({"a": a, "b": b}), baseline="a", test_train_ratio=0.2).iloc[0]
    there = compare_methods(runs({"a": a + 5, "b": b + 5}), baseline="a", test_train_ratio=0.2).iloc[0]
    wide = compare_methods(runs({"a": a, "b": b}), baseline="a", test_train_ratio=0.25).iloc[0]
    assert here.p == pytest.approx(there.p)
    assert (wide.high - wide.low) / (here.high - here.low) == pytest.approx(
        np.sqrt((1 / 12 + 0.25) / (1 / 12 + 0.2)), rel=1e-9
    )


def test_equal_scores_differ_by_nothing_and_a_constant_gain_is_certain():
    table = compare_methods(
        runs({"a": [1.0, 2.0, 3.0], "same": [1.0, 2.0, 3.0], "more": [2.0, 3.0, 4.0]}),
        baseline="a",
        test_train_ratio=0.25,
    ).set_index("method")
    assert table.p.tolist() == [1.0, 0.0]
    assert table.low.tolist() == table.high.tolist() == [0.0, 1.0]


def without(results, row):
    return results.drop(index=row)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda r: r.drop(columns="seed"), {}, "need the column 'seed'; they have method, fold, macro_f1"),
        (lambda r: r, {"metric": "accuracy"}, "need the column 'accuracy'"),
        (lambda r: r, {"baseline": "c"}, "need the baseline 'c' and another method; got a, b"),
        (lambda r: r[r.method == "a"], {}, "another method; got a$"),
        (lambda r: pd.concat([r, r.iloc[[4]]]), {}, "b on fold 1, seed 0 occurs again"),
        (lambda r: r.assign(macro_f1=[0.1, np.nan, *r.macro_f1[2:]]), {}, "not for a on fold 1, seed 0"),
        (lambda r: without(r, 1), {}, "missing: a on fold 1, seed 0$"),
        (lambda r: without(r, [1, 5]), {}, "missing: a on fold 1, seed 0; b on fold 2, seed 0$"),
        (lambda r: r[r.fold == 0], {}, "at least two pairs"),
        (lambda r: r, {"test_train_ratio": -0.1}, "at least 0; got -0.1"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, arguments, message):
    results = change(runs({"a": [0.1, 0.2, 0.3], "b": [0.2, 0.2, 0.5]}))
    with pytest.raises(AliError, match=message):
        compare_methods(results, **({"baseline": "a", "test_train_ratio": 0.25} | arguments))
