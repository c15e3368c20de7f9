"""The views of an embedding, state after state."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.errors import AliError
from ali_core.projection.alignment import stayed
from ali_core.projection.linear import PlaneFrame, first_dimensions, principal_plane
from ali_core.projection.supervision import DEFAULT_SUPERVISION
from ali_core.projection.tsne import Progress, TsneSettings, first_layout, next_layout
from ali_core.projection.views import VIEWS, View, uses_labels

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
        One of ``VIEWS``.
    positions
        (N, 2) float64.
    vectors
        The state (N, D) float64 that was laid out.
    frame
        The plane of a linear view, that of the first state; None for the others.
    projector
        The fitted network of ``parametric``; None for the others. Nobody changes it.
    """

    view: View
    positions: FloatArray
    vectors: FloatArray
    frame: PlaneFrame | None = None
    projector: "ParametricTSNE | None" = None

    def place(self, vectors: FloatArray) -> FloatArray | None:
        """Return where ``vectors`` (n, D) lie in this view, (n, 2) float64; None in a view that is no map."""
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
        ``dims``: the first two dimensions (with D = 1 the second coordinate is 0). ``pca``: the
        first two principal components of the first state, for all states. ``tsne``: openTSNE.
        ``supervised_tsne``: openTSNE on affinities weakened between classes
        (`weaken_between_classes`): for looking only, never to be scored. ``shuffled_tsne``: its
        control, the same with labels in an order drawn from ``seed``. ``parametric``:
        `ParametricTSNE` fitted to the first state, then one fixed map for all states.
    labels
        Class codes (N,); ``supervised_tsne`` and ``shuffled_tsne`` read them.
    previous
        The layout of the state before, of the same samples and the same view.
    retrained
        Whether a network has learned since ``previous``: ``parametric`` then fits a copy of its
        network anew, from where it was; the other views do not read it.
    perplexity, supervision, seed, n_jobs
        See `TsneSettings`; ``parametric`` reads ``perplexity`` and ``seed``, the linear views none.
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
        For an unknown view, values that are not finite, missing labels, a ``previous`` of another
        view or shape, fewer than four samples for t-SNE, or settings out of range; for ``parametric``
        also as `ParametricTSNE.fit`.
    """
    points = _checked_vectors(vectors)
    if view not in VIEWS:
        raise AliError(f"the view {view!r} is unknown; choose one of {', '.join(VIEWS)}.")
    if previous is not None and previous.view != view:
        raise AliError(f"the view {view!r} cannot follow a layout of {previous.view!r}; start it without previous.")
    anchors = None if previous is None else stayed(previous.vectors, points)
    if view in {"dims", "pca"}:
        return _linear(points, view, previous)
    settings = TsneSettings(perplexity=perplexity, supervision=supervision, seed=seed, n_jobs=n_jobs)
    if view == "parametric":
        return _parametric(points, previous, settings, retrained=retrained, progress=progress)
    codes = _placing_labels(view, labels, len(points), seed)
    if previous is None or anchors is None:
        return Layout(view, first_layout(points, settings, labels=codes, progress=progress), points)
    if anchors.all():
        return Layout(view, previous.positions, points)
    positions = next_layout(points, previous.positions, anchors, settings, labels=codes, progress=progress)
    return Layout(view, positions, points)


def _linear(points: FloatArray, view: View, previous: Layout | None) -> Layout:
    if view == "dims":
        dim = points.shape[1]
        return Layout(view, first_dimensions(points), points, PlaneFrame(np.zeros(dim), np.eye(dim, 2)))
    frame = previous.frame if previous is not None and previous.frame is not None else principal_plane(points)
    return Layout(view, frame.project(points), points, frame)


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
    return points


def _placing_labels(view: View, labels: ArrayLike | None, n_samples: int, seed: int) -> NDArray[np.int64] | None:
    """Return the labels that take part in placing the samples; None where labels play no part."""
    if not uses_labels(view):
        return None
    if labels is None:
        raise AliError(f"the view {view!r} got no labels; pass labels or take the view 'tsne'.")
    values = np.asarray(labels)
    if values.shape != (n_samples,):
        raise AliError(f"labels have shape {values.shape}, but must be ({n_samples},); pass one label a sample.")
    codes = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return np.random.default_rng(seed).permutation(codes) if view == "shuffled_tsne" else codes
