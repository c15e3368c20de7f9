"""What the app shows, as files: the picture as a print panel, its numbers, the selection, the steps."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.files import atomic_path, write_csv, write_text
from ali_core.interventions import Session
from ali_core.sampling import stratified_rows
from ali_viz.app.state import AppState, Drawing, Scene
from ali_viz.export import MAX_DRAWN
from ali_viz.page import write_page
from ali_viz.panels import Panel, draw_states, last_explained, step_panel
from ali_viz.panels.captions import page_caption, source_name, state_caption
from ali_viz.panels.class_scatter import class_columns
from ali_viz.panels.panel import KINDS
from ali_viz.panels.state_panel import STATE_COLUMNS

if TYPE_CHECKING:
    from ali_core.experiments.session_scorer import SessionScores

__all__ = ["export_screen", "screen_panel", "selection_table"]


def screen_panel(
    drawing: Drawing, embedding: LabelledEmbedding, state: AppState | None = None, *, seed: int = 0
) -> Panel:
    """Return the picture on screen as a print panel: the same positions, colours and selection, one column a side.

    Of more than ``MAX_DRAWN`` samples a stratified part is printed.

    Parameters
    ----------
    drawing
        What is on screen.
    embedding
        Whose rows it draws.
    state
        What is selected, and which column colours the points; None for no selection and the colours of the classes.
    seed
        Of its t-SNE, for the caption.

    Raises
    ------
    AliError
        While a layout is being computed: a half-done picture is not printed.
    """
    if drawing.waiting:
        raise AliError("the picture is still being laid out; export when it is there, or cancel the layout")
    colouring = None if state is None else state.colouring
    printed = _printed(drawing)
    table = _screen_table(drawing, embedding, printed)
    if state is not None and (state.selected or state.lassoed is not None):
        selected = np.isin(drawing.rows[printed], state.selected_rows(embedding.labels))
        table["selected"] = np.tile(selected, len(drawing.titles))
    coloured_by = "" if colouring is None else colouring.title
    caption = state_caption(table, coloured_by=coloured_by, **_about(embedding, seed))
    if colouring is not None:
        colours = np.array([f"#{bytes(entry[:3]).hex()}" for entry in colouring.palette])
        table["colour"] = np.tile(colours[colouring.tints[drawing.rows[printed]]], len(drawing.titles))
    return Panel(
        figure=draw_states(table, remark=embedding.description, colouring=colouring), table=table, caption=caption
    )


def _about(embedding: LabelledEmbedding, seed: int) -> dict[str, Any]:
    start = "that of the nearest earlier state that had one"
    return {"data": source_name(embedding), "n_samples": len(embedding), "seed": seed, "start": start}


def _printed(drawing: Drawing) -> NDArray[np.int64]:
    """Return which of the drawn samples are printed."""
    return stratified_rows(drawing.labels, MAX_DRAWN, seed=0)


def _screen_table(drawing: Drawing, embedding: LabelledEmbedding, printed: NDArray[np.int64]) -> pd.DataFrame:
    samples = class_columns(embedding.subset(drawing.rows[printed]))
    parts = [
        pd.concat(
            [
                pd.DataFrame(
                    {"view": drawing.view, "state": title, "x": positions[printed, 0], "y": positions[printed, 1]}
                ),
                samples,
            ],
            axis=1,
        )
        for title, positions in positions_of(drawing)
    ]
    return pd.concat(parts, ignore_index=True)[list(STATE_COLUMNS)]


def positions_of(drawing: Drawing) -> list[tuple[str, NDArray[np.float64]]]:
    """Return title and positions (n, 2) of each state that is drawn."""
    pairs = zip(drawing.titles, drawing.places, strict=True)
    return [(title, places.positions(drawing.labels)) for title, places in pairs]


def export_screen(scene: Scene, folder: Path, *, seed: int = 0) -> list[Path]:
    """Write everything about what is on screen.

    Parameters
    ----------
    scene
        What is shown.
    folder
        Gets ``screen`` (PDF, SVG, PNG, CSV, TXT of at most ``MAX_DRAWN`` samples, and NPZ with the positions (n, 2)
        of all that are drawn on each side), ``fig3`` (the last step in force that dragged nothing), ``selection.csv``
        (the selected samples: id, class, group, metadata, and where each is in all pictures, empty for one that is not
        drawn), ``session.json``, ``steps.csv``, ``steps.py``, ``embedding.npz`` (untouched), ``after.npz``, and
        ``embedding.html``, a page without network. Where the steps in force have been scored, ``scores.csv`` too, a
        row for each number with what it is: ``measure`` (``macro_f1`` or ``f1``), ``class``, ``n_validation``,
        ``state`` (``untouched``, ``transfer``, ``oracle``), ``value``, ``n_steps``, ``meaning``. A ``fig3`` or
        ``scores.csv`` that is there, of other steps, is removed where this export has none.
    seed
        Of the t-SNE in it.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    session, drawing = scene.session, scene.drawing
    panel = screen_panel(drawing, session.embedding, scene.state, seed=seed)  # refuses before it writes
    printed = _printed(drawing)
    by_class = _screen_table(drawing, session.embedding, printed)
    caption = page_caption(by_class, **_about(session.embedding, seed))
    code = session.as_code(folder / "embedding.npz", session_file=folder / "session.json")
    with ThreadPoolExecutor(1) as beside:  # vectors are written while figures are drawn
        vectors = beside.submit(_vectors, drawing, session, folder)
        files = [
            *panel.save(folder, "screen"),
            write_csv(selection_table(scene), folder / "selection.csv"),
            session.save(folder / "session.json"),
            write_csv(session.table(), folder / "steps.csv"),
            write_text(code, folder / "steps.py"),
            write_page(by_class, folder / "embedding.html", caption=caption, session=session),
            *_last_step(session, drawing.rows[printed], folder),
            *_scores(scene.scores, folder / "scores.csv"),
        ]
    return [*files, *vectors.result()]


