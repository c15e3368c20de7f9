"""Carry out an experiment: what is missing is trained, and the tables follow after every run.

Synopsis::

    experiment = Experiment.read("mine.toml")
    planned(experiment, data, "runs/mine")                     # what would be trained, and for how long
    run_experiment(experiment, data, out="runs/mine")          # the same call goes on where it was stopped

=====================  =============================================================================================
``experiment.toml``    the experiment
``data.json``          what the data is
``runs/``              LABEL/FOLD-SEED: a folder a run; see :mod:`ali_core.training.run_folder`
``failures.csv``       runs that failed in the last call, and why
``results.csv``        one row a run; see :data:`~ali_core.experiments.run_results.RESULT_COLUMNS`
``timing.csv``         seconds an epoch by run and stage
``comparison.*``       each method against the baseline, once two pairs of fold and seed are complete
``table2.*``           the paper's Table II; both as CSV, Markdown and LaTeX
=====================  =============================================================================================
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from ali_core.data import CellImages, grouped_folds
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.experiments.data_source import Data, DataSource, Preparation
from ali_core.experiments.experiment import Experiment
from ali_core.experiments.experiment_folder import ExperimentFolder
from ali_core.experiments.parallel import WorkerDiedError, in_parallel
from ali_core.experiments.planned_runs import PlannedRun, planned_runs
from ali_core.experiments.run_results import result_row
from ali_core.experiments.run_work import RunState, carry_out, state_of

__all__ = ["Progress", "planned", "run_experiment"]

DIED = "its process died, though no other run was beside it, perhaps for want of memory"
"""Why a run failed whose process did."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an experiment is.

    Parameters
    ----------
    done, of
        Runs that are finished or have failed, and all that were asked for.
    label, fold, seed
        The last of them; an empty label before the first.
    macro_f1
        Its score on the test fold; None when it failed.
    error
        Why it failed; empty when it did not.
    """

    done: int
    of: int
    label: str = ""
    fold: int = 0
    seed: int = 0
    macro_f1: float | None = None
    error: str = ""


def run_experiment(
    experiment: Experiment,
    data: Data | str | Path,
    *,
    out: str | Path,
    only: Sequence[str] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> pd.DataFrame:
    """Train what ``out`` lacks of an experiment and write its tables.

    Parameters
    ----------
    experiment
        What is trained.
    data
        File or folder with all samples, which each process opens by itself; or the samples.
    out
        Folder of the experiment; one that is there is continued.
    only
        Patterns as in file names, of which the label of a method must match one; methods that they start from are
        added. None for all.
    workers, scheduler
        See :func:`~ali_core.experiments.parallel.in_parallel`. Machines of a cluster must see ``out`` and ``data``
        under the same paths.
    progress
        Called before the first run and after each.

    Returns
    -------
    pandas.DataFrame
        One row a finished run, those of earlier calls included; columns as in
        :data:`~ali_core.experiments.run_results.RESULT_COLUMNS`, in the order of the experiment, by seed and fold.

    Raises
    ------
    AliError
        For data that cannot be used, a folder that holds an experiment on other data or runs with other settings
        (methods, folds and seeds may be added), a cluster that does not answer. A run that fails is told in
        ``failures.csv``, and tried again by the next call.

    Notes
    -----
    Runs are trained fold by fold, so that complete folds can be compared early; those that start from others follow
    when all of these are done. A run that ends its process, for want of memory, fails alone; with ``workers=1`` it is
    this process. Two calls at the same time may share ``out``. On a CPU the scores do not depend on interruptions or
    on where a run is trained, as long as the number of threads is the same: one in a pool and in a cluster, all of
    this process with ``workers=1``.
    """
    experiment, samples = _divided(experiment, data)
    folder = ExperimentFolder(Path(out), experiment, _about(data))
    runs = planned_runs(experiment, out, only)
    folder.claim(samples, planned_runs(experiment, out))
    work = samples if workers == 1 else _sendable(experiment, data, samples, folder.path if scheduler else None)
    rows = {run.key: result_row(run) for run in folder.finished()}
    done = sum(run.key in rows for run in runs)
    failures: list[RunState] = []
    folder.write(rows, failures)
    _tell(progress, Progress(done=done, of=len(runs)))
    missing = [run for run in runs if run.key not in rows]
    with closing(_states_of(missing, work, workers, scheduler)) as states:
        for state in states:
            done += 1
            if state.error:
                failures.append(state)
            else:
                rows[state.run.key] = result_row(state.run)
            folder.write(rows, failures)
            label, fold, seed = state.run.key
            score = None if state.error else rows[state.run.key]["macro_f1"]
            _tell(
                progress,
                Progress(done=done, of=len(runs), label=label, fold=fold, seed=seed, macro_f1=score, error=state.error),
            )
    rows |= {run.key: result_row(run) for run in folder.finished() if run.key not in rows}  # of calls at the same time
    return folder.write(rows, failures)


def planned(
    experiment: Experiment, data: Data | str | Path, out: str | Path, only: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return what :func:`run_experiment` would do, without doing or writing anything.

    Parameters
    ----------
    experiment, data, out, only
        See :func:`run_experiment`.

    Returns
    -------
    pandas.DataFrame
        One row a run, in the order of training: ``label``, ``fold``, ``seed``, ``state`` (``finished``, ``started``,
        ``to do``) and ``seconds``: what it took, or the mean of the finished runs of its method in ``out``, NaN
        without one.

    Raises
    ------
    AliError
        As :func:`run_experiment`, before the first run.
    """
    experiment, samples = _divided(experiment, data)
    folder = ExperimentFolder(Path(out), experiment, _about(data))
    folder.check(samples, planned_runs(experiment, out))
    took = {run.key: float(result_row(run)["seconds"]) for run in folder.finished()}
    means = pd.Series(took, dtype=np.float64).groupby(level=0).mean().to_dict() if took else {}
    rows = [
        (*run.key, state_of(run), took.get(run.key, means.get(run.label, np.nan)))
        for run in _in_order(planned_runs(experiment, out, only))
    ]
    return pd.DataFrame(rows, columns=["label", "fold", "seed", "state", "seconds"])


