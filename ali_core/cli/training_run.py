"""A training run as the shell shows it: while it goes, when it ends, and beside its control."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ali_core.cli.options import as_typed
from ali_core.cli.training_display import choose_display
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.files import write_csv
from ali_core.training import TrainSettings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ali_core.data import CellImages
    from ali_core.training import TrainResult

__all__ = ["Interrupted", "check_control", "train_and_tell"]

CONTROL = "control"
LARGE = 50_000
"""Of more samples it is said beforehand what a run on features will take."""


class Interrupted(Exception):  # noqa: N818  # no error: a person asked for it
    """A run was stopped by Ctrl-C; the message says how it goes on."""


def check_control(settings: TrainSettings) -> None:
    """Raise AliError when no control can be trained beside a run with ``settings``."""
    if settings.control:
        raise AliError("the settings are those of a control already; leave --control out, or control out of the file")
    settings.changed(control=True)


def train_and_tell(
    data: "LabelledEmbedding | CellImages",
    settings: TrainSettings,
    *,
    out: Path,
    resume: bool,
    tensorboard: bool,
    with_control: bool,
) -> None:
    """Train into ``out`` and print the result; with a control, train that into ``out/control`` and compare.

    Of several processes, only the first speaks.

    Raises
    ------
    AliError
        See :func:`ali_core.training.epochs`.
    Interrupted
        When Ctrl-C ends the run.
    """
    with _first_speaks(settings):
        typer.echo(_about(data, settings, out))
        if isinstance(data, LabelledEmbedding) and len(data) > LARGE and settings.devices == 1 and not resume:
            from ali_core.training.forecast import forecast  # noqa: PLC0415  # torch takes seconds
            from ali_core.training.run_folder import RunFolder  # noqa: PLC0415

            RunFolder(out, keep_checkpoints=False).claim(settings, resume=False)
            with suppress(AliError):  # a part can be too small for folds that all samples allow
                typer.echo(forecast(data, settings))
        result, true = _train(data, settings, out=out, resume=resume, tensorboard=tensorboard)
        if with_control:
            control = settings.changed(control=True, max_epochs=result.history.epoch)
            place = out / CONTROL
            typer.echo(f"\nits control: {control.max_epochs} epochs without interventions, into {place}")
            other, _ = _train(data, control, out=place, resume=resume, tensorboard=tensorboard)
            typer.echo(_comparison(settings, result, other, true))
            write_csv(_differences(settings, result, other), out / "control.csv")
        typer.echo(_outcome(data, settings, result, out))


def _train(
    data: "LabelledEmbedding | CellImages", settings: TrainSettings, *, out: Path, resume: bool, tensorboard: bool
) -> "tuple[TrainResult, dict[str, NDArray[np.int64]]]":
    """Return the result of a run, and the class codes of its validation and test part."""
    from ali_core.training import epochs  # noqa: PLC0415  # torch and Lightning take seconds
    from ali_core.training.run_folder import RunFolder  # noqa: PLC0415

    display = choose_display(settings)
    try:
        with (
            _loggers(out, wanted=tensorboard) as loggers,
            epochs(data, settings, out=out, resume=resume, loggers=loggers, progress=display.batch) as training,
            display,
        ):
            first = next(training)
            if first.epoch:
                done = (
                    f"finished already ({first.finished})" if first.finished else f"going on after epoch {first.epoch}"
                )
                typer.echo(f"{out}: {done}")
            display.show(first)
            for state in training:
                display.show(state)
    except KeyboardInterrupt:
        saved = RunFolder(out, keep_checkpoints=False).saved_epoch()
        which = " of the control" if settings.control else ""
        when = "before the first epoch" if saved == "none" else f"after epoch {saved}"
        raise Interrupted(f"interrupted {when}{which}; the same command with --resume goes on") from None
    if training.result is None:
        raise AliError("the run did not come to its end; continue it with --resume")
    split, labels = training.run.split, training.run.worker.inputs.labels
    return training.result, {"validation": labels[split.validation], "test": labels[split.test]}


@contextmanager
def _first_speaks(settings: TrainSettings) -> Iterator[None]:
    """Silence standard output in all processes of a run but the first; its launcher numbers them."""
    if settings.devices == 1 or os.environ.get("LOCAL_RANK", "0") == "0":
        yield
        return
    with Path(os.devnull).open("w", encoding="utf-8") as nothing, redirect_stdout(nothing):
        yield


@contextmanager
def _loggers(out: Path, *, wanted: bool) -> Iterator[list[Any]]:
    """Yield the loggers of a run, and end them."""
    if not wanted:
        yield []
        return
    from lightning.fabric.loggers.tensorboard import TensorBoardLogger  # noqa: PLC0415

    try:
        logger = TensorBoardLogger(out, name="tensorboard", version="")
    except ModuleNotFoundError:
        raise AliError(
            "--tensorboard needs the extra: install it with pip install 'ali-interventions[tensorboard]'"
        ) from None
    try:
        yield [logger]
    finally:
        logger.finalize("success")


def _about(data: "LabelledEmbedding | CellImages", settings: TrainSettings, out: Path) -> str:
    features = f" of {data.dim} features" if isinstance(data, LabelledEmbedding) else ""
    what = f"{settings.method} {settings.preset}" if settings.spec.planned else settings.method
    what += f" on {settings.base}" if settings.base else ""
    weights = " with class weights" if settings.class_weights else ""
    return (
        f"{what}{weights} on {len(data)} {'samples' if features else 'images'}{features}, {data.n_classes} classes: "
        f"{_tested(data, settings)}; into {out}"
    )


def _tested(data: "LabelledEmbedding | CellImages", settings: TrainSettings) -> str:
    if settings.long_tail is not None:
        return f"draw {settings.fold} of the long tail {settings.long_tail}; what it leaves out is the test"
    if data.split is None:
        return f"fold {settings.fold} of {settings.n_folds} is the test"
    if set(data.split.tolist()) <= {"train", "validation", "test"}:
        return "the test part of the split that is given is the test"
    return f"fold {settings.fold} of those that are given is the test"


def _outcome(data: "LabelledEmbedding | CellImages", settings: TrainSettings, result: "TrainResult", out: Path) -> str:
    scores, network = result.scores, out / "network.safetensors"
    px = "" if isinstance(data, LabelledEmbedding) else f" --px {settings.px}"
    return "\n".join(
        [
            "",
            f"best epoch {result.epoch} of {result.history.epoch}: macro F1 {scores.validation.macro_f1:.4f} on "
            f"validation, {scores.test.macro_f1:.4f} on test (chosen on validation; the test fold chose nothing)",
            *(
                ["(epoch 0 is the network before training: no epoch did better on validation)"]
                if not result.epoch
                else []
            ),
            *_reference(result),
            f"{out}/ holds epochs.csv, classes.csv, confusion.csv, embedding.npz (all samples) and network.safetensors",
            f"  see it in the app     {as_typed(f'ali studio {out}')}",
            f"  embed other samples   {as_typed(f'ali embed DATA --weights {network}{px}')}",
        ]
    )


def _reference(result: "TrainResult") -> list[str]:
    """Return in words what the untouched features are worth."""
    if result.reference is None:
        return []
    rows = result.reference.to_dict("records")
    told = ", ".join(f"{row['classifier']} {row['test_f1']:.4f}" for row in rows)
    return [f"without training, on the features as they are: {told} on test"]


def _comparison(
    settings: TrainSettings, result: "TrainResult", control: "TrainResult", true: "dict[str, NDArray[np.int64]]"
) -> str:
    """Return both runs and their difference as lines of text; ``true`` are class codes of validation and test part."""
    import numpy as np  # noqa: PLC0415

    from ali_core.evaluation.f1_interval import f1_interval  # noqa: PLC0415

    rows = {settings.method: result, f"control ({settings.base_loss})": control}
    lines = ["", f"{'macro F1':20s}{'epoch':>8s}{'validation':>12s}{'test':>10s}"]
    for name, run in rows.items():
        validation, test = run.scores.validation.macro_f1, run.scores.test.macro_f1
        lines.append(f"{name:20s}{run.epoch:8d}{validation:12.4f}{test:10.4f}")
    validation = result.scores.validation.macro_f1 - control.scores.validation.macro_f1
    test = result.scores.test.macro_f1 - control.scores.test.macro_f1
    lines.append(f"{'difference':20s}{'':8s}{validation:+12.4f}{test:+10.4f}")
    for part, codes in true.items():
        own, other = (getattr(run.scores, f"{part}_predicted") for run in (result, control))
        n_classes, rng = len(result.embedding.class_names), np.random.default_rng(0)
        value, low, high = f1_interval(codes, own, n_classes, minus=other, rng=rng)
        apart = "" if low > 0 or high < 0 else ", not told apart"
        lines.append(f"on {part}, {len(codes):,} samples: {value:+.4f} (95 % {low:+.4f} to {high:+.4f}{apart})")
    lines.append("Judge by validation. Another fold, draw or seed can differ by more: repeat it over several.")
    return "\n".join(lines)


def _differences(settings: TrainSettings, result: "TrainResult", control: "TrainResult") -> "pd.DataFrame":
    """Return the two runs as a table."""
    import pandas as pd  # noqa: PLC0415

    runs = {settings.method: result, CONTROL: control}
    rows = [{"run": name, "best_epoch": run.epoch, **run.scores.row()} for name, run in runs.items()]
    return pd.DataFrame(rows)
