"""``ali demo``: the main job from end to end."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ali_core.cli.options import Exclude, PresetName, read_embedding
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.files import write_csv
from ali_core.interventions import Session, preset
from ali_core.sampling import stratified_rows

__all__ = ["demo"]


def demo(
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="Your cells: an embedding file (.npz, .csv, .parquet, .h5ad), or images as for ali embed (then give "
            "--weights). Without it: synthetic marrow.",
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="DenseNet-121 weights for --data with images.")
    ] = None,
    n: Annotated[
        int, typer.Option("--n", min=150, help="About how many cells, drawn in proportion; every class keeps some.")
    ] = 1500,
    px: Annotated[
        int | None, typer.Option("--px", min=32, help="Image size; 64 for synthetic cells, 160 for yours.")
    ] = None,
    preset_name: PresetName = "c,s",
    exclude: Exclude = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is random.")] = 0,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the results.")] = Path("runs/demo"),
) -> None:
    """Embed cells, intervene, draw what happened.

    Takes under two minutes on two cores without --data.

    OUT gets the embedding, the session, the panels (Fig. 6 before/after and Fig. 3 one step explained, as PDF, SVG
    and PNG), an interactive page, and a table of scores that says what each was computed on.
    """
    out.mkdir(parents=True, exist_ok=True)
    if data is None:
        if weights is not None:
            raise typer.BadParameter("--weights embeds your images; give them with --data FOLDER")
        embedding = _synthetic(n, px or 64, seed, out)
        embedding = embedding.without_classes(exclude) if exclude else embedding
    elif data.is_file() and not _holds_images(data):
        if weights is not None:
            raise typer.BadParameter(f"--weights embeds images, but {data} is an embedding already; leave it out")
        found = read_embedding(data, exclude)
        typer.echo(f"[1/4] {len(found)} samples, {found.dim} dimensions from {data}")
        embedding = found.subset(stratified_rows(found.labels, n, seed=seed))
        embedding = replace(embedding, description=found.description or data.name)
    else:
        embedding = _images(data, weights=weights, exclude=exclude, n=n, px=px or 160, seed=seed, out=out)
    embedding.save(out / "embedding.npz")
    session = Session(LabelledEmbedding.load(out / "embedding.npz"), preset(preset_name, dim=embedding.dim))
    session.run()
    typer.echo(f"[2/4] {session.cursor} interventions of preset {preset_name} on {len(embedding)} cells")
    _draw(session, out)
    _score(session, out)
    runner = "uv run " if "UV_RUN_RECURSION_DEPTH" in os.environ else ""
    typer.echo(f"\nAll files are in {out}/. Step through the interventions in the app:\n\n    {runner}ali lab {out}\n")


def _synthetic(n: int, px: int, seed: int, out: Path) -> LabelledEmbedding:
    from PIL import Image  # noqa: PLC0415

    from ali_core.data import contact_sheet, render_marrow  # noqa: PLC0415
    from ali_core.networks import embed_images, save_network, train_triplet  # noqa: PLC0415

    typer.echo(f"[1/4] {n} cells of SYNTHETIC marrow; a small network learns from {n} others (other regions)")
    cells = render_marrow(n, px=px, seed=seed)
    others = render_marrow(n, px=px, seed=seed + 1, first_region=1000)
    Image.fromarray(contact_sheet(cells, px=px, seed=seed)).save(out / "synthetic-cells.png")
    typer.echo(f"      {out / 'synthetic-cells.png'}")
    network = train_triplet(others, px=px, seed=seed)
    save_network(network, out / "network.safetensors")
    embedding = embed_images(cells, network, px=px, out=out / "embedding.npz")
    return replace(embedding, description=f"Synthetic marrow, {px} px")


def _holds_images(path: Path) -> bool:
    """Whether a file is a table of images or a MedMNIST archive rather than an embedding."""
    if path.suffix == ".npz":
        import numpy as np  # noqa: PLC0415

        try:
            with np.load(path, allow_pickle=False) as archive:
                return "train_images" in archive.files
        except (OSError, ValueError):
            return False
    return path.suffix == ".csv" and "path" in path.open(encoding="utf-8", errors="replace").readline().split(",")


def _images(
    data: Path, *, weights: Path | None, exclude: list[str] | None, n: int, px: int, seed: int, out: Path
) -> LabelledEmbedding:
    from ali_core.data import open_images  # noqa: PLC0415
    from ali_core.networks import embed_images, load_network  # noqa: PLC0415

    if weights is None:
        raise AliError(f"{data} holds images, which need a network: give its weights file with --weights FILE")
    images = open_images(data)
    images = images.without_classes(exclude) if exclude else images
    images = images.subset(stratified_rows(images.labels, n, seed=seed))
    typer.echo(f"[1/4] {len(images)} images of {data}, embedded at {px} px by {weights.name}")
    embedding = embed_images(images, load_network(weights), px=px, out=out / "embedding.npz")
    return replace(embedding, description=f"{data.name}, {weights.name}, {px} px")


def _draw(session: Session, out: Path) -> None:
    from ali_viz.export import export_session  # noqa: PLC0415  # drawing is loaded when it is asked for

    typer.echo("[3/4] panels")
    for path in export_session(session, out, step=1, report=typer.echo):
        typer.echo(f"      {path}")


def _score(session: Session, out: Path) -> None:
    from ali_core.evaluation import svm_scores  # noqa: PLC0415

    try:
        scores = svm_scores(session)
    except AliError as error:
        typer.echo(f"[4/4] no scores: {error}")
        return
    write_csv(scores, out / "scores.csv")
    typer.echo(f"[4/4] macro F1 of an RBF-SVM, {scores.folds.iloc[0]} ({out / 'scores.csv'})")
    for condition, rows in scores.groupby("condition", sort=False):
        typer.echo(
            f"      {condition:10s} {rows.macro_f1.mean():.3f} ± {rows.macro_f1.std():.3f}   {rows.labels_used.iloc[0]}"
        )