def selection_table(scene: Scene) -> pd.DataFrame:
    """Return the selected samples: id, class, group and metadata where known; state and place in each picture."""
    embedding, drawing = scene.session.embedding, scene.drawing
    rows = scene.state.selected_rows(embedding.labels)
    table = pd.DataFrame({"id": embedding.sample_names[rows], "class": embedding.label_names[rows]})
    if embedding.groups is not None:
        table["group"] = embedding.groups[rows]
    if embedding.metadata is not None:
        known = embedding.metadata.iloc[rows].reset_index(drop=True).add_prefix("metadata ")
        table = pd.concat([table, known], axis=1)
    for number, (title, positions) in enumerate(positions_of(drawing), start=1):
        places = pd.DataFrame(positions, index=drawing.rows).reindex(rows)
        table[f"state {number}"] = title
        table[f"x {number}"], table[f"y {number}"] = places[0].to_numpy(), places[1].to_numpy()
    return table


def _last_step(session: Session, rows: NDArray[np.int64], folder: Path) -> Sequence[Path]:
    number = last_explained(session)
    if number is None:
        for kind in KINDS:
            (folder / f"fig3.{kind}").unlink(missing_ok=True)
        return []
    return step_panel(session, number, data=source_name(session.embedding), rows=rows).save(folder, "fig3")


def _scores(scores: "SessionScores | None", path: Path) -> Sequence[Path]:
    if scores is None:
        path.unlink(missing_ok=True)
        return []
    from ali_core.experiments.session_scorer import BOUND_WORDS  # noqa: PLC0415  # scikit-learn is slow to import

    meanings = {
        "untouched": "before any step",
        "transfer": f"after {scores.n_steps} steps, samples moved without their labels: a prediction",
        "oracle": f"after {scores.n_steps} steps, samples moved with their labels: {BOUND_WORDS}",
    }
    macro = {state: [getattr(scores, state).macro_f1] for state in meanings} | {"n_validation": [scores.n_validation]}
    both = [pd.DataFrame(macro).assign(measure="macro_f1"), scores.table().assign(measure="f1")]
    table = pd.concat(both).melt(["measure", "class", "n_validation"], list(meanings), "state")
    table["n_steps"] = scores.n_steps
    table["meaning"] = [" ".join((f"{meanings[state]}.", *scores.words)) for state in table["state"]]
    return [write_csv(table, path)]


def _vectors(drawing: Drawing, session: Session, folder: Path) -> Sequence[Path]:
    embedding, path = session.embedding, folder / "screen.npz"
    sides: dict[str, Any] = {f"positions_{at}": one for at, (_, one) in enumerate(positions_of(drawing), start=1)}
    titles = np.array(drawing.titles)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, ids=embedding.sample_names[drawing.rows], labels=drawing.labels, titles=titles, **sides)
    return [path, session.before.save(folder / "embedding.npz"), session.after.save(folder / "after.npz")]
