"""2-D positions of the states of a session, each asked for once: going back and forth costs nothing."""

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ali_core.interventions import InterventionState, Session
from ali_core.projection import Layout, View, layout
from ali_core.projection.linear import PlaneFrame
from ali_core.sampling import stratified_rows

__all__ = ["Layouts", "Progress"]

FloatArray = NDArray[np.float64]
TSNE_VIEWS: tuple[View, ...] = ("tsne", "supervised_tsne")


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """Positions (n, 2) of one state in one view, and the plane they were projected on."""

    positions: FloatArray
    frame: PlaneFrame | None


class Progress:
    """What is told while a slow layout is computed; this one tells nothing."""

    def started(self, n_points: int, view: View) -> None:
        """Tell that a layout of ``n_points`` begins."""

    def advanced(self, done: int, total: int) -> None:
        """Tell how many iterations are done."""

    def finished(self) -> None:
        """Tell that the layout is there, or has failed."""


class Layouts:
    """Positions of the drawn samples of a session, per view and state.

    Parameters
    ----------
    session
        Whose states are laid out.
    max_points, max_tsne_points
        Most samples drawn in linear views and in t-SNE views; see :func:`~ali_core.sampling.stratified_rows`.
    seed
        Of the choice of samples and of t-SNE.
    progress
        Told about t-SNE layouts.

    Notes
    -----
    A layout starts from that of the nearest earlier state that is known, the untouched embedding if there is no
    other. States are known by identity: a state that the session drops is forgotten here as well.
    """

    def __init__(
        self,
        session: Session,
        *,
        max_points: int,
        max_tsne_points: int,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> None:
        self._session = session
        self._seed = seed
        self._progress = Progress() if progress is None else progress
        labels = session.embedding.labels
        self._rows = stratified_rows(labels, max_points, seed=seed)
        self._tsne_rows = stratified_rows(labels, min(max_points, max_tsne_points), seed=seed)
        self._known: dict[View, WeakKeyDictionary[InterventionState, Known]] = {}

    def rows(self, view: View) -> NDArray[np.int64]:
        """Return the indices of the samples that are drawn in ``view``, sorted."""
        return self._tsne_rows if view in TSNE_VIEWS else self._rows

    def positions(self, view: View, cursor: int) -> FloatArray:
        """Return the positions (n, 2) of the drawn samples after the first ``cursor`` steps."""
        known = self._known.setdefault(view, WeakKeyDictionary())
        state = self._session.state_at(cursor)
        if state not in known:
            earlier = next((k for k in range(cursor - 1, -1, -1) if self._session.state_at(k) in known), None)
            if earlier is None and cursor > 0:
                self.positions(view, 0)
                earlier = 0
            known[state] = self._laid_out(view, cursor, earlier)
        return known[state].positions

    def _laid_out(self, view: View, cursor: int, earlier: int | None) -> Known:
        previous = None
        if earlier is not None:
            known = self._known[view][self._session.state_at(earlier)]
            previous = Layout(view, known.positions, self._vectors(view, earlier), known.frame)
        rows = self.rows(view)
        arguments: dict[str, Any] = {"labels": self._session.embedding.labels[rows], "previous": previous}
        vectors = self._vectors(view, cursor)
        if view not in TSNE_VIEWS:
            made = layout(vectors, view, **arguments)
            return Known(positions=made.positions, frame=made.frame)
        self._progress.started(len(rows), view)
        try:
            made = layout(vectors, view, seed=self._seed, progress=self._progress.advanced, **arguments)
        finally:
            self._progress.finished()
        return Known(positions=made.positions, frame=made.frame)

    def _vectors(self, view: View, cursor: int) -> FloatArray:
        rows, embedding = self.rows(view), self._session.embedding
        transforms = self._session.state_at(cursor).transforms
        return transforms.apply(embedding.vectors[rows], embedding.labels[rows]).astype(np.float64)
