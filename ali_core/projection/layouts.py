"""2-D layouts of an embedding, state after state."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.embedding import LARGEST
from ali_core.errors import AliError
from ali_core.projection.alignment import stayed
from ali_core.projection.linear import PlaneFrame
from ali_core.projection.specs import LAYOUTS, VIEWS, View
from ali_core.projection.supervision import DEFAULT_SUPERVISION
from ali_core.projection.tsne import Progress, TsneSettings, first_layout, next_layout

if TYPE_CHECKING:
    from ali_core.projection.parametric import ParametricTSNE

__all__ = ["Layout", "layout", "project"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the samples of one state are drawn, with what the next state needs to follow.

    Attributes
    ----------
    view
        Name of the layout, a key of ``LAYOUTS``.
    positions
        (N, 2) float64.
    vectors
        The state (N, D) float64 that was laid out.
    frame
        The plane of a linear layout, that of the first state; None for the others.
    projector
        The fitted network of ``parametric``; None for the others. Nobody changes it.
    """

    view: View
    positions: FloatArray
    vectors: FloatArray
    frame: PlaneFrame | None = None
    projector: "ParametricTSNE | None" = None

    def place(self, vectors: FloatArray) -> FloatArray | None:
        """Return where ``vectors`` (n, D) lie in this layout, (n, 2) float64; None where it is no map."""
        if self.frame is not None:
            return self.frame.project(vectors)
        if self.projector is not None:
            return np.asarray(self.projector.transform(vectors), dtype=np.float64)
        return None


