"""The branches of a session, as immutable values: each change returns a new value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ali_core.errors import AliError
from ali_core.interventions.state import InterventionState
from ali_core.interventions.steps import InterventionStep, carry_out

__all__ = ["FIRST_BRANCH", "Branches", "Line", "count_shared"]

FIRST_BRANCH = "main"
"""Name of the line that a session begins with."""

Done = tuple[tuple[InterventionStep, ...], tuple[InterventionState, ...]]


def carried_out(state: InterventionState, steps: Iterable[InterventionStep]) -> Done:
    """Carry out ``steps`` one after the other; return them with their outcomes, and the state after each."""
    done, states = [], []
    for step in steps:
        state, outcome = carry_out(state, step)
        done.append(outcome)
        states.append(state)
    return tuple(done), tuple(states)


def count_shared(one: Sequence[InterventionStep], other: Sequence[InterventionStep]) -> int:
    """Return how many steps two lists have in common from their start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((k for k, (first, second) in pairs if first != second), min(len(one), len(other)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """One branch: its steps in order, the state before and after each, and how many steps are in force.

    Parameters
    ----------
    name
        Of the branch.
    steps
        All of them, undone ones included.
    states
        One more than steps: the untouched state first.
    cursor
        How many steps are in force.
    twin
        The number of the step that was toggled last, and the line as it was before. Toggling the step again returns
        to that line and its states.
    """

    name: str
    steps: tuple[InterventionStep, ...] = ()
    states: tuple[InterventionState, ...]
    cursor: int = 0
    twin: "tuple[int, Line] | None" = None

    @property
    def state(self) -> InterventionState:
        """Where all classes are now."""
        return self.states[self.cursor]

    def state_at(self, cursor: int) -> InterventionState:
        """Return the state after the first ``cursor`` steps; AliError when there are not so many."""
        if not 0 <= cursor < len(self.states):
            raise AliError(f"this session has states 0 to {len(self.states) - 1}; there is no state {cursor}")
        return self.states[cursor]

    def moved_to(self, cursor: int) -> "Line":
        """Return the line with its first ``cursor`` steps in force."""
        return replace(self, cursor=cursor)

    def followed_by(self, done: Done) -> "Line":
        """Return the steps in force and then ``done``, all in force; undone steps are not among them."""
        steps, states = (*self.steps[: self.cursor], *done[0]), (*self.states[: self.cursor + 1], *done[1])
        return Line(name=self.name, steps=steps, states=states, cursor=len(steps))

    def toggled(self, number: int) -> "Line":
        """Return the line with step ``number`` (from 1) skipped, or no longer, and the later steps carried out anew."""
        if not 1 <= number <= len(self.steps):
            raise AliError(f"there is no step {number} to toggle; this branch has {len(self.steps)} steps")
        if self.twin is not None and self.twin[0] == number:
            other = self.twin[1]
        else:
            step = self.steps[number - 1]
            flipped = step.model_copy(update={"skipped": not step.skipped})
            start = self.moved_to(number - 1)
            other = start.followed_by(carried_out(start.state, (flipped, *self.steps[number:])))
        return replace(other, name=self.name, cursor=self.cursor, twin=(number, replace(self, twin=None)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Branches:
    """All lines of a session, in the order in which they were made, and the name of the one that is worked on.

    Parameters
    ----------
    lines
        At least one, of different names.
    current
        Name of one of them.
    """

    lines: tuple[Line, ...]
    current: str = FIRST_BRANCH

    @classmethod
    def recorded(
        cls,
        initial: InterventionState,
        records: Iterable[tuple[str, tuple[InterventionStep, ...], int]],
        current: str,
    ) -> "Branches":
        """Carry out recorded lines, as (name, steps, cursor); what two of them share is carried out once."""
        lines: list[Line] = []
        made: list[Line] = []  # with the outcomes of the record, to be compared
        for name, steps, cursor in records:
            shared = [(count_shared(line.steps, steps), found) for line, found in zip(made, lines, strict=True)]
            count, source = max(shared, key=lambda pair: pair[0], default=(0, Line(name=name, states=(initial,))))
            start = source.moved_to(count)
            line = replace(start.followed_by(carried_out(start.state, steps[count:])), name=name)
            lines.append(line.moved_to(cursor))
            made.append(replace(line, steps=steps))
        return cls(lines=tuple(lines), current=current)

    @property
    def line(self) -> Line:
        """The line that is worked on."""
        return self.named(self.current)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all lines, in the order in which they were made."""
        return tuple(line.name for line in self.lines)

    def named(self, name: str) -> Line:
        """Return the line called ``name``; AliError lists the names when there is none."""
        found = next((line for line in self.lines if line.name == name), None)
        if found is None:
            raise AliError(f"there is no branch {name!r}; the branches are {', '.join(self.names)}")
        return found

    def with_line(self, line: Line) -> "Branches":
        """Return the branches with ``line`` in the place of the one that is worked on."""
        lines = tuple(line if old.name == self.current else old for old in self.lines)
        return Branches(lines=lines, current=line.name)

    def followed_by(self, done: Done) -> "Branches":
        """Return the branches after new steps.

        Steps that equal the next undone ones bring those back. Else, where there are undone steps, the line stays as
        it was, all its steps in force, and the new steps go on under a new name.
        """
        old, (steps, states) = self.line, done
        same = count_shared(old.steps[old.cursor :], steps)
        old = old.moved_to(old.cursor + same)
        if same == len(steps):
            return self.with_line(old)
        new = old.followed_by((steps[same:], states[same:]))
        if old.cursor == len(old.steps):
            return self.with_line(new)
        kept = self.with_line(old.moved_to(len(old.steps)))
        new = replace(new, name=self._new_name())
        return Branches(lines=(*kept.lines, new), current=new.name)

    def switched(self, name: str) -> "Branches":
        """Return the branches with the line called ``name`` as the one that is worked on."""
        return replace(self, current=self.named(name).name)

    def renamed(self, new: str, old: str) -> "Branches":
        """Return the branches with the line ``old`` called ``new``."""
        self.named(old)
        if not new.strip():
            raise AliError("a branch needs a name that is not empty")
        if new != old and new in self.names:
            raise AliError(f"there is a branch {new!r} already; take another name")
        lines = tuple(replace(line, name=new) if line.name == old else line for line in self.lines)
        return Branches(lines=lines, current=new if self.current == old else self.current)

    def without(self, name: str) -> "Branches":
        """Return the branches without the line called ``name``, which must not be the one that is worked on."""
        self.named(name)
        if name == self.current:
            raise AliError(f"branch {name!r} is the one you work on; switch to another one before you drop it")
        return replace(self, lines=tuple(line for line in self.lines if line.name != name))

    def joined(self, other: "Branches") -> "Branches":
        """Return these branches and those of ``other``, with the one worked on there as the one that is worked on.

        A line that is here already, step by step, takes the other's cursor; a taken name is replaced by a new one.
        Lines without steps are left out here.
        """
        joined, names = Branches(lines=tuple(line for line in self.lines if line.steps)), {}
        for line in other.lines:
            twin = next((own for own in joined.lines if own.steps == line.steps), None)
            name = twin.name if twin else joined._new_name() if line.name in joined.names else line.name
            added = replace(line, name=name) if twin is None else replace(twin, cursor=line.cursor)
            joined = Branches(lines=(*(own for own in joined.lines if own is not twin), added))
            names[line.name] = name
        return replace(joined, current=names[other.current])

    def _new_name(self) -> str:
        number = len(self.lines) + 1
        while f"branch {number}" in self.names:
            number += 1
        return f"branch {number}"
