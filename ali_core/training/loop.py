"""The training loop: embed, score, intervene, train an epoch; driven from outside, one epoch at a time.

Synopsis::

    result = train(data, TrainSettings(method="ali", preset="c,s"), out="runs/x")

    with epochs(data, settings, out="runs/x") as run:       # the same, with a hand on it
        for state in run:
            state.embedding, state.session                  # the training fold, and the steps proposed for it
            state.session.undo()                            # the epoch follows what is in force when you go on
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from ali_core.data import CellImages
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import Criterion, Session
from ali_core.interventions.criteria import criterion_name
from ali_core.training.history import History
from ali_core.training.run import Run
from ali_core.training.scoring import Scores
from ali_core.training.settings import TrainSettings

__all__ = ["EpochState", "TrainResult", "Training", "epochs", "train"]

Progress = Callable[[int, int], None]
"""Called with the batches of the epoch that are done, and in all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EpochState:
    """A run between two epochs.

    Parameters
    ----------
    epoch
        Epochs that are finished; 0 before the first.
    embed
        Returns :attr:`embedding`.
    session
        The interventions proposed for the next epoch, in the space where they happen (2-D for ``pali`` and ``pli``).
        Change its steps, and the epoch follows what is then in force. None for a method without interventions, at the
        end of a run, and where several processes share the training fold.
    history
        A row for each epoch so far.
    scores
        Of this embedding; None when they were not due.
    finished
        Why the run ends here, in words; empty when it goes on.
    """

    epoch: int
    embed: Callable[[], LabelledEmbedding]
    session: Session | None
    history: History
    scores: Scores | None
    finished: str

    @cached_property
    def embedding(self) -> LabelledEmbedding:
        """The training fold, embedded in evaluation mode; where several processes share it, the samples of this one.

        It is computed when it is first asked for, unless interventions or scores needed it before.

        Raises
        ------
        AliError
            When it is first asked for after training has gone on.
        """
        return self.embed()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TrainResult:
    """The result of a run.

    Parameters
    ----------
    epoch
        The best epoch, by the macro F1 of the validation fold.
    scores
        Of its embedding; the test fold chose nothing.
    history
        A row for each epoch.
    embedding
        All samples, embedded by the network of the best epoch.
    reference
        What classifiers make of the untouched features in the same folds
        (:func:`~ali_core.training.scoring.untrained_scores`); None for images.
    out
        The folder of the run; None when nothing was written.
    """

    epoch: int
    scores: Scores
    history: History
    embedding: LabelledEmbedding
    reference: pd.DataFrame | None
    out: Path | None

    def __repr__(self) -> str:
        scores = f"validation {self.scores.validation.macro_f1:.4f}, test {self.scores.test.macro_f1:.4f}"
        return f"TrainResult(epoch={self.epoch} of {self.history.epoch}, macro F1: {scores}, out={self.out})"

    @property
    def table(self) -> pd.DataFrame:
        """One row an epoch; :data:`~ali_core.training.history.COLUMNS` explains the columns."""
        return self.history.table()


