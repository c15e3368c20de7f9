"""``ali lab``: the app in JupyterLab."""

from pathlib import Path
from typing import Annotated

import typer

from ali_core.cli.data_options import reads_data
from ali_core.columns import Columns

__all__ = ["lab"]


@reads_data
def lab(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH", exists=True, help="Embedding file, session file, or a folder such as runs/demo."
        ),
    ] = None,
    *,
    browser: Annotated[bool, typer.Option(help="Open the page; otherwise only print its address.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 0,
    columns: Columns,
) -> None:
    """Open the app in JupyterLab, with PATH loaded.

    It opens the notebook that steps through interventions, and listens on this machine only. Stop it with Ctrl-C.
    """
    from ali_viz.lab import open_lab  # noqa: PLC0415

    raise typer.Exit(open_lab(path, columns=columns.given, browser=browser, port=port or None))
