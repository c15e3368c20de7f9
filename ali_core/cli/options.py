"""Options that several commands share, each described once, and the data they name."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ali_core.embedding import LabelledEmbedding
from ali_core.interventions import PRESETS

if TYPE_CHECKING:
    from ali_core.data import CellImages, CsvOptions

__all__ = [
    "EmbeddingFile",
    "Exclude",
    "GroupColumn",
    "IdColumn",
    "LabelColumn",
    "PathColumn",
    "PresetName",
    "SessionFile",
    "Where",
    "as_typed",
    "csv_options",
    "known_preset",
    "open_data",
    "read_embedding",
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
    Path, typer.Argument(exists=True, dir_okay=False, help="Embedding: .npz, .csv, .parquet or .h5ad.", metavar="EMB")
]
SessionFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Session file (.json) with the steps.", metavar="SESSION")
]
PresetName = Annotated[str, typer.Option("--preset", callback=known_preset, help=PRESET_HELP)]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", help="Leave out a class, by name; may be given several times.", metavar="CLASS"),
]
PathColumn = Annotated[str | None, typer.Option(help="Column of labels.csv with the image paths (path).")]
LabelColumn = Annotated[str | None, typer.Option(help="Column with the classes (label).")]
GroupColumn = Annotated[str | None, typer.Option(help="Column with patients or regions.")]
IdColumn = Annotated[str | None, typer.Option(help="Column with the names of the samples.")]
Where = Annotated[
    str | None, typer.Option(help="Keep only the rows with this value, as COLUMN=VALUE.", metavar="COLUMN=VALUE")
]


def csv_options(
    *,
    path_column: str | None,
    label_column: str | None,
    group_column: str | None,
    id_column: str | None,
    where: str | None,
) -> "CsvOptions":
    """Return those of the options for tables of images that were given."""
    table: CsvOptions = {}
    if path_column is not None:
        table["path_column"] = path_column
    if label_column is not None:
        table["label_column"] = label_column
    if group_column is not None:
        table["group_column"] = group_column
    if id_column is not None:
        table["id_column"] = id_column
    if where is not None:
        table["where"] = _condition(where)
    return table


def _condition(where: str) -> tuple[str, str]:
    column, equals, value = where.partition("=")
    if not equals or not column:
        raise typer.BadParameter(f"--where needs COLUMN=VALUE; got {where!r}")
    return column, value


def read_embedding(path: Path, exclude: list[str] | None) -> LabelledEmbedding:
    """Load an embedding without the classes that were excluded."""
    embedding = LabelledEmbedding.load(path)
    return embedding.without_classes(exclude) if exclude else embedding


def open_data(path: Path, table: "CsvOptions", exclude: list[str] | None) -> "LabelledEmbedding | CellImages":
    """Open an embedding file, or images, without the classes that were excluded.

    ``table`` are the options of :func:`csv_options`; with a path column, a ``.csv`` is a table of images.
    """
    from ali_core.data import holds_images, open_images  # noqa: PLC0415

    if "path_column" not in table and not holds_images(path):
        if table:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in table)
            raise typer.BadParameter(
                f"{names} apply to tables of images, but {path} is an embedding file; leave them out"
            )
        return read_embedding(path, exclude)

    images = open_images(path, **table)
    return images.without_classes(exclude) if exclude else images


def as_typed(command: str) -> str:
    """Return a command as it is typed in this environment."""
    return f"uv run {command}" if "UV_RUN_RECURSION_DEPTH" in os.environ else command
