"""A labelled embedding, the steps taken on it, and a cursor: all state that an app or a script needs.

Synopsis::

    session = Session(embedding, preset("c,s", dim=embedding.dim))
    session.run(25)
    session.undo()
    session.apply(ManualStep(classes=("monocyte",), contract=0.5))
    session.save("session.json")
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import pandas as pd

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions.class_transforms import ClassTransforms
from ali_core.interventions.criteria import Criterion, criterion_name
from ali_core.interventions.manual import ManualStep, resolve_manual
from ali_core.interventions.proposal import Proposal, propose
from ali_core.interventions.session_file import SavedSession
from ali_core.interventions.settings import InterventionSettings, preset
from ali_core.interventions.state import InterventionState
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.step_table import describe_step, step_table
from ali_core.interventions.steps import InterventionStep, carry_out, decide, step_generator

__all__ = ["Proposal", "Session", "SessionEvent"]


@dataclass(frozen=True, kw_only=True)
class SessionEvent:
    """What has just changed in a session, told to its listeners after the change.

    Parameters
    ----------
    kind
        ``step`` (one or several were added), ``undo``, ``redo``, ``reset`` or ``settings``.
    cursor
        How many steps are in force now.
    """

    kind: Literal["step", "undo", "redo", "reset", "settings"]
    cursor: int


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

    Notes
    -----
    A step costs nothing in the number of samples. The samples are moved when :attr:`after` or :meth:`at` is asked for.
    """

    def __init__(
        self,
        embedding: LabelledEmbedding,
        settings: InterventionSettings | None = None,
        *,
        criterion: Criterion | None = None,
    ) -> None:
        self.embedding = embedding
        self.criterion = criterion
        settings = preset("c,s", dim=embedding.dim) if settings is None else settings
        self._settings = settings if criterion is None else settings.changed(criterion=criterion_name(criterion))
        initial = ClassStatistics.from_samples(
            embedding.vectors, embedding.labels, embedding.n_classes, spread=self._settings.spread
        )
        self._states = [InterventionState.untouched(initial)]
        self._steps: list[InterventionStep] = []
        self._cursor = 0
        self._listeners: list[Callable[[SessionEvent], None]] = []
        self._moved: tuple[int, LabelledEmbedding] = (0, embedding)

    # What is there -------------------------------------------------------------------------------------------------

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
        self._settings = settings
        self._tell("settings")

    @property
    def steps(self) -> tuple[InterventionStep, ...]:
        """The steps in force, in order."""
        return tuple(self._steps[: self._cursor])

    @property
    def undone(self) -> tuple[InterventionStep, ...]:
        """The steps that :meth:`redo` would bring back, in order."""
        return tuple(self._steps[self._cursor :])

    @property
    def cursor(self) -> int:
        """How many steps are in force."""
        return self._cursor

    @property
    def statistics(self) -> ClassStatistics:
        """Class statistics of the embedding as it is now."""
        return self._states[self._cursor].statistics

    @property
    def transforms(self) -> ClassTransforms:
        """θ of each class: all steps in force as one map a class."""
        return self._states[self._cursor].transforms

    @property
    def before(self) -> LabelledEmbedding:
        """The embedding before any step."""
        return self.embedding

    @property
    def after(self) -> LabelledEmbedding:
        """The embedding after all steps in force; every sample is moved by the map of its own class."""
        if self._moved[0] != self._cursor:
            self._moved = (self._cursor, self.at(self._cursor))
        return self._moved[1]

    def at(self, cursor: int) -> LabelledEmbedding:
        """Return the embedding after the first ``cursor`` steps, undone ones included."""
        transforms = self.state_at(cursor).transforms
        if cursor == 0:
            return self.embedding
        return self.embedding.with_vectors(transforms.apply(self.embedding.vectors, self.embedding.labels))

    def state_at(self, cursor: int) -> InterventionState:
        """Return statistics and maps after the first ``cursor`` steps, undone ones included."""
        if not 0 <= cursor < len(self._states):
            raise AliError(f"this session has states 0 to {len(self._states) - 1}; there is no state {cursor}")
        return self._states[cursor]

    # What can be done ----------------------------------------------------------------------------------------------

    def propose(self) -> Proposal:
        """Return what Ω would do next, and why; nothing changes."""
        return propose(self._states[self._cursor], self._settings, self._cursor, self._own_criterion())

    def step(self) -> InterventionStep:
        """Let Ω choose and carry out one intervention; undone steps are dropped."""
        return self.run(1)[0]

    def run(self, n_iterations: int | None = None) -> tuple[InterventionStep, ...]:
        """Carry out ``n_iterations`` automatic interventions (by default as many as the settings say) in a row."""
        count = self._settings.n_iterations if n_iterations is None else n_iterations
        if count < 0:
            raise AliError(f"n_iterations must be at least 0; got {count}")
        start, state = self._cursor, self._states[self._cursor]
        states, steps = [], []
        for index in range(start, start + count):
            generator = step_generator(self._settings.seed, index)
            state, step = carry_out(state, decide(state.statistics, self._settings, generator, self._own_criterion()))
            states.append(state)
            steps.append(step)
        self._append(states, steps)
        return tuple(steps)

    def apply(self, manual: ManualStep) -> InterventionStep:
        """Carry out what a person chose; undone steps are dropped.

        Raises
        ------
        AliError
            For a class that is not there, has no sample, or stands twice; or when all strengths are 0.
        """
        state, step = carry_out(self._states[self._cursor], self.resolve(manual))
        self._append([state], [step])
        return step

    def replay(self, steps: Iterable[InterventionStep]) -> None:
        """Carry out recorded steps again, on this embedding and from here on; undone steps are dropped.

        Classes, neighbours and strengths are those of the record; where the classes go follows from where they are.
        """
        state, states, done = self._states[self._cursor], [], []
        for step in steps:
            state, outcome = carry_out(state, step)
            states.append(state)
            done.append(outcome)
        self._append(states, done)

    def preview(self, manual: ManualStep) -> LabelledEmbedding:
        """Return the embedding as :meth:`apply` would leave it; nothing changes."""
        state, _ = carry_out(self._states[self._cursor], self.resolve(manual))
        return self.embedding.with_vectors(state.transforms.apply(self.embedding.vectors, self.embedding.labels))

    def resolve(self, manual: ManualStep) -> InterventionStep:
        """Return a manual step as a record with class codes, not yet carried out; raises as :meth:`apply`."""
        return resolve_manual(manual, self.statistics, self.embedding.class_names, self._settings)

    def undo(self) -> InterventionStep:
        """Take back the last step and return it; AliError when there is none."""
        if self._cursor == 0:
            raise AliError("there is no step to undo")
        self._cursor -= 1
        self._tell("undo")
        return self._steps[self._cursor]

    def redo(self) -> InterventionStep:
        """Bring back the step undone last and return it; AliError when there is none."""
        if self._cursor == len(self._steps):
            raise AliError("there is no step to redo")
        self._cursor += 1
        self._tell("redo")
        return self._steps[self._cursor - 1]

    def reset(self) -> None:
        """Go back to the untouched embedding; :meth:`redo` still brings the steps back one by one."""
        self._cursor = 0
        self._tell("reset")

    def subscribe(self, listener: Callable[[SessionEvent], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; return a function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def describe(self, step: InterventionStep) -> str:
        """Return one line for people: what moved, away from what, how strongly."""
        return describe_step(step, self.embedding.class_names)

    def table(self) -> pd.DataFrame:
        """Return the steps in force as a table; see :func:`~ali_core.interventions.step_table.step_table`."""
        return step_table(self.steps, self.embedding.class_names)

    # Files ---------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write settings, steps and cursor as JSON, whole or not at all; the embedding is referred to by its hash."""
        saved = SavedSession.of(self.embedding, self._settings, tuple(self._steps), self._cursor)
        return saved.write(Path(path))

    @classmethod
    def load(cls, path: str | Path, embedding: LabelledEmbedding, *, criterion: Criterion | None = None) -> Self:
        """Read a session and replay its steps on ``embedding``; the numbers are those of the session that was saved.

        Raises
        ------
        AliError
            When the file is no session, or was recorded on another embedding (told by the hash).
        """
        saved = SavedSession.read(Path(path))
        saved.check(embedding, Path(path))
        session = cls(embedding, saved.settings)
        session.criterion = criterion
        session.replay(saved.steps)
        session._cursor = saved.cursor
        return session

    # Inside --------------------------------------------------------------------------------------------------------

    def _own_criterion(self) -> Criterion | None:
        """Return the function given, while the settings name it."""
        named = self.criterion is not None and criterion_name(self.criterion) == self._settings.criterion
        return self.criterion if named else None

    def _append(self, states: list[InterventionState], steps: list[InterventionStep]) -> None:
        if not steps:
            return
        self._states[self._cursor + 1 :] = states
        self._steps[self._cursor :] = steps
        self._moved = (-1, self.embedding)
        self._cursor += len(steps)
        self._tell("step")

    def _tell(self, kind: Literal["step", "undo", "redo", "reset", "settings"]) -> None:
        event, errors = SessionEvent(kind=kind, cursor=self._cursor), []
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # the others hear it first
                errors.append(error)
        if errors:
            raise errors[0]
