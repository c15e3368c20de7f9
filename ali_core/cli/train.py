"""``ali train``: a network learns, with interventions or without; its control for comparison."""

# ruff: noqa: ARG001  # the shell's options; their values are taken from the context, by name

from pathlib import Path
from typing import Annotated, Any

import typer

from ali_core.cli.data_options import reads_data
from ali_core.cli.options import PRESET_HELP, Exclude, WhiteLevel, known_preset, open_data
from ali_core.cli.training_run import check_control, train_and_tell
from ali_core.columns import Columns
from ali_core.embedding import LabelledEmbedding
from ali_core.training import METHODS, TrainSettings

__all__ = ["train"]

FOR_IMAGES = ("backbone", "weights", "px", "skip_unreadable", "white")


def _known_method(name: str | None) -> str | None:
    if name is not None and name not in METHODS:
        raise typer.BadParameter(f"{name!r} is none of {' | '.join(METHODS)}")
    return name


def _default(name: str) -> str:
    return f"({TrainSettings.model_fields[name].default})"


@reads_data
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
    method: Annotated[
        str | None, typer.Option(callback=_known_method, help=f"{' | '.join(METHODS)} {_default('method')}.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(callback=known_preset, help=f"{PRESET_HELP} {_default('preset')}")
    ] = None,
    class_weights: Annotated[
        bool | None, typer.Option("--class-weights/--no-class-weights", help="Weigh classes by inverse frequency.")
    ] = None,
    fold: Annotated[int | None, typer.Option(min=0, help=f"Fold that is the test {_default('fold')}.")] = None,
    n_folds: Annotated[int | None, typer.Option(min=3, help=f"Number of folds {_default('n_folds')}.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help=f"Of weights, batches, augmentation and draws {_default('seed')}.")
    ] = None,
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
    start: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, metavar="RUN", help="Run whose best network this one starts from."),
    ] = None,
    steps: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, metavar="SESSION", help="Session with the manual steps of pli."),
    ] = None,
    intervention_weight: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Weight of the interventions in the loss (ali 0.8, pali 0.9, pli 0.5)."),
    ] = None,
    margin: Annotated[
        float | None, typer.Option(min=0.0, help=f"Of the triplet margin loss {_default('margin')}.")
    ] = None,
    width: Annotated[int | None, typer.Option(min=1, help=f"Dimensions of the embedding {_default('width')}.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help=f"Of AdamW {_default('learning_rate')}.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=2, help=f"Samples in a batch {_default('batch_size')}.")] = None,
    epochs: Annotated[int | None, typer.Option(min=0, help=f"Epochs at most {_default('max_epochs')}.")] = None,
    patience: Annotated[
        int | None,
        typer.Option(min=0, help=f"Epochs without a better validation F1; 0 never stops {_default('patience')}."),
    ] = None,
    ignore_groups: Annotated[
        bool | None,
        typer.Option("--ignore-groups/--keep-groups", help="Whether folds may split a group (kept whole)."),
    ] = None,
    backbone: Annotated[
        str | None, typer.Option(help=f"torchvision name of the network for images {_default('backbone')}.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|none|FILE",
            help="What the backbone starts from: torchvision's weights, fetched once; random; or a local file, which "
            f"needs no network {_default('weights')}.",
        ),
    ] = None,
    px: Annotated[
        int | None, typer.Option("--px", min=32, help=f"Images are resized to this {_default('px')}.")
    ] = None,
    skip_unreadable: Annotated[
        bool | None,
        typer.Option("--skip-unreadable/--stop-at-unreadable", help="Whether damaged images are left out (stop)."),
    ] = None,
    columns: Columns,
    white: WhiteLevel = None,
    exclude: Exclude = None,
    device: Annotated[str | None, typer.Option(help=f"auto | cpu | cuda | mps {_default('device')}.")] = None,
    devices: Annotated[
        int | None, typer.Option(min=1, help=f"Number of GPUs, or of processes on a CPU {_default('devices')}.")
    ] = None,
    precision: Annotated[str | None, typer.Option(help=f"auto | 32-true | bf16-mixed {_default('precision')}.")] = None,
    keep_embeddings: Annotated[
        bool | None,
        typer.Option("--keep-embeddings/--drop-embeddings", help="Keep the training embedding of every epoch (drop)."),
    ] = None,
    keep_checkpoints: Annotated[
        bool | None,
        typer.Option("--keep-checkpoints/--drop-checkpoints", help="Keep the state of every epoch (drop)."),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write OUT/tensorboard too; needs the extra tensorboard.")
    ] = False,
) -> None:
    """Train a network, with interventions between epochs or without.

    The SVM and the best epoch are chosen on the validation fold; the test fold chooses nothing. Ctrl-C is safe: the
    same command with --resume goes on after the last finished epoch, with the same numbers as without the break.
    """
    given = {name: value for name, value in context.params.items() if value is not None}
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
    values = {name: given[name] for name in TrainSettings.model_fields if name in given}
    if "epochs" in given:
        values["max_epochs"] = given["epochs"]
    if "ignore_groups" in given:
        values["groups"] = "ignore" if given["ignore_groups"] else "keep"
    if "preset" in given:
        values["interventions"] = None  # of the file; they would stand above the preset
    return TrainSettings(**values) if file is None else TrainSettings.read(file, **values)
