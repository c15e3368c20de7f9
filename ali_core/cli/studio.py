"""``ali studio``: the app on an embedding, in JupyterLab or by itself."""

from pathlib import Path
from typing import Annotated

import typer

from ali_core.cli.data_options import reads_data
from ali_core.columns import Columns

__all__ = ["studio"]


@reads_data
def studio(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", exists=True, help="Embedding file, session file, or a folder such as runs/demo."
        ),
    ],
    *,
    app: Annotated[bool, typer.Option("--app", help="Only the app, without code; needs the extra app.")] = False,
    images: Annotated[
        Path | None,
        typer.Option(exists=True, help="The images of the samples: a folder, or its labels.csv.", metavar="IMAGES"),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page; otherwise only print its address.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 0,
    columns: Columns,
) -> None:
    """Open the app on PATH.

    It writes studio-NAME.ipynb into the current folder, or takes the one that is there, and opens it in JupyterLab;
    with --app the page holds the app alone. Both listen on this machine only. Stop with Ctrl-C.
    """
    from ali_viz.lab import open_studio  # noqa: PLC0415

    raise typer.Exit(
        open_studio(path, app=app, images=images, columns=columns.given, browser=browser, port=port or None)
    )
