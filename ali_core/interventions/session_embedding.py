"""Which file holds the embedding that a session was recorded on."""

from pathlib import Path

from ali_core.embedding_files import WRITTEN
from ali_core.errors import AliError
from ali_core.interventions.session_file import SavedSession

__all__ = ["only_embedding", "session_embedding"]

USUAL_NAME = "embedding.npz"


def session_embedding(session_file: str | Path) -> Path:
    """Return the embedding file beside ``session_file``: the one that it names, else the only one there is.

    Raises
    ------
    AliError
        When the file is no session, or no embedding file can be told to be its own. Whether the embedding is the one
        that was recorded on is checked by :meth:`~ali_core.interventions.Session.load`.
    """
    path = Path(session_file)
    named = SavedSession.read(path).embedding.file
    if named is None:
        return only_embedding(path.parent)
    if len(named.encode()) > 255 or named in {"", ".", ".."} or any(mark in named for mark in "/\\\0:"):
        raise AliError(
            f"{path.name} names {named[:80]!r} as its embedding; it must be the name of a file beside it, without a "
            "folder"
        )
    return path.parent / named if (path.parent / named).exists() else only_embedding(path.parent)


def only_embedding(folder: Path) -> Path:
    """Return ``embedding.npz`` of ``folder``, else its only embedding file; AliError when there is none or several."""
    if (folder / USUAL_NAME).exists():
        return folder / USUAL_NAME
    found = sorted(path for path in folder.iterdir() if path.name.endswith(WRITTEN))
    if len(found) != 1:
        there = ", ".join(path.name for path in found) or "none"
        raise AliError(f"{folder} must hold {USUAL_NAME} or exactly one embedding file; it holds {there}")
    return found[0]
