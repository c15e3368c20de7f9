"""The runs of an experiment in their order: side by side, and one by one where a process died."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby

from ali_core.experiments.data_source import Data, DataSource
from ali_core.experiments.parallel import WorkerDiedError, in_parallel
from ali_core.experiments.planned_runs import PlannedRun
from ali_core.experiments.run_work import RunState, carry_out

__all__ = ["in_order", "states_of"]

DIED = "its process died, though no other run was beside it, perhaps for want of memory"
"""Why a run failed whose process did."""


def in_order(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Return the runs wave by wave and fold by fold."""
    return sorted(runs, key=lambda run: (run.wave, run.settings.seed, run.settings.fold))


def states_of(
    runs: Sequence[PlannedRun], data: Data | DataSource, workers: int | None, scheduler: str | None
) -> Iterator[RunState]:
    """Carry out runs, and yield what becomes of each, as it is known.

    When a process dies, runs are tried one by one until one dies again, which is its failure; the others go on side by
    side.

    Parameters
    ----------
    runs, data
        See :func:`~ali_core.experiments.run_work.carry_out`.
    workers, scheduler
        See :func:`~ali_core.experiments.parallel.in_parallel`.
    """
    for _, wave in groupby(in_order(runs), key=lambda run: run.wave):
        left = {run.key: run for run in wave}
        while left:  # each round but the last finds a run that ends its process
            for way in (_side_by_side, _one_by_one):
                for state in way(list(left.values()), data, workers, scheduler):
                    del left[state.run.key]
                    yield state


def _side_by_side(
    runs: Sequence[PlannedRun], data: Data | DataSource, workers: int | None, scheduler: str | None
) -> Iterator[RunState]:
    """Yield what becomes of the runs, until all are done or a process dies."""
    with suppress(WorkerDiedError):
        yield from in_parallel(carry_out, [(run, data) for run in runs], workers=workers, scheduler=scheduler)


def _one_by_one(
    runs: Sequence[PlannedRun], data: Data | DataSource, workers: int | None, scheduler: str | None
) -> Iterator[RunState]:
    """Yield what becomes of the runs, until all are done or one has failed because its process died."""
    for run in runs:
        states = list(_side_by_side([run], data, workers, scheduler))
        yield from states or [RunState(run=run, error=DIED)]
        if not states:
            return
