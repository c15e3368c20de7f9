"""Everything about a session as files: numbers, steps, print panels, an interactive page."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ali_core.files import write_csv
from ali_core.interventions import Session
from ali_core.projection import View
from ali_core.sampling import stratified_rows
from ali_viz.page import write_page
from ali_viz.panels import Panel, TrainedEpoch, epoch_panel, last_explained, state_panel, step_panel
from ali_viz.panels.captions import count_interventions, page_caption, source_name

__all__ = ["FIG6_VIEWS", "MAX_DRAWN", "export_panels", "export_session"]

MAX_DRAWN = 5_000
"""More samples than this are drawn as a stratified part of them, and the captions say so."""

FIG6_VIEWS: tuple[View, ...] = ("dims", "supervised_tsne")
"""The rows of Fig. 6, as in the paper."""

Report = Callable[[str], object]


def export_panels(
    session: Session,
    folder: str | Path,
    *,
    step: int | None = None,
    views: Sequence[View] = FIG6_VIEWS,
    trained: TrainedEpoch | None = None,
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
        Which step Fig. 3 explains, counted from 1; by default the last one in force that drags nothing.
    views
        The rows of Fig. 6.
    trained
        An epoch of training that Fig. 6 then shows instead of ``session``, with a third column after the epoch.
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
    fig3 = _one_step(session, Path(folder), step)
    fig6 = _before_after(session, views, report) if trained is None else _after_epoch(trained, views, report)
    return [*fig6.save(folder, "fig6"), *fig3]


def export_session(
    session: Session,
    folder: str | Path,
    *,
    step: int | None = None,
    views: Sequence[View] = FIG6_VIEWS,
    trained: TrainedEpoch | None = None,
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
    step, views, trained, report
        See :func:`export_panels`; the page shows ``session`` in any case.

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
    fig3 = _one_step(session, folder, step)
    shown = _before_after(session, views, report)
    fig6 = shown if trained is None else _after_epoch(trained, views, report)
    caption = page_caption(shown.table, data=source_name(session.before), n_samples=len(session.before))
    page = write_page(shown.table, folder / "embedding.html", caption=caption, session=session)
    return [*files, *fig6.save(folder, "fig6"), *fig3, page]


def _before_after(session: Session, views: Sequence[View], report: Report | None) -> Panel:
    rows = stratified_rows(session.before.labels, MAX_DRAWN, seed=0)
    if report is not None:
        report(f"laying out {len(rows):,} samples before and after")
    states = {"Before": session.before, f"After {count_interventions(session.steps)}": session.after}
    drawn = {title: state.subset(rows) for title, state in states.items()}
    return state_panel(drawn, views, data=source_name(session.before), n_samples=len(session.before))


def _after_epoch(trained: TrainedEpoch, views: Sequence[View], report: Report | None) -> Panel:
    rows = stratified_rows(trained.session.before.labels, MAX_DRAWN, seed=0)
    if report is not None:
        report(f"laying out {len(rows):,} samples before, after, and after one more epoch")
    return epoch_panel(trained, views, rows=rows)


def _one_step(session: Session, folder: Path, step: int | None) -> list[Path]:
    number = last_explained(session) if step is None else step
    if number is None:
        return []
    rows = stratified_rows(session.before.labels, MAX_DRAWN, seed=0)
    return step_panel(session, number, data=source_name(session.before), rows=rows).save(folder, "fig3")
