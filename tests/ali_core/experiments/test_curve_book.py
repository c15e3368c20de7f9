"""How curves compare: by hand, and the bound against what really comes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core.experiments.curve_book import CurveBook
from ali_core.experiments.sweep_grid import configuration_name
from ali_core.interventions import InterventionSettings

ONE = InterventionSettings(contract=0.5)
NAME = configuration_name(ONE)


def curve(oracle, transfer=None):
    transfer = np.linspace(0.5, 0.1, len(oracle)) if transfer is None else transfer
    return pd.DataFrame({"n_interventions": range(len(oracle)), "oracle_f1": oracle, "transfer_f1": transfer})


def book_of(*curves, n_folds=None, hold=1, one=ONE):
    book = CurveBook(n_folds or len(curves), hold)
    for fold, found in enumerate(curves):
        book.add(one, fold, found)
    return book


def test_an_outcome_is_the_first_maximum_of_the_mean_and_the_transfer_score_there():
    book = book_of(curve([0.5, 0.8, 0.9, 0.7], [0.5, 0.3, 0.2, 0.1]), curve([0.3, 0.8, 0.7, 0.9], [0.3, 0.4, 0.6, 0.7]))
    outcome = book.outcome(NAME)
    assert outcome.oracle_f1 == pytest.approx(0.8)  # means 0.4, 0.8, 0.8, 0.8
    assert outcome.n_interventions == 1
    assert outcome.transfer_f1 == pytest.approx(0.35)


def test_a_curve_that_ended_at_1_stays_there_and_its_transfer_score_is_not_known():
    book = book_of(curve([0.5, 1.0], [0.5, 0.4]), curve([0.1, 0.2, 0.4, 0.6], [0.1, 0.2, 0.3, 0.2]))
    np.testing.assert_allclose(book.mean(NAME, "oracle_f1"), [0.3, 0.6, 0.7, 0.8])
    np.testing.assert_allclose(book.mean(NAME, "transfer_f1"), [0.3, 0.3])
    assert book.outcome(NAME).n_interventions == 3
    assert np.isnan(book.outcome(NAME).transfer_f1)


def test_a_curve_followed_beyond_its_end_counts_as_1_from_there_and_gives_the_transfer_score():
    late = curve([0.1, 0.2, 0.4, 0.6], [0.1, 0.2, 0.3, 0.2])
    book = book_of(curve([0.5, 1.0, 0.9, 0.9], [0.5, 0.4, 0.3, 0.6]), late)
    np.testing.assert_allclose(book.mean(NAME, "oracle_f1"), [0.3, 0.6, 0.7, 0.8])
    assert book.outcome(NAME) == pytest.approx((0.8, -3, 0.4))


def test_a_mean_ends_where_a_curve_was_left():
    book = book_of(curve([0.5, 0.6]), curve([0.1, 0.2, 0.4, 0.6]), curve([0.0, 1.0]))
    np.testing.assert_allclose(book.mean(NAME, "oracle_f1"), [0.2, 0.6])


def test_one_score_of_1_is_not_yet_an_end_where_more_are_asked_for():
    held, left = curve([0.5, 1.0, 1.0]), curve([0.5, 0.6, 0.7, 1.0])
    longer = curve([0.2] * 6)
    np.testing.assert_allclose(book_of(held, longer, hold=2).mean(NAME, "oracle_f1"), [0.35] + [0.6] * 5)
    np.testing.assert_allclose(book_of(left, longer, hold=2).mean(NAME, "oracle_f1"), [0.35, 0.4, 0.45, 0.6])
    np.testing.assert_allclose(book_of(held, longer, hold=None).mean(NAME, "oracle_f1"), [0.35, 0.6, 0.6])


@pytest.mark.parametrize(
    ("hold", "longest", "reaches"),
    [(1, 2, True), (1, 3, True), (2, 2, True), (2, 3, False), (None, 2, True), (None, 3, False)],
)
def test_whether_a_curve_is_known_far_enough(hold, longest, reaches):
    book = book_of(curve([0.5, 0.9, 1.0]), hold=hold)
    assert book.reaches(NAME, 0, longest) is reaches
    assert not book.reaches(NAME, 1, 0)
    assert not book.reaches("another", 0, 0)


def test_a_newer_curve_takes_the_place_of_an_older_one():
    book = book_of(curve([0.5, 0.6]), n_folds=2)
    assert not book.is_complete(NAME)
    assert not book.is_complete("another")
    book.add(ONE, 0, curve([0.5, 0.6, 0.9]))
    assert not book.is_complete(NAME)
    book.add(ONE, 1, curve([0.7, 0.8, 0.9]))
    assert book.is_complete(NAME)
    assert book.outcome(NAME)[:2] == (pytest.approx(0.9), -2)


def test_a_bound_by_hand():
    book = book_of(curve([0.4, 0.6, 0.8]), n_folds=2)
    assert book.bound(NAME, 2) == (pytest.approx(0.9), -2)
    assert book.bound(NAME, 1) == (pytest.approx(0.8), -1)
    assert book.bound(NAME, 9) == (1.0, -3)  # what comes after it was left is not known
    assert book.bound("not begun", 9) == (1.0, 0)


scores = st.sampled_from([0.0, 1 / 3, 0.5, 0.7, 0.9, 1.0])


@given(
    full=st.integers(1, 7).flatmap(
        lambda length: st.lists(st.lists(scores, min_size=length, max_size=length), min_size=1, max_size=5)
    ),
    cuts=st.lists(st.integers(0, 7), min_size=5, max_size=5),
    order=st.permutations(range(5)),
    hold=st.sampled_from([1, 2, 3, None]),
)
@settings(max_examples=300)
def test_a_bound_is_at_least_what_the_complete_configuration_gets(full, cuts, order, hold):
    """Folds come in any order, are left anywhere, or are missing; a curve that stays at 1 ends there."""

    def ended(oracle):
        for end in range(len(oracle)):
            if hold is not None and end + 1 >= hold and all(score == 1 for score in oracle[end + 1 - hold : end + 1]):
                return oracle[: end + 1]
        return oracle

    n_folds, longest = len(full), len(full[0]) - 1
    curves = [ended(oracle) for oracle in full]
    complete = book_of(*map(curve, curves), hold=hold)
    part = CurveBook(n_folds, hold)
    for fold in order:
        if fold < n_folds and cuts[fold]:
            part.add(ONE, fold, curve(curves[fold][: cuts[fold]]))
    outcome = complete.outcome(NAME)
    assert part.bound(NAME, longest) >= outcome[:2]
    assert complete.bound(NAME, longest) == outcome[:2]
    if part.is_complete(NAME):
        assert part.outcome(NAME)[:2] <= outcome[:2]
        if all(part.reaches(NAME, fold, longest) for fold in range(n_folds)):
            assert part.outcome(NAME) == outcome


def test_ranked_by_score_then_interventions_then_transfer_then_order():
    book, names = CurveBook(1), []
    for contract, oracle, transfer in (
        (0.1, [0.5, 0.9], [0.5, 0.5]),
        (0.2, [0.9, 0.9], [0.1, 0.5]),
        (0.3, [0.5, 0.9], [0.5, 0.6]),
        (0.4, [0.5, 0.6, 1.0], [0.5, 0.1, 0.1]),
        (0.5, [0.5, 0.9], [0.5, 0.5]),
        (0.6, [0.2, 0.9], [0.9, 0.5]),
    ):
        one = InterventionSettings(contract=contract)
        names.append(configuration_name(one))
        book.add(one, 0, curve(oracle, transfer))
    given_order = [names[4], *names[:4], names[5], "never begun"]
    ranked = [name for name, _ in book.ranked(given_order)]
    assert ranked == [names[3], names[1], names[2], names[4], names[0], names[5]]


def test_incomplete_configurations_are_not_ranked():
    book = book_of(curve([1.0]), n_folds=2)
    assert book.ranked([NAME]) == []


def test_the_table_has_all_rows_of_all_folds_with_the_settings():
    first, second = curve([0.5, 0.75]), curve([0.25, 1.0])
    book = CurveBook(2)
    book.add(ONE, 1, second)
    book.add(ONE, 0, first)
    table = book.table([NAME])
    assert table.fold.tolist() == [0, 0, 1, 1]
    assert table.oracle_f1.tolist() == [0.5, 0.75, 0.25, 1.0]
    assert set(table.configuration) == {NAME}
    for field in ("contract", "rotate", "shift", "shift_mix", "criterion", "selection", "n_neighbours"):
        assert set(table[field]) == {getattr(ONE, field)}
