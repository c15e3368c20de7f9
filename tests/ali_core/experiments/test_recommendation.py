"""The joint choice of Ω and the tables, by hand."""

import tomllib

import pandas as pd
import pytest

from ali_core import preset
from ali_core.experiments.curve_book import CurveBook
from ali_core.experiments.recommendation import (
    CURVE_COLUMNS,
    Recommendation,
    choose_jointly,
    criteria_table,
    curve_rows,
    table_one,
)
from ali_core.experiments.sweep_grid import configuration_name
from ali_core.interventions import InterventionSettings
from ali_core.training import TrainSettings

PRODUCT, STD, DRAWN = ("product", "deterministic"), ("mean-std", "deterministic"), ("product", "probabilistic")


def one(choice=PRODUCT, **strengths):
    return InterventionSettings(criterion=choice[0], selection=choice[1], n_neighbours=3, **strengths)


def rising(top, after, transfer=0.25):
    """A curve that is at its top after so many interventions."""
    oracle = [0.5] * after + [top]
    return pd.DataFrame({"n_interventions": range(after + 1), "oracle_f1": oracle, "transfer_f1": transfer})


def book_of(*entries):
    book = CurveBook(1)
    for settings, curve in entries:
        book.add(settings, 0, curve)
    return book


def test_the_criterion_that_is_best_in_most_combinations_is_chosen():
    sweep = {
        "c": [one(PRODUCT, contract=0.1), one(STD, contract=0.1)],
        "c,s": [one(PRODUCT, shift=1.0), one(STD, shift=1.0)],
        "c,r": [one(PRODUCT, rotate=0.1), one(STD, rotate=0.1)],
    }
    curves = [rising(0.99, 9), rising(0.9, 2), rising(0.9, 2), rising(0.9, 4), rising(0.8, 1), rising(0.9, 8)]
    members = [settings for group in sweep.values() for settings in group]
    book = book_of(*zip(members, curves, strict=True))
    assert choose_jointly(sweep, book) == PRODUCT  # first and second combination
    book.add(sweep["c,s"][1], 0, rising(0.9, 1))
    assert choose_jointly(sweep, book) == STD


def test_equals_of_the_best_win_too_and_of_equal_wins_the_first_in_the_sweep_counts():
    sweep = {"c": [one(STD, contract=0.1), one(PRODUCT, contract=0.1), one(DRAWN, contract=0.1)]}
    curves = [rising(0.8, 1), rising(0.9, 3, transfer=0.1), rising(0.9, 3, transfer=0.9)]
    assert choose_jointly(sweep, book_of(*zip(sweep["c"], curves, strict=True))) == PRODUCT
    sweep["c,s"] = [one(DRAWN, shift=1.0)]
    book = book_of(*zip([*sweep["c"], *sweep["c,s"]], [*curves, rising(0.6, 1)], strict=True))
    assert choose_jointly(sweep, book) == DRAWN


@pytest.fixture
def found():
    """Two strengths and two criteria in the first sweep; the second has another number of neighbours that is better."""
    first = [one(PRODUCT, shift=1.0), one(STD, shift=1.0), one(PRODUCT, shift=2.0), one(STD, shift=2.0)]
    second = [first[2].changed(n_neighbours=count) for count in (1, 2, 3)]
    curves = [rising(0.8, 2), rising(1.0, 2), rising(0.9, 4), rising(0.7, 1)]
    book = book_of(*zip(first, curves, strict=True))
    for settings, curve in zip(second, [rising(0.9, 3), rising(0.9, 3, transfer=0.75), rising(0.9, 4)], strict=True):
        book.add(settings, 0, curve)
    return Recommendation.of("c,s", first, second, book), book, first, second


def test_the_best_of_the_second_sweep_is_recommended_and_the_rest_comes_next(found):
    recommended, _, first, second = found
    assert recommended.settings == second[1].changed(n_iterations=3)
    assert recommended.outcome == (0.9, -3, 0.75)
    assert recommended.untouched_f1 == 0.5
    # Another criterion may be better, yet one is chosen for all combinations.
    assert [settings for settings, _ in recommended.others] == [first[1], second[0], second[2], first[0], first[3]]
    assert recommended.others[0][1] == (1.0, -2, 0.25)


def test_table_one_tells_how_far_others_are_behind_and_what_the_paper_has(found):
    recommended, _, _, _ = found
    table = table_one({"c,s": recommended}, "nd")
    assert table["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table.behind_f1.tolist() == pytest.approx([0, 0.1, 0, 0, -0.1, -0.2])
    assert table.behind_interventions.tolist() == [0, -1, 0, 1, -1, -2]
    assert set(table.space) == {"nd"}
    assert set(table.untouched_f1) == {0.5}
    paper = preset("c,s", 256)
    row = table.iloc[0]
    assert (row.paper_shift, row.paper_n_neighbours, row.paper_n_iterations) == (4, 2, 25)
    assert row.paper_criterion == paper.criterion
    assert table.paper_shift.isna().tolist() == [False] + [True] * 5
    in_plane = table_one({"c,s": recommended}, "2d").iloc[0]
    assert (in_plane.paper_shift, in_plane.paper_n_iterations, in_plane.paper_criterion) == (1, 48, "mean-std")


def test_criteria_have_one_row_each_with_their_best(found):
    recommended, book, _, _ = found
    table = criteria_table({"c,s": recommended}, book, "nd").set_index("criterion")
    assert table.oracle_f1.to_dict() == {"product": 0.9, "mean-std": 1.0}
    assert table["shift"].to_dict() == {"product": 2.0, "mean-std": 1.0}
    assert table.chosen.to_dict() == {"product": True, "mean-std": False}


def test_curves_have_their_columns_and_both_sweeps(found):
    recommended, book, first, second = found
    table = curve_rows({"c,s": recommended}, book, "nd")
    assert list(table) == CURVE_COLUMNS
    counts = table.groupby(["sweep", "configuration"]).size().to_dict()
    # The second sweep has one configuration of the first again.
    lengths = {("strengths", configuration_name(settings)): n for settings, n in zip(first, (3, 3, 5, 2), strict=True)}
    lengths |= {("neighbours", configuration_name(settings)): n for settings, n in zip(second, (4, 4, 5), strict=True)}
    assert counts == lengths


@pytest.mark.parametrize(("space", "method"), [("nd", "ali"), ("2d", "pali")])
def test_the_file_is_one_that_training_takes(found, tmp_path, space, method):
    recommended, _, _, _ = found
    text = recommended.toml(space)
    file = tmp_path / "recommended.toml"
    file.write_text(text, encoding="utf-8")
    settings = TrainSettings.read(file)
    assert (settings.method, settings.preset) == (method, "c,s")
    assert settings.intervention_settings() == recommended.settings
    assert set(tomllib.loads(text)) == {"method", "preset", "interventions"}
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert "Neither score has foretold" in comments[1]
    assert "0.9000 after 3 interventions, transfer F1 0.7500" in comments[2]
    assert len(comments) == 5 + len(recommended.others)
