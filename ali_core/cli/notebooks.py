"""``ali notebooks``: the lessons, to be worked on."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["notebooks"]


def notebooks(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", file_okay=False, help="Folder for them; what is there already stays.")
    ] = Path("notebooks"),
) -> None:
    """Copy all notebooks into DIR; open them with jupyter lab."""
    from ali_viz.lab import copy_notebooks  # noqa: PLC0415

    for copy in copy_notebooks(folder):
        typer.echo(copy)
