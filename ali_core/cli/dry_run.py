"""``ali dry-run``: which interventions suit an embedding, without training a network."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ali_core.cli.data_options import reads_data
from ali_core.cli.options import Exclude, as_typed, one_of, read_embedding
from ali_core.cli.training_run import Interrupted
from ali_core.columns import Columns
from ali_core.errors import AliError
from ali_core.foreign import read_toml
from ali_core.interventions import PRESETS

if TYPE_CHECKING:
    import pandas as pd

    from ali_core.embedding import LabelledEmbedding
    from ali_core.experiments.fold_scorer import DryRunFold, Space
    from ali_core.experiments.search import Search
    from ali_core.experiments.sweep_grid import SweepGrid
    from ali_core.experiments.sweeps import DryRun

__all__ = ["dry_run"]

SPACES = ("nd", "2d")
SEARCHES = ("race", "full")


@reads_data
def dry_run(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="EMB",
            exists=True,
            help="Embedding file, which is cut into folds; or finished training runs, "
            "one a fold, whose own folds are kept, so that no network has seen the labels that it is scored on.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the tables.")] = Path("runs/dry-run"),
    combination: Annotated[
        list[str] | None,
        typer.Option(
            callback=one_of(PRESETS),
            help=f"{' | '.join(PRESETS)}; may be given several times (all six).",
            metavar="NAME",
        ),
    ] = None,
    space: Annotated[
        str,
        typer.Option(
            callback=one_of(SPACES), help="nd: the embedding itself; 2d: a parametric t-SNE of each training fold."
        ),
    ] = "nd",
    search: Annotated[
        str,
        typer.Option(
            callback=one_of(SEARCHES),
            help="race: leave configurations that cannot become the best; full: follow all, as figure 4 needs. The "
            "recommended settings are the same.",
        ),
    ] = "race",
    grid: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE.toml",
            help="What is tried instead of the paper's grid: contract, rotate, shift, shift_mix, choices.",
        ),
    ] = None,
    longest: Annotated[int, typer.Option(min=1, help="Most interventions.")] = 50,
    n_folds: Annotated[int, typer.Option(min=3, max=1000, help="Folds of an embedding file.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of the folds of an embedding file, and of the t-SNE.")] = 0,
    max_samples: Annotated[
        int, typer.Option(min=100, help="Of a larger embedding file a stratified part is tried.")
    ] = 5_000,
    exclude: Exclude = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes (one a core).")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler of a cluster, such as tcp://host:8786, instead."),
    ] = None,
    columns: Columns,
) -> None:
    """Try strengths, criteria and neighbours on an embedding; an SVM is scored after every intervention.

    Oracle F1 moves validation samples by their true class, as the paper does, and ends at 1; transfer F1 moves them
    without labels. Neither has foretold which settings gain most in training. Ctrl-C is safe: the same command goes on.
    ali train --settings OUT/recommended.toml trains with what the paper's ranking has put first.
    """
    from ali_core.experiments import SweepGrid  # noqa: PLC0415  # loaded when it is asked for
    from ali_core.experiments import dry_run as run  # noqa: PLC0415

    folds = _data(data, columns, exclude)
    try:
        with _display() as show:
            found = run(
                folds,
                combinations=combination or PRESETS,
                space=cast("Space", space),
                search=cast("Search", search),
                grid=SweepGrid() if grid is None else _grid(grid),
                longest=longest,
                n_folds=n_folds,
                seed=seed,
                max_samples=max_samples,
                out=out,
                workers=workers,
                scheduler=scheduler,
                progress=show,
                report=typer.echo,
            )
    except KeyboardInterrupt:
        raise Interrupted("interrupted; what is finished is kept, and the same command goes on") from None
    typer.echo(_outcome(found, out, data))


def _data(
    paths: list[Path], columns: Columns, exclude: list[str] | None
) -> "LabelledEmbedding | tuple[DryRunFold, ...]":
    """Return an embedding, or the folds of training runs."""
    if all(path.is_dir() for path in paths):
        from ali_core.experiments import folds_of_runs  # noqa: PLC0415

        if exclude or columns.given:
            raise typer.BadParameter(
                "--exclude, and names of columns, go with an embedding file; a run has the classes it was trained on"
            )
        return folds_of_runs(paths)
    if len(paths) > 1:
        raise typer.BadParameter("give one embedding file, or one training run a fold")
    return read_embedding(paths[0], columns, exclude)


def _grid(file: Path) -> "SweepGrid":
    from ali_core.experiments import SweepGrid  # noqa: PLC0415

    try:
        return SweepGrid(**read_toml(file, "grid file"))
    except (TypeError, ValueError) as error:
        raise AliError(f"{file.name}: {error}") from None


@contextmanager
def _display() -> Iterator[Callable[[str, int, int], None]]:
    """Yield what is told how far a stage is: a bar on a terminal, else a line at its end and now and then."""
    if sys.stdout.isatty():
        from rich.progress import Progress  # noqa: PLC0415

        with Progress(transient=True) as bar:
            task = bar.add_task("")
            yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)
        return
    last = [0.0]

    def line(what: str, done: int, of: int) -> None:
        if done == of or time.monotonic() - last[0] > LINE_SECONDS:
            last[0] = time.monotonic()
            typer.echo(f"{what}: {done} of {of} pieces")

    yield line


LINE_SECONDS = 30.0


def _of_runs(paths: list[Path]) -> str:
    """Return the options of ``ali train`` that make it train as the runs at ``paths`` did; empty for a file."""
    from ali_core.training import TrainSettings  # noqa: PLC0415

    if not paths[0].is_dir():
        return ""
    run = TrainSettings.read(paths[0] / "settings.toml")
    given = {"base": run.base_loss, "long-tail": run.long_tail, "n-folds": run.n_folds}
    base = TrainSettings(method="ali")
    usual = {"base": base.base_loss, "long-tail": None, "n-folds": base.n_folds}
    options = [f" --{name} {value}" for name, value in given.items() if value != usual[name]]
    return "".join(options) + (" --ignore-groups" if run.groups == "ignore" else "")


def _outcome(found: "DryRun", out: Path, paths: list[Path]) -> str:
    """Return the recommended settings as a table in words, and where the files are."""
    best = found.table1[found.table1["rank"] == 1]
    lines = ["", f"{'combination':12s} {'settings':58s} {'oracle F1':>9s} {'after':>5s} {'transfer F1':>11s}"]
    lines += [_line(row) for _, row in best.iterrows()]
    untouched = best["untouched_f1"].iloc[0]
    notes = []
    if idle := best.loc[best["n_interventions"] == 0, "combination"].tolist():
        notes.append(f"no intervention of {', '.join(idle)} raises the oracle score: there is nothing to train with")
    if worse := best.loc[best["transfer_f1"] < untouched, "combination"].tolist():
        notes.append(f"moved without labels, {', '.join(worse)} scores below the untouched embedding")
    first = as_typed(f"ali train DATA --settings {out}/recommended.toml{_of_runs(paths)} --control")
    return "\n".join(
        [
            *lines,
            *notes,
            f"untouched: {untouched:.4f}. Oracle: validation samples moved by their true class; it ranks, and "
            "estimates nothing. Transfer: moved without labels.",
            "Neither score has foretold which settings gain most in training. Train several, each with --control:",
            f"  the first       {first}",
            f"{out}/ holds curves.csv, table1.csv (with the next best), recommended.toml; others in recommended/",
            f"  draw it         {as_typed(f'ali figures {out} --out figures')}",
        ]
    )


def _line(row: "pd.Series[Any]") -> str:
    from ali_core.interventions.settings import STRENGTHS  # noqa: PLC0415  # loaded when it is asked for

    names = {name: spec.short for name, spec in STRENGTHS.items()} | {"n_neighbours": "n"}
    strengths = " ".join(f"{short}={row[name]:g}" for name, short in names.items())
    settings = f"{strengths} {row['criterion']} {row['selection']}"
    return (
        f"{row['combination']!s:12s} {settings:58s} {row['oracle_f1']:9.4f} {row['n_interventions']!s:>5s} "
        f"{row['transfer_f1']:11.4f}"
    )
