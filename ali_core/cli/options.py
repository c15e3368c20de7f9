"""Options that several commands share, each described once."""

from pathlib import Path
from typing import Annotated

import typer

from ali_core.embedding import LabelledEmbedding
from ali_core.interventions import PRESETS

__all__ = ["EmbeddingFile", "Exclude", "PresetName", "SessionFile", "read_embedding"]


def _known_preset(name: str) -> str:
    if name not in PRESETS:
        raise typer.BadParameter(f"{name!r} is none of {' | '.join(PRESETS)}")
    return name


EmbeddingFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Embedding: .npz, .csv, .parquet or .h5ad.", metavar="EMB")
]
SessionFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Session file (.json) with the steps.", metavar="SESSION")
]
PresetName = Annotated[
    str,
    typer.Option(
        "--preset",
        callback=_known_preset,
        help=f"Combination of transforms, with the strengths of the paper: {' | '.join(PRESETS)} "
        "(c contract, s shift, os ortho-shift, r rotate).",
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", help="Leave out a class, by name; may be given several times.", metavar="CLASS"),
]


def read_embedding(path: Path, exclude: list[str] | None) -> LabelledEmbedding:
    """Load an embedding without the classes that were excluded."""
    embedding = LabelledEmbedding.load(path)
    return embedding.without_classes(exclude) if exclude else embedding
