"""What a person sees while a network is trained: a block that is redrawn, or a line an epoch."""

import sys
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import typer

if TYPE_CHECKING:
    from ali_core.training import EpochState, TrainSettings
    from ali_core.training.history import History

__all__ = ["Display", "LineDisplay", "LiveDisplay", "choose_display", "epoch_line", "time_left"]

Row = dict[str, Any]

NAMES_SHOWN = 4
STAGES = ("train", "embed", "intervene", "evaluate", "save")
RECENT = 5


class Display(Protocol):
    """Shows a run; a context manager around it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, state: "EpochState") -> None:
        """Show a run between two epochs."""

    def batch(self, done: int, of: int) -> None:
        """Show how far the epoch has come."""


class LineDisplay:
    """One plain line an epoch, for files and pipes.

    Parameters
    ----------
    settings
        Of the run.
    """

    def __init__(self, settings: "TrainSettings") -> None:
        self.settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, state: "EpochState") -> None:
        """Write the line of the epoch that is finished."""
        typer.echo(epoch_line(state.history, self.settings.max_epochs))

    def batch(self, done: int, of: int) -> None:
        """Print nothing."""


class LiveDisplay:
    """A block in a terminal with the last epoch, the best one, a bar of batches and the time left.

    Parameters
    ----------
    settings
        Of the run.
    console
        A rich console; by default standard output.
    """

    def __init__(self, settings: "TrainSettings", console: Any = None) -> None:  # noqa: ANN401  # rich, loaded when used
        from rich.live import Live  # noqa: PLC0415
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

        self.settings = settings
        self._bar = Progress(TextColumn("batches   "), BarColumn(), MofNCompleteColumn())
        self._task = self._bar.add_task("batches", total=None)
        self._live = Live(self._bar, console=console, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, state: "EpochState") -> None:
        """Redraw the block; the bar starts again, and is gone when the run ends."""
        from rich.console import Group  # noqa: PLC0415

        if state.finished:
            self._live.update(self._table(state), refresh=True)
            return
        self._bar.reset(self._task)
        self._live.update(Group(self._table(state), self._bar))

    def batch(self, done: int, of: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done, total=of)

    def _table(self, state: "EpochState") -> Any:  # noqa: ANN401  # rich, loaded when used
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table.grid(padding=(0, 2))
        row, of = state.history.rows[-1], self.settings.max_epochs
        left = state.finished or f"at most {timedelta(seconds=round(time_left(state.history, of)))} left"
        lines = {
            "epoch": f"{row['epoch']} of {of}   {left if row['epoch'] or state.finished else ''}",
            "loss": _loss(row),
            "triplets": "" if row["active_fraction"] is None else f"{row['active_fraction']:.0%} active",
            "validation": _validation(state.history),
            "moved": _moved(row),
        }
        for name, value in lines.items():
            table.add_row(name, Text(value))
        return table


def choose_display(settings: "TrainSettings") -> Display:
    """Return the block for a terminal, lines for anything else."""
    return LiveDisplay(settings) if sys.stdout.isatty() else LineDisplay(settings)


def epoch_line(history: "History", max_epochs: int) -> str:
    """Return one line of text about the last epoch."""
    row = history.rows[-1]
    active = "" if row["active_fraction"] is None else f"{row['active_fraction']:.0%} of triplets active"
    moved = f"moved {_moved(row)}" if row["moved_classes"] else ""
    scored = "" if row["validation_f1"] is None else f"validation {_validation(history)}"
    parts = [_loss(row) and f"loss {_loss(row)}", active, scored, moved]
    width = len(str(max_epochs))
    return "  ".join([f"epoch {row['epoch']:>{width}}/{max_epochs}", *filter(None, parts)])


def time_left(history: "History", max_epochs: int) -> float:
    """Return the seconds until ``max_epochs``, if epochs go on taking what the last few took on average."""
    recent = history.times[1:][-RECENT:]
    spent = sum(times[stage] or 0.0 for times in recent for stage in STAGES)
    return spent / max(len(recent), 1) * (max_epochs - history.epoch)


def _loss(row: Row) -> str:
    if row["loss"] is None:
        return ""
    names = {"base": row["base_loss"], "interventions": row["intervention_loss"]}
    parts = [f"{name} {value:.4f}" for name, value in names.items() if value is not None]
    return f"{row['loss']:.4f}" + (f" ({', '.join(parts)})" if len(parts) > 1 else "")


def _validation(history: "History") -> str:
    best = history.best()
    if best is None:
        return ""
    last = next(row for row in reversed(history.rows) if row["validation_f1"] is not None)
    when = "" if last is history.rows[-1] else f" in epoch {last['epoch']}"
    return f"F1 {last['validation_f1']:.4f}{when} (best {best['validation_f1']:.4f} in epoch {best['epoch']})"


def _moved(row: Row) -> str:
    names = (row["moved_classes"] or "").split(";")
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
