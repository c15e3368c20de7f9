"""What ``ali demo`` trains with interventions: a small network for images, or a head for features."""

import shutil
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import Session
from ali_core.training.settings import TrainSettings

if TYPE_CHECKING:
    from ali_core.data import CellImages
    from ali_core.training import EpochState, TrainResult

__all__ = ["LastEpoch", "head_settings", "make_room", "network_settings", "train_and_tell"]

MARK = "written-by-ali-demo.txt"
"""A folder with this file is replaced when the demo runs again."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LastEpoch:
    """The end of a run.

    Parameters
    ----------
    session
        The interventions on the training fold that the last epoch followed.
    following
        The state after it.
    """

    session: Session
    following: "EpochState"


def network_settings(*, preset: str, px: int, seed: int) -> TrainSettings:
    """Return settings for a small network that learns from random weights in half a minute.

    Notes
    -----
    Chosen on synthetic cells that the network had not seen, at 64 px, where two more epochs did not help. So few steps
    want a low rate, since it is constant, and no blackened pixels, since the running statistics of batch normalisation
    would follow those and not the whole images.
    """
    return TrainSettings(
        preset=preset,
        class_weights=True,
        backbone="resnet18",
        weights="none",
        width=64,
        px=px,
        dropout=0.0,
        margin=0.1,
        learning_rate=3e-4,
        batch_size=32,
        max_epochs=2,
        evaluate_every=1,
        patience=0,
        seed=seed,
    )


def head_settings(*, preset: str, seed: int) -> TrainSettings:
    """Return settings for a linear head that learns from features within seconds."""
    return TrainSettings(
        preset=preset, class_weights=True, width=64, max_epochs=10, evaluate_every=2, patience=0, seed=seed
    )


def make_room(folder: Path) -> Path:
    """Make an empty folder for the run, and return it; of what is there, only the run of an earlier demo is removed.

    Raises
    ------
    AliError
        When the folder holds something else, or is a link.
    """
    if folder.is_symlink():
        raise AliError(f"{folder} is a link to another place; choose another folder with --out")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise AliError(f"{folder} holds something that ali demo did not write; choose another folder with --out")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("A run of ali demo, which replaces this folder when it runs again.\n", encoding="utf-8")
    return folder


def train_and_tell(data: "LabelledEmbedding | CellImages", settings: TrainSettings, folder: Path) -> LastEpoch:
    """Train to the end, saying what each epoch is worth, and return the last one.

    Parameters
    ----------
    data
        Images or features.
    settings
        Of the run; groups are kept whole if the folds can be made with them.
    folder
        Of the run, from :func:`make_room`.

    Raises
    ------
    AliError
        When there are too few samples for folds.
    """
    from ali_core.training import epochs  # noqa: PLC0415  # imports torch

    settings = settings.changed(groups=_grouping(data, settings))
    states: deque[EpochState] = deque(maxlen=2)
    with _notes(), epochs(data, settings, out=folder) as training:
        for state in training:
            states.append(state)
            _tell(state, settings.max_epochs)
    session = states[0].session
    if training.result is None or session is None:
        raise AliError("the run did not come to its end")
    _tell_result(training.result)
    return LastEpoch(session=session, following=states[1])


def _tell_result(result: "TrainResult") -> None:
    typer.echo(
        f"      macro F1 of an RBF-SVM on the run's test fold: {result.table.test_f1[0]:.3f} before training, "
        f"{result.scores.test.macro_f1:.3f} at epoch {result.epoch}, the best on its validation fold"
    )


def _tell(state: "EpochState", n_epochs: int) -> None:
    row = state.history.rows[-1]
    numbers = {"loss": row["loss"], "validation macro F1": row["validation_f1"]}
    told = ", ".join(f"{name} {value:.3f}" for name, value in numbers.items() if value is not None)
    typer.echo(f"      epoch {state.epoch:2d} of {n_epochs}: {told}")


def _grouping(data: "LabelledEmbedding | CellImages", settings: TrainSettings) -> Literal["keep", "ignore"]:
    """Keep groups whole if the folds can be made so, and else say why not."""
    from ali_core.data import FoldWarning, grouped_folds  # noqa: PLC0415  # pandas is slow to import

    if data.groups is None:
        return "keep"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FoldWarning)  # told when the run makes the folds that it uses
            grouped_folds(
                data.labels,
                groups=data.groups,
                split=data.split,
                n_folds=settings.n_folds,
                seed=settings.fold_seed,
                class_names=data.class_names,
            )
    except AliError as error:
        typer.echo(f"      the folds of this training split groups, because {str(error).partition(';')[0]}")
        return "ignore"
    return "keep"


@contextmanager
def _notes() -> Iterator[None]:
    """Print warnings as notes."""
    from ali_core.data import FoldWarning  # noqa: PLC0415  # as above

    with warnings.catch_warnings():
        warnings.simplefilter("always", FoldWarning)
        warnings.showwarning = lambda message, *_, **__: typer.echo(f"      note: {message}")
        yield