def _tell(progress: Callable[[Progress], None] | None, now: Progress) -> None:
    if progress is not None:
        progress(now)


def _divided(experiment: Experiment, data: Data | str | Path) -> tuple[Experiment, Data]:
    """Return the experiment, on the folds of a split where one came with the data, and the prepared samples.

    Warns of rare classes once.
    """
    given = Path(data) if isinstance(data, str) else data
    samples = experiment.preparation(given)
    folds = grouped_folds(
        samples.labels,
        groups=None if experiment.ignore_groups else samples.groups,
        split=samples.split,
        n_folds=experiment.n_folds,
        seed=experiment.fold_seed,
        class_names=samples.class_names,
    )
    if samples.split is None:
        return experiment, samples
    chosen = tuple(range(len(folds))) if experiment.folds is None else experiment.folds
    if max(chosen) >= len(folds):
        raise AliError(f"folds must lie below {len(folds)}, because {folds[0].origin} is used; got {max(chosen)}")
    return experiment.model_copy(update={"folds": chosen, "n_folds": max(experiment.n_folds, len(folds))}), samples


def _about(data: Data | str | Path) -> str:
    """Return what captions call the data."""
    if isinstance(data, (str, Path)):
        return Path(data).resolve().name
    return getattr(data, "description", "") or "samples in memory"


def _sendable(experiment: Experiment, data: Data | str | Path, samples: Data, shared: Path | None) -> Data | DataSource:
    """Return what other processes get of the data: where it is, if it is anywhere."""
    if isinstance(data, (str, Path)):
        return DataSource(
            path=Path(data).resolve(), preparation=experiment.preparation, fingerprint=samples.fingerprint
        )
    if shared is None:
        return samples
    if isinstance(samples, LabelledEmbedding):
        path = samples.save(shared / "data.npz")
        return DataSource(path=path.resolve(), preparation=Preparation(), fingerprint=samples.fingerprint)
    if isinstance(samples, CellImages) and samples.pixels is not None:
        raise AliError("images in memory cannot be sent to a cluster; give the path of their file")
    return samples


def _in_order(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Return the runs wave by wave and fold by fold."""
    return sorted(runs, key=lambda run: (run.wave, run.settings.seed, run.settings.fold))


def _states_of(
    runs: Sequence[PlannedRun], data: Data | DataSource, workers: int | None, scheduler: str | None
) -> Generator[RunState, None, None]:
    """Carry out runs, and yield what becomes of each, as it is known.

    When a process dies, runs are tried one by one until one dies again: that one has failed. The others then go on
    side by side.
    """
    for _, wave in groupby(_in_order(runs), key=lambda run: run.wave):
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
