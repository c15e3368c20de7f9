"""Dry run: which interventions, how strong and how many, suit an embedding; no network is trained.

Synopsis::

    found = dry_run(LabelledEmbedding.load("embedding.npz"), combinations=["c,s"], out="runs/dry")
    found.table1, found.curves
    TrainSettings.read("runs/dry/recommended.toml")
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.experiments.curve_book import CurveBook
from ali_core.experiments.dry_run_folder import DryRunFolder
from ali_core.experiments.dry_run_folds import folds_of_embedding
from ali_core.experiments.fold_scorer import DryRunFold, FoldScorer, Space
from ali_core.experiments.forecast import forecast
from ali_core.experiments.parallel import in_parallel
from ali_core.experiments.recommendation import (
    Recommendation,
    choose_jointly,
    criteria_table,
    curve_rows,
    table_one,
)
from ali_core.experiments.search import CurveRunner, Progress, Search, follow_all, race, settle
from ali_core.experiments.sweep_grid import Choice, SweepGrid, configuration_name
from ali_core.interventions import PRESETS, InterventionSettings

__all__ = ["DryRun", "dry_run"]

KEEP = 6
"""Configurations of a combination that a race follows to the end: the best and its runners-up."""
LARGE = 2_000
"""Of folds that train on more samples it is said beforehand what they will take."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DryRun:
    """What a dry run found.

    Attributes
    ----------
    curves
        One row a configuration, fold and number of interventions: ``combination``, ``space``, ``sweep`` (``strengths``
        or ``neighbours``), ``configuration``, its settings, ``fold``, ``n_interventions``, ``oracle_f1``,
        ``transfer_f1``. A curve that ends with an oracle score of 1 stays there.
    table1
        One row a combination and rank; see :func:`~ali_core.experiments.recommendation.table_one`.
    criteria
        The best configuration of each combination and criterion; None after a race, which does not find them all.
    recommendations
        By combination.
    """

    curves: pd.DataFrame
    table1: pd.DataFrame
    criteria: pd.DataFrame | None
    recommendations: Mapping[str, Recommendation]


def dry_run(
    data: LabelledEmbedding | Sequence[DryRunFold],
    *,
    combinations: Sequence[str] = PRESETS,
    space: Space = "nd",
    search: Search = "race",
    grid: SweepGrid | None = None,
    longest: int = 50,
    hold: int | None = 3,
    n_folds: int = 6,
    seed: int = 0,
    max_samples: int = 5_000,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
    report: Callable[[str], object] | None = None,
) -> DryRun:
    """Sweep strengths, mix, criterion and neighbours, and score an RBF-SVM after every intervention.

    The first sweep tries every strength with every criterion and the most neighbours. The criterion is chosen jointly
    for all combinations, the strengths for each; the second sweep then tries every number of neighbours.

    Parameters
    ----------
    data
        An embedding, which is cut into stratified folds, or the folds themselves.
    combinations
        Names of presets.
    space
        ``nd``: the embedding; ``2d``: a parametric t-SNE, fitted to the training part of each fold without labels.
    search
        ``race`` or ``full``: which curves of the first sweep are followed; both find the same best ones.
    grid
        What is tried; :class:`SweepGrid` by default.
    longest
        Most interventions.
    hold
        A curve ends once its oracle score has been 1 so many times in a row; None follows all to the end.
    n_folds, seed
        Of the folds, where ``data`` is an embedding; the seed is that of the parametric t-SNE too.
    max_samples
        Of an embedding with more samples that have a label, a stratified part is tried: time grows with the third power
        of their number.
    out
        Folder for ``curves.csv``, ``table1.csv``, ``recommended.toml``; a call that was stopped goes on from there.
    workers, scheduler
        Processes on this machine (None: one a core), or the address of a Dask scheduler.
    progress
        Told what is being done, and how much of it is.
    report
        Told beforehand, where folds are large or a part is tried, in one line what the dry run will take; it is
        measured on a small part.

    Returns
    -------
    DryRun

    Raises
    ------
    AliError
        Unknown combinations, limits below 1, too few samples for the folds, ``out`` with a dry run of other data or
        settings.

    Notes
    -----
    Two scores, never mixed: ``oracle``, the paper's, moves validation samples by the map of their *true* class and so
    ends at 1; ``transfer`` moves them by a map learnt from training samples, without labels. Both are computed on
    validation parts. If the embedding comes from a network that was trained on samples of the validation parts, scores
    are too good: give :func:`~ali_core.experiments.folds_of_runs` of runs with the same folds. A configuration's
    settings are chosen with all validation parts, which together are all samples.

    The ranking is the paper's. On draws of a long tail, where gains can be told apart, neither score foretells which
    settings gain most in training (``benchmarks/README.md``); a recommendation is a setting to try, with its control.
    """
    grid, combinations = grid or SweepGrid(), tuple(dict.fromkeys(combinations))
    for name in combinations:
        grid.configurations(name)  # an unknown name is refused before anything is computed
    in_part = isinstance(data, LabelledEmbedding) and data.counts.sum() > max_samples
    if isinstance(data, LabelledEmbedding):
        data = folds_of_embedding(data, n_folds=n_folds, seed=seed, max_samples=max_samples)
    folds = tuple(data)
    if not folds or not combinations:
        raise AliError("a dry run needs at least one fold and one combination")
    if longest < 1 or (hold is not None and hold < 1):
        raise AliError(f"longest and hold must be at least 1; got {longest} and {hold}")
    grid = grid.changed(n_neighbours=min(grid.n_neighbours, folds[0].n_classes - 1))
    folder = None if out is None else DryRunFolder(Path(out).resolve())
    if folder is not None:
        folder.claim(folds, grid=grid, longest=longest, hold=hold, seed=seed)
    if report is not None and (in_part or len(folds[0].train_labels) > LARGE):
        curves = sum(len(grid.configurations(name)) + grid.n_neighbours for name in combinations) * len(folds)
        report(forecast(folds, n_scores=curves * (longest + 1)))
    runner = CurveRunner(
        scorers=_scorers(folds, space, seed, folder, workers=workers, scheduler=scheduler),
        longest=longest,
        hold=hold,
        parts=None if folder is None else folder.parts(space),
        workers=workers,
        scheduler=scheduler,
        progress=progress,
    )
    book = CurveBook(len(folds), hold)
    recommendations = _recommendations(runner, grid, combinations, book, search)
    found = DryRun(
        curves=curve_rows(recommendations, book, space),
        table1=table_one(recommendations, space),
        criteria=criteria_table(recommendations, book, space) if search == "full" else None,
        recommendations=recommendations,
    )
    if folder is not None:
        folder.write(found, space)
    return found


