"""Which samples are drawn, and where they are in embedding space."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import InterventionState, Session
from ali_core.projection import LAYOUTS, View
from ali_core.sampling import stratified_rows

__all__ = ["SLOW_VIEWS", "DrawnSamples"]

SLOW_VIEWS: tuple[View, ...] = tuple(name for name, spec in LAYOUTS.items() if spec.slow)
"""Layouts computed in the background; of ``parametric`` only the fit is slow."""


class DrawnSamples:
    """The samples drawn of all sessions that hold the same ones.

    Parameters
    ----------
    labels
        Class codes of all samples (N,).
    max_points, max_slow_points
        Most samples drawn in linear views and in slow ones; see :func:`~ali_core.sampling.stratified_rows`.
    seed
        Of the choice.
    """

    def __init__(self, labels: NDArray[np.int64], max_points: int, max_slow_points: int, seed: int) -> None:
        self._labels = labels
        self._fast = stratified_rows(labels, max_points, seed=seed)
        self._slow = stratified_rows(labels, min(max_points, max_slow_points), seed=seed)

    def rows(self, view: View) -> NDArray[np.int64]:
        """Return the indices of the samples that are drawn in ``view``, sorted."""
        return self._slow if view in SLOW_VIEWS else self._fast

    def labels(self, view: View) -> NDArray[np.int64]:
        """Return the class codes of the samples that are drawn in ``view``."""
        return self._labels[self.rows(view)]

    def vectors(self, view: View, embedding: LabelledEmbedding, state: InterventionState) -> NDArray[np.float64]:
        """Return where these samples of ``embedding`` are in ``state``, (n, D)."""
        moved: NDArray[np.floating[Any]] = embedding.vectors[self.rows(view)]
        return np.asarray(state.transforms.apply(moved, self.labels(view)), dtype=np.float64)

    def check(self, session: Session) -> None:
        """Raise AliError when ``session`` holds other samples."""
        labels = session.embedding.labels
        if labels is not self._labels and not np.array_equal(labels, self._labels):
            raise AliError("the session holds other samples than the one before it; open it in an app of its own")
