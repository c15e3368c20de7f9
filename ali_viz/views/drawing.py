"""What is drawn: a frozen picture of a session in numbers, before any plotting library sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ali_core.interventions import InterventionState, Session
from ali_core.projection import View, is_map, uses_labels
from ali_viz.limits import is_strip, shared_limits
from ali_viz.views.drawing_words import COMPARISONS, Comparison, axis_names, note_on, state_name
from ali_viz.views.layouts import Layouts

__all__ = [
    "COMPARISONS",
    "Comparison",
    "Drawing",
    "Preview",
    "Side",
    "class_centers",
    "draw",
    "draw_epoch",
    "preview_of",
]

MOVED = 1e-6

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One state of the samples: what it is called, and where the drawn samples are, (n, 2), float32, NaN unknown."""

    title: str
    positions: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """One picture: two or three states of the same samples in one view, from left to right.

    Attributes
    ----------
    view
        How the samples were laid out.
    rows, labels
        Which samples are drawn (n,), and their class codes (n,).
    sides
        The states: before and after; for an epoch before, after the interventions, after the epoch.
    moved
        Codes of the classes that steps between the first two states moved, and whose center is elsewhere now (m,).
        What t-SNE or the keeping of the norm displaced besides is not among them.
    tails, heads
        Mean position of the drawn samples of each of them on the first and the second side, (m, 2).
    limits
        (left, right), (bottom, top) of what all sides show.
    equal_units
        Whether both axes have the same units.
    axis_names
        What the two axes are; None where one means nothing.
    note
        How many samples are drawn.
    uses_labels
        Whether labels moved the points.
    handles
        Mean position of the drawn samples of each class on the second side, where it can be dragged; else empty.
    waiting
        Whether a side shows another state than its title names first, or none, because its layout is not there yet.
    """

    view: View
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    sides: tuple[Side, ...]
    moved: NDArray[np.int64]
    tails: FloatArray
    heads: FloatArray
    limits: tuple[tuple[float, float], tuple[float, float]]
    equal_units: bool
    axis_names: tuple[str | None, str | None]
    note: str
    uses_labels: bool
    handles: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    waiting: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Preview:
    """Where a step would put the classes that it moves.

    Attributes
    ----------
    codes
        Of the classes with drawn samples that would move (m,).
    labels, positions
        Class codes (p,) and positions (p, 2), float32, of their drawn samples.
    tails, heads
        Mean position of the drawn samples of each class now and then, (m, 2).
    """

    codes: NDArray[np.int64]
    labels: NDArray[np.int64]
    positions: NDArray[np.float32]
    tails: FloatArray
    heads: FloatArray


def draw(session: Session, layouts: Layouts, view: View, comparison: Comparison = "start") -> Drawing:
    """Return the picture of ``session`` in ``view``, now beside its start or the state before the last step."""
    now = session.cursor
    then = max(now - 1, 0) if comparison == "previous" else 0
    after = state_name(session, now) if now else "no step yet"
    states = [(f"Before: {state_name(session, then)}", session, then), (f"After: {after}", session, now)]
    moved = {code for step in session.steps[then:now] for code in step.moved}
    return _drawn(states, layouts, view, moved, draggable=True)


def draw_epoch(last_session: Session, session: Session, layouts: Layouts, view: View) -> Drawing:
    """Return the picture of one epoch: what it began with, what it was to become, and what it became.

    Parameters
    ----------
    last_session
        The interventions that the epoch followed.
    session
        The embedding after the epoch, the same samples; its steps are not drawn.
    layouts, view
        As for :func:`draw`.
    """
    steps = last_session.cursor
    states = [
        ("Before the epoch", last_session, 0),
        (f"After {state_name(last_session, steps)}" if steps else "Without interventions", last_session, steps),
        ("After the epoch", session, 0),
    ]
    moved = {code for step in last_session.steps for code in step.moved}
    return _drawn(states, layouts, view, moved, draggable=False)


