"""What captions say of data and settings, from the records that a folder holds."""

from collections.abc import Iterable, Mapping
from typing import Any

from ali_viz.figure_sources import TrainingRun

__all__ = ["dry_run_words", "experiment_words", "sized", "training_words"]

Record = Mapping[str, Any]

STRENGTHS = {"contract": "λ_c", "rotate": "λ_r", "shift": "λ_s", "shift_mix": "γ"}


def sized(name: str, n_samples: int | None, n_classes: int | None) -> str:
    """Name data with its number of samples and classes, if they are known."""
    return name if n_samples is None or n_classes is None else f"{name} ({n_samples:,} samples of {n_classes} classes)"


def dry_run_words(record: Record) -> tuple[str, str]:
    """Say what a dry run was made on, and its grid, limit and seeds.

    Parameters
    ----------
    record
        Of ``dry_run.json``; what it lacks is not said.
    """
    data, grid = record.get("data", {}), record.get("grid", {})
    name = sized(data.get("name", "samples of unknown origin"), data.get("n_samples"), data.get("n_classes"))
    strengths = [f"{symbol} {_listed(grid[key])}" for key, symbol in STRENGTHS.items() if key in grid]
    parts = [
        f"Grid: {'; '.join(strengths)}" if strengths else "",
        f"at most {record['longest']} interventions" if "longest" in record else "",
        f"seed {record['seed']} (folds and layout)" if "seed" in record else "",
        f"seed {grid['seed']} (probabilistic choice)" if "seed" in grid else "",
    ]
    return name, _sentence(parts)


def experiment_words(settings: Record) -> str:
    """Say how samples were chosen and divided and which seeds were used; empty without an experiment.

    Parameters
    ----------
    settings
        Of ``experiment.toml``; its defaults are those of :class:`~ali_core.experiments.Experiment`.
    """
    if not settings:
        return ""
    tail, excluded = settings.get("long_tail"), settings.get("exclude", ())
    n_folds, seeds = settings["n_folds"], settings.get("seeds", [0])
    groups = ", groups not kept whole" if settings.get("ignore_groups") else ""
    parts = [
        f"Experiment “{settings['name']}”" if "name" in settings else "",
        f"without {', '.join(excluded)}" if excluded else "",
        f"thinned to a long tail of {tail['largest']} to {tail['smallest']} samples a class (seed {tail['seed']})"
        if tail
        else "",
        f"{len(settings.get('folds', range(n_folds)))} of {n_folds} folds (fold seed {settings.get('fold_seed', 0)}"
        f"{groups})",
        f"training seed{'s' if len(seeds) > 1 else ''} {_listed(seeds)}",
    ]
    return _sentence(parts)


def training_words(runs: Iterable[TrainingRun]) -> str:
    """Say how long networks were trained at most, from the settings of their runs; empty if none says it."""
    limits = {
        (run.settings["max_epochs"], run.settings["patience"])
        for run in runs
        if {"max_epochs", "patience"} <= run.settings.keys()
    }
    if not limits:
        return ""
    epochs, patience = ({pair[index] for pair in limits} for index in (0, 1))
    stop = f"stopped after {_listed(patience)} without a better validation F1" if patience != {0} else "no early stop"
    never = " (0: never)" if len(patience) > 1 and 0 in patience else ""
    return f"Trained for at most {_listed(epochs, ' or ')} epochs, {stop}{never}"


def _listed(numbers: Iterable[float], between: str = ", ") -> str:
    return between.join(f"{number:g}" for number in sorted(numbers))


def _sentence(parts: Iterable[str]) -> str:
    text = "; ".join(filter(None, parts))
    return text[:1].upper() + text[1:]
