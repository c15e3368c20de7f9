"""What can be asked of a session; nothing here changes it."""

from collections import deque
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions.branches import FIRST_BRANCH, Branches, Line
from ali_core.interventions.class_transforms import ClassTransforms
from ali_core.interventions.criteria import Criterion, criterion_name
from ali_core.interventions.manual import ManualStep, resolve_manual
from ali_core.interventions.proposal import Proposal, propose
from ali_core.interventions.session_code import session_code
from ali_core.interventions.session_events import SessionLock
from ali_core.interventions.settings import InterventionSettings
from ali_core.interventions.state import InterventionState
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.step_table import describe_step, step_table
from ali_core.interventions.steps import InterventionStep, carry_out, fault_of

__all__ = ["ReadableSession"]

RECENT = 3
"""How many states keep the matrices of their maps, the ones asked for last; all others make them anew when asked."""


class ReadableSession:
    """An embedding, lines of steps on it, and the settings of the next ones: to be read.

    Parameters
    ----------
    embedding
        What is moved.
    settings
        Of the next steps.
    criterion
        A criterion of one's own, or None.
    """

    def __init__(
        self, embedding: LabelledEmbedding, settings: InterventionSettings, criterion: Criterion | None
    ) -> None:
        self.embedding = embedding
        self.criterion = criterion
        self.lock = SessionLock()
        self._settings = settings
        initial = InterventionState.untouched(
            ClassStatistics.from_samples(
                embedding.vectors, embedding.labels, embedding.n_classes, spread=settings.spread
            )
        )
        self._branches = Branches(lines=(Line(name=FIRST_BRANCH, states=(initial,)),))
        self._moved: tuple[InterventionState, LabelledEmbedding] = (initial, embedding)
        self._recent: deque[ClassTransforms] = deque(maxlen=RECENT)

    # The steps -----------------------------------------------------------------------------------------------------

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

    def table(self) -> pd.DataFrame:
        """Return the steps in force as a table; see :func:`~ali_core.interventions.step_table.step_table`."""
        return step_table(self.steps, self.embedding.class_names)

    def as_code(self) -> str:
        """Return a Python script that does the same: it loads the embedding and takes the steps in force.

        Run where the embedding file is found, it leaves ``session.after.vectors`` bit for bit as they are here. Steps
        that Ω would choose again are asked of Ω; all others are written out.
        """
        line = self._branches.line
        return session_code(self.embedding, self._settings, line.states[0], line.steps[: line.cursor])

    # Where the classes are -----------------------------------------------------------------------------------------

    @property
    def statistics(self) -> ClassStatistics:
        """Class statistics of the embedding as it is now."""
        return self._branches.line.state.statistics

    @property
    def transforms(self) -> ClassTransforms:
        """θ of each class: all steps in force as one map a class."""
        return self._transforms_of(self._branches.line.state)

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
        return propose(line.state, self._settings, line.cursor, self._own_criterion())

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
        """Return the function given, while the settings name it."""
        named = self.criterion is not None and criterion_name(self.criterion) == self._settings.criterion
        return self.criterion if named else None

    def _transforms_of(self, state: InterventionState) -> ClassTransforms:
        """Return the maps of ``state``, and hold them for a while: matrices that nobody holds are made anew."""
        transforms = state.transforms
        self._recent.append(transforms)
        return transforms

    def _embedding_at(self, state: InterventionState) -> LabelledEmbedding:
        if state is self._branches.line.states[0]:
            return self.embedding
        moved = self._transforms_of(state).apply(self.embedding.vectors, self.embedding.labels)
        return self.embedding.with_vectors(moved)