def preview_of(
    session: Session,
    layouts: Layouts,
    view: View,
    drawing: Drawing,
    state: InterventionState,
    *,
    codes: Sequence[int],
) -> Preview | None:
    """Return where a step that leads to ``state`` would put the classes that it moves.

    Parameters
    ----------
    session, layouts, view
        Of which ``drawing`` is the picture.
    drawing
        Its second side is where the classes are now.
    state
        What the step would make of the session; see :meth:`~ali_core.interventions.Session.outcome`.
    codes
        Of the classes that the step moves.

    Returns
    -------
    Preview or None
        None where ``view`` places no new vectors, or has yet to be computed.
    """
    if drawing.waiting or not is_map(view):
        return None
    mine = np.isin(drawing.labels, codes)
    rows, labels = drawing.rows[mine], drawing.labels[mine]
    vectors = state.transforms.apply(session.embedding.vectors[rows], labels)
    positions = layouts.place(view, session, vectors, rows)
    if positions is None:
        return None
    present, n_classes = np.unique(labels), session.embedding.n_classes
    tails = class_centers(drawing.sides[1].positions[mine], labels, n_classes)[present]
    heads = class_centers(positions, labels, n_classes)[present]
    placed = positions.astype(np.float32)
    return Preview(codes=present, labels=labels, positions=placed, tails=tails, heads=heads)


def class_centers(positions: NDArray[np.floating], labels: NDArray[np.int64], n_classes: int) -> FloatArray:
    """Return the mean of ``positions`` (n, 2) of each class, (C, 2), float64; NaN for a class without samples."""
    counts = np.bincount(labels, minlength=n_classes)
    sums = np.stack([np.bincount(labels, positions[:, axis], minlength=n_classes) for axis in (0, 1)], axis=1)
    centers: FloatArray = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], np.nan)
    return centers


def _drawn(
    states: Sequence[tuple[str, Session, int]], layouts: Layouts, view: View, stepped: set[int], *, draggable: bool
) -> Drawing:
    embedding = states[0][1].embedding
    rows = layouts.rows(view)
    labels = embedding.labels[rows]
    sides, waiting = _sides(states, layouts, view)
    every = np.concatenate([side.positions for side in sides]).astype(np.float64)
    known = every[np.isfinite(every).all(axis=1)]
    equal_units = not (len(known) and is_strip(known))
    limits = shared_limits(known if len(known) else np.zeros((1, 2)), equal_units=equal_units)
    tails, heads = (class_centers(side.positions, labels, embedding.n_classes) for side in sides[:2])
    lengths = np.linalg.norm(heads - tails, axis=1)
    moved = [] if waiting else [code for code in sorted(stepped) if lengths[code] > MOVED * np.ptp(limits)]
    places = {int(code): (float(heads[code, 0]), float(heads[code, 1])) for code in np.unique(labels)}
    return Drawing(
        view=view,
        rows=rows,
        labels=labels,
        sides=sides,
        moved=np.array(moved, dtype=np.int64),
        tails=tails[moved],
        heads=heads[moved],
        limits=limits,
        equal_units=equal_units,
        axis_names=axis_names(view, embedding.dim),
        note=note_on(len(rows), embedding),
        uses_labels=uses_labels(view),
        handles=places if draggable and is_map(view) and not waiting else {},
        waiting=waiting,
    )


def _sides(states: Sequence[tuple[str, Session, int]], layouts: Layouts, view: View) -> tuple[tuple[Side, ...], bool]:
    """Return the states, each as what is known of it, and whether one is not what its title says."""
    with layouts.together():
        wanted = [layouts.positions(view, session, cursor) for _, session, cursor in states]
    doing = "being laid out" if layouts.busy else "not laid out"
    sides = []
    for (name, session, cursor), positions in zip(states, wanted, strict=True):
        title, shown = name, positions
        if shown is None:
            other = layouts.nearest(view, session, cursor)
            title = f"{name} - {doing}" + ("" if other is None else f", shown: {state_name(session, other[0])}")
            shown = np.full((len(layouts.rows(view)), 2), np.nan) if other is None else other[1]
        sides.append(Side(title=title, positions=shown.astype(np.float32)))
    return tuple(sides), any(positions is None for positions in wanted)