def _scorers(
    folds: Sequence[DryRunFold],
    space: Space,
    seed: int,
    folder: DryRunFolder | None,
    **parallel: Any,  # noqa: ANN401  # workers and scheduler
) -> dict[int, FoldScorer]:
    """Return what scores each fold; from ``folder`` where it is there, so that a 2-D layout stays the same."""
    files = {fold.fold: None if folder is None else folder.scorer(fold.fold, space) for fold in folds}
    tasks = [(fold, space, seed, files[fold.fold]) for fold in folds]
    return dict(sorted(in_parallel(_scorer, tasks, **parallel), key=lambda pair: pair[0]))


def _scorer(fold: DryRunFold, space: Space, seed: int, file: Path | None) -> tuple[int, FoldScorer]:
    if file is not None and file.is_file():
        return fold.fold, FoldScorer.read(file, fold)
    scorer = FoldScorer.of(fold.in_plane(seed=seed) if space == "2d" else fold, space)
    if file is not None:
        scorer.write(file)
    return fold.fold, scorer


def _recommendations(
    runner: CurveRunner, grid: SweepGrid, combinations: Sequence[str], book: CurveBook, search: Search
) -> dict[str, Recommendation]:
    """Sweep strengths, choose the criterion for all combinations and the strengths of each, and sweep neighbours."""
    sweep = {name: grid.configurations(name) for name in combinations}
    if search == "full":
        follow_all(runner, [one for members in sweep.values() for one in members], book, "strengths")
    else:
        race(runner, sweep, book, keep=KEEP)
    choice = choose_jointly(sweep, book)
    rivals = {name: [one for one in members if _choice(one) == choice] for name, members in sweep.items()}
    if search == "race":
        race(runner, rivals, book, keep=1)
    named = {name: list(map(configuration_name, members)) for name, members in rivals.items()}
    settle(runner, named.values(), book, count=1)
    second = {}
    for name in rivals:
        winner, _ = book.ranked(named[name])[0]
        second[name] = grid.neighbours(book.settings[winner], next(iter(runner.scorers.values())).data.n_classes)
    follow_all(runner, [one for members in second.values() for one in members], book, "neighbours")
    both = [[*sweep[name], *second[name]] for name in sweep]
    settle(runner, [dict.fromkeys(map(configuration_name, members)) for members in both], book, count=2 * KEEP)
    return {name: Recommendation.of(name, members, second[name], book) for name, members in sweep.items()}


def _choice(settings: InterventionSettings) -> Choice:
    return settings.criterion, settings.selection
