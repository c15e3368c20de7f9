"""One training under a hand that steers it: it can be asked again after an error, and followed by its control."""

from collections.abc import Callable

from ali_core.errors import AliError
from ali_core.interventions import InterventionStep, Session
from ali_core.training.loop import EpochState, Training
from ali_core.training.run import Run

__all__ = ["SteeredRun", "check_control", "check_free", "copied"]

MAY_DIFFER = ("control", "max_epochs", "patience", "workers", "keep_embeddings", "keep_checkpoints")
"""Settings in which a control may differ from its training."""


class SteeredRun:
    """A training and the state it is in.

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
    """

    def __init__(self, training: Training, hear: Callable[[int, int], None]) -> None:
        if training.run.settings.devices > 1:
            raise AliError(
                f"a person steers one process; this training has {training.run.settings.devices}: use devices=1"
            )
        self.training, self.broken = training, False
        self.state: EpochState = training.state or _next(training)
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
        self.state = _next(self.training)
        self.broken = False
        return self.state

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
            self.state = state
        self.broken = False

    def rewind(self, epoch: int) -> None:
        """Go back to the state after ``epoch``; AliError when it is not kept."""
        folder = self.training.run.folder
        followed = () if folder is None else folder.followed(epoch)
        self.broken = self.broken or epoch in self.training.run.kept()
        self.training.rewind(epoch)
        self.state = _next(self.training)
        self.broken = False
        if followed and self.state.session is not None:
            _put_beside(self.state.session, followed, f"epoch {epoch + 1} followed")


def copied(session: Session) -> Session:
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


def check_free(training: Training) -> None:
    """Raise AliError if ``training`` is closed, or somebody else drives it."""
    name = "control" if training.run.settings.control else "training"
    if training.closed:
        raise AliError(f"this {name} is closed; open it again with resume=True")
    if training.driver is not None:
        raise AliError(f"this {name} is driven already; LiveTraining.of({name}) returns by whom")


def check_control(run: Run, control: Run) -> None:
    """Raise AliError unless ``control`` is what the epochs of ``run`` are worth alone."""
    if not control.settings.control or run.settings.control:
        raise AliError("the control must be a run with TrainSettings(control=True), and the training must be none")
    mine, theirs = run.settings.model_dump(), control.settings.model_dump()
    other = [name for name, value in mine.items() if theirs[name] != value and name not in MAY_DIFFER]
    if other:
        raise AliError(f"the control has other settings ({', '.join(other)}); change nothing but control")
    if control.worker.inputs.fingerprint != run.worker.inputs.fingerprint:
        raise AliError("the control is a run on other data; give both the same")
