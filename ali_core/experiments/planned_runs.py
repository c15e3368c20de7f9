"""The single training runs that an experiment consists of.

Synopsis::

    for run in planned_runs(experiment, "runs/mine", only=["tml", "ali *"]):
        run.label, run.settings, run.folder
"""

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ali_core.errors import AliError
from ali_core.experiments.experiment import Experiment
from ali_core.training import TrainSettings

__all__ = ["PlannedRun", "planned_runs"]


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """One training run of an experiment.

    Parameters
    ----------
    label
        Of its method.
    settings
        All of them, with fold, seed and the run it starts from.
    folder
        Where it keeps its files.
    wave
        Number of runs that must be finished before it, one after the other.
    starts_others
        Whether a run of the experiment starts from it.
    """

    label: str
    settings: TrainSettings
    folder: Path
    wave: int
    starts_others: bool

    @property
    def key(self) -> tuple[str, int, int]:
        """Label, fold and seed."""
        return self.label, self.settings.fold, self.settings.seed


def planned_runs(experiment: Experiment, out: str | Path, only: Sequence[str] | None = None) -> tuple[PlannedRun, ...]:
    """Return the runs of an experiment below ``out``: method by method, then by seed and fold.

    Parameters
    ----------
    experiment
        What is trained.
    out
        Folder of the experiment.
    only
        Patterns as in file names (``ali *``), of which a label must match one; methods that others start from are
        added. None for all.

    Returns
    -------
    tuple of PlannedRun
        One a method, seed and fold.

    Raises
    ------
    AliError
        When no label matches a pattern.
    """
    starts = {variant.label: variant.start for variant in experiment.methods}
    wanted = _wanted(starts, only)
    place = Path(out).resolve() / "runs"
    return tuple(
        _run(experiment, label, place, fold=fold, seed=seed, starts_others=label in starts.values())
        for label in starts
        if label in wanted
        for seed in experiment.seeds
        for fold in experiment.all_folds
    )


def _wanted(starts: Mapping[str, str | None], only: Sequence[str] | None) -> set[str]:
    wanted = set(starts) if only is None else set()
    for pattern in only or ():
        found = [label for label in starts if label == pattern or fnmatch.fnmatchcase(label, pattern)]
        if not found:
            raise AliError(f"no run matches {pattern!r}; the runs are {', '.join(starts)}")
        wanted.update(found)
    return wanted.union(*(_before(starts, label) for label in wanted))


def _before(starts: Mapping[str, str | None], label: str) -> list[str]:
    """Return the labels that must be trained before ``label``, the nearest first."""
    found, start = [], starts[label]
    while start is not None:
        found.append(start)
        start = starts[start]
    return found


def _run(experiment: Experiment, label: str, place: Path, *, fold: int, seed: int, starts_others: bool) -> PlannedRun:
    variants = {variant.label: variant for variant in experiment.methods}
    variant, own = variants[label], f"{fold}-{seed}"
    values = dict(variant.values) | {"fold": fold, "seed": seed, "n_folds": experiment.n_folds}
    values |= {"fold_seed": experiment.fold_seed, "groups": "ignore" if experiment.ignore_groups else "keep"}
    if variant.start is not None:
        values["start"] = place / variants[variant.start].folder / own
    return PlannedRun(
        label=label,
        settings=TrainSettings(**values),
        folder=place / variant.folder / own,
        wave=len(_before({name: one.start for name, one in variants.items()}, label)),
        starts_others=starts_others,
    )
