"""``ali data`` and ``ali embed``: from images to an embedding."""

from pathlib import Path
from typing import Annotated

import typer

from ali_core.cli.options import Exclude

__all__ = ["data_app", "embed"]

data_app = typer.Typer(help="Make image data.", no_args_is_help=True, rich_markup_mode=None)


@data_app.command("synthetic")
def synthetic(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="New folder for the images and labels.csv.", file_okay=False)
    ],
    *,
    n: Annotated[int, typer.Option("--n", min=15, help="Number of cells.")] = 4560,
    px: Annotated[int, typer.Option("--px", min=16, max=1024, help="Width and height of an image in pixels.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Seed; the same seed gives the same images.")] = 0,
) -> None:
    """Draw SYNTHETIC marrow cells.

    OUT gets images of 15 classes with skewed counts, and labels.csv. No patient is behind them.
    """
    from tqdm.auto import tqdm  # noqa: PLC0415

    from ali_core.data import write_marrow  # noqa: PLC0415

    with tqdm(total=n, desc="synthetic marrow", unit="cell") as bar:
        write_marrow(out, n=n, px=px, seed=seed, progress=lambda done, _: bar.update(done - bar.n))
    typer.echo(f"wrote {n} synthetic cells and {out / 'labels.csv'}")


def embed(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", exists=True, help="Folder with labels.csv, folder of class folders, or MedMNIST .npz."
        ),
    ],
    *,
    weights: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Weights of the network: a torchvision state dict (.pth; embeds into the pooled features), or a "
            "network saved by ali (.safetensors).",
        ),
    ],
    backbone: Annotated[str, typer.Option(help="torchvision name of the backbone of a state dict.")] = "densenet121",
    px: Annotated[int, typer.Option("--px", min=32, help="Images are resized to this width and height.")] = 160,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time.")] = 64,
    out: Annotated[Path, typer.Option(help="File for the embedding (.npz).", dir_okay=False)] = Path("emb.npz"),
    path_column: Annotated[str | None, typer.Option(help="Column of labels.csv with the image paths (path).")] = None,
    label_column: Annotated[str | None, typer.Option(help="Column with the classes (label).")] = None,
    group_column: Annotated[str | None, typer.Option(help="Column with patients or regions.")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column with the names of the samples.")] = None,
    where: Annotated[
        str | None, typer.Option(help="Keep only the rows with this value, as COLUMN=VALUE.", metavar="COLUMN=VALUE")
    ] = None,
    exclude: Exclude = None,
) -> None:
    """Embed images with a network.

    An interrupted run continues where it stopped when the same command is given again.
    """
    from ali_core.data import CsvOptions, open_images  # noqa: PLC0415
    from ali_core.networks import embed_images, load_network  # noqa: PLC0415

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
    images = open_images(data, **table)
    images = images.without_classes(exclude) if exclude else images
    network = load_network(weights, backbone=backbone)
    embedding = embed_images(images, network, px=px, batch_size=batch_size, out=out)
    typer.echo(f"wrote {out}: {len(embedding)} samples, {embedding.dim} dimensions, {embedding.n_classes} classes")


def _condition(where: str) -> tuple[str, str]:
    column, equals, value = where.partition("=")
    if not equals or not column:
        raise typer.BadParameter(f"--where needs COLUMN=VALUE; got {where!r}")
    return column, value
