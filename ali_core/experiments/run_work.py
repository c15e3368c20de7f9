"""One training run of an experiment, as a process does it: alone in its folder, continued, and told when it fails."""

import warnings
from dataclasses import dataclass
from importlib import import_module

from ali_core.data import FoldWarning
from ali_core.errors import AliError
from ali_core.experiments.data_source import Data, DataSource
from ali_core.experiments.planned_runs import PlannedRun

__all__ = ["RunState", "carry_out", "is_finished", "state_of"]


@dataclass(frozen=True, kw_only=True)
class RunState:
    """What became of a run.

    Parameters
    ----------
    run
        The run.
    error
        Why it failed, in one line; empty when it is finished.
    """

    run: PlannedRun
    error: str = ""


def carry_out(run: PlannedRun, data: Data | DataSource) -> RunState:
    """Train a run, or the rest of it; a failure is told, not raised.

    A lock that the system releases when a process dies keeps two processes from the same folder: the second waits for
    the first, and then finds the run finished.
    """
    lock = import_module("filelock").FileLock(run.folder.with_name(run.folder.name + ".lock"))
    try:
        run.folder.parent.mkdir(parents=True, exist_ok=True)
        with lock:
            if not is_finished(run):
                _train(run, data)
    except Exception as error:  # one run must not stop the others
        said = " ".join(str(error).split())
        return RunState(run=run, error=said if isinstance(error, AliError) else f"{type(error).__name__}: {said}")
    return RunState(run=run)


def _train(run: PlannedRun, data: Data | DataSource) -> None:
    train = import_module("ali_core.training").train  # torch and Lightning take seconds
    settings, checkpoints = run.settings, run.folder / "checkpoints"
    if settings.start is not None and not (settings.start / "result.json").is_file():
        raise AliError(f"it starts from {settings.start}, which is not finished; see why there")
    if not checkpoints.is_dir():  # it cannot be continued, or started from, without its states
        for name in ("result.json", "last.json"):
            (run.folder / name).unlink(missing_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FoldWarning)  # said once, where the experiment was started
        train(data.open() if isinstance(data, DataSource) else data, settings, out=run.folder, resume=True)
    if not run.starts_others and not settings.keep_checkpoints:
        import_module("ali_core.training.run_folder").RunFolder(run.folder, keep_checkpoints=False).forget_states()


def is_finished(run: PlannedRun) -> bool:
    """Whether nothing is left to do: the result is there, with the states others need."""
    states = (run.folder / "checkpoints").is_dir()
    return (run.folder / "result.json").is_file() and (states or not run.starts_others)


def state_of(run: PlannedRun) -> str:
    """Return ``finished``, ``started`` or ``to do``."""
    if is_finished(run):
        return "finished"
    return "started" if (run.folder / "last.json").is_file() else "to do"
