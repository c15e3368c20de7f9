"""``ali train``: a network learns, with interventions or without; its control for comparison."""

# ruff: noqa: ARG001  # the shell's options; their values are taken from the context, by name

from pathlib import Path
from typing import Annotated, Any

import typer

from ali_core.cli.data_options import reads_data
from ali_core.cli.options import Exclude, WhiteLevel, open_data
from ali_core.cli.training_options import reads_settings
from ali_core.cli.training_run import check_control, train_and_tell
from ali_core.columns import Columns
from ali_core.embedding import LabelledEmbedding
from ali_core.training import TrainSettings

__all__ = ["train"]

FOR_IMAGES = ("backbone", "weights", "px", "skip_unreadable", "white")


@reads_data
@reads_settings
def train(
    context: typer.Context,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            exists=True,
            help="Embedding file with features (.npz, .csv, .parquet, .h5ad), of which a linear layer is trained; or "
            "images, on which a network is: folder with labels.csv, folder of class folders, MedMNIST .npz.",
        ),
    ],
    *,
    given: dict[str, Any],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the run.")] = Path("runs/train"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT, if there is one.")] = False,
    with_control: Annotated[
        bool,
        typer.Option(
            "--control",
            help="Afterwards train the same without interventions for as many epochs, into OUT/control, and compare. "
            "Both start from --start; without it, from the same first weights, so that the control is the plain base "
            "loss.",
        ),
    ] = False,
    settings: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, metavar="FILE", help="TOML file with any setting; options override it."
        ),
    ] = None,
    white: WhiteLevel = None,
    exclude: Exclude = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write OUT/tensorboard too; needs the extra tensorboard.")
    ] = False,
    columns: Columns,
) -> None:
    """Train a network, with interventions between epochs or without.

    The SVM and the best epoch are chosen on the validation fold; the test fold chooses nothing. Ctrl-C is safe: the
    same command with --resume goes on after the last finished epoch, with the same numbers as without the break.
    """
    chosen = _settings(settings, given)
    if with_control:
        check_control(chosen)
    found = open_data(data, columns, exclude, skip_unreadable=chosen.skip_unreadable, white=white)
    useless = [f"--{name.replace('_', '-')}" for name in FOR_IMAGES if name in given]
    if useless and isinstance(found, LabelledEmbedding):
        raise typer.BadParameter(
            f"{', '.join(useless)} go with images, but {data} is an embedding file; leave them out"
        )
    train_and_tell(found, chosen, out=out, resume=resume, tensorboard=tensorboard, with_control=with_control)


def _settings(file: Path | None, given: dict[str, Any]) -> TrainSettings:
    """Return the settings of the file, or the defaults, with the options that were given in their place."""
    if "preset" in given:
        given = {**given, "interventions": None}  # of the file; they would stand above the preset
    return TrainSettings(**given) if file is None else TrainSettings.read(file, **given)
