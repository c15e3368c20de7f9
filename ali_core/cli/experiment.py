"""``ali experiment``: methods over folds and seeds, from one file to the tables of a paper."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ali_core.cli.data_options import reads_data
from ali_core.cli.options import SkipUnreadable, WhiteLevel, white_level
from ali_core.cli.training_run import Interrupted
from ali_core.columns import Columns
from ali_core.errors import AliError

if TYPE_CHECKING:
    import pandas as pd

    from ali_core.experiments.experiment import Experiment
    from ali_core.experiments.runner import Progress

__all__ = ["experiment"]

FILES = (
    *("results.csv", "timing.csv", "comparison.csv", "comparison.md", "comparison.tex"),
    *("table2.csv", "table2.md", "table2.tex"),
)


@reads_data
def experiment(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.toml",
            help="The experiment: methods, folds, seeds. paper.toml, where there is no such file here, is the paper's "
            "own; it needs --data.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for runs and tables.")] = Path("runs/experiment"),
    data: Annotated[
        Path | None,
        typer.Option(exists=True, help="Features or images, as ali train takes them, instead of those of the file."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Only methods whose label matches, such as 'ali *'; may be given several times."
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be trained, and how long it may take.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Runs side by side, one thread each (one a core). On a GPU, as many as fit its memory."
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler of a cluster, such as tcp://host:8786, instead."),
    ] = None,
    skip_unreadable: SkipUnreadable = False,
    white: WhiteLevel = None,
    columns: Columns,
) -> None:
    """Train methods on the same folds and compare them.

    OUT gets results.csv (a row a run), timing.csv, and in CSV, Markdown and LaTeX comparison (differences from the
    baseline with intervals) and table2, after every run. Ctrl-C is safe: the same command goes on.
    """
    from ali_core.experiments.experiment import Experiment, paper_file  # noqa: PLC0415  # loaded when it is asked for
    from ali_core.experiments.runner import planned  # noqa: PLC0415

    packaged = file == Path(paper_file().name) and not file.exists()
    found = Experiment.read(paper_file() if packaged else file)
    if columns.given:
        found = found.model_copy(update={"columns": columns, "images": None})
    if skip_unreadable:
        found = found.changed(common={**found.common, "skip_unreadable": True})
    if white is not None:
        found = found.changed(white=white_level(white))
    samples = data or found.data
    if samples is None:
        raise typer.BadParameter(f"{file} names no data; say where it is with --data PATH")
    if workers is not None and scheduler is not None:
        raise typer.BadParameter("--workers are processes here, and --scheduler has its own; give one of the two")
    if plan:
        typer.echo(_plan(planned(found, samples, out, only)))
        return
    _run(found, samples, out=out, only=only, workers=workers, scheduler=scheduler)


def _plan(runs: "pd.DataFrame") -> str:
    """Return a line a method, and the sum."""
    lines = []
    for label, own in runs.groupby("label", sort=False):
        counts = own["state"].value_counts()
        states = ", ".join(f"{counts[state]} {state}" for state in ("finished", "started", "to do") if state in counts)
        each = own["seconds"].mean()
        lines.append(f"{label}: {states}; {'unknown time' if each != each else f'about {_clock(each)}'} a run")  # noqa: PLR0124
    left = runs[runs["state"] != "finished"]
    unknown = int(left["seconds"].isna().sum())
    known = f"{len(runs)} runs, {len(left)} left: about {_clock(left['seconds'].sum())} of computing"
    lines.append(f"{known}{f', and {unknown} runs of unknown time' if unknown else ''}")
    return "\n".join(lines)


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _run(
    found: "Experiment",
    samples: Path,
    *,
    out: Path,
    only: list[str] | None,
    workers: int | None,
    scheduler: str | None,
) -> None:
    from ali_core.experiments.runner import run_experiment  # noqa: PLC0415

    seen: list[Progress] = []
    try:
        with _display(seen) as show:
            results = run_experiment(
                found, samples, out=out, only=only, workers=workers, scheduler=scheduler, progress=show
            )
    except KeyboardInterrupt:
        done = f"after {seen[-1].done} of {seen[-1].of} runs" if seen else "before the first run"
        raise Interrupted(f"interrupted {done}; the same command goes on where it was") from None
    typer.echo(_outcome(found, results, out))
    failed = [now for now in seen if now.error]
    if failed:
        raise AliError(
            f"{len(failed)} of {seen[-1].of} runs failed (the first: {failed[0].label}, fold {failed[0].fold}, seed "
            f"{failed[0].seed}: {failed[0].error}); {out / 'failures.csv'} lists them, and the same command tries them "
            "again"
        )


@contextmanager
def _display(seen: "list[Progress]") -> "Iterator[Callable[[Progress], None]]":
    """Yield what is told how far it is: a line a run, with a bar below on a terminal."""
    start = time.monotonic()

    def line(now: "Progress") -> str:
        seen.append(now)
        new = now.done - seen[0].done
        left = f"; about {_clock((time.monotonic() - start) / new * (now.of - now.done))} left" if new else ""
        if not now.label:
            return f"{now.done} of {now.of} runs are finished"
        said = f"failed: {now.error}" if now.macro_f1 is None else f"test macro F1 {now.macro_f1:.4f}"
        return f"{now.done}/{now.of}  {now.label}  fold {now.fold} seed {now.seed}  {said}{left}"

    if not sys.stdout.isatty():
        yield lambda now: typer.echo(line(now))
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    with Bar(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("")

        def show(now: "Progress") -> None:
            bar.console.print(line(now), markup=False, highlight=False, soft_wrap=True)
            bar.update(task, completed=now.done, total=now.of)

        yield show


def _outcome(found: "Experiment", results: "pd.DataFrame", out: Path) -> str:
    from ali_core.experiments.run_results import compared  # noqa: PLC0415

    labels = [variant.label for variant in found.methods]
    comparison, note = compared(results, labels, baseline=found.baseline, n_folds=found.n_folds)
    lines = [""] if comparison is None else ["", *comparison["sentence"]]
    there = [name for name in FILES if (out / name).is_file()]
    return "\n".join([*lines, *filter(None, [note]), f"{out}/ holds {', '.join(there)} and runs/"])
