"""What the steps promise and what came of it: effect, scores, confusion, cells. Slow parts run in the background."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.interventions import InterventionState, Session
from ali_viz.background import Background, Stopped
from ali_viz.views.words import score_words

if TYPE_CHECKING:
    import pandas as pd

    from ali_core.experiments.session_scorer import SessionScorer, SessionScores
    from ali_core.training import LiveTraining
    from ali_viz.views.showing import Showing

__all__ = ["Insight"]

MOST_LISTED = 240

Moment = tuple[Session, InterventionState]


class Insight:
    """Fills the tabs that explain.

    Parameters
    ----------
    showing
        Whose session is explained.
    background
        The thread for what takes long.
    training
        What is trained, if anything is: its validation F1 stands beside the scores.
    seed
        Of the split that scores need.
    """

    def __init__(
        self, showing: "Showing", background: Background, training: "LiveTraining | None", *, seed: int
    ) -> None:
        self._showing, self._background, self._training, self._seed = showing, background, training, seed
        self._scorer: tuple[object, SessionScorer] | None = None
        self._listed = "selected"
        self._changed: tuple[object, NDArray[np.int64], NDArray[np.float64]] | None = None

    # Scores --------------------------------------------------------------------------------------------------------

    @property
    def scores(self) -> "SessionScores | None":
        """What is known of the steps in force; None when they have not been scored."""
        scorer, session = self._scorer, self._showing.session
        return None if scorer is None or scorer[0] is not session.embedding else scorer[1].known(session)

    def score(self, session: Session, stopped: Stopped = lambda: False) -> "SessionScores":
        """Return what held-out samples say of ``session``; takes a second or more."""
        from ali_core.experiments.session_scorer import SessionScorer  # noqa: PLC0415  # scikit-learn takes a second

        embedding = session.embedding
        if self._scorer is None or self._scorer[0] is not embedding:
            self._scorer = (embedding, SessionScorer(embedding, seed=self._seed))
        return self._scorer[1].scores(session, stopped=stopped)

    def start_scoring(self) -> None:
        """Score the session as it is now, in the background."""
        session = self._showing.session
        self._background.start("scoring", lambda stopped: self._score(session, stopped))

    def _score(self, session: Session, stopped: Stopped) -> None:
        scores = self.score(session, stopped)
        self.opened()
        self._showing.say(score_words(scores))

    # Tabs ----------------------------------------------------------------------------------------------------------

    def opened(self) -> None:
        """Fill the tab that is open."""
        showing = self._showing
        with showing.lock:
            name = "" if showing.closed else showing.desk.tabs.name
            if name == "Effect":
                showing.desk.effect.update(self._effect(), self.scores, epoch_f1=self._epoch_f1())
            elif name == "Confusion":
                showing.desk.confusion.update(self.scores)
            elif name == "Cells":
                self._show_cells()

    def _epoch_f1(self) -> float | None:
        """Return the validation F1 after the last epoch, if there is one."""
        rows = [] if self._training is None else self._training.history.rows
        return rows[-1]["validation_f1"] if len(rows) > 1 else None

    def _effect(self) -> "pd.DataFrame":
        from ali_core.interventions.class_distances import effect_table  # noqa: PLC0415  # pandas is slow to import

        (session, before), (now, after) = self._compared()
        if session is not now:
            return effect_table(before.statistics, session.statistics, after.statistics)
        return effect_table(before.statistics, after.statistics)

    def _compared(self) -> tuple[Moment, Moment]:
        """Return what is compared, each state with its session: the one before, and what became of it."""
        showing = self._showing
        last, session, comparison = showing.last, showing.session, showing.looking.comparison
        if comparison == "epoch" and last is not None:
            return (last, last.state_at(0)), (session, session.state_at(0))
        then = 0 if comparison != "previous" else max(session.cursor - 1, 0)
        return (session, session.state_at(then)), (session, session.state_at(session.cursor))

    # Cells ---------------------------------------------------------------------------------------------------------

    def list_cells(self, what: str) -> bool:
        """List the ``selected`` samples, or those whose neighbours ``changed`` most; return whether that goes on.

        Classes take turns among selected samples, and among those of which as many neighbours changed.
        """
        if what not in {"selected", "changed"}:
            raise AliError(f"what must be 'selected' or 'changed'; got {what!r}")
        self._listed = what
        moments = self._compared()
        if what == "changed" and (self._changed is None or self._changed[0] != moments):
            self._background.start("comparing neighbours", lambda stopped: self._compare(moments, stopped))
            return True
        self.opened()
        return False

    def hovered(self, row: int | None) -> None:
        """Show the sample under the pointer."""
        showing = self._showing
        if showing.desk.tabs.name == "Cells":
            name = None if row is None else str(showing.session.embedding.sample_names[row])
            showing.desk.cells.show_hover(name)

    def _compare(self, moments: tuple[Moment, Moment], stopped: Stopped) -> None:
        from ali_core.evaluation.neighbours import changed_neighbours  # noqa: PLC0415  # likewise

        rows = self._showing.layouts.rows("pca")
        before, after = (
            state.transforms.apply(session.embedding.vectors[rows], session.embedding.labels[rows])
            for session, state in moments
        )
        share = changed_neighbours(before, after, stopped=stopped)
        labels = self._showing.session.embedding.labels
        order = in_turns(labels[rows], -share)
        order = order[share[order] > 0]
        self._changed = (moments, rows[order], share[order])
        self.opened()
        self._showing.say(f"Compared neighbours: {len(order):,} of {len(rows):,} cells have got others")

    def _show_cells(self) -> None:
        showing = self._showing
        ids = showing.session.embedding.sample_names
        if self._listed == "changed" and self._changed is not None and self._changed[0] == self._compared():
            _, rows, share = self._changed
            listed = ids[rows[:MOST_LISTED]].tolist()
            shares = dict(zip(listed, share[:MOST_LISTED].tolist(), strict=True))
            showing.desk.cells.update(listed, "changed", shares, among=len(rows))
            return
        if self._listed == "changed" and not self._background.busy:
            self._listed = "selected"  # neighbours of other states were compared
        rows = showing.selected_rows()
        rows = rows[in_turns(showing.session.embedding.labels[rows])]
        showing.desk.cells.update(ids[rows[:MOST_LISTED]].tolist(), "selected", among=len(rows))

    def rows_of(self, names: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of the samples called ``names``, sorted; AliError when there is none of that name."""
        ids, asked = self._showing.session.embedding.sample_names, np.array(list(names), dtype=np.str_)
        if len(unknown := np.setdiff1d(asked, ids)):
            raise AliError(f"no sample is called {str(unknown[0])!r}; ids are those of the embedding")
        return np.flatnonzero(np.isin(ids, asked))


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
