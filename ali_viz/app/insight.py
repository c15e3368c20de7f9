"""What the steps promise and what came of it: the proposal of Ω, effect, scores, cells whose neighbours changed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.interventions import InterventionState, Proposal, Session
from ali_viz.app.state import AppState, Cells

if TYPE_CHECKING:
    import pandas as pd

    from ali_core.experiments.session_scorer import SessionScorer, SessionScores

__all__ = ["Insight", "Moment", "compared", "effect_of", "in_turns"]

Moment = tuple[Session, InterventionState]
"""A state with the session it belongs to."""


class Insight:
    """What is known about the states of a session; what takes long is asked for in a job.

    Parameters
    ----------
    seed
        Of the split that scores need.
    """

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._scorer: tuple[object, SessionScorer] | None = None
        self._changed: tuple[tuple[Moment, Moment], NDArray[np.int64], NDArray[np.float64]] | None = None
        self._proposed: tuple[object, Proposal | None, str] = (None, None, "")

    def proposal(self, session: Session) -> tuple[Proposal | None, str]:
        """Return what Ω would do next, or None and why it cannot choose."""
        key = (session.state_at(session.cursor), session.settings, session.cursor, session.criterion)
        if self._proposed[0] != key:
            try:
                self._proposed = (key, session.propose(), "")
            except AliError as error:
                self._proposed = (key, None, str(error))
        return self._proposed[1:]

    def known_scores(self, session: Session) -> "SessionScores | None":
        """Return the scores of the steps in force; None when they have not been scored."""
        scorer = self._scorer
        return None if scorer is None or scorer[0] is not session.embedding else scorer[1].known(session)

    def score(self, session: Session, stopped: Callable[[], bool]) -> "SessionScores":
        """Return what held-out samples say of ``session``; takes a second or more."""
        from ali_core.experiments.session_scorer import SessionScorer  # noqa: PLC0415  # scikit-learn takes a second

        if self._scorer is None or self._scorer[0] is not session.embedding:
            self._scorer = (session.embedding, SessionScorer(session.embedding, seed=self._seed))
        return self._scorer[1].scores(session, stopped=stopped)

    def compare(self, moments: tuple[Moment, Moment], rows: NDArray[np.int64], stopped: Callable[[], bool]) -> int:
        """Find which of the samples ``rows`` have other neighbours; return how many. Takes a second or more."""
        from ali_core.evaluation.neighbours import changed_neighbours  # noqa: PLC0415  # scikit-learn, likewise

        labels = moments[0][0].embedding.labels[rows]
        before, after = (state.transforms.apply(one.embedding.vectors[rows], labels) for one, state in moments)
        share = changed_neighbours(before, after, stopped=stopped)
        order = in_turns(labels, -share)
        order = order[share[order] > 0]
        self._changed = (moments, rows[order], share[order])
        return len(order)

    def is_compared(self, moments: tuple[Moment, Moment]) -> bool:
        """Tell whether :meth:`compare` has compared these states last."""
        return self._changed is not None and self._changed[0] == moments

    def cells(self, session: Session, state: AppState, moments: tuple[Moment, Moment]) -> Cells:
        """Return the cells to list; classes take turns, among changed ones where as many neighbours changed."""
        embedding = session.embedding
        if state.listed == "changed" and self._changed is not None and self.is_compared(moments):
            _, rows, share = self._changed
            ids = embedding.sample_names[rows]
            return Cells(ids=ids, why="changed", shares=dict(zip(ids.tolist(), share.tolist(), strict=True)))
        rows = state.selected_rows(embedding.labels)
        return Cells(ids=embedding.sample_names[rows[in_turns(embedding.labels[rows])]], why="selected")


def compared(session: Session, last: Session | None, state: AppState) -> tuple[Moment, Moment]:
    """Return what is compared, each state with its session: the one before, and what became of it."""
    if state.comparison == "epoch" and last is not None:
        return (last, last.state_at(0)), (session, session.state_at(0))
    then = 0 if state.comparison != "previous" else max(session.cursor - 1, 0)
    return (session, session.state_at(then)), (session, session.state_at(session.cursor))


def effect_of(moments: tuple[Moment, Moment]) -> "pd.DataFrame":
    """Return spread, distance and overlap of each class before and after, with what an epoch made of a promise."""
    from ali_core.interventions.class_distances import effect_table  # noqa: PLC0415  # pandas is slow to import

    (session, before), (now, after) = moments
    if session is not now:
        return effect_table(before.statistics, session.statistics, after.statistics)
    return effect_table(before.statistics, after.statistics)


def in_turns(labels: NDArray[np.int64], rank: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """Return the order (n,) by ``rank``, smallest first, in which classes take turns where it is equal.

    Parameters
    ----------
    labels
        Class codes (n,).
    rank
        Of the samples (n,); by default it is equal for all. Samples of a class stay in their order.
    """
    ranks = np.zeros(len(labels)) if rank is None else rank
    grouped = np.lexsort((labels, ranks))
    pairs = np.stack([ranks[grouped], labels[grouped]])
    first = np.concatenate([[True], np.any(pairs[:, 1:] != pairs[:, :-1], axis=0)])[: len(labels)]
    places = np.arange(len(labels))
    turns = np.empty(len(labels), dtype=np.int64)
    turns[grouped] = places - np.maximum.accumulate(np.where(first, places, 0))
    return np.lexsort((labels, turns, ranks))
