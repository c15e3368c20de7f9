"""What the steps promise and what came of it: effect, scores, confusion, cells. Slow parts run in the background."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.interventions import Session
from ali_viz.background import Background, Stopped

if TYPE_CHECKING:
    import pandas as pd

    from ali_core.experiments.session_scorer import SessionScorer, SessionScores
    from ali_core.training import LiveTraining
    from ali_viz.views.showing import Showing

__all__ = ["Insight"]

MOST_LISTED = 240


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
        self._scores: tuple[object, SessionScores] | None = None
        self._listed = "selected"
        self._changed: tuple[object, NDArray[np.int64], NDArray[np.float64]] | None = None

    # Scores --------------------------------------------------------------------------------------------------------

    @property
    def scores(self) -> "SessionScores | None":
        """The last scores of the embedding that is shown; they say after how many steps."""
        known = self._scores is not None and self._scores[0] is self._showing.session.embedding
        return self._scores[1] if known and self._scores is not None else None

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
        self._scores = (session.embedding, self.score(session, stopped))
        self.opened()

    # Tabs ----------------------------------------------------------------------------------------------------------

    def opened(self) -> None:
        """Fill the tab that is open."""
        showing = self._showing
        with showing.lock:
            name = showing.desk.tabs.name
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

        showing = self._showing
        last, session = showing.last, showing.session
        if showing.looking.comparison == "epoch" and last is not None:
            return effect_table(last.state_at(0).statistics, last.statistics, session.state_at(0).statistics)
        then = 0 if showing.looking.comparison != "previous" else max(session.cursor - 1, 0)
        return effect_table(session.state_at(then).statistics, session.statistics)

    # Cells ---------------------------------------------------------------------------------------------------------

    def list_cells(self, what: str) -> None:
        """List the ``selected`` samples, or those whose neighbours ``changed`` most."""
        self._listed = what
        state = self._showing.session.state_at(self._showing.session.cursor)
        if what == "changed" and (self._changed is None or self._changed[0] is not state):
            session = self._showing.session
            self._background.start("comparing neighbours", lambda _: self._compare(session))
        else:
            self.opened()

    def hovered(self, row: int | None) -> None:
        """Show the sample under the pointer."""
        showing = self._showing
        if showing.desk.tabs.name == "Cells":
            name = None if row is None else str(showing.session.embedding.ids[row])
            showing.desk.cells.show_hover(name)

    def selected_rows(self) -> NDArray[np.int64]:
        """Return the rows of the selected samples: those of the last lasso, or all of the selected classes."""
        looking, labels = self._showing.looking, self._showing.session.embedding.labels
        if looking.lassoed is not None:
            return looking.lassoed
        return np.flatnonzero(np.isin(labels, np.array(looking.selected, dtype=np.int64)))

    def _compare(self, session: Session) -> None:
        from ali_core.evaluation.neighbours import changed_neighbours  # noqa: PLC0415  # likewise

        showing = self._showing
        rows = showing.layouts.rows("pca")
        state = session.state_at(session.cursor)
        before = session.embedding.vectors[rows]
        after = state.transforms.apply(before, session.embedding.labels[rows])
        share = changed_neighbours(before, after)
        order = np.argsort(-share, kind="stable")[:MOST_LISTED]
        order = order[share[order] > 0]
        self._changed = (state, rows[order], share[order])
        self.opened()

    def _show_cells(self) -> None:
        showing = self._showing
        ids = showing.session.embedding.ids
        now = showing.session.state_at(showing.session.cursor)
        if self._listed == "changed" and self._changed is not None and self._changed[0] is now:
            _, rows, share = self._changed
            showing.desk.cells.update(
                ids[rows].tolist(), "changed", dict(zip(ids[rows].tolist(), share.tolist(), strict=True))
            )
            return
        if self._listed == "changed" and not self._background.busy:
            self._listed = "selected"  # neighbours were compared at another step
        rows = self.selected_rows()
        showing.desk.cells.update(ids[rows[:MOST_LISTED]].tolist(), "selected", {})

    def row_of(self, name: str) -> int:
        """Return the row of the sample called ``name``; AliError when there is none."""
        found = np.flatnonzero(self._showing.session.embedding.ids == name)
        if not len(found):
            raise AliError(f"no sample is called {name!r}; ids are those of the embedding")
        return int(found[0])
