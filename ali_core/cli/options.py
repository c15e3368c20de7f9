"""Options that several commands share, each described once, and the data they name."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ali_core.columns import Columns
from ali_core.embedding import LabelledEmbedding
from ali_core.embedding_files import READ
from ali_core.interventions import PRESETS

if TYPE_CHECKING:
    from ali_core.data.decoding import White
    from ali_core.samples import Samples

__all__ = [
    "EmbeddingFile",
    "Exclude",
    "PresetName",
    "SessionFile",
    "SkipUnreadable",
    "WhiteLevel",
    "as_typed",
    "known_preset",
    "open_data",
    "read_embedding",
    "tell",
    "white_level",
]

PRESET_HELP = (
    f"Combination of transforms, with the strengths of the paper: {' | '.join(PRESETS)} "
    "(c contract, s shift, os ortho-shift, r rotate)."
)


def known_preset(name: str | None) -> str | None:
    """Return ``name`` if it is a preset, or None; else the command was used wrongly."""
    if name is not None and name not in PRESETS:
        raise typer.BadParameter(f"{name!r} is none of {' | '.join(PRESETS)}")
    return name


EmbeddingFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help=f"Embedding: {', '.join(READ)}.", metavar="EMB")
]
SessionFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Session file (.json) with the steps.", metavar="SESSION")
]
PresetName = Annotated[str, typer.Option("--preset", callback=known_preset, help=PRESET_HELP)]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", help="Leave out a class, by name; may be given several times.", metavar="CLASS"),
]


SkipUnreadable = Annotated[
    bool, typer.Option("--skip-unreadable", help="Leave out images that are missing or damaged, and name them all.")
]
WhiteLevel = Annotated[
    str | None,
    typer.Option(
        "--white",
        metavar="VALUE|range",
        help="What is white in images of more than 8 bits: a value such as 4095; or the brightest of each image.",
    ),
]


def white_level(text: str | None) -> "White":
    """Return the value of ``--white`` as a number, ``range`` or None."""
    if text is None:
        return None
    if text == "range":
        return "range"
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"--white needs a number or range; got {text!r}") from None


def read_embedding(path: Path, columns: Columns, exclude: list[str] | None) -> LabelledEmbedding:
    """Load an embedding without the classes that were excluded, and say what was read."""
    embedding = LabelledEmbedding.load(path, **columns.given)
    tell(embedding, path)
    return embedding.without_classes(exclude) if exclude else embedding


def open_data(
    path: Path,
    columns: Columns,
    exclude: list[str] | None,
    *,
    skip_unreadable: bool = False,
    white: str | None = None,
) -> "Samples":
    """Open an embedding file, or images, without the classes that were excluded; say what was read."""
    from ali_core.samples import open_samples  # noqa: PLC0415  # with the readers of images

    samples = open_samples(path, columns, skip_unreadable=skip_unreadable, white=white_level(white))
    tell(samples, path)
    return samples.without_classes(exclude) if exclude else samples


def tell(data: "Samples", path: Path) -> None:
    """Say in two lines what was read: dimensions, roles and what is kept; classes with their counts."""
    if os.environ.get("LOCAL_RANK", "0") != "0":  # of several processes, the first speaks
        return
    if not isinstance(data, LabelledEmbedding):
        typer.echo(f"{path.name}: {data.summary}")
        return
    typer.echo(f"{path.name}: {len(data)} samples, {data.read_as}")
    counts = [f"{name} {count}" for name, count in zip(data.class_names, data.counts.tolist(), strict=True)]
    none = len(data) - int(data.counts.sum())
    typer.echo(f"classes: {', '.join(counts)}{f'; {none} unlabelled' if none else ''}")


def as_typed(command: str) -> str:
    """Return a command as it is typed in this environment."""
    return f"uv run {command}" if "UV_RUN_RECURSION_DEPTH" in os.environ else command
