"""What is drawn: a frozen picture of a session in numbers, before any plotting library sees it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.interventions import Session
from ali_core.projection import View, uses_labels
from ali_viz.limits import is_strip, shared_limits
from ali_viz.views.layouts import Layouts

__all__ = ["COMPARISONS", "VIEW_NAMES", "Comparison", "Drawing", "draw"]

Comparison = Literal["start", "previous"]
COMPARISONS: dict[Comparison, str] = {"start": "start", "previous": "previous step"}
VIEW_NAMES: dict[View, str] = {
    "dims": "First two dimensions",
    "pca": "PCA",
    "tsne": "t-SNE",
    "supervised_tsne": "Supervised t-SNE",
}
AXIS_NAMES: dict[View, str | None] = {
    "dims": "dimension",
    "pca": "principal component",
    "tsne": None,
    "supervised_tsne": None,
}
MOVED = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """One picture: two states of the same samples in one view.

    Attributes
    ----------
    view
        How the samples were laid out.
    rows, labels
        Which samples are drawn (n,), and their class codes (n,).
    before, after
        Positions (n, 2), float32.
    before_title, after_title
        Which states these are.
    moved
        Codes of the classes that steps between the two states moved, and whose center is elsewhere now (m,).
        What t-SNE or the keeping of the norm displaced besides is not among them.
    tails, heads
        Mean position of the drawn samples of each of them before and after, (m, 2).
    limits
        (left, right), (bottom, top) of what both sides show.
    equal_units
        Whether both axes have the same units.
    axis_names
        What the two axes are; None where one means nothing.
    note
        How many samples are drawn.
    uses_labels
        Whether labels moved the points.
    """

    view: View
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    before_title: str
    after_title: str
    moved: NDArray[np.int64]
    tails: NDArray[np.float64]
    heads: NDArray[np.float64]
    limits: tuple[tuple[float, float], tuple[float, float]]
    equal_units: bool
    axis_names: tuple[str | None, str | None]
    note: str
    uses_labels: bool


def draw(session: Session, layouts: Layouts, view: View, comparison: Comparison = "start") -> Drawing:
    """Return the picture of ``session`` in ``view``, now beside its start or the state before the last step."""
    now = session.cursor
    then = 0 if comparison == "start" else max(now - 1, 0)
    before, after = layouts.positions(view, then), layouts.positions(view, now)
    rows = layouts.rows(view)
    labels = session.embedding.labels[rows]
    both = np.concatenate([before, after])
    equal_units = not is_strip(both)
    limits = shared_limits(both, equal_units=equal_units)
    tails, heads = (_centers(side, labels, session.embedding.n_classes) for side in (before, after))
    stepped = sorted({code for step in session.steps[then:now] for code in step.classes})
    lengths = np.linalg.norm(heads - tails, axis=1)
    moved = np.array([code for code in stepped if lengths[code] > MOVED * np.ptp(limits)], dtype=np.int64)
    return Drawing(
        view=view,
        rows=rows,
        labels=labels,
        before=before.astype(np.float32),
        after=after.astype(np.float32),
        before_title=f"Before: {_state_name(then)}",
        after_title=f"After: {_state_name(now)}",
        moved=moved,
        tails=tails[moved],
        heads=heads[moved],
        limits=limits,
        equal_units=equal_units,
        axis_names=_axis_names(view, session.embedding.dim),
        note=_note(len(rows), session.embedding),
        uses_labels=uses_labels(view),
    )


def _axis_names(view: View, dim: int) -> tuple[str | None, str | None]:
    name = AXIS_NAMES[view]
    return (None if name is None else f"{name} 1", None if name is None or dim == 1 else f"{name} 2")


def _state_name(cursor: int) -> str:
    return "the start" if cursor == 0 else f"{cursor} step{'' if cursor == 1 else 's'}"


def _note(drawn: int, embedding: LabelledEmbedding) -> str:
    total = len(embedding)
    count = f"all {total:,} points" if drawn == total else f"{drawn:,} of {total:,} points"
    text = f"{count} drawn" + ("" if drawn == total else ", some of every class")
    return f"{embedding.description}: {text}" if embedding.description else text


def _centers(positions: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    counts = np.bincount(labels, minlength=n_classes)
    sums = np.stack([np.bincount(labels, positions[:, axis], minlength=n_classes) for axis in (0, 1)], axis=1)
    centers: NDArray[np.float64] = sums / np.maximum(counts, 1)[:, None]
    return centers
