"""A session as a JSON file: readable by people, checked when it is read."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.files import atomic_path
from ali_core.interventions.settings import InterventionSettings, Record
from ali_core.interventions.steps import InterventionStep

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
        All steps, undone ones included.
    cursor
        How many of them are in force.
    """

    format: Literal["ali-session"] = "ali-session"
    version: Literal[1] = 1
    embedding: EmbeddingReference
    settings: InterventionSettings
    steps: tuple[InterventionStep, ...]
    cursor: Annotated[int, Field(ge=0)]

    @classmethod
    def of(
        cls,
        embedding: LabelledEmbedding,
        settings: InterventionSettings,
        steps: tuple[InterventionStep, ...],
        cursor: int,
    ) -> Self:
        """Collect what a session file holds."""
        reference = EmbeddingReference(
            fingerprint=embedding.fingerprint,
            file=embedding.source.name if embedding.source else None,
            n_samples=len(embedding),
            dim=embedding.dim,
            class_names=embedding.class_names,
        )
        return cls(embedding=reference, settings=settings, steps=steps, cursor=cursor)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a session file; AliError when there is none or it is damaged."""
        try:
            content: Any = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AliError(f"there is no session file {path}") from None
        except (OSError, ValueError, RecursionError) as error:
            raise AliError(f"{path.name} is not a readable session file: {error}") from None
        if not isinstance(content, dict) or content.get("format") != "ali-session":
            raise AliError(f"{path.name} is not a session file; its JSON has no format 'ali-session'")
        try:
            saved = cls.model_validate(content)
        except (AliError, ValidationError, TypeError) as error:
            raise AliError(
                f"{path.name} is damaged or from another version: {' '.join(str(error).split()):.300}"
            ) from None
        saved._check_codes(path)
        return saved

    def write(self, path: Path) -> Path:
        """Write the file, whole or not at all."""
        with atomic_path(path) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return path

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
        empty = {code for step in self.steps for code in step.classes if not embedding.counts[code]}
        if empty:
            raise AliError(f"{path.name} is damaged: it moves class {min(empty)}, which has no sample")

    def _check_codes(self, path: Path) -> None:
        known = set(range(len(self.embedding.class_names)))
        sound = self.cursor <= len(self.steps)
        for step in self.steps:
            sound &= len(set(step.classes)) == len(step.classes) == len(step.neighbours) > 0
            for code, group in zip(step.classes, step.neighbours, strict=False):
                sound &= {code, *group} <= known and code not in group
        if not sound:
            raise AliError(f"{path.name} is damaged: a step or the cursor points at something that is not in the file")