class Training(Iterator[EpochState]):
    """A run that waits between epochs; made by :func:`epochs`, and closed when done.

    Iterating yields the state before the first epoch, then the state after each; asking for the next one trains.

    Attributes
    ----------
    run
        The stages that the loop calls, and what the run holds.
    state
        The state yielded last; None before the first.
    result
        The result; None before the run has ended by itself.
    driver
        Who asks for the states, if that is not you: a :class:`~ali_core.training.live.LiveTraining`.
    closed
        Whether the data is released.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._states = self._loop()
        self._followed: Session | None = None
        self.state: EpochState | None = None
        self.result: TrainResult | None = None
        self.driver: object | None = None
        self.closed = False

    def _loop(self) -> Iterator[EpochState]:
        run = self.run
        while True:
            embed = run.embedder()
            scores = run.evaluate(embed()) if run.is_due() else None
            run.record(scores)
            finished = run.finished()
            session = None if finished else run.propose(embed)
            if finished:
                embed()  # ending takes the best network, which is another one
                self._end()
            yield EpochState(
                epoch=run.epoch,
                embed=embed,
                session=session,
                history=run.history,
                scores=scores,
                finished=finished,
            )
            if finished:
                return
            run.follow(session if self._followed is None else self._followed, embed)
            self._followed = None
            run.train_epoch()

    def __next__(self) -> EpochState:
        self.state = next(self._states)
        return self.state

    def follow(self, session: Session) -> None:
        """Let the coming epoch follow ``session`` in place of the one proposed; it must be on the same embedding."""
        self._followed = session

    def recover(self) -> None:
        """After an error or an interruption, go back to the last state that is safe: it is yielded next.

        Raises
        ------
        AliError
            When the run has no folder, and so nothing to go back to.
        """
        self.run.recover()
        self._restart()

    def rewind(self, epoch: int) -> None:
        """Go back to the state after ``epoch``: it is yielded next, and training goes on from it.

        Also after the last state, an error or an interruption.

        Raises
        ------
        AliError
            When the state of that epoch is not kept; ``keep_checkpoints`` keeps all.
        """
        self.run.rewind(epoch)
        self._restart()

    def close(self) -> None:
        """Release the data; a run on disk can be continued later."""
        self.closed = True
        self.run.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _restart(self) -> None:
        self._states, self._followed, self.result = self._loop(), None, None

    def _end(self) -> None:
        epoch, scores, embedding = self.run.end()
        self.result = TrainResult(
            epoch=epoch,
            scores=scores,
            history=self.run.history,
            embedding=embedding,
            reference=self.run.reference,
            out=self.run.out,
        )


def epochs(
    data: LabelledEmbedding | CellImages,
    settings: TrainSettings | None = None,
    *,
    criterion: Criterion | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    loggers: Sequence[Any] = (),
    progress: Progress | None = None,
) -> Training:
    """Return a run as an iterator of states, one before the first epoch and one after each.

    Parameters
    ----------
    data
        Features, of which a linear layer is trained, or images, on which a network is trained end to end. It holds all
        samples; the folds follow from the settings.
    settings
        Of the run; by default those of :class:`~ali_core.training.settings.TrainSettings`.
    criterion
        Your own criterion Ω, a function from :class:`~ali_core.interventions.ClassStatistics` to scores (C,). The
        settings of the run name it; to continue the run, give the function again.
    out
        Folder for everything the run leaves behind (:mod:`ali_core.training.run_folder`); None writes nothing.
    resume
        Continue what ``out`` holds, if it holds a run.
    loggers
        Loggers of Lightning Fabric that are given the numbers of each epoch.
    progress
        Called with the batches of the epoch that are done, and in all.

    Returns
    -------
    Training
        Use it as a context manager, or close it.

    Raises
    ------
    AliError
        For data that cannot be trained on, a folder that cannot be used, or weights that are not there; while
        iterating, when the loss or the embedding is not finite or a file cannot be written. Finished epochs are safe.

    Notes
    -----
    On a CPU, the same settings and data give the same numbers, whether the run was interrupted or not, with the same
    number of threads.
    """
    chosen = settings or TrainSettings()
    if criterion is not None:
        chosen = chosen.changed(criterion=criterion_name(criterion))
    return Training(
        Run.open(data, chosen, criterion=criterion, out=out, resume=resume, loggers=loggers, progress=progress)
    )


def train(
    data: LabelledEmbedding | CellImages,
    settings: TrainSettings | None = None,
    *,
    criterion: Criterion | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    loggers: Sequence[Any] = (),
    progress: Progress | None = None,
) -> TrainResult:
    """Train to the end; parameters and errors as :func:`epochs`.

    Parameters
    ----------
    data, settings, criterion, out, resume, loggers, progress
        See :func:`epochs`.

    Returns
    -------
    TrainResult
        The best epoch and its scores.
    """
    opened = epochs(data, settings, criterion=criterion, out=out, resume=resume, loggers=loggers, progress=progress)
    with opened as training:
        for _ in training:
            pass
        if training.result is None:
            raise AliError("the run did not come to its end")
        return training.result
