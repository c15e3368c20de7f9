r"""Scores of a session's steps before any training: a prediction that uses no label of a scored sample, and a bound.

Synopsis::

    scorer = SessionScorer(session.embedding)
    scores = scorer.scores(session)                       # seconds the first time, then less
    scores.untouched.macro_f1, scores.transfer.macro_f1, scores.oracle.macro_f1
    print(*scores.words, sep="\n")
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.evaluation import ClassificationScores
from ali_core.experiments.fold_scorer import DryRunFold, FoldScorer
from ali_core.experiments.session_split import SessionSplit, split_for_session
from ali_core.interventions import (
    ClassTransforms,
    InterventionState,
    InterventionStep,
    Session,
)
from ali_core.interventions.branches import carried_out
from ali_core.interventions.statistics import Spread

__all__ = ["BOUND_WORDS", "ScoreProgress", "SessionScorer", "SessionScores"]

ScoreProgress = Callable[[int, int, str], None]
"""Called with the parts done, their number, and what comes next."""

Steps = tuple[InterventionStep, ...]
Key = tuple[str, ...]

BOUND_WORDS = "uses labels: an upper bound, never a result"
TUNING_WORDS = "C and gamma of the SVM were chosen on samples that neither train it nor are scored."
CHOICE_WORDS = (
    "Which classes move was chosen with the labels of all samples, those scored included; where they move was computed "
    "from the training part alone."
)
SEEN_WORDS = (
    "If a network trained with these labels made the embedding, this is a score on samples the network may have seen, "
    "and nothing follows for new cells."
)
N_PARTS = 4
MOST_KEPT = 128
OUTCOMES = {"criterion", "selection", "seed", "scores", "shift_lengths", "norm_factor", "notes", "source"}
"""Fields of a step that do not say what it does."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SessionScores:
    """How the validation part is classified in three ways.

    Parameters
    ----------
    untouched
        Before any step.
    transfer
        After the steps, validation samples moved without their labels: the prediction.
    oracle
        After the steps, validation samples moved with their labels: an upper bound, never a result.
    class_names
        Of the C classes.
    n_steps
        Steps that were in force.
    n_train, n_validation
        Samples of both parts.
    words
        Sentences that belong beside the numbers.
    """

    untouched: ClassificationScores
    transfer: ClassificationScores
    oracle: ClassificationScores
    class_names: tuple[str, ...]
    n_steps: int
    n_train: int
    n_validation: int
    words: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return the F1 of each class: ``class`` (name), ``n_validation``, ``untouched``, ``transfer``, ``oracle``."""
        columns = {name: getattr(self, name).class_f1 for name in ("untouched", "transfer", "oracle")}
        counts = self.untouched.confusion.sum(axis=1)
        return pd.DataFrame({"class": self.class_names, "n_validation": counts} | columns)


class SessionScorer:
    """Scores sessions on one embedding, by an RBF-SVM that is trained on one part of it and asked about another.

    Parameters
    ----------
    embedding
        What the sessions move.
    seed, fold, max_samples
        See :func:`~ali_core.experiments.session_split.split_for_session`.

    Notes
    -----
    Nothing is computed before the first :meth:`scores`, which takes seconds: O(N³) in the training samples. It may run
    in any thread; one call at a time works, others wait.

    The steps are replayed on the statistics of the training part, with the classes, neighbours, strengths and
    displacements of the record; centers, spreads and so all maps are those of the training part. The choice of the
    classes, by Ω or by a person, was made with all labels, and remains. The scores are those of a dry run (see
    :class:`~ali_core.experiments.fold_scorer.FoldScorer`), but C and gamma are chosen on a third part, the tuning
    part, and not on the samples scored. They are of the embedding as it is: where a network that saw these labels made
    it, nothing follows for new cells.
    """

    def __init__(self, embedding: LabelledEmbedding, *, seed: int = 0, fold: int = 0, max_samples: int = 3000) -> None:
        self._embedding = embedding
        self._choices = {"seed": seed, "fold": fold, "max_samples": max_samples}
        self._prepared: tuple[FoldScorer, SessionSplit, ClassificationScores] | None = None
        self._known: OrderedDict[Key, SessionScores] = OrderedDict()
        self._lock = threading.Lock()

    def scores(
        self,
        session: Session,
        *,
        progress: ScoreProgress | None = None,
        stopped: Callable[[], bool] | None = None,
    ) -> SessionScores:
        """Return the scores of the embedding before and after the steps in force; the same steps are scored once.

        Parameters
        ----------
        session
            On this embedding. Its steps are read at once, so it may go on in the meantime.
        progress
            Told what comes next. What it raises ends the work and comes out here; the scorer stays usable.
        stopped
            Asked between the parts of the work whether it is to end.

        Raises
        ------
        AliError
            When the session is on another embedding, the embedding cannot be divided, the steps move all samples to
            one point, or the work was stopped.
        """
        if session.embedding is not self._embedding:
            raise AliError("the session is on another embedding than the scorer; make a SessionScorer of its embedding")
        steps, spread = _in_force(session), session.settings.spread
        key = _key(steps, spread)

        def tell(done: int, what: str) -> None:
            if stopped is not None and stopped():
                raise AliError("scoring was stopped; score again to go on")
            if progress is not None:
                progress(done, N_PARTS, what)

        with self._lock:
            if key not in self._known:
                self._known[key] = self._scores(steps, spread, tell)
            self._known.move_to_end(key)
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
            return self._known[key]

    def known(self, session: Session) -> SessionScores | None:
        """Return what :meth:`scores` has computed for these steps, or None; takes no time."""
        return self._known.get(_key(_in_force(session), session.settings.spread))

    def _scores(self, steps: Steps, spread: Spread, tell: Callable[[int, str], None]) -> SessionScores:
        if self._prepared is None:
            self._prepared = self._prepare(tell)
        scorer, split, untouched = self._prepared
        oracle = transfer = untouched
        if steps:
            tell(N_PARTS - 1, "classifying the moved samples")
            start = InterventionState.untouched(replace(scorer.statistics, spread=spread))  # of the training part
            oracle, transfer = scorer.classified(carried_out(start, steps)[1][-1].transforms)
        return SessionScores(
            untouched=untouched,
            transfer=transfer,
            oracle=oracle,
            class_names=self._embedding.class_names,
            n_steps=len(steps),
            n_train=len(split.train),
            n_validation=len(split.validation),
            words=(*split.words, TUNING_WORDS, CHOICE_WORDS, SEEN_WORDS),
        )

    def _prepare(self, tell: Callable[[int, str], None]) -> tuple[FoldScorer, SessionSplit, ClassificationScores]:
        parts = iter(range(N_PARTS))
        split = split_for_session(self._embedding, **self._choices)
        vectors, labels = self._embedding.vectors, self._embedding.labels
        fold = DryRunFold(
            fold=self._choices["fold"],
            train_vectors=vectors[split.train].astype(np.float64),
            train_labels=labels[split.train],
            validation_vectors=vectors[split.validation].astype(np.float64),
            validation_labels=labels[split.validation],
            n_classes=self._embedding.n_classes,
        )
        scorer = FoldScorer.of(
            fold,
            progress=lambda what: tell(next(parts), what),
            tuning=(vectors[split.tuning].astype(np.float64), labels[split.tuning]),
        )
        tell(next(parts), "classifying the untouched samples")
        untouched, _ = scorer.classified(ClassTransforms.identity(fold.n_classes, self._embedding.dim))
        return scorer, split, untouched


def _in_force(session: Session) -> Steps:
    return tuple(step for step in session.steps if not step.skipped)


def _key(steps: Steps, spread: Spread) -> Key:
    """Return what the scores of these steps depend on."""
    return (spread, *(step.model_dump_json(exclude=OUTCOMES) for step in steps))
