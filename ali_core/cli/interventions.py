"""``ali intervene``, ``ali replay``, ``ali panels``: interventions without an app."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ali_core.cli.data_options import reads_data
from ali_core.cli.options import EmbeddingFile, Exclude, PresetName, SessionFile, one_of, read_embedding
from ali_core.columns import Columns
from ali_core.embedding import LabelledEmbedding
from ali_core.embedding_files import WRITTEN
from ali_core.files import write_csv
from ali_core.interventions import CRITERIA, Session, preset, session_embedding
from ali_core.interventions.confusion import EXPERIMENTS

if TYPE_CHECKING:
    from ali_core.projection import View

__all__ = ["intervene", "panels", "replay"]


def _views(names: list[str] | None) -> list[str] | None:
    """Refuse names that are no 2-D layouts."""
    from ali_core.projection import VIEWS  # noqa: PLC0415  # loads scipy

    return one_of(VIEWS)(None if names is None else list(dict.fromkeys(names)))  # type: ignore[no-any-return]


RecordedOn = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="The embedding it was recorded on; by default the file that the session names, beside it.",
    ),
]


@reads_data
def intervene(
    embedding: EmbeddingFile,
    *,
    preset_name: PresetName = "c,s",
    iterations: Annotated[
        int | None, typer.Option(min=0, help="Number of interventions; by default that of the preset.")
    ] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            callback=one_of((*CRITERIA, *EXPERIMENTS)),
            help=f"How the next class is chosen: {' | '.join(CRITERIA)}; as an experiment {' | '.join(EXPERIMENTS)}.",
        ),
    ] = None,
    probabilistic: Annotated[bool, typer.Option("--probabilistic", help="Draw the class instead of the best.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    exclude: Exclude = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.", file_okay=False)] = Path("runs/intervene"),
    columns: Columns,
) -> None:
    """Let Ω choose and move classes; save the steps.

    OUT gets embedding.npz (as it was), session.json (the steps, to be replayed or opened in the app),
    after.npz (every sample moved by the map of its own class) and steps.csv.
    """
    found = read_embedding(embedding, columns, exclude)
    out.mkdir(parents=True, exist_ok=True)
    settings = preset(preset_name, dim=found.dim)
    changes = {"n_iterations": iterations, "criterion": criterion, "seed": seed}
    changes["selection"] = "probabilistic" if probabilistic else None
    session = Session(found, settings.changed(**{name: value for name, value in changes.items() if value is not None}))
    session.run()
    for index, step in enumerate(session.steps, start=1):
        typer.echo(f"{index:3d}  {session.describe(step)}")
    paths = [
        found.save(out / "embedding.npz"),
        session.save(out / "session.json"),
        session.after.save(out / "after.npz"),
        write_csv(session.table(), out / "steps.csv"),
    ]
    typer.echo(f"wrote {', '.join(str(path) for path in paths)}")


@reads_data
def replay(
    session: SessionFile,
    *,
    embedding: RecordedOn = None,
    out: Annotated[Path, typer.Option(help=f"File for the moved embedding: {', '.join(WRITTEN)}.")],
    columns: Columns,
) -> None:
    """Carry out the steps of a session again.

    Needs no app; the moved embedding has the same numbers as when the session was saved.
    """
    replayed, found = _replayed(session, embedding, columns)
    typer.echo(f"{found} is the embedding it was recorded on (SHA-256 {replayed.embedding.fingerprint[:16]}…)")
    replayed.after.save(out)
    skipped = sum(step.skipped for step in replayed.steps)
    typer.echo(f"replayed {replayed.cursor} steps{f', {skipped} of them skipped' if skipped else ''}; wrote {out}")


@reads_data
def panels(
    session: SessionFile,
    *,
    embedding: RecordedOn = None,
    out: Annotated[Path, typer.Option(help="Folder for the panels.", file_okay=False)],
    step: Annotated[
        int | None, typer.Option(min=1, help="Which step Fig. 3 explains; by default the last one in force.")
    ] = None,
    view: Annotated[
        list[str] | None,
        typer.Option(
            callback=_views,
            metavar="NAME",
            help="A row of Fig. 6, such as pca or tsne; may be given several times (dims and supervised_tsne).",
        ),
    ] = None,
    columns: Columns,
) -> None:
    """Draw the print panels of a session.

    Before and after as fig6, one step explained as fig3, named after the figures of the paper; each as PDF, SVG and
    PNG, with the plotted numbers (CSV) and a caption (TXT) beside.
    """
    from ali_viz.export import FIG6_VIEWS, export_panels  # noqa: PLC0415  # drawing is loaded when it is asked for

    replayed, _ = _replayed(session, embedding, columns)
    views = cast("list[View]", view) or FIG6_VIEWS
    for path in export_panels(replayed, out, step=step, views=views, report=typer.echo):
        typer.echo(path)


def _replayed(session: Path, embedding: Path | None, columns: Columns) -> tuple[Session, Path]:
    """Return the session and the file of its embedding, which is checked by its hash."""
    found = session_embedding(session) if embedding is None else embedding
    return Session.load(session, LabelledEmbedding.load(found, **columns.given)), found
