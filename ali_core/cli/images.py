"""``ali data`` and ``ali embed``: from images to an embedding."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ali_core.cli.data_options import reads_data
from ali_core.cli.options import Exclude, SkipUnreadable, WhiteLevel, open_data
from ali_core.columns import Columns
from ali_core.embedding import LabelledEmbedding

__all__ = ["data_app", "embed"]

data_app = typer.Typer(help="Look at data, or make some.", no_args_is_help=True, rich_markup_mode=None)


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

    with tqdm(total=n, desc="synthetic marrow", unit="cell", disable=None) as bar:  # None: a bar on a terminal alone
        write_marrow(out, n=n, px=px, seed=seed, progress=lambda done, _: bar.update(done - bar.n))
    typer.echo(f"wrote {n} synthetic cells and {out / 'labels.csv'}")


@reads_data
def embed(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            exists=True,
            help="Images: folder with labels.csv, folder of class folders, or MedMNIST .npz. Or an embedding file with "
            "the features that a head of ali train was trained on.",
        ),
    ],
    *,
    weights: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Weights of the network: a torchvision state dict (.pth; embeds into the pooled features), or a "
            "network or head saved by ali (.safetensors).",
        ),
    ],
    backbone: Annotated[str, typer.Option(help="torchvision name of the backbone of a state dict.")] = "densenet121",
    px: Annotated[int, typer.Option("--px", min=32, help="Images are resized to this width and height.")] = 160,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time.")] = 64,
    out: Annotated[Path, typer.Option(help="File for the embedding (.npz).", dir_okay=False)] = Path("emb.npz"),
    exclude: Exclude = None,
    skip_unreadable: SkipUnreadable = False,
    white: WhiteLevel = None,
    columns: Columns,
) -> None:
    """Embed images with a network, or features with a head of ali train.

    An interrupted run on images continues where it stopped when the same command is given again.
    """
    from ali_core.networks import embed_features, embed_images, load_feature_net, load_network  # noqa: PLC0415

    found = open_data(data, columns, exclude, skip_unreadable=skip_unreadable, white=white)
    if isinstance(found, LabelledEmbedding):
        embedding = embed_features(found, load_feature_net(weights))
        embedding.save(out)
    else:
        network = load_network(weights, backbone=backbone)
        embedding = embed_images(
            found,
            network,
            px=px,
            batch_size=batch_size,
            out=out,
            progress=sys.stderr.isatty(),  # a log file gets whole lines
            skip_unreadable=skip_unreadable,
        )
    left_out = f" ({len(found) - len(embedding)} of {len(found)} left out)" if len(embedding) < len(found) else ""
    typer.echo(
        f"wrote {out}: {len(embedding)} samples{left_out}, {embedding.dim} dimensions, {embedding.n_classes} classes"
    )
