"""A labelled embedding, the steps taken on it, and a cursor: the whole state of an app or a script.

Synopsis::

    session = Session(embedding, preset("c,s", dim=embedding.dim))
    session.run(25)
    session.undo()
    session.apply(ManualStep(classes=("monocyte",), contract=0.5))    # goes on as "branch 2"; "main" stays
    session.toggle(3)
    session.save("session.json")
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions.branches import FIRST_BRANCH, Branches, Done, Line, carried_out
from ali_core.interventions.class_transforms import ClassTransforms
from ali_core.interventions.confusion import experiment
from ali_core.interventions.criteria import (
    Criterion,
    class_probabilities,
    criterion_name,
    mean_all,
    mean_std,
    own_criterion,
)
from ali_core.interventions.manual import ManualStep, resolve_manual
from ali_core.interventions.proposal import Proposal
from ali_core.interventions.session_code import session_code
from ali_core.interventions.session_events import Kind, Listener, SessionEvent, SessionLock
from ali_core.interventions.session_file import SavedSession
from ali_core.interventions.settings import InterventionSettings, Strengths, check_dimension, preset
from ali_core.interventions.state import InterventionState
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.step_table import describe_step, step_table
from ali_core.interventions.steps import InterventionStep, automatic_steps, carry_out, fault_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Proposal", "Session", "SessionEvent"]


class Session:
    """Interventions on one embedding, step by step, automatic and manual alike.

    Parameters
    ----------
    embedding
        What is moved; it is never changed.
    settings
        For automatic steps, and the norm keeping of manual ones; by default the preset ``c,s`` for the dimension.
    criterion
        Your own criterion Ω. The settings then name it, and as long as they do it is used; a file keeps the name only,
        so give the function again to :meth:`load` before the next automatic step.

    Raises
    ------
    AliError
        When the settings are the preset for another dimension.

    Attributes
    ----------
    lock
        Held by every method while it changes the session. To make one change of several calls, hold it around them:
        ``with session.lock:``.

    Notes
    -----
    A step costs nothing in the number of samples. The samples are moved when :attr:`after` or :meth:`at` is asked for.

    Going back loses nothing. A new step after an undo starts a new branch (``branch 2``, ``branch 3``, …); the branch
    that was worked on keeps its name and all its steps. A step that equals the next undone one redoes that step
    instead. Branches share the states of the steps that they have in common.

    Methods may be called from several threads. Each is carried out whole or not at all, and a reader never sees half a
    change. Listeners are called in the thread that made the change, after ``lock`` is free again; so a listener may
    take locks of its own. Its failure is logged, and does not reach whoever changed the session.

    Examples
    --------
    >>> import numpy as np
    >>> from ali_core import LabelledEmbedding, ManualStep
    >>> vectors, names = np.random.default_rng(0).normal(size=(60, 8)), ("blast", "band", "monocyte")
    >>> session = Session(LabelledEmbedding(vectors, np.arange(60) % 3, names))
    >>> len(session.run(3)), session.cursor
    (3, 3)
    >>> step = session.undo()
    >>> step = session.apply(ManualStep(classes=("monocyte",), away_from=("blast",), contract=0.5))
    >>> session.describe(step)
    'monocyte: contract 0.5 (away from blast)'
    >>> session.branches  # what was undone is kept under its own name
    ('main', 'branch 2')
    """

    def __init__(
        self,
        embedding: LabelledEmbedding,
        settings: InterventionSettings | None = None,
        *,
        criterion: Criterion | None = None,
    ) -> None:
        if settings is None:
            settings = preset("c,s", dim=embedding.dim)
        check_dimension(settings, embedding.dim)
        named = settings if criterion is None else settings.changed(criterion=criterion_name(criterion))
        self.embedding = embedding
        self.criterion = criterion
        self.lock = SessionLock()
        self._settings = named
        self._listeners: list[Listener] = []
        self._experiments: dict[str, Criterion | None] = {}
        initial = InterventionState.untouched(
            ClassStatistics.from_samples(embedding.vectors, embedding.labels, embedding.n_classes, spread=named.spread)
        )
        self._branches = Branches(lines=(Line(name=FIRST_BRANCH, states=(initial,)),))
        self._moved: tuple[InterventionState, LabelledEmbedding] = (initial, embedding)

    @property
    def settings(self) -> InterventionSettings:
        """Settings of the next steps; assign new ones to change them. The spread is fixed for the session."""
        return self._settings

    @settings.setter
    def settings(self, settings: InterventionSettings) -> None:
        if settings.spread != self._settings.spread:
            raise AliError(
                f"spread is fixed to {self._settings.spread!r} in this session; start a new one to change it"
            )
        with self.lock:
            self._settings = settings
            self._tell("settings")

    def __repr__(self) -> str:
        """Three lines: what is moved, which steps are in force, what the next one would be."""
        skipped = sum(step.skipped for step in self.steps)
        parts = [f"{self.cursor} steps", f"{len(self.undone)} undone", f"{skipped} skipped", f"on {self.branch!r}"]
        settings = self._settings
        strengths = ", ".join(f"{name} {getattr(settings, name):g}" for name in Strengths.model_fields)
        return (
            f"{type(self).__name__} on {self.embedding!r}\n  {', '.join(parts)} of {len(self.branches)} branches\n"
            f"  next: {settings.criterion}, {settings.selection}; {strengths}; {settings.n_neighbours} neighbours"
        )

    # What it holds -------------------------------------------------------------------------------------------------

    @property
    def steps(self) -> tuple[InterventionStep, ...]:
        """The steps in force, in order; skipped ones are among them."""
        line = self._branches.line
        return line.steps[: line.cursor]

    @property
    def undone(self) -> tuple[InterventionStep, ...]:
        """The steps that redo would bring back, in order."""
        line = self._branches.line
        return line.steps[line.cursor :]

    @property
    def cursor(self) -> int:
        """How many steps are in force, skipped ones included."""
        return self._branches.line.cursor

    @property
    def branch(self) -> str:
        """Name of the branch that is worked on; ``main`` at first."""
        return self._branches.current

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of all branches, in the order in which they were made."""
        return self._branches.names

    def steps_of(self, branch: str) -> tuple[InterventionStep, ...]:
        """Return all steps of a branch in order, undone ones included; AliError when there is no such branch."""
        return self._branches.named(branch).steps

    @property
    def contractions(self) -> NDArray[np.int64]:
        """How often each class was contracted by the steps in force, shape (C,), int64; skipped ones do not count."""
        codes = [code for step in self.steps if step.contract > 0.0 for code in step.moved]
        return np.bincount(np.array(codes, dtype=np.int64), minlength=self.embedding.n_classes).astype(np.int64)

    def describe(self, step: InterventionStep) -> str:
        """Return one line for people: what moved, away from what, how strongly."""
        return describe_step(step, self.embedding.class_names)

    def table(self) -> "pd.DataFrame":
        """Return the steps in force as a table; see :func:`~ali_core.interventions.step_table.step_table`."""
        return step_table(self.steps, self.embedding.class_names)

    def as_code(self, path: str | Path | None = None, *, session_file: str | Path | None = None) -> str:
        """Return a Python script that does the same: it loads the embedding and takes the steps in force.

        ``path`` is the file of ``LabelledEmbedding.save`` that the script loads; by default the one that the
        embedding came from. Run where that file is found, it leaves ``session.after.vectors`` bit for bit as they are
        here. Steps that Ω would choose again are calls of Ω; all others are written out. A dragged step has a number
        for each dimension: with ``session_file``, which :meth:`save` writes, the script reads it there.
        """
        line = self._branches.line
        source = self.embedding.source if path is None else path
        return session_code(
            self.embedding,
            self._settings,
            line.states[0],
            line.steps[: line.cursor],
            source=source,
            session_file=session_file,
        )

    # Where the classes are -----------------------------------------------------------------------------------------

    @property
    def statistics(self) -> ClassStatistics:
        """Class statistics of the embedding as it is now."""
        return self._branches.line.state.statistics

    @property
    def transforms(self) -> ClassTransforms:
        """θ of each class: all steps in force as one map a class."""
        return self._branches.line.state.transforms

    @property
    def before(self) -> LabelledEmbedding:
        """The embedding before any step."""
        return self.embedding

    @property
    def after(self) -> LabelledEmbedding:
        """The embedding after all steps in force; every sample is moved by the map of its own class."""
        state, moved = self._branches.line.state, self._moved
        if moved[0] is not state:
            moved = self._moved = (state, self._embedding_at(state))
        return moved[1]

    def at(self, cursor: int) -> LabelledEmbedding:
        """Return the embedding after the first ``cursor`` steps, undone ones included."""
        return self._embedding_at(self.state_at(cursor))

    def state_at(self, cursor: int) -> InterventionState:
        """Return statistics and maps after the first ``cursor`` steps of the branch, undone ones included."""
        return self._branches.line.state_at(cursor)

    # What could be done --------------------------------------------------------------------------------------------

    def propose(self) -> Proposal:
        """Return what Ω would do next, and why; nothing changes."""
        line = self._branches.line
        now = line.state.statistics
        after, step = next(automatic_steps(line.state, self._settings, self._own_criterion(), start=line.cursor))
        scores = np.asarray(step.scores, dtype=np.float64)
        return Proposal(
            step=step,
            mean_std=mean_std(now),
            mean_all=mean_all(now),
            scores=scores,
            probabilities=class_probabilities(scores),
            state=after,
        )

    def outcome(self, step: ManualStep | InterventionStep | None = None) -> InterventionState:
        """Return where all classes would be after ``step``; nothing changes.

        Parameters
        ----------
        step
            What a person chose, a record, or None for what Ω would do next.

        Raises
        ------
        AliError
            As when the step is taken.
        """
        if step is None:
            return self.propose().state
        record = self.resolve(step) if isinstance(step, ManualStep) else step
        self._check_records((record,))
        return carry_out(self._branches.line.state, record)[0]

    def preview(self, manual: ManualStep) -> LabelledEmbedding:
        """Return the embedding as the step would leave it; nothing changes."""
        return self._embedding_at(self.outcome(manual))

    def resolve(self, manual: ManualStep) -> InterventionStep:
        """Return a manual step as a record with class codes, not yet carried out; raises as when it is taken."""
        return resolve_manual(manual, self.statistics, self.embedding.class_names, self._settings)

    # Steps ---------------------------------------------------------------------------------------------------------

    def step(self) -> InterventionStep:
        """Let Ω choose and carry out one intervention."""
        return self.run_until(lambda _: False, most=1)[0]

    def run(self, n_iterations: int | None = None) -> tuple[InterventionStep, ...]:
        """Carry out ``n_iterations`` automatic interventions (by default as many as the settings say) in a row."""
        count = self._settings.n_iterations if n_iterations is None else n_iterations
        if count < 0:
            raise AliError(f"n_iterations must be at least 0; got {count}")
        return self.run_until(lambda _: False, most=count)

    def run_until(
        self,
        done: Callable[[ClassStatistics], bool],
        *,
        most: int = 1000,
        stop: Callable[[], bool] | None = None,
    ) -> tuple[InterventionStep, ...]:
        """Carry out automatic interventions until a criterion holds; listeners hear of all of them at once.

        Parameters
        ----------
        done
            Asked before every step with the class statistics; nothing is done when it holds already. For example
            ``lambda now: crowding(now) <= 0.5``, with :func:`~ali_core.interventions.crowding`.
        most
            Most steps; when ``done`` does not hold after them, they stay.
        stop
            Asked before every step, perhaps set by another thread; what was done until then stays.

        Returns
        -------
        tuple of InterventionStep
            The new steps.
        """
        if most < 0:
            raise AliError(f"most must be at least 0; got {most}")
        with self.lock:
            line = self._branches.line
            state, states, steps = line.state, list[InterventionState](), list[InterventionStep]()
            ahead = automatic_steps(state, self._settings, self._own_criterion(), start=line.cursor)
            while len(steps) < most and not (done(state.statistics) or (stop is not None and stop())):
                state, step = next(ahead)
                states.append(state)
                steps.append(step)
            self._add((tuple(steps), tuple(states)))
        return tuple(steps)

    def apply(self, manual: ManualStep) -> InterventionStep:
        """Carry out what a person chose.

        Raises
        ------
        AliError
            For a class that is not there, has no sample, or stands twice; when nothing would move; or for a
            displacement of another length than D.
        """
        with self.lock:
            state, step = carry_out(self._branches.line.state, self.resolve(manual))
            self._add(((step,), (state,)))
        return step

    def replay(self, steps: Iterable[InterventionStep]) -> None:
        """Carry out recorded steps again, on this embedding and from here on.

        Classes, neighbours and strengths are those of the record; where the classes go follows from where they are.

        Raises
        ------
        AliError
            When a step names classes that are not here or have no sample, or has numbers for other classes or
            dimensions; no step is then carried out.
        """
        records = tuple(steps)
        self._check_records(records)
        with self.lock:
            self._add(carried_out(self._branches.line.state, records))

    def toggle(self, number: int) -> InterventionStep:
        """Skip step ``number`` of the branch, or bring it back when it is skipped; later steps are replayed.

        Parameters
        ----------
        number
            From 1; undone steps count.

        Returns
        -------
        InterventionStep
            The step as it is now. A skipped step stays in its place and does nothing.

        Raises
        ------
        AliError
            When there is no such step.

        Notes
        -----
        The later steps keep the classes, neighbours and strengths of their records, also where Ω would now choose
        otherwise. The branch is changed in place; toggling twice changes nothing.
        """
        with self.lock:
            line = self._branches.line.toggled(number)
            self._branches = self._branches.with_line(line)
            self._tell("toggle", line.steps[number - 1])
        return line.steps[number - 1]

    def undo(self) -> InterventionStep:
        """Take back the last step and return it; AliError when there is none."""
        with self.lock:
            if self.cursor == 0:
                raise AliError("there is no step to undo")
            self._go_to(self.cursor - 1)
            step = self.undone[0]
            self._tell("undo", step)
        return step

    def redo(self) -> InterventionStep:
        """Bring back the step undone last and return it; AliError when there is none."""
        with self.lock:
            if not self.undone:
                raise AliError("there is no step to redo")
            self._go_to(self.cursor + 1)
            step = self.steps[-1]
            self._tell("redo", step)
        return step

    def reset(self) -> None:
        """Go back to the untouched embedding; :meth:`redo` still brings the steps back one by one."""
        with self.lock:
            self._go_to(0)
            self._tell("reset")

    def go_to(self, number: int) -> None:
        """Undo or redo up to step ``number`` (0 is the untouched embedding); AliError when there is no such step."""
        with self.lock:
            before = self.cursor
            self.state_at(number)
            self._go_to(number)
            if number < before:
                self._tell("undo", self.undone[0])
            elif number > before:
                self._tell("redo", self.steps[-1])

    # Branches ------------------------------------------------------------------------------------------------------

    def switch(self, name: str) -> None:
        """Work on the branch called ``name``, as it was left; AliError when there is none."""
        with self.lock:
            self._branches = self._branches.switched(name)
            self._tell("branch")

    def rename_branch(self, new: str, old: str | None = None) -> None:
        """Call the branch ``old``, by default the one that is worked on, ``new``; AliError when that is taken."""
        with self.lock:
            self._branches = self._branches.renamed(new, self.branch if old is None else old)
            self._tell("branch")

    def drop_branch(self, name: str) -> None:
        """Forget the branch called ``name``; AliError for the one that is worked on."""
        with self.lock:
            self._branches = self._branches.without(name)
            self._tell("branch")

    # Listeners -----------------------------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every change; return a function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    # Files ---------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write settings, all branches and their cursors as JSON, whole or not at all; the embedding by its hash."""
        return SavedSession.of(self.embedding, self._settings, self._branches).write(Path(path))

    @classmethod
    def load(cls, path: str | Path, embedding: LabelledEmbedding, *, criterion: Criterion | None = None) -> Self:
        """Read a session and replay its steps on ``embedding``; the numbers are those of the session that was saved.

        Raises
        ------
        AliError
            When the file is no session, or was recorded on another embedding (told by the hash).
        """
        saved = SavedSession.read(Path(path))
        embedding = saved.as_recorded(embedding)
        saved.check(embedding, Path(path))
        session = cls(embedding, InterventionSettings(spread=saved.settings.spread))
        session.criterion, session._settings = criterion, saved.settings  # as they are: they made steps already
        session._branches = session._recorded(saved)
        return session

    def merge(self, path: str | Path) -> None:
        """Take in the branches of a saved session beside those here, and work on the one that was worked on there.

        Parameters
        ----------
        path
            A file that :meth:`save` wrote. Its settings become those of the next steps.

        Raises
        ------
        AliError
            When the file is no session, was recorded on another embedding, or with another spread.

        Notes
        -----
        A branch whose name is taken here by other steps gets a new one (``branch 2``, …); one that is here already,
        step by step, is not taken in twice.
        """
        saved = SavedSession.read(Path(path))
        saved.check(self.embedding, Path(path))
        if saved.settings.spread != self._settings.spread:
            raise AliError(
                f"{path} was recorded with spread {saved.settings.spread!r}, this session has "
                f"{self._settings.spread!r}; load it as a session of its own"
            )
        with self.lock:
            self._branches = self._branches.joined(self._recorded(saved))
            self._settings = saved.settings
            self._tell("branch")

    # Inside --------------------------------------------------------------------------------------------------------

    def _check_records(self, steps: Iterable[InterventionStep]) -> None:
        """Raise AliError unless all recorded steps can be carried out on this embedding."""
        for number, step in enumerate(steps, start=1):
            if fault := fault_of(step, self.statistics.present, self.embedding.dim):
                raise AliError(
                    f"recorded step {number} cannot be carried out here: {fault}; replay it on an embedding with the "
                    "classes and dimensions it was recorded on"
                )

    def _own_criterion(self) -> Criterion | None:
        """Return the user's criterion, or an experiment on these samples, if the settings name it."""
        name, now = self._settings.criterion, self.embedding
        if name not in self._experiments:
            self._experiments[name] = experiment(name, now.vectors, now.labels, now.n_classes)
        return own_criterion(self.criterion, name) or self._experiments[name]

    def _embedding_at(self, state: InterventionState) -> LabelledEmbedding:
        if state is self.state_at(0):
            return self.embedding
        moved = state.transforms.apply(self.embedding.vectors, self.embedding.labels)
        moved.flags.writeable = False  # nobody else has it, so that it need not be copied
        return self.embedding.with_vectors(moved)

    def _recorded(self, saved: SavedSession) -> Branches:
        records = ((branch.name, branch.steps, branch.cursor) for branch in saved.branches)
        return Branches.recorded(self.state_at(0), records, saved.branch)

    def _add(self, done: Done) -> None:
        self._branches = self._branches.followed_by(done)
        if done[0]:
            self._tell("step", done[0][-1])

    def _go_to(self, cursor: int) -> None:
        self._branches = self._branches.with_line(self._branches.line.moved_to(cursor))

    def _tell(self, kind: Kind, step: InterventionStep | None = None) -> None:
        self.lock.tell(self._listeners, SessionEvent(kind=kind, cursor=self.cursor, step=step))
