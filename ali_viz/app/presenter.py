"""From the session and what a person looks at to what the views show: :func:`scene`. Nothing here changes anything."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ali_core.errors import AliError
from ali_core.interventions import ManualStep, Proposal, Session
from ali_core.interventions.steps import strengths_of
from ali_core.projection import LAYOUTS, Places, View
from ali_viz.app.insight import Insight, compared, effect_of
from ali_viz.app.jobs import Jobs
from ali_viz.app.layouts import Layouts
from ali_viz.app.state import AppState, Comparison, Drawing, Planned, Scene
from ali_viz.app.words import count_words
from ali_viz.limits import is_strip

if TYPE_CHECKING:
    from ali_core.training import LiveTraining

__all__ = ["draw", "draw_epoch", "manual_step", "scene"]

MOVED = 1e-6
"""Centers nearer to each other than this, in units of the picture, have not moved."""

Moments = Sequence[tuple[str, Session, int]]


def scene(
    session: Session,
    state: AppState,
    layouts: Layouts,
    jobs: Jobs,
    insight: Insight,
    *,
    last: Session | None = None,
    training: "LiveTraining | None" = None,
) -> Scene:
    """Return all that the views show now.

    Raises
    ------
    AliError
        When what is looked at cannot be laid out.
    """
    if state.comparison == "epoch" and last is not None:
        drawing = draw_epoch(last, session, layouts, state.view)
    else:
        drawing = draw(session, layouts, state.view, state.comparison)
    proposal, undecided = insight.proposal(session)
    rows = [] if training is None else training.history.rows
    return Scene(
        state=state,
        session=session,
        last=last,
        drawing=drawing,
        planned=_planned(session, state, layouts, drawing, proposal),
        proposal=proposal,
        undecided=undecided,
        busy=jobs.name,
        stoppable=jobs.stoppable,
        training=training,
        scores=insight.known_scores(session),
        effect=effect_of(compared(session, last, state)) if state.tab == "Effect" else None,
        epoch_f1=rows[-1]["validation_f1"] if len(rows) > 1 else None,
        cells=insight.cells(session, state, compared(session, last, state)) if state.tab == "Cells" else None,
    )


def manual_step(
    session: Session, state: AppState, away_from: Iterable[str] | None = None, **strengths: float
) -> ManualStep:
    """Return what Apply would do; AliError when no class is selected.

    Parameters
    ----------
    session, state
        The classes selected in ``state`` move, to where they were dragged if they were.
    away_from
        Names of the classes to move away from; None for those of ``state``.
    **strengths
        Instead of those of the settings.
    """
    settings, names = session.settings, session.embedding.class_names
    if not state.selected:
        raise AliError("no class is selected; use the lasso, a click, the legend or the list of classes")
    if away_from is None and state.away_from is not None:
        away_from = [names[code] for code in state.away_from]
    standing = strengths_of(settings)
    if state.displacement is not None:
        standing |= {"rotate": 0.0, "shift": 0.0}
    others = None if away_from is None else tuple(away_from)
    if others == ():
        raise AliError("no class to move away from is chosen; choose some, or the nearest neighbours")
    return ManualStep(
        classes=tuple(names[code] for code in state.selected),
        away_from=others,
        n_neighbours=settings.n_neighbours,
        displacement=state.displacement,
        **(standing | strengths),
    )


def _planned(
    session: Session, state: AppState, layouts: Layouts, drawing: Drawing, proposal: Proposal | None
) -> Planned | None:
    """Return where the next step would put its classes, if that is to be shown and can be told."""
    if not drawing.draggable or (state.mode == "automatic" and "preview" not in state.layers):
        return None
    if state.mode == "automatic":
        if proposal is None:
            return None
        outcome, codes = proposal.state, proposal.step.classes
    else:
        try:
            outcome, codes = session.outcome(manual_step(session, state)), state.selected
        except (AliError, ValueError):  # nothing to show yet: Apply says why
            return None
    places = layouts.planned(state.view, session, outcome, codes)
    return None if places is None else Planned(codes=tuple(codes), places=places)


# The picture ---------------------------------------------------------------------------------------------------------


def draw(session: Session, layouts: Layouts, view: View, comparison: Comparison = "start") -> Drawing:
    """Return the picture of ``session`` in ``view``, now beside its start or the state before the last step."""
    now = session.cursor
    then = max(now - 1, 0) if comparison == "previous" else 0
    after = state_name(session, now) if now else "no step yet"
    moments = [(f"Before: {state_name(session, then)}", session, then), (f"After: {after}", session, now)]
    stepped = {code for step in session.steps[then:now] for code in step.moved}
    return _drawn(moments, layouts, view, stepped, draggable=True)


def draw_epoch(last: Session, session: Session, layouts: Layouts, view: View) -> Drawing:
    """Return the picture of one epoch: what it began with, what it was to become, and what it became.

    Parameters
    ----------
    last
        The interventions that the epoch followed.
    session
        The embedding after the epoch, the same samples; its steps are not drawn.
    layouts, view
        As for :func:`draw`.
    """
    steps = last.cursor
    moments = [
        ("Before the epoch", last, 0),
        (f"After {state_name(last, steps)}" if steps else "Without interventions", last, steps),
        ("After the epoch", session, 0),
    ]
    stepped = {code for step in last.steps for code in step.moved}
    return _drawn(moments, layouts, view, stepped, draggable=False)


def _drawn(moments: Moments, layouts: Layouts, view: View, stepped: set[int], *, draggable: bool) -> Drawing:
    spec = LAYOUTS[view]
    with layouts.together():
        found = [layouts.places(view, session, cursor) for _, session, cursor in moments]
    waiting = any(there is None for there in found)
    states = [
        (moment[0], there) if there is not None else _instead(moment, layouts, view)
        for moment, there in zip(moments, found, strict=True)
    ]
    titles, places = zip(*states, strict=True)
    known = [np.array(bounds).T for one in places if (bounds := one.bounds()) is not None]
    corners = np.concatenate(known) if known else np.zeros((1, 2))
    lengths = np.linalg.norm(places[1].centers - places[0].centers, axis=1)
    moved = [] if waiting else [code for code in sorted(stepped) if lengths[code] > MOVED * np.ptp(corners)]
    return Drawing(
        view=view,
        rows=layouts.rows[view],
        labels=layouts.labels[view],
        titles=titles,
        places=places,
        moved=tuple(moved),
        corners=corners,
        equal_units=not is_strip(corners),
        axis_names=(
            f"{spec.axis} 1" if spec.linear else None,
            f"{spec.axis} 2" if spec.linear and moments[0][1].embedding.dim > 1 else None,
        ),
        draggable=draggable and spec.is_map and not waiting,
        waiting=waiting,
    )


def _instead(moment: tuple[str, Session, int], layouts: Layouts, view: View) -> tuple[str, Places]:
    """Return title and places of what is shown while a state is not laid out: another state, or no point."""
    name, session, cursor = moment
    title = f"{name} - {'being laid out' if layouts.busy else 'not laid out'}"
    if (other := layouts.nearest(view, session, cursor)) is not None:
        return f"{title}, shown: {state_name(session, other[0])}", other[1]
    labels = layouts.labels[view]
    return title, Places.of(np.full((len(labels), 2), np.nan), labels, session.embedding.n_classes)


def state_name(session: Session, cursor: int) -> str:
    """Return in words the state of ``session`` after its first ``cursor`` steps."""
    return count_words((*session.steps, *session.undone)[:cursor]) if cursor else "the start"
