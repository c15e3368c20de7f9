"""A session as a JSON file: readable by people, checked when it is read."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.files import write_text
from ali_core.foreign import read_text
from ali_core.interventions.branches import FIRST_BRANCH, Branches
from ali_core.interventions.settings import InterventionSettings, Record
from ali_core.interventions.steps import InterventionStep, fault_of

__all__ = ["SavedSession"]


class EmbeddingReference(Record):
    """Which embedding a session belongs to.

    Parameters
    ----------
    fingerprint
        SHA-256 of its numbers; see :class:`~ali_core.embedding.LabelledEmbedding`.
    file
        Name of the file it came from, without the folder; None when it came from memory.
    n_samples, dim
        Its shape.
    class_names
        What the class codes of the steps mean.
    """

    fingerprint: str
    file: str | None
    n_samples: int
    dim: int
    class_names: tuple[str, ...]


class SavedBranch(Record):
    """One line of steps beside the one that was worked on.

    Parameters
    ----------
    name
        Of the branch.
    steps
        All its steps, undone ones included.
    cursor
        How many of them are in force.
    """

    name: Annotated[str, Field(min_length=1)]
    steps: tuple[InterventionStep, ...]
    cursor: Annotated[int, Field(ge=0)]


class SavedSession(Record):
    """The content of a session file.

    Parameters
    ----------
    format, version
        What the file is.
    embedding
        Which embedding it belongs to.
    settings
        Of the next automatic steps.
    steps
        All steps of the branch that was worked on, undone ones included.
    cursor
        How many of them are in force.
    branch
        Name of that branch.
    others
        The other branches, in the order in which they were made.
    n_older
        How many of them were made before the one that was worked on.

    Notes
    -----
    Version 1 had neither branches nor skipped steps nor displacements; such files are read as well.
    """

    format: Literal["ali-session"] = "ali-session"
    version: Literal[1, 2] = 2
    embedding: EmbeddingReference
    settings: InterventionSettings
    steps: tuple[InterventionStep, ...]
    cursor: Annotated[int, Field(ge=0)]
    branch: Annotated[str, Field(min_length=1)] = FIRST_BRANCH
    others: tuple[SavedBranch, ...] = ()
    n_older: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def of(cls, embedding: LabelledEmbedding, settings: InterventionSettings, branches: Branches) -> Self:
        """Collect what a session file holds."""
        reference = EmbeddingReference(
            fingerprint=embedding.fingerprint,
            file=embedding.source.name if embedding.source else None,
            n_samples=len(embedding),
            dim=embedding.dim,
            class_names=embedding.class_names,
        )
        line, place = branches.line, branches.names.index(branches.current)
        saved = [SavedBranch(name=other.name, steps=other.steps, cursor=other.cursor) for other in branches.lines]
        return cls(
            embedding=reference,
            settings=settings,
            steps=line.steps,
            cursor=line.cursor,
            branch=line.name,
            others=(*saved[:place], *saved[place + 1 :]),
            n_older=place,
        )

    @property
    def branches(self) -> tuple[SavedBranch, ...]:
        """All branches in the order in which they were made."""
        own = SavedBranch(name=self.branch, steps=self.steps, cursor=self.cursor)
        return (*self.others[: self.n_older], own, *self.others[self.n_older :])

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a session file; AliError when there is none or it is damaged."""
        try:
            content: Any = json.loads(read_text(path, "session file"))
        except AliError:
            raise
        except (ValueError, RecursionError) as error:
            raise AliError(f"{path.name} is not a readable session file: {error}") from None
        if not isinstance(content, dict) or content.get("format") != "ali-session":
            raise AliError(f"{path.name} is not a session file; its JSON has no format 'ali-session'")
        try:
            saved = cls.model_validate(content)
        except (AliError, ValidationError, TypeError, RecursionError, OverflowError) as error:
            raise AliError(
                f"{path.name} is damaged or from another version: {' '.join(str(error).split()):.300}"
            ) from None
        saved._check_branches(path)
        saved._check_steps(path, np.ones(len(saved.embedding.class_names), dtype=bool))
        return saved

    def write(self, path: Path) -> Path:
        """Write the file, whole or not at all."""
        return write_text(self.model_dump_json(indent=1) + "\n", path)

    def as_recorded(self, embedding: LabelledEmbedding) -> LabelledEmbedding:
        """Return the embedding; in float64 if it was recorded so, as parquet columns of float32 once were read."""
        if embedding.vectors.dtype == np.float32 and embedding.fingerprint != self.embedding.fingerprint:
            wide = embedding.with_vectors(embedding.vectors.astype(np.float64))
            return wide if wide.fingerprint == self.embedding.fingerprint else embedding
        return embedding

    def check(self, embedding: LabelledEmbedding, path: Path) -> None:
        """Raise AliError unless ``embedding`` is the one that the session was recorded on."""
        if embedding.fingerprint != self.embedding.fingerprint:
            wanted = self.embedding
            raise AliError(
                f"{path.name} was recorded on another embedding ({wanted.file or 'unnamed'}: {wanted.n_samples} "
                f"samples, {wanted.dim} dimensions, hash {wanted.fingerprint[:12]}…); this one has {len(embedding)} "
                f"samples, {embedding.dim} dimensions, hash {embedding.fingerprint[:12]}…: give the file it was "
                "recorded on"
            )
        self._check_steps(path, embedding.counts > 0)

    def _check_branches(self, path: Path) -> None:
        names = [branch.name for branch in self.branches]
        sound = self.n_older <= len(self.others) and len(set(names)) == len(names)
        sound &= all(branch.cursor <= len(branch.steps) for branch in self.branches)
        if not sound:
            raise AliError(
                f"{path.name} is damaged: a branch or the cursor points at something that is not in the file"
            )

    def _check_steps(self, path: Path, present: NDArray[np.bool_]) -> None:
        for branch in self.branches:
            for number, step in enumerate(branch.steps, start=1):
                if fault := fault_of(step, present, self.embedding.dim):
                    raise AliError(f"{path.name} is damaged: step {number} of {branch.name!r}: {fault}")
