"""A race keeps what following everything keeps, and follows less."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ali_core.experiments import search
from ali_core.experiments.curve_book import CurveBook
from ali_core.experiments.fold_scorer import FoldScorer
from ali_core.experiments.recommendation import choose_jointly
from ali_core.experiments.search import CurveRunner, follow_all, race
from ali_core.experiments.sweep_grid import SweepGrid, configuration_name
from ali_core.experiments.sweeps import _recommendations, dry_run
from tests.ali_core.experiments.dry_run_samples import GRID, folds

COMBINATIONS = ("c", "c,s", "c,r")


class Told:
    """Stands for a fold: made-up scores that rise to 1 sooner, later, or never, and may fall again."""

    data = SimpleNamespace(n_classes=4)

    def __init__(self, seed, fold, *, reaches=0.7):
        self.seed, self.fold, self.reaches, self.n_states = seed, fold, reaches, 0
        self.untouched = (0.2 + 0.1 * ((seed + fold) % 3), 0.2)

    def scores(self, settings, longest):
        choice = SweepGrid().choices.index((settings.criterion, settings.selection))
        key = [round(1e4 * value) for value in (settings.contract, settings.rotate, settings.shift, settings.shift_mix)]
        rng = np.random.default_rng([self.seed, choice, settings.n_neighbours, *key])
        end, quality = rng.integers(2, 14), rng.uniform(0.6, 0.95)
        of_fold = np.random.default_rng([self.seed, self.fold, choice, settings.n_neighbours, *key])
        end = end + of_fold.integers(0, 3)
        values = np.minimum(quality, 0.2 + np.arange(longest + 1) / end) + of_fold.choice([0, 0.02, 0.04], longest + 1)
        if rng.random() < self.reaches:
            values[end:] = np.where(of_fold.random(max(longest + 1 - end, 0)) < 0.9, 1.0, 0.98)
        return values

    def curves(self, configurations, *, longest, hold):
        found = []
        for one, limit in zip(configurations, longest, strict=True):
            oracle = self.scores(one, 20)[: limit + 1]
            ones = np.convolve(oracle == 1.0, np.ones(hold), "valid") == hold if hold else np.zeros(1, dtype=bool)
            oracle = oracle[: int(ones.argmax()) + hold] if ones.any() else oracle
            self.n_states += len(oracle)
            rows = {"n_interventions": range(len(oracle)), "oracle_f1": oracle, "transfer_f1": oracle / 2}
            found.append(pd.DataFrame(rows))
        return found


class SlowerInOne(Told):
    """With rotation the jointly best criterion needs more interventions than all others, and least when weak."""

    def scores(self, settings, longest):
        jointly_best = (settings.criterion, settings.selection) == ("mean-std", "deterministic")
        if not settings.rotate:
            end = 3 if jointly_best else 8
        elif jointly_best:
            end = 9 if (settings.contract, settings.rotate) == (0.125, 0.08) else 12
        else:
            end = 4
        return np.where(np.arange(longest + 1) < end, 0.5, 1.0)


def told(seed, how, *, n_folds=4, reaches=0.7, hold=3, grid=GRID, combinations=COMBINATIONS, made=Told):
    """Return recommendations, the book and how many states it took."""
    scorers = {fold: made(seed, fold, reaches=reaches) for fold in range(n_folds)}
    runner, book = CurveRunner(scorers=scorers, longest=20, hold=hold, workers=1), CurveBook(n_folds, hold)
    found = _recommendations(runner, grid, combinations, book, how)
    return found, book, sum(scorer.n_states for scorer in scorers.values())


def as_told(recommendations):
    return {name: (one.settings, one.outcome, one.others) for name, one in recommendations.items()}


@given(
    seed=st.integers(0, 100_000),
    reaches=st.sampled_from([0.0, 0.1, 0.7, 1.0]),
    n_folds=st.integers(1, 4),
    hold=st.sampled_from([1, 3, None]),
)
@settings(max_examples=25)
def test_a_race_recommends_what_following_everything_recommends(seed, reaches, n_folds, hold):
    raced, _, _ = told(seed, "race", reaches=reaches, n_folds=n_folds, hold=hold)
    full, _, _ = told(seed, "full", reaches=reaches, n_folds=n_folds, hold=hold)
    assert as_told(raced) == as_told(full)


def test_curves_that_were_left_are_followed_again_where_the_joint_choice_needs_more():
    """With rotation all other criteria are done after four interventions, so the chosen one was left there."""
    options = {"made": SlowerInOne, "grid": GRID.changed(rotate=(0.08, 0.16, 0.32))}
    (raced, _, _), (full, _, _) = (told(0, how, **options) for how in ("race", "full"))
    assert as_told(raced) == as_told(full)
    best = raced["c,r"]
    assert (best.settings.contract, best.settings.rotate, best.settings.criterion) == (0.125, 0.08, "mean-std")
    assert best.outcome[:2] == (1.0, -9)
    runner, book = CurveRunner(scorers={0: SlowerInOne(0, 0)}, longest=20, hold=3, workers=1), CurveBook(1, 3)
    race(runner, {"c,r": options["grid"].configurations("c,r")}, book, keep=6)
    assert len(book.curves[configuration_name(best.settings.changed(n_neighbours=3))][0]) == 5


@pytest.mark.parametrize("keep", [1, 3, 6])
def test_the_best_of_each_group_and_their_equals_are_complete(keep):
    for seed in range(3):
        groups = {name: GRID.configurations(name) for name in COMBINATIONS}
        books = {}
        for how in ("race", "full"):
            scorers = {fold: Told(seed, fold) for fold in range(3)}
            runner, books[how] = CurveRunner(scorers=scorers, longest=20, hold=3, workers=1), CurveBook(3, 3)
            if how == "race":
                race(runner, groups, books[how], keep=keep)
            else:
                follow_all(runner, [one for members in groups.values() for one in members], books[how], "all")
        for members in groups.values():
            names = [configuration_name(one) for one in members]
            ranked = books["full"].ranked(names)
            mark = ranked[keep - 1][1]
            best = [pair for pair in ranked if pair[1][:2] >= mark[:2]]
            assert books["race"].ranked(names)[: len(best)] == best
        assert choose_jointly(groups, books["race"]) == choose_jointly(groups, books["full"])


def test_of_the_papers_grid_a_race_follows_less_than_half():
    options = {"grid": SweepGrid(n_neighbours=3), "combinations": ("c,s",)}
    for seed in range(2):
        (first, raced, n_raced), (second, full, n_full) = (told(seed, how, **options) for how in ("race", "full"))
        assert as_told(first) == as_told(second)
        assert set(raced.curves) <= set(full.curves)
        assert n_raced < 0.5 * n_full


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("gap", [1.0, 0.15])
def test_on_samples_a_race_gives_the_tables_of_a_full_search(seed, gap):
    """With a gap of 0.15 nobody reaches 1 within five interventions."""
    data = folds(2, seed=seed, gap=gap)
    options = {"combinations": ["c", "c,s"], "grid": GRID, "longest": 5 if gap < 1 else 25, "workers": 1}
    raced, full = (dry_run(data, search=how, **options) for how in ("race", "full"))
    pd.testing.assert_frame_equal(raced.table1, full.table1)
    best = full.table1[full.table1["rank"] == 1]
    assert (best.oracle_f1 < 1.0).all() if gap < 1 else (best.oracle_f1 == 1.0).all()
    assert (best.n_interventions > 2).all()
    followed = set(raced.curves[["configuration", "fold"]].itertuples(index=False))
    assert followed <= set(full.curves[["configuration", "fold"]].itertuples(index=False))
    assert len(raced.curves) <= len(full.curves)
    assert raced.criteria is None
    for _, row in full.table1.iterrows():
        assert row.oracle_f1 == pytest.approx(peak(full.curves, row), abs=1e-12)


def peak(curves, row):
    """Mean oracle score over the folds of the configuration of ``row``, at its number of interventions."""
    fields = ["combination", "contract", "rotate", "shift", "shift_mix", "criterion", "selection", "n_neighbours"]
    own = curves[(curves[fields] == row[fields]).all(axis=1)].drop_duplicates(["fold", "n_interventions"])
    return np.mean(
        [part.set_index("n_interventions").oracle_f1.get(row.n_interventions, 1.0) for _, part in own.groupby("fold")]
    )


def test_pieces_hold_every_curve_once_and_those_that_share_states_together():
    curves = [search._Curve(one, fold, 20) for one in GRID.configurations("c,s") for fold in (1, 0)]
    pieces = search._pieces(curves)
    assert sorted(map(repr, (curve for piece in pieces for curve in piece))) == sorted(map(repr, curves))
    bundles = {}
    for number, piece in enumerate(pieces):
        assert len({curve.fold for curve in piece}) == 1
        for curve in piece:
            bundles.setdefault((curve.fold, curve.settings.contract, curve.settings.shift), set()).add(number)
    assert all(len(numbers) == 1 for numbers in bundles.values())


def test_finished_pieces_are_taken_from_disk_to_the_last_digit(tmp_path, monkeypatch):
    members = GRID.configurations("c")
    scorers = {fold.fold: FoldScorer.of(fold) for fold in folds(2)}
    runner = CurveRunner(scorers=scorers, longest=5, hold=3, parts=tmp_path, workers=1)
    first, again = CurveBook(2, 3), CurveBook(2, 3)
    follow_all(runner, members, first, "all")
    monkeypatch.setattr(FoldScorer, "scores", lambda *_: pytest.fail("scored again"))
    follow_all(runner, members, again, "all")
    names = [configuration_name(one) for one in members]
    pd.testing.assert_frame_equal(again.table(names), first.table(names), check_exact=True)


@pytest.mark.slow
def test_in_two_processes_the_same_curves_come():
    members = SweepGrid(contract=(0.25, 0.5), n_neighbours=3).configurations("c")
    scorers = {fold.fold: FoldScorer.of(fold) for fold in folds(2)}
    told_of, books = [], []
    for workers in (1, 2):
        runner = CurveRunner(
            scorers=scorers, longest=5, hold=3, workers=workers, progress=lambda *at: told_of.append(at)
        )
        books.append(CurveBook(2, 3))
        follow_all(runner, members, books[-1], "all")
    tables = [book.table(map(configuration_name, members)) for book in books]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert told_of == [("all", 1, 2), ("all", 2, 2)] * 2
