"""Training that a person steers while it goes on: in a thread of its own, at rest between epochs.

Synopsis::

    with LiveTraining(epochs(data, settings, out="runs/x")) as live:
        live.go(3); live.wait()                             # three epochs; go() alone trains to the end
        live.session.undo()                                 # the coming epoch follows what is in force when it begins
        live.settings = live.settings.changed(shift=2.0)    # strengths of the coming epochs
        live.go(); live.pause()                             # rests after the epoch under way
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal, NamedTuple, Self

import numpy as np

from ali_core.errors import AliError
from ali_core.evaluation.f1_interval import F1Interval, f1_interval
from ali_core.interventions import InterventionSettings, InterventionStep, Session
from ali_core.training.history import History
from ali_core.training.live_thread import EpochThread, Kind
from ali_core.training.loop import EpochState, Training, TrainResult
from ali_core.training.run import Run
from ali_core.training.scoring import Scores

__all__ = ["HeldOut", "LiveEvent", "LiveTraining"]

log = logging.getLogger(__name__)

BATCH_SECONDS = 0.2
"""Least time between two events about batches."""

MAY_DIFFER = ("control", "max_epochs", "patience", "workers", "keep_embeddings", "keep_checkpoints")
"""Settings in which a control may differ from its training."""

Status = Literal["training", "pausing", "held", "resting", "failed", "finished", "closed"]


@dataclass(frozen=True, kw_only=True)
class LiveEvent:
    """What has just happened; told after it happened, in the thread that caused it.

    Parameters
    ----------
    kind
        ``go``: training goes on; ``batch``: a batch is done, at most five times a second; ``epoch``: an epoch is done,
        and there is a new state; ``pause``: it shall rest; ``held``: it stands within an epoch; ``rest``: it rests
        between two epochs; ``failed``: it rests after an error; ``rewound``: it went back; ``settings``: strengths
        changed; ``closed``: it is over.
    epoch
        Epochs that are finished.
    done, total
        Batches of the epoch under way, for ``batch``.
    control
        Whether ``batch`` or ``epoch`` is one of the control.
    text
        What went wrong, for ``failed``.
    """

    kind: Kind
    epoch: int
    done: int = 0
    total: int = 0
    control: bool = False
    text: str = ""


class HeldOut(NamedTuple):
    """What a training is worth on the validation fold, beside its control.

    Parameters
    ----------
    epoch
        After which both were scored.
    n_samples
        Of the validation fold.
    training, control, difference
        Macro F1 of each and of one minus the other, with intervals of 95 % over the samples; None without a control.
    """

    epoch: int
    n_samples: int
    training: F1Interval
    control: F1Interval | None
    difference: F1Interval | None


class LiveTraining:
    """Drives a training in the background; a script and an app steer it through the same calls.

    Parameters
    ----------
    training
        From :func:`~ali_core.training.epochs`; nobody else may ask it for states. Its first state is there at once.
    control
        The same run with ``TrainSettings(control=True)`` in a folder of its own: it trains an epoch after each epoch,
        so that both have the same number.

    Attributes
    ----------
    training, control
        As given.

    Raises
    ------
    AliError
        For a training of several processes, one that is closed or driven already (:meth:`of` returns who drives it), or
        a control that differs in more than the interventions.

    Notes
    -----
    A training without interference gives the numbers of :func:`~ali_core.training.train`, with pauses or without.

    An epoch follows its own copy of :attr:`session`, taken when it begins. What is changed in a session later is not
    seen by the epoch under way, and is gone with the next proposals; so change it while :attr:`running` is false.

    The thread lives as long as the process, whoever looks at it. When the interpreter exits, the batch under way is
    waited for, up to ten seconds; a run with a folder can be continued after its last finished epoch, however it ended.
    """

    def __init__(self, training: Training, *, control: Training | None = None) -> None:
        self.training, self.control = training, control
        self._trainings = [one for one in (training, control) if one is not None]
        for one in self._trainings:
            _check_free(one)
        if control is not None:
            _check_control(training.run, control.run)
        self._listeners: list[Callable[[LiveEvent], None]] = []
        self._told = -math.inf
        self._batch: tuple[int, int, bool] = (0, 0, False)
        self._compared: tuple[tuple[int, list[Scores]], HeldOut] | None = None
        self._run = _SteeredRun(training, lambda *at: self._heard(*at, control=False))
        self._beside = None if control is None else _SteeredRun(control, lambda *at: self._heard(*at, control=True))
        self._moments: tuple[EpochState | None, EpochState] = (None, self._run.state)
        self._thread = EpochThread(
            self._train_epoch,
            self._propose_with,
            epoch=lambda: self.state.epoch,
            ended=lambda: bool(self.finished),
            tell=self._tell,
        )
        for one in self._trainings:
            one.driver = self

    @classmethod
    def of(cls, training: Training, *, control: Training | None = None) -> "LiveTraining":
        """Return who drives ``training``: the one there is, or a new one."""
        driver = training.driver
        return driver if isinstance(driver, LiveTraining) else cls(training, control=control)

    # What is there -------------------------------------------------------------------------------------------------

    @property
    def state(self) -> EpochState:
        """The run between two epochs, as it is now; while an epoch is trained, as it was before."""
        return self._moments[1]

    @property
    def last(self) -> EpochState | None:
        """The state before the last epoch, with the session that this epoch followed; None after going back.

        So ``last.session.before`` is where it began, ``last.session.after`` where it should go, and
        ``state.embedding`` where it went: the three columns of Fig. 6. For ``pali`` and ``pli`` the sessions are in the
        plane, and ``state.session.before`` is where it went; ``pali`` has fitted its projection anew for that, from
        where it was.
        """
        return self._moments[0]

    @property
    def session(self) -> Session | None:
        """What the coming epoch is to follow; change it while the training rests. None as in :class:`EpochState`."""
        return self.state.session

    @property
    def running(self) -> bool:
        """Whether an epoch is under way, also while it is :attr:`held`."""
        return self._thread.running

    @property
    def held(self) -> bool:
        """Whether it stands between two batches."""
        return self._thread.held

    @property
    def finished(self) -> str:
        """Why the run has ended, in words; empty while it, or its control, can go on."""
        return "" if self._control_is_behind() else self.state.finished

    @property
    def error(self) -> str:
        """What stopped it, in words; empty when nothing did, and again when it goes on."""
        return self._thread.error

    @property
    def status(self) -> Status:
        """What it does now, in a word."""
        thread = self._thread
        running: Status = "held" if thread.held else "training" if thread.target else "pausing"
        resting: Status = "failed" if thread.error else "finished" if self.finished else "resting"
        return "closed" if thread.closed else running if thread.running else resting

    @property
    def batch(self) -> tuple[int, int]:
        """Batches of the epoch under way that are done, and in all; (0, 0) before any."""
        return self._batch[:2]

    @property
    def in_control(self) -> bool:
        """Whether the epoch under way is one of the control."""
        return self.running and self._batch[2]

    @property
    def kept(self) -> tuple[int, ...]:
        """Epochs that :meth:`rewind` can go back to."""
        kept = self.training.run.kept()
        return kept if self.control is None else tuple(sorted({*kept} & {*self.control.run.kept()}))

    @property
    def history(self) -> History:
        """A row for each epoch."""
        return self.state.history

    @property
    def control_history(self) -> History | None:
        """The rows of the control up to the present epoch; None without a control."""
        return None if self._beside is None else self._beside.state.history.until(self.state.epoch)

    @property
    def held_out(self) -> HeldOut | None:
        """How the last scored epoch, and the same one of the control, classify the validation fold.

        None before anything is scored; a continued run knows the scores from then on.
        """
        runs = [self._run] if self._beside is None else [self._run, self._beside]
        scored = [run.scored for run in runs]
        epoch = max(set.intersection(*(set(one) for one in scored)), default=None)
        if epoch is None:
            return None
        found = [one[epoch] for one in scored]
        if self._compared is None or self._compared[0] != (epoch, found):
            self._compared = (epoch, found), _compared(epoch, found, self.training.run)
        return self._compared[1]

    @property
    def result(self) -> TrainResult | None:
        """The result; None before the run has ended by itself."""
        return self.training.result

    @property
    def settings(self) -> InterventionSettings:
        """Strengths and choices of the proposals of the coming epochs; assign others to change them.

        At rest, what is proposed now is replaced: the session is reset, and the new settings run on it. While an epoch
        is under way, this is done as soon as it has ended. AliError for ``pli`` and for methods without interventions,
        for another spread, and for a criterion that is none of the paper's.

        Notes
        -----
        They are part of the state after an epoch: a continued run goes on with them, and one that goes back has those
        of then. Changed while an epoch is under way, they are safe when that epoch is.
        """
        run = self.training.run
        in_force = run.settings.intervention_settings() if run.intervener is None else run.intervener.interventions
        return self._thread.deferred or in_force

    @settings.setter
    def settings(self, settings: InterventionSettings) -> None:
        self.training.run.check_interventions(settings)
        if not self._thread.defer(settings):
            with self._thread.at_rest("change the strengths"):
                self._propose_with(settings)
                self._thread.deferred = None
        self._tell("settings")

    # What can be done ----------------------------------------------------------------------------------------------

    def go(self, n_epochs: int | None = None) -> None:
        """Train ``n_epochs``, by default to the end, and return at once.

        While an epoch is under way, it counts as the first of them: a second call changes how many there are, and lets
        a training go on that is held. After an error, the last safe state is gone back to and tried again.

        Raises
        ------
        AliError
            When the run has ended or is closed, or is broken and has no folder to go back to.
        """
        if n_epochs is not None and n_epochs < 1:
            raise AliError(f"n_epochs must be at least 1; got {n_epochs}")
        if self._thread.aim(n_epochs):
            return
        with self._thread.at_rest("go on"):
            self._mend()
            if self.finished:
                raise AliError(f"the run has ended ({self.finished}); rewind it, or continue it with more max_epochs")
            self._thread.start(n_epochs)

    def pause(self) -> None:
        """Rest after the epoch under way; asked a second time, stand before its next batch.

        A training that is held within an epoch goes on from there with :meth:`go`; it cannot go back from there.
        Nothing happens at rest.
        """
        self._thread.pause()

    def skip(self) -> None:
        """Let the coming epoch follow no interventions: reset the session; redo brings them back."""
        with self._thread.at_rest("skip the interventions"):
            if self.session is None:
                raise AliError("there are no interventions to skip in the coming epoch")
            self.session.reset()

    def rewind(self, epoch: int) -> None:
        """Go back to the state after ``epoch``, and with it the control; needs ``keep_checkpoints``.

        The coming epoch is proposed its steps as before. Other steps that it followed are kept beside them, on a branch
        of the session called "epoch N followed".

        Raises
        ------
        AliError
            While an epoch is under way, and for an epoch that is not kept: nothing has changed then.
        """
        with self._thread.at_rest("go back"):
            if epoch not in self.kept:
                raise AliError(
                    f"epoch {epoch} is not kept; kept are {list(self.kept)}, and TrainSettings(keep_checkpoints=True) "
                    "with a folder (out) keeps all"
                )
            if self._beside is not None:
                self._beside.rewind(epoch)
            self._run.rewind(epoch)
            self._moments, self._batch = (None, self._run.state), (0, 0, False)
            self._thread.error, self._thread.deferred = "", None
        self._tell("rewound")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it rests or is held; return whether it does, or False after ``timeout`` seconds.

        An interrupt (Ctrl-C, or Interrupt in Jupyter) pauses the training, and is raised when the epoch is done; a
        second one is raised at once, and the training goes on to the end of its epoch.
        """
        try:
            return self._thread.wait(timeout)
        except KeyboardInterrupt:
            if self._thread.target:
                self.pause()
            self._thread.wait()
            raise

    def subscribe(self, listener: Callable[[LiveEvent], None]) -> Callable[[], None]:
        """Call ``listener`` with every :class:`LiveEvent`; return a function to end it.

        It is called in the thread that caused the event, which is that of the training for all that training does. A
        listener that fails is logged, and stops neither the others nor the training.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def close(self, timeout: float | None = None) -> bool:
        """End it after the batch under way and release the data; a run on disk can be continued.

        Returns whether it ended within ``timeout`` seconds.
        """
        if not self._thread.close(timeout):
            return False
        if self.training.driver is self:
            for training in self._trainings:
                training.close()
                training.driver = None
            self._tell("closed")
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Inside --------------------------------------------------------------------------------------------------------

    def _control_is_behind(self) -> bool:
        control = None if self._beside is None else self._beside.state
        return control is not None and not control.finished and control.epoch < self.state.epoch

    def _propose_with(self, settings: InterventionSettings) -> None:
        self.training.run.intervene_with(settings)
        if self.session is not None:
            self.session.reset()
            self.session.settings = settings
            self.session.run()

    def _mend(self) -> None:
        for run in (self._run, self._beside):
            if run is not None:
                run.mend()
        if self._run.state is not self.state:
            self._moments = (None, self._run.state)

    def _train_epoch(self) -> None:
        if not self.state.finished:
            self._train_own_epoch()
        while self._beside is not None and self._control_is_behind():
            self._batch = (0, 0, True)
            self._beside.advance()
            self._tell("epoch", control=True)

    def _train_own_epoch(self) -> None:
        before = self.state
        if before.session is not None:
            before = replace(before, session=_copied(before.session))
        self._batch = (0, 0, False)
        self._moments = (before, self._run.advance(before.session))
        self._thread.apply_deferred()
        self._tell("epoch")

    def _heard(self, done: int, total: int, *, control: bool) -> None:
        """After a batch: tell, stand if asked to, end if closed."""
        self._batch, now = (done, total, control), time.monotonic()
        if now - self._told >= BATCH_SECONDS:
            self._told = now
            self._tell("batch", done=done, total=total, control=control)
        self._thread.after_batch()

    def _tell(self, kind: Kind, *, done: int = 0, total: int = 0, control: bool = False) -> None:
        text = self.error if kind == "failed" else ""
        event = LiveEvent(kind=kind, epoch=self.state.epoch, done=done, total=total, control=control, text=text)
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception:
                log.exception("a listener of a live training failed at %s", event)


class _SteeredRun:
    """A training with its present state; it can be continued after an error.

    Parameters
    ----------
    training
        Waits between epochs; its first state is asked for at once, if nobody has yet.
    hear
        Called with the batches of the epoch that are done and in all, beside the progress that the training has.

    Attributes
    ----------
    state
        The state yielded last.
    broken
        Whether an epoch was begun that did not end; :meth:`mend` goes back before it.
    scored
        Scores of the epochs up to this state, as far as they were seen.
    """

    def __init__(self, training: Training, hear: Callable[[int, int], None]) -> None:
        if training.run.settings.devices > 1:
            raise AliError(
                f"a person steers one process; this training has {training.run.settings.devices}: use devices=1"
            )
        self.training, self.broken = training, False
        self.scored: dict[int, Scores] = {}
        self._stand_at(training.state or _next(training))
        self.state.embed()
        own = training.run.progress

        def heard(done: int, total: int) -> None:
            if own is not None:
                own(done, total)
            hear(done, total)

        training.run.progress = heard

    def advance(self, session: Session | None = None) -> EpochState:
        """Train an epoch that follows ``session``, by default what the state proposes, and return the new state."""
        self.broken = True
        if session is not None:
            self.training.follow(session)
        self._stand_at(_next(self.training))
        self.broken = False
        return self.state

    def _stand_at(self, state: EpochState) -> None:
        self.state = state
        self.scored = {epoch: scores for epoch, scores in self.scored.items() if epoch <= state.epoch}
        if state.scores is not None:
            self.scored[state.epoch] = state.scores

    def mend(self) -> None:
        """Go back to the last safe state, if an epoch broke off; a session that a person has changed is kept.

        Raises
        ------
        AliError
            When there is no folder to go back to.
        """
        if not self.broken:
            return
        self.training.recover()
        state = _next(self.training)
        if (state.epoch, state.embedding.fingerprint) != (self.state.epoch, self.state.embedding.fingerprint):
            self._stand_at(state)
        self.broken = False

    def rewind(self, epoch: int) -> None:
        """Go back to the state after ``epoch``; AliError when it is not kept."""
        folder = self.training.run.folder
        followed = () if folder is None else folder.followed(epoch)
        self.broken = self.broken or epoch in self.training.run.kept()
        self.training.rewind(epoch)
        self._stand_at(_next(self.training))
        self.broken = False
        if followed and self.state.session is not None:
            _put_beside(self.state.session, followed, f"epoch {epoch + 1} followed")


def _compared(epoch: int, found: Sequence[Scores], run: Run) -> HeldOut:
    """Return the scores of a training and, where there is one, of its control, with intervals."""
    true, n_classes = run.worker.inputs.labels[run.split.validation], len(run.worker.inputs.class_names)
    intervals = [
        f1_interval(true, scores.validation_predicted, n_classes, rng=np.random.default_rng(0)) for scores in found
    ]
    difference = None
    if len(found) > 1:
        own, other = (scores.validation_predicted for scores in found)
        difference = f1_interval(true, own, n_classes, minus=other, rng=np.random.default_rng(0))
    return HeldOut(epoch, len(true), intervals[0], intervals[1] if difference else None, difference)


def _copied(session: Session) -> Session:
    """Return a session of its own with the steps in force in ``session``, for an epoch to follow."""
    own = Session(session.embedding, session.settings)
    own.replay(session.steps)
    return own


def _next(training: Training) -> EpochState:
    """Return the next state, its training fold embedded: it is looked at while the next epoch is under way."""
    state = next(training)
    state.embed()
    return state


def _put_beside(session: Session, steps: tuple[InterventionStep, ...], name: str) -> None:
    """Keep ``steps`` as a branch called ``name``, unless the branch that is worked on has them; that one stays so."""
    branch, cursor = session.branch, session.cursor
    session.reset()
    session.replay(steps)
    if session.branch != branch:
        session.rename_branch(name)
        session.switch(branch)
    session.go_to(cursor)


def _check_free(training: Training) -> None:
    """Raise AliError if ``training`` is closed, or somebody else drives it."""
    name = "control" if training.run.settings.control else "training"
    if training.closed:
        raise AliError(f"this {name} is closed; open it again with resume=True")
    if training.driver is not None:
        raise AliError(f"this {name} is driven already; LiveTraining.of({name}) returns by whom")


def _check_control(run: Run, control: Run) -> None:
    """Raise AliError unless ``control`` is what the epochs of ``run`` are worth alone."""
    if not control.settings.control or run.settings.control:
        raise AliError("the control must be a run with TrainSettings(control=True), and the training must be none")
    mine, theirs = run.settings.model_dump(), control.settings.model_dump()
    other = [name for name, value in mine.items() if theirs[name] != value and name not in MAY_DIFFER]
    if other:
        raise AliError(f"the control has other settings ({', '.join(other)}); change nothing but control")
    if control.worker.inputs.fingerprint != run.worker.inputs.fingerprint:
        raise AliError("the control is a run on other data; give both the same")
