"""``ali demo``: the main job from end to end."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ali_core.cli.data_options import reads_data
from ali_core.cli.demo_training import LastEpoch, head_settings, make_room, network_settings, train_and_tell
from ali_core.cli.options import (
    Exclude,
    PresetName,
    SkipUnreadable,
    WhiteLevel,
    as_typed,
    open_data,
    read_embedding,
)
from ali_core.columns import Columns
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.files import write_csv
from ali_core.interventions import Session, preset
from ali_core.sampling import stratified_rows

if TYPE_CHECKING:
    from ali_core.data import CellImages
    from ali_viz.panels import TrainedEpoch

__all__ = ["demo"]


@reads_data
def demo(
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="Your cells: an embedding file, or images as for ali embed (then give "
            "--weights). Without it: synthetic marrow.",
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="DenseNet-121 weights for --data with images.")
    ] = None,
    n: Annotated[
        int, typer.Option("--n", min=150, help="About how many cells, drawn in proportion; every class keeps some.")
    ] = 1000,
    px: Annotated[
        int | None, typer.Option("--px", min=32, help="Image size; 48 for synthetic cells, 160 for yours.")
    ] = None,
    preset_name: PresetName = "c,s",
    exclude: Exclude = None,
    skip_unreadable: SkipUnreadable = False,
    white: WhiteLevel = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is random.")] = 0,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the results.")] = Path("runs/demo"),
    columns: Columns,
) -> None:
    """Train with interventions, embed cells, intervene, draw what happened.

    Takes about a minute on two cores without --data.

    OUT gets the embedding, the session, the panels (Fig. 6: before interventions, after them, after one more epoch of
    training; Fig. 3: one step explained; as PDF, SVG and PNG), an interactive page, a table of scores that says what
    each was computed on, and in OUT/training the run.
    """
    _check_weights(data, weights, columns)
    make_room(out / "training")
    trained: TrainedEpoch | None
    if data is None:
        embedding, trained = _synthetic(preset_name, exclude=exclude, n=n, px=px or 48, seed=seed, out=out)
    else:
        if weights is not None:
            found = open_data(data, columns, exclude, skip_unreadable=skip_unreadable, white=white)
            images = cast("CellImages", found).subset(stratified_rows(found.labels, n, seed=seed))
            embedding = _embedded(images, data, weights=weights, px=px or 160, out=out, skip_unreadable=skip_unreadable)
        else:
            embedding = _features(data, columns, exclude=exclude, n=n, seed=seed)
        trained = _head(embedding, preset_name, seed=seed, out=out)
    embedding.save(out / "embedding.npz")
    session = Session(LabelledEmbedding.load(out / "embedding.npz"), preset(preset_name, dim=embedding.dim))
    session.run()
    typer.echo(f"[3/5] {session.cursor} interventions of preset {preset_name} on {len(embedding)} cells")
    _draw(session, trained, out)
    scored = _score(session, out)
    epoch = "" if trained is None else ", and after the epoch that was trained towards them"
    typer.echo(f"\n{out / 'fig6.pdf'}: classes before interventions, after them{epoch}")
    typer.echo(f"{out / 'fig3.pdf'}: one intervention, which class Ω chose and where it went")
    typer.echo(scored)
    typer.echo(f"Step through the interventions in the app:  {as_typed(f'ali lab {out}')}")
    typer.echo(f"The same on an embedding of your own:       {as_typed('ali demo --data FILE')}")


def _check_weights(data: Path | None, weights: Path | None, columns: Columns) -> None:
    from ali_core.data import holds_images  # noqa: PLC0415

    if data is None:
        if weights is not None:
            raise typer.BadParameter("--weights embeds your images; give them with --data FOLDER")
    elif columns.path is not None or holds_images(data):
        if weights is None:
            raise AliError(f"{data} holds images, which need a network: give its weights file with --weights FILE")
    elif weights is not None:
        raise typer.BadParameter(f"--weights embeds images, but {data} is an embedding already; leave it out")


def _synthetic(
    preset_name: str, *, exclude: list[str] | None, n: int, px: int, seed: int, out: Path
) -> tuple[LabelledEmbedding, "TrainedEpoch"]:
    from PIL import Image  # noqa: PLC0415

    from ali_core.data import contact_sheet, render_marrow  # noqa: PLC0415
    from ali_core.networks import embed_images, load_network  # noqa: PLC0415

    n_others = n * 3 // 2  # four of six folds train: n cells
    typer.echo(f"[1/5] {n} cells of SYNTHETIC marrow, and {n_others} others (other regions) to learn from")
    cells = render_marrow(n, px=px, seed=seed)
    others = render_marrow(n_others, px=px, seed=seed + 1, first_region=1000)
    if exclude:
        cells, others = cells.without_classes(exclude), others.without_classes(exclude)
    Image.fromarray(contact_sheet(cells, px=px, seed=seed)).save(out / "synthetic-cells.png")
    typer.echo(f"      {out / 'synthetic-cells.png'}")
    settings = network_settings(preset=preset_name, px=px, seed=seed)
    typer.echo(f"[2/5] a small network learns from the others with interventions, {settings.max_epochs} epochs")
    last = train_and_tell(others, settings, out / "training")
    network = load_network(out / "training" / "network.safetensors")
    embedding = embed_images(cells, network, px=px, out=out / "embedding.npz", progress=sys.stderr.isatty())
    embedding = replace(embedding, description=f"Synthetic marrow, {px} px")
    return embedding, _trained(last, f"Synthetic marrow, {px} px", "a network")


def _features(data: Path, columns: Columns, *, exclude: list[str] | None, n: int, seed: int) -> LabelledEmbedding:
    found = read_embedding(data, columns, exclude)
    typer.echo(f"[1/5] {len(found)} samples, {found.dim} dimensions from {data}")
    embedding = found.subset(stratified_rows(found.labels, n, seed=seed))
    return replace(embedding, description=found.description or data.name)


def _embedded(
    images: "CellImages", data: Path, *, weights: Path, px: int, out: Path, skip_unreadable: bool
) -> LabelledEmbedding:
    from ali_core.networks import embed_images, load_network  # noqa: PLC0415

    typer.echo(f"[1/5] {len(images)} images of {data}, embedded at {px} px by {weights.name}")
    embedding = embed_images(
        images,
        load_network(weights),
        px=px,
        out=out / "embedding.npz",
        progress=sys.stderr.isatty(),
        skip_unreadable=skip_unreadable,
    )
    return replace(embedding, description=f"{data.name}, {weights.name}, {px} px")


def _head(embedding: LabelledEmbedding, preset_name: str, *, seed: int, out: Path) -> "TrainedEpoch | None":
    settings = head_settings(preset=preset_name, seed=seed)
    typer.echo(f"[2/5] for Fig. 6, a linear head learns from them with interventions, {settings.max_epochs} epochs")
    try:
        last = train_and_tell(embedding, settings, out / "training")
    except AliError as error:
        typer.echo(f"      left out, so Fig. 6 has no third column: {error}")
        return None
    return _trained(last, embedding.description, "a linear head")


def _trained(last: LastEpoch, data: str, learner: str) -> "TrainedEpoch":
    from ali_viz.panels import TrainedEpoch  # noqa: PLC0415  # drawing is loaded when it is asked for

    following = last.following.embedding
    return TrainedEpoch(
        session=last.session,
        following=following,
        epoch=last.following.epoch,
        data=data,
        samples=f"the {len(following):,} cells that {learner} was trained on",
    )


def _draw(session: Session, trained: "TrainedEpoch | None", out: Path) -> None:
    from ali_viz.export import export_session  # noqa: PLC0415

    typer.echo("[4/5] panels")
    files = export_session(session, out, step=1, trained=trained, report=_tell)
    _tell(f"{len(files)} files in {out}")


def _tell(words: str) -> None:
    typer.echo(f"      {words}")


def _score(session: Session, out: Path) -> str:
    """Write the scores, and return in one line what they say."""
    from ali_core.evaluation import svm_scores  # noqa: PLC0415

    try:
        scores = svm_scores(session)
    except AliError as error:
        typer.echo("[5/5] no scores")
        return f"no scores: {error}"
    write_csv(scores, out / "scores.csv")
    typer.echo(f"[5/5] macro F1, {scores.folds.iloc[0]}")
    _tell(f"{scores.protocol.iloc[0]}; scored on the test part")
    for condition, rows in scores.groupby("condition", sort=False):
        _tell(f"{condition:10s} {rows.macro_f1.mean():.3f} ± {rows.macro_f1.std():.3f}   {rows.labels_used.iloc[0]}")
    means = scores.groupby("condition")["macro_f1"].mean()
    return (
        f"{out / 'scores.csv'}: macro F1 {means['untouched']:.3f} as embedded; "
        f"{means['oracle']:.3f} where labels moved the cells, which is no result"
    )
