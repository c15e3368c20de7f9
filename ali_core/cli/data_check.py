"""``ali data check``: what would be read, and what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer

from ali_core.cli.data_options import reads_data
from ali_core.cli.options import SkipUnreadable, WhiteLevel, as_typed, white_level
from ali_core.columns import Columns

__all__ = ["check"]


@reads_data
def check(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", exists=True, help="Embedding file, or folder, table or archive of images.")
    ],
    *,
    skip_unreadable: SkipUnreadable = False,
    white: WhiteLevel = None,
    columns: Columns,
) -> None:
    """Say what would be read, and what must be mended.

    Format, samples, dimensions, classes with counts, groups, split; missing and damaged images; what is nearly always a
    mistake. Exit code 1 if something must be mended.
    """
    from ali_core.data_check import check_data  # noqa: PLC0415  # with the readers

    found = check_data(path, skip_unreadable=skip_unreadable, white=white_level(white), **columns.given)
    for line in found.lines:
        typer.echo(line)
    for note in found.notes:
        typer.echo(f"note: {note}")
    for fault in found.faults:
        typer.echo(f"must be mended: {fault}")
    if found.faults:
        raise typer.Exit(1)
    typer.echo(f"nothing must be mended; go on with\n  {as_typed(found.command)}")
