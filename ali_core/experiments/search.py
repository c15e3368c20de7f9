"""Which curves of a dry run are computed: all of them, or those that can still be the best."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ali_core.experiments.curve_book import CurveBook
from ali_core.experiments.fold_scorer import FoldScorer
from ali_core.experiments.parallel import in_parallel
from ali_core.experiments.sweep_grid import configuration_name
from ali_core.files import read_csv, write_csv
from ali_core.interventions import InterventionSettings
from ali_core.interventions.steps import strengths_of

__all__ = ["CurveRunner", "Progress", "Search", "follow_all", "race", "settle"]

Search = Literal["race", "full"]
"""``race``: leave configurations that cannot be among the best any more; ``full``: follow all of them."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many pieces of it are, and how many there are in all."""

CHUNK = 2
"""Strengths in one piece of work; their criteria share states."""

SCOUTS = 48
"""About how many configurations of a group open a race."""


class _Curve(NamedTuple):
    settings: InterventionSettings
    fold: int
    longest: int
    beyond: bool = False  # followed to the end even where its oracle score stays at 1


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveRunner:
    """Computes curves in parallel, each piece of work once.

    Parameters
    ----------
    scorers
        By fold.
    longest
        Number of interventions after which a curve is left at the latest.
    hold
        See :meth:`FoldScorer.curves`.
    parts
        Folder for finished pieces, from which a later call takes them; None keeps nothing.
    workers, scheduler
        See :func:`~ali_core.experiments.parallel.in_parallel`.
    progress
        Told after every piece.
    """

    scorers: Mapping[int, FoldScorer]
    longest: int
    hold: int | None
    parts: Path | None = None
    workers: int | None = None
    scheduler: str | None = None
    progress: Progress | None = None

    def run(self, curves: Iterable[_Curve], book: CurveBook, what: str) -> None:
        """Compute curves and enter them in ``book``."""
        pieces = _pieces(curves)
        known = {number: found for number, piece in enumerate(pieces) if (found := self._known(piece)) is not None}
        done = len(known)
        for number, tables in known.items():
            _enter(pieces[number], tables, book)
        missing = [number for number in range(len(pieces)) if number not in known]
        tasks = [
            (number, self.scorers[piece[0].fold], piece, None if piece[0].beyond else self.hold, self._file(piece))
            for number, piece in ((number, pieces[number]) for number in missing)
        ]
        if not tasks:  # a pool takes seconds to start
            return
        with closing(in_parallel(_computed, tasks, workers=self.workers, scheduler=self.scheduler)) as results:
            for number, tables in results:
                _enter(pieces[number], tables, book)
                done += 1
                if self.progress is not None:
                    self.progress(what, done, len(pieces))

    def _known(self, piece: Sequence[_Curve]) -> list[pd.DataFrame] | None:
        file = self._file(piece)
        if file is None or not file.is_file():
            return None
        table = read_csv(file)
        return [part.drop(columns="number").reset_index(drop=True) for _, part in table.groupby("number", sort=True)]

    def _file(self, piece: Sequence[_Curve]) -> Path | None:
        if self.parts is None:
            return None
        content = json.dumps([[curve.settings.model_dump(mode="json"), curve.fold, curve.longest] for curve in piece])
        beyond = "-beyond" if piece[0].beyond else ""
        return self.parts / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}{beyond}.csv"


def follow_all(runner: CurveRunner, configurations: Sequence[InterventionSettings], book: CurveBook, what: str) -> None:
    """Follow every configuration in every fold."""
    runner.run([_Curve(one, fold, runner.longest) for fold in runner.scorers for one in configurations], book, what)


def settle(runner: CurveRunner, groups: Iterable[Iterable[str]], book: CurveBook, *, count: int) -> None:
    """Compute the transfer scores that decide between configurations of equal oracle score.

    This concerns the ``count`` best of each group and their equals. A curve had ended early in folds whose oracle score
    stayed at 1; there it is continued to the number of interventions that the configuration needs in all folds.
    """
    groups = [list(names) for names in groups]
    while True:
        curves = []
        for names in groups:
            ranked = book.ranked(names)
            last = ranked[:count][-1][1][:2]
            for name, outcome in ranked:
                if outcome[:2] >= last and np.isnan(outcome.transfer_f1):
                    needed = [
                        fold for fold, curve in book.curves[name].items() if len(curve) <= outcome.n_interventions
                    ]
                    curves += [_Curve(book.settings[name], fold, outcome.n_interventions, True) for fold in needed]
        if not curves:
            return
        runner.run(dict.fromkeys(curves), book, "transfer scores of the best")


