"""The figures of the paper for one's own data, from the folder of an experiment, a dry run or a training run.

Synopsis::

    make_figures("runs/paper", "figures")
    make_figures("runs/paper", "figures", only=["fig5", "fig7"])
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ali_core.data import CellImages, open_images
from ali_core.errors import AliError
from ali_core.files import read_csv
from ali_core.interventions.settings import STRENGTHS
from ali_core.sampling import stratified_rows
from ali_core.training.methods import SPECS
from ali_viz.export import MAX_DRAWN
from ali_viz.figure_sources import FigureSources, TrainingRun, read_record
from ali_viz.panels import (
    Panel,
    cells_panel,
    distribution_panel,
    dry_run_panel,
    epoch_panel,
    results_panel,
    step_panel,
    timing_panel,
)

__all__ = ["FIGURES", "make_figures"]

Report = Callable[[str], object]
Record = Mapping[str, Any]

HOLD = 3
"""Of dry runs that do not say it."""

FIGURES = {
    "fig1": "example cells of each class",
    "fig2": "samples per class",
    "fig3": "one intervention explained",
    "fig4": "F1 over the number of interventions in a dry run",
    "fig5": "results of an experiment",
    "fig6": "the embedding before and after interventions, and after the epoch that followed",
    "fig7": "what interventions cost",
}
"""The figures, and what each shows."""


@dataclass(frozen=True)
class _Asked:
    """What figures are made of.

    Parameters
    ----------
    sources
        Folders.
    images
        Where the images are, if it was said.
    """

    sources: FigureSources
    images: Path | None


def make_figures(
    source: str | Path,
    out: str | Path,
    *,
    only: Sequence[str] | None = None,
    images: str | Path | None = None,
    report: Report | None = None,
) -> list[Path]:
    """Make all figures that a folder has the data for.

    Parameters
    ----------
    source
        A folder that ``ali experiment``, ``ali dry-run`` or ``ali train`` wrote, or one with such folders in it.
    out
        Gets ``fig1`` to ``fig7``, each as PDF, SVG, PNG, with the plotted numbers (CSV) and a caption (TXT).
    only
        Names of the figures to make; None for all that can be made.
    images
        The images that were trained on, for ``fig1``; None for where the folder says they are.
    report
        Called with one line for each figure: before it is made, and why when it is not.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    AliError
        For a name that is no figure, a folder that holds nothing of the kind, a figure of ``only`` that cannot be made
        (after the others are), and when none can.
    """
    names = list(FIGURES) if only is None else list(dict.fromkeys(only))
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        listed = "; ".join(f"{name}: {what}" for name, what in FIGURES.items())
        raise AliError(f"{unknown[0]!r} is no figure; they are {listed}")
    asked = _Asked(FigureSources.find(Path(source)), None if images is None else Path(images))
    files: list[Path] = []
    reasons = []
    for name in names:
        try:
            panel = _MAKERS[name](asked)
            files += panel.save(out, name)
            said = f"{name}: {FIGURES[name]}"
        except AliError as reason:
            said = f"{name} is not made: {reason}"
            reasons.append(said)
        if report is not None:
            report(said)
    if reasons and (only is not None or not files):
        raise AliError("; ".join(reasons))
    return files


def _cells(asked: _Asked) -> Panel:
    return cells_panel(_images(asked), data=asked.sources.data_name)


def _images(asked: _Asked) -> CellImages:
    """Return the images of a run with the classes it saw them in."""
    run, settings = asked.sources.any_run, asked.sources.settings
    told = run.source or (Path(settings["data"]) if "data" in settings else None)
    path = asked.images or told
    if path is None:
        raise AliError("nothing says where the images are; name them: ali figures DIR --images IMAGES")
    table = {} if asked.images is not None else settings.get("images", {})
    try:
        found = open_images(path, **table)
    except AliError as error:
        raise AliError(f"{error}; for others: ali figures DIR --images IMAGES") from None
    return _as_seen(found, run, path)


def _as_seen(images: CellImages, run: TrainingRun, path: Path) -> CellImages:
    row_of = {name: row for row, name in enumerate(images.ids.tolist())}
    rows = [row_of.get(name) for name in run.parts["id"]]
    known = [row for row in rows if row is not None]
    if len(known) < len(rows):
        raise AliError(
            f"{path} lacks {len(rows) - len(known)} of the {len(rows)} images that were trained on; "
            "name the right ones: ali figures DIR --images IMAGES"
        )
    return replace(images.subset(known), labels=run.labels, class_names=run.class_names)


def _distribution(asked: _Asked) -> Panel:
    run, settings = asked.sources.any_run, "Training, validation and test samples together"
    name = asked.sources.data_name
    return distribution_panel(run.labels, run.class_names, data=name, settings=settings, colours=run.colours)


def _step(asked: _Asked) -> Panel:
    trained = asked.sources.trained()
    rows = stratified_rows(trained.session.before.labels, MAX_DRAWN, seed=0)
    return step_panel(trained.session, 1, data=trained.data, rows=rows)


def _epoch(asked: _Asked) -> Panel:
    trained = asked.sources.trained()
    return epoch_panel(trained, rows=stratified_rows(trained.session.before.labels, MAX_DRAWN, seed=0))


def _dry_run(asked: _Asked) -> Panel:
    folder = asked.sources.dry_run
    if folder is None or not (folder / "curves.csv").is_file():
        raise AliError("there is no finished dry run; make one: ali dry-run EMB --out DIR/dry-run")
    record = read_record(folder / "dry_run.json")
    data, settings = dry_run_words(record)
    curves = read_csv(folder / "curves.csv")
    return dry_run_panel(curves, hold=record.get("hold", HOLD), data=data, settings=settings)


def _results(asked: _Asked) -> Panel:
    folder, settings = asked.sources.experiment, asked.sources.settings
    if folder is None or not (folder / "results.csv").is_file():
        raise AliError("there are no results of an experiment; make them: ali experiment FILE.toml --out DIR")
    return results_panel(
        pd.read_csv(folder / "results.csv"),
        baseline=settings["baseline"],
        n_folds=settings["n_folds"],
        data=_sized_data(asked.sources),
        settings=_settings(asked.sources.settings, asked.sources.experiment_runs),
    )


def _sized_data(sources: FigureSources) -> str:
    return sized(sources.data_name, *sources.data_size)


def _settings(experiment: Mapping[str, Any], runs: Sequence[TrainingRun]) -> str:
    return ". ".join(filter(None, [experiment_words(experiment), training_words(runs)]))


def _timing(asked: _Asked) -> Panel:
    sources, folder = asked.sources, asked.sources.experiment
    whole = folder is not None and (folder / "timing.csv").is_file()
    runs = sources.experiment_runs if whole else [sources.any_run]
    about: dict[str, Any] = {
        "data": _sized_data(sources),
        "device": ", ".join(sorted({str(run.about.get("device", "")) for run in runs} - {""})),
        "settings": _settings(sources.settings if whole else {}, runs),
    }
    if folder is not None and whole:
        return timing_panel(pd.read_csv(folder / "timing.csv"), **about)
    if not (runs[0].folder / "timing.csv").is_file():
        raise AliError(f"{runs[0].folder} has no times yet; let the run finish an epoch")
    return timing_panel(_times_of(runs[0]), per="epoch", **about)


def _times_of(run: TrainingRun) -> pd.DataFrame:
    """Return the times of one run in the form of an experiment, a row an epoch and stage."""
    times = pd.read_csv(run.folder / "timing.csv")
    method = str(run.settings.get("method", ""))
    spec = SPECS[method]
    about = {
        "method": method,
        "loss": method,
        "preset": run.settings.get("preset", "") if spec.planned else "",
        "space": spec.space or "nd",
    }
    stages = times.loc[times["epoch"] > 0, ["train", "intervene"]].fillna(0.0)
    return stages.melt(var_name="stage", value_name="seconds").assign(**about)


_MAKERS: dict[str, Callable[[_Asked], Panel]] = {
    "fig1": _cells,
    "fig2": _distribution,
    "fig3": _step,
    "fig4": _dry_run,
    "fig5": _results,
    "fig6": _epoch,
    "fig7": _timing,
}


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
    strengths = [f"{spec.symbol} {_listed(grid[name])}" for name, spec in STRENGTHS.items() if name in grid]
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
