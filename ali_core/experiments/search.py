"""Which curves of a dry run are computed: all of them, or those that can still be the best."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ali_core.experiments.curve_book import CurveBook, Outcome
from ali_core.experiments.fold_scorer import FoldScorer
from ali_core.experiments.parallel import in_parallel
from ali_core.experiments.sweep_grid import configuration_name
from ali_core.files import write_csv
from ali_core.interventions import InterventionSettings

__all__ = ["CurveRunner", "Progress", "Search", "follow_all", "race"]

Search = Literal["race", "full"]
"""``race``: leave configurations that cannot be among the best any more; ``full``: follow all of them."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many pieces of it are, and how many there are in all."""

CHUNK = 2
"""Strengths in one piece of work; their criteria share states."""


class _Curve(NamedTuple):
    settings: InterventionSettings
    fold: int
    longest: int


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
            (number, self.scorers[pieces[number][0].fold], pieces[number], self.hold, self._file(pieces[number]))
            for number in missing
        ]
        for number, tables in in_parallel(_computed, tasks, workers=self.workers, scheduler=self.scheduler):
            _enter(pieces[number], tables, book)
            done += 1
            if self.progress is not None:
                self.progress(what, done, len(pieces))

    def _known(self, piece: Sequence[_Curve]) -> list[pd.DataFrame] | None:
        file = self._file(piece)
        if file is None or not file.is_file():
            return None
        table = pd.read_csv(file, float_precision="round_trip")
        return [part.drop(columns="number").reset_index(drop=True) for _, part in table.groupby("number", sort=True)]

    def _file(self, piece: Sequence[_Curve]) -> Path | None:
        if self.parts is None:
            return None
        content = json.dumps([[curve.settings.model_dump(mode="json"), curve.fold, curve.longest] for curve in piece])
        return self.parts / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.csv"


def follow_all(runner: CurveRunner, configurations: Sequence[InterventionSettings], book: CurveBook, what: str) -> None:
    """Follow every configuration in every fold."""
    runner.run([_Curve(one, fold, runner.longest) for fold in runner.scorers for one in configurations], book, what)


def race(
    runner: CurveRunner, groups: Mapping[str, Sequence[InterventionSettings]], book: CurveBook, *, keep: int
) -> None:
    """Follow, in each group, the ``keep`` best configurations and their equals to the end, and leave others early.

    A few configurations are followed to their end. The ``keep``-th best that is known is the mark: who could not equal
    it even with a score of 1 in all folds still to come is left, and once its score is 1, nobody is followed for more
    interventions than it took. Fold follows fold, the one with the lowest scores first, and the mark rises. So what is
    kept is what following everything would have kept.

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
    names = {group: [configuration_name(one) for one in members] for group, members in groups.items()}
    first = [
        one
        for group, members in groups.items()
        if not any(map(book.is_complete, names[group]))
        for one in _pioneers(members, keep)
    ]
    runner.run([_Curve(one, fold, runner.longest) for fold in runner.scorers for one in first], book, "pioneers")
    for fold in sorted(runner.scorers, key=lambda fold: _mean_score(first, fold, book)):
        curves = []
        for group, members in groups.items():
            mark = book.ranked(names[group])[:keep][-1][1]
            longest = mark.n_interventions if mark.oracle_f1 >= 1.0 else runner.longest
            curves += [_Curve(one, fold, longest) for one in members if _may_equal(one, fold, mark, book)]
        runner.run(curves, book, f"fold {fold}")


def _may_equal(one: InterventionSettings, fold: int, mark: Outcome, book: CurveBook) -> bool:
    """Whether a configuration is to be followed in ``fold``: it may yet equal the mark, and is not there."""
    name = configuration_name(one)
    begun = book.curves.get(name, {})
    return fold not in begun and (not begun or book.bound(name) >= mark[:2])


def _mean_score(members: Sequence[InterventionSettings], fold: int, book: CurveBook) -> float:
    """Return the mean oracle score of ``members`` in one fold over all interventions."""
    curves = [book.curves[configuration_name(one)][fold]["oracle_f1"] for one in members]
    return float(np.mean([curve.mean() for curve in curves])) if curves else 0.0


def _pioneers(members: Sequence[InterventionSettings], count: int) -> list[InterventionSettings]:
    """Return members with the strongest contraction, evenly from among them: they are done soonest."""
    strongest = max(one.contract for one in members)
    candidates = [one for one in members if one.contract == strongest]
    step = max(len(candidates) / count, 1.0)
    return [candidates[int(index * step)] for index in range(min(count, len(candidates)))]


def _strengths(curve: _Curve) -> tuple[object, ...]:
    one = curve.settings
    return (one.contract, one.rotate, one.shift, one.shift_mix, one.n_neighbours)


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