def race(
    runner: CurveRunner, groups: Mapping[str, Sequence[InterventionSettings]], book: CurveBook, *, keep: int
) -> None:
    """Find the ``keep`` best configurations of each group, and their equals, without computing all curves.

    First, some configurations with strong contraction are computed in the fold with the lowest untouched score, and
    the best of them in all folds. The ``keep``-th best result so far is the mark. A configuration is given up when it
    could not reach the mark even if all scores that are still to be computed were 1. Once the mark is a score of 1, no
    curve is computed for more interventions than the mark needed. Then the other configurations follow, fold by fold.
    The best configurations are the same as those of a full search.

    Parameters
    ----------
    runner
        Computes.
    groups
        Configurations by the name of their group.
    book
        Gets the curves; those of configurations that were left are not complete.
    keep
        How many of each group are followed to the end, at least 1.
    """
    folds = sorted(runner.scorers, key=lambda fold: runner.scorers[fold].untouched[0])
    rounds: list[tuple[str, list[int], _Chooser]] = [("scouts", folds[:1], _scouts), ("leaders", folds, _leaders)]
    rounds += [(f"fold {folds[0]}", folds[:1], _everyone), ("leaders again", folds, _leaders)]
    rounds += [(f"fold {fold}", [fold], _everyone) for fold in folds[1:]]
    for what, chosen_folds, choose in rounds:
        curves = []
        for members in groups.values():
            mark, longest = _mark(members, runner, book, keep)
            for one in choose(members, keep, book, longest):
                name = configuration_name(one)
                if book.bound(name, longest) >= mark:
                    curves += [
                        _Curve(one, fold, longest) for fold in chosen_folds if not book.reaches(name, fold, longest)
                    ]
        runner.run(curves, book, what)


def _mark(
    members: Sequence[InterventionSettings], runner: CurveRunner, book: CurveBook, keep: int
) -> tuple[tuple[float, int], int]:
    """Return the score and number of interventions to equal, and after how many interventions that is decided."""
    ranked = book.ranked(map(configuration_name, members))
    if len(ranked) < min(keep, len(members)):
        return (-1.0, 0), runner.longest
    mark = ranked[:keep][-1][1]
    return mark[:2], mark.n_interventions if mark.oracle_f1 >= 1.0 else runner.longest


_Chooser = Callable[[Sequence[InterventionSettings], int, CurveBook, int], Sequence[InterventionSettings]]


def _everyone(
    members: Sequence[InterventionSettings], keep: int, book: CurveBook, longest: int
) -> Sequence[InterventionSettings]:
    del keep, book, longest
    return members


def _scouts(
    members: Sequence[InterventionSettings], keep: int, book: CurveBook, longest: int
) -> Sequence[InterventionSettings]:
    """Return configurations with the strongest contraction, spread over the grid; their curves end soonest."""
    del book, longest
    by_strength = sorted(members, key=lambda one: one.contract, reverse=True)
    strongest = [one for one in by_strength if one.contract == by_strength[0].contract]
    return strongest[:: -(-len(strongest) // SCOUTS)] if len(strongest) >= keep else by_strength[:keep]


def _leaders(
    members: Sequence[InterventionSettings], keep: int, book: CurveBook, longest: int
) -> Sequence[InterventionSettings]:
    """Return the best configurations of those with a curve, judged by their bounds."""
    begun = [one for one in members if configuration_name(one) in book.curves]
    return sorted(begun, key=lambda one: book.bound(configuration_name(one), longest), reverse=True)[:keep]


def _strengths(curve: _Curve) -> tuple[object, ...]:
    return (*strengths_of(curve.settings).values(), curve.settings.n_neighbours)


def _pieces(curves: Iterable[_Curve]) -> list[list[_Curve]]:
    """Return curves in pieces of work: each of one fold, those that can share states side by side."""
    ordered = sorted(curves, key=lambda curve: (curve.fold, _strengths(curve)))
    pieces = []
    for _, of_fold in groupby(ordered, key=lambda curve: curve.fold):
        bundles = [list(bundle) for _, bundle in groupby(of_fold, key=_strengths)]
        chunks = (bundles[start : start + CHUNK] for start in range(0, len(bundles), CHUNK))
        pieces += [[curve for bundle in chunk for curve in bundle] for chunk in chunks]
    return pieces


def _computed(
    number: int, scorer: FoldScorer, piece: Sequence[_Curve], hold: int | None, file: Path | None
) -> tuple[int, list[pd.DataFrame]]:
    """Compute the curves of one piece; written before they are returned, so that what a caller has is safe."""
    tables = []
    for _, together in groupby(piece, key=_strengths):
        bundle = list(together)
        settings, longest = [curve.settings for curve in bundle], [curve.longest for curve in bundle]
        tables += scorer.curves(settings, longest=longest, hold=hold)
    if file is not None:
        write_csv(pd.concat([table.assign(number=index) for index, table in enumerate(tables)]), file)
    return number, tables


def _enter(piece: Sequence[_Curve], tables: Sequence[pd.DataFrame], book: CurveBook) -> None:
    for curve, table in zip(piece, tables, strict=True):
        book.add(curve.settings, curve.fold, table)