def layout(
    vectors: ArrayLike,
    view: View,
    *,
    labels: ArrayLike | None = None,
    previous: Layout | None = None,
    retrained: bool = False,
    perplexity: float = 30.0,
    supervision: float = DEFAULT_SUPERVISION,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Layout:
    """Lay out one state of an embedding; what did not change since ``previous`` does not move.

    Parameters
    ----------
    vectors
        The state (N, D), finite.
    view
        Name of the layout, a key of ``LAYOUTS``. The plane of a linear layout and the network of ``parametric`` are
        those of the first state, for all states. Layouts that use labels are for looking only, never to be scored.
    labels
        Class codes (N,), -1 for samples without a class; read by layouts that use labels. ``shuffled_tsne`` puts them
        in an order drawn from ``seed``.
    previous
        The layout of the state before, of the same samples and of the same name.
    retrained
        Whether a network has learned since ``previous``: ``parametric`` then fits a copy of its
        network again, from where it was; the other layouts do not read it.
    perplexity, supervision, seed, n_jobs
        See `TsneSettings`; ``parametric`` reads ``perplexity`` and ``seed``, linear layouts none.
    progress
        Called with (iterations done, iterations in all); an exception raised in it cancels the
        layout.

    Returns
    -------
    Layout
        Positions (N, 2). The same arguments give the same numbers, whatever ``n_jobs`` up to 10,000
        samples.

    Raises
    ------
    AliError
        For an unknown layout, values that are not finite or above 1e60 in size, missing labels, a ``previous`` of
        another name or shape, fewer than four samples for t-SNE, or settings out of range; for ``parametric`` also as
        `ParametricTSNE.fit`.
    """
    points = _checked_vectors(vectors)
    if view not in LAYOUTS:
        raise AliError(f"the layout {view!r} is unknown; choose one of {', '.join(VIEWS)}.")
    if previous is not None and previous.view != view:
        raise AliError(f"the layout {view!r} cannot follow one of {previous.view!r}; start it without previous.")
    anchors = None if previous is None else stayed(previous.vectors, points)
    spec = LAYOUTS[view]
    codes = _placing_labels(view, labels, len(points), seed)
    if spec.plane is not None:
        known = None if previous is None else previous.frame
        frame = known or spec.plane(points, np.zeros(len(points), np.int64) if codes is None else codes)
        return Layout(view, frame.project(points), points, frame)
    settings = TsneSettings(perplexity=perplexity, supervision=supervision, seed=seed, n_jobs=n_jobs)
    if spec.network:
        return _parametric(points, previous, settings, retrained=retrained, progress=progress)
    if previous is None or anchors is None:
        return Layout(view, first_layout(points, settings, labels=codes, progress=progress), points)
    if anchors.all():
        return Layout(view, previous.positions, points)
    positions = next_layout(points, previous.positions, anchors, settings, labels=codes, progress=progress)
    return Layout(view, positions, points)


def _parametric(
    points: FloatArray, previous: Layout | None, settings: TsneSettings, *, retrained: bool, progress: Progress | None
) -> Layout:
    projector = None if previous is None else previous.projector
    if projector is None:
        from ali_core.projection.parametric import ParametricTSNE  # noqa: PLC0415  # torch is slow to import

        projector = ParametricTSNE(perplexity=settings.perplexity, random_state=settings.seed, warm_start=True)
        projector.fit(points, progress=progress)
    elif retrained:
        projector = deepcopy(projector).fit(points, progress=progress)
    positions = np.asarray(projector.transform(points), dtype=np.float64)
    return Layout("parametric", positions, points, projector=projector)


def project(
    states: Sequence[ArrayLike],
    view: View,
    *,
    labels: ArrayLike | None = None,
    perplexity: float = 30.0,
    supervision: float = DEFAULT_SUPERVISION,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> list[FloatArray]:
    """Lay out consecutive states of the same samples, each following the one before.

    Parameters
    ----------
    states
        Arrays (N, D), one a state, all of the same shape.
    view, labels, perplexity, supervision, seed, n_jobs, progress
        See `layout`; ``progress`` starts again with each state.

    Returns
    -------
    list of numpy.ndarray
        Positions (N, 2) float64 of each state.

    Raises
    ------
    AliError
        As `layout` does, and if there is no state.

    Examples
    --------
    >>> import numpy as np
    >>> before = np.random.default_rng(0).normal(size=(30, 5))
    >>> after = before + np.where(np.arange(30) < 10, 3.0, 0.0)[:, None]
    >>> first, second = project([before, after], "pca")
    >>> bool(np.all(first[10:] == second[10:]))  # what did not change did not move
    True
    """
    if not len(states):
        raise AliError("project got no states, but needs at least one; pass a sequence of (N, D) arrays.")
    latest: Layout | None = None
    positions: list[FloatArray] = []
    for state in states:
        latest = layout(
            state,
            view,
            labels=labels,
            previous=latest,
            perplexity=perplexity,
            supervision=supervision,
            seed=seed,
            n_jobs=n_jobs,
            progress=progress,
        )
        positions.append(latest.positions)
    return positions


def _checked_vectors(vectors: ArrayLike) -> FloatArray:
    points = np.asarray(vectors, dtype=np.float64)
    if points.ndim != 2 or 0 in points.shape:
        raise AliError(f"vectors have shape {points.shape}, but must be (N, D) with N, D >= 1; pass one row a sample.")
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        raise AliError(f"vectors are not finite in {bad.size} rows, first in row {bad[0]}; remove or repair them.")
    if (largest := np.abs(points).max()) > LARGEST:
        raise AliError(
            f"the largest number of vectors is {largest:.3g} in size, but must be at most {LARGEST:.0e}, because its "
            "square is computed with; divide all vectors by one number."
        )
    return points


def _placing_labels(view: View, labels: ArrayLike | None, n_samples: int, seed: int) -> NDArray[np.int64] | None:
    """Return the labels that take part in placing the samples; None where labels play no part."""
    if not LAYOUTS[view].uses_labels:
        return None
    if labels is None:
        raise AliError(f"the layout {view!r} got no labels; pass labels or take 'pca' or 'tsne'.")
    values = np.asarray(labels)
    if values.shape != (n_samples,):
        raise AliError(f"labels have shape {values.shape}, but must be ({n_samples},); pass one label a sample.")
    codes = np.unique(values, return_inverse=True)[1].astype(np.int64)
    if values.dtype.kind == "i":
        codes[values < 0] = -1
    return np.random.default_rng(seed).permutation(codes) if LAYOUTS[view].labels == "shuffled" else codes
