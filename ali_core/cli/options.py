"""Options that several commands share, each described once, and the data they name."""

import functools
import inspect
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

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
    "in_place_of",
    "one_of",
    "open_data",
    "read_embedding",
    "tell",
    "white_level",
]

PRESET_HELP = (
    f"Combination of transforms, with the strengths of the paper: {' | '.join(PRESETS)} "
    "(c contract, s shift, os ortho-shift, r rotate)."
)


def in_place_of(
    name: str, options: Mapping[str, inspect.Parameter], read: Callable[[dict[str, Any]], Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that gives a command many options in place of one parameter.

    Parameters
    ----------
    name
        Of the parameter.
    options
        Keyword-only parameters as typer reads them, by name.
    read
        Returns the value of the parameter from those of the options.
    """

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        own, hints = inspect.signature(command), get_type_hints(command, include_extras=True)
        parameters = [
            one
            for each, parameter in own.parameters.items()
            for one in (options.values() if each == name else [parameter.replace(annotation=hints[each])])
        ]

        @functools.wraps(command)
        def with_options(*values: Any, **given: Any) -> None:  # noqa: ANN401
            value = read({option: given.pop(option) for option in options})
            command(*values, **{name: value}, **given)

        with_options.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # typer reads it
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_options

    return decorated


def one_of(choices: Collection[str]) -> Callable[[Any], Any]:
    """Return the callback of an option whose value, or values if it may be given several times, are ``choices``."""

    def checked(value: Any) -> Any:  # noqa: ANN401  # text, several, or None
        for word in [value] if isinstance(value, str) else value or ():
            if word not in choices:
                raise typer.BadParameter(f"{word!r} is none of {' | '.join(choices)}")
        return value

    return checked


EmbeddingFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help=f"Embedding: {', '.join(READ)}.", metavar="EMB")
]
SessionFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Session file (.json) with the steps.", metavar="SESSION")
]
PresetName = Annotated[str, typer.Option("--preset", callback=one_of(PRESETS), help=PRESET_HELP)]
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
