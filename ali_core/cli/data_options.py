"""The options that say what is what in the data: one list, for every command that reads some.

Synopsis::

    @reads_data
    def command(data: Path, *, columns: Columns) -> None: ...     # gets --label-column, --group-column, … as one value
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ali_core.cli.options import in_place_of
from ali_core.columns import SHELL, ColumnOptions, Columns

__all__ = ["reads_data"]

OPTIONS: dict[str, Any] = {
    "label": Annotated[str | None, typer.Option(SHELL["label"], metavar="NAME", help="Column with the class (label).")],
    "group": Annotated[
        str | None,
        typer.Option(
            SHELL["group"], metavar="NAME", help="Column with what folds keep whole: patient, region (group)."
        ),
    ],
    "id": Annotated[str | None, typer.Option(SHELL["id"], metavar="NAME", help="Column with the sample's name (id).")],
    "split": Annotated[
        str | None,
        typer.Option(
            SHELL["split"],
            metavar="NAME",
            help="Column with train, validation, test or a fold number, used in place of folds of our own (split).",
        ),
    ],
    "path": Annotated[
        str | None, typer.Option(SHELL["path"], metavar="NAME", help="Column with the image file (path).")
    ],
    "vectors": Annotated[
        list[str] | None,
        typer.Option(
            SHELL["vectors"],
            metavar="NAME",
            help="Where the vectors are: array of an archive, X or a key of obsm, column of lists, or columns such as "
            "'f*'; may be given several times.",
        ),
    ],
    "drop": Annotated[
        list[str] | None,
        typer.Option(SHELL["drop"], metavar="NAME", help="Column not to look at; may be given several times."),
    ],
    "where": Annotated[
        str | None,
        typer.Option(SHELL["where"], metavar="COLUMN=VALUE", help="Keep only the rows with this value."),
    ],
    "table": Annotated[
        Path | None,
        typer.Option(
            SHELL["table"], dir_okay=False, metavar="FILE", help="Table of the samples, where it is a file of its own."
        ),
    ],
    "classes": Annotated[
        list[str] | None,
        typer.Option(
            SHELL["classes"], metavar="NAME", help="The classes in order, as A,B,C or each by an option of its own."
        ),
    ],
    "colours": Annotated[
        list[str] | None,
        typer.Option(SHELL["colours"], metavar="CLASS=#rrggbb", help="Colour of a class; may be given several times."),
    ],
    "unlabelled": Annotated[
        Literal["refuse", "keep"],
        typer.Option(SHELL["unlabelled"], help="Samples without a label: an error, or kept, neither moved nor scored."),
    ],
}

PREFIX = "named_"
"""Keeps their parameters apart from those of the commands."""


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name columns in place of its parameter ``columns``, which holds them as one."""
    options = {
        PREFIX + name: inspect.Parameter(
            PREFIX + name,
            inspect.Parameter.KEYWORD_ONLY,
            default="refuse" if name == "unlabelled" else None,
            annotation=annotation,
        )
        for name, annotation in OPTIONS.items()
    }
    return in_place_of("columns", options, _columns)(command)


def _columns(given: dict[str, Any]) -> Columns:
    values = {name.removeprefix(PREFIX): value for name, value in given.items() if value not in (None, [])}
    if "where" in values:
        values["where"] = _pair(values["where"], SHELL["where"], "COLUMN=VALUE")
    if "colours" in values:
        values["colours"] = dict(_pair(one, SHELL["colours"], "CLASS=#rrggbb") for one in values["colours"])
    if len(classes := values.get("classes", ())) == 1 and "," in classes[0]:
        values["classes"] = [name.strip() for name in classes[0].split(",")]
    return Columns(**ColumnOptions(**values))  # type: ignore[typeddict-item]  # OPTIONS has its names


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{option} needs {form}; got {text!r}")
    return name, value
