"""``ali figures``: the figures of the paper for one's own data."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["figures"]


def figures(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Folder that ali experiment, dry-run or train wrote, or one with such folders in it.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the figures.", file_okay=False)] = Path("figures"),
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="FIGURE", help="Only this figure, such as fig5; may be given several times."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(exists=True, metavar="IMAGES", help="The images that were trained on, where DIR does not say."),
    ] = None,
) -> None:
    """Draw the figures of the paper from what DIR holds.

    fig1 example cells, fig2 samples per class, fig3 one intervention, fig4 dry run, fig5 results, fig6 before and
    after, fig7 cost; each as PDF, SVG and PNG, with the plotted numbers (CSV) and a caption (TXT) beside. What is
    missing for a figure is said.
    """
    from ali_viz.figures import make_figures  # noqa: PLC0415  # drawing is loaded when it is asked for

    files = make_figures(source, out, only=only, images=images, report=typer.echo)
    typer.echo(f"wrote {len(files)} files to {out}")
