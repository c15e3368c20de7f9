"""Everything about a session as files: numbers, steps, print panels, an interactive page."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from ali_core.files import write_csv
from ali_core.interventions import Session
from ali_core.projection import View
from ali_core.sampling import stratified_rows
from ali_viz.page import write_page
from ali_viz.panels import state_panel, step_panel

__all__ = ["MAX_DRAWN", "export_panels", "export_session"]

MAX_DRAWN = 5_000
"""More samples than this are drawn as a stratified part of them, and the captions say so."""

Report = Callable[[str], object]


def export_panels(
    session: Session,
    folder: str | Path,
    *,
    step: int | None = None,
    views: Sequence[View] = ("dims", "supervised_tsne"),
    report: Report | None = None,
) -> list[Path]:
    """Write the print panels of a session: Fig. 6 (before/after) and, when there are steps, Fig. 3 (one step).

    Parameters
    ----------
    session
        What to draw.
    folder
        Gets ``fig6`` and ``fig3`` as PDF, SVG, PNG, the plotted numbers (CSV) and a caption (TXT).
    step
        Which step Fig. 3 explains, counted from 1; by default the last one in force.
    views
        The rows of Fig. 6.
    report
        Called with a line of text before each long piece of work.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    AliError
        When there is no such step.
    """
    return _panels(session, Path(folder), step=step, views=views, report=report)[0]


def export_session(
    session: Session,
    folder: str | Path,
    *,
    step: int | None = None,
    views: Sequence[View] = ("dims", "supervised_tsne"),
    report: Report | None = None,
) -> list[Path]:
    """Write a session and all its pictures.

    Parameters
    ----------
    session
        What to write.
    folder
        Gets ``embedding.npz`` (untouched), ``after.npz``, ``session.json``, ``steps.csv``, the panels of
        :func:`export_panels`, and ``embedding.html``, a page that needs no network.
    step, views, report
        See :func:`export_panels`.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    folder = Path(folder)
    files = [
        session.before.save(folder / "embedding.npz"),
        session.after.save(folder / "after.npz"),
        session.save(folder / "session.json"),
        write_csv(session.table(), folder / "steps.csv"),
    ]
    panels, table, caption = _panels(session, folder, step=step, views=views, report=report)
    steps = [session.describe(step) for step in session.steps]
    return [*files, *panels, write_page(table, folder / "embedding.html", caption=caption, steps=steps)]


def _panels(
    session: Session, folder: Path, *, step: int | None, views: Sequence[View], report: Report | None
) -> tuple[list[Path], pd.DataFrame, str]:
    before = session.before
    source = before.description or (before.source.name if before.source else "an embedding in memory")
    rows = stratified_rows(session.before.labels, MAX_DRAWN, seed=0)
    if len(rows) < len(session.before):
        source += f", of which a stratified part is drawn: {len(rows):,} of {len(session.before):,} samples"
    number = session.cursor if step is None else step
    paths = step_panel(session, number, data=source, rows=rows).save(folder, "fig3") if number else []
    if report is not None:
        report(f"laying out {len(rows):,} samples before and after")
    states = {"Before": session.before, f"After {session.cursor} interventions": session.after}
    panel = state_panel({title: state.subset(rows) for title, state in states.items()}, views, data=source)
    return [*panel.save(folder, "fig6"), *paths], panel.table, panel.caption
