"""From what a person gives (a path, an embedding, a session, a training) to a Session."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Union

from ali_core.data import CellImages
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import SavedSession, Session

if TYPE_CHECKING:
    from ali_core.training import LiveTraining, Training

__all__ = ["Images", "Source", "open_session", "open_source"]

Source = Union[str, Path, LabelledEmbedding, Session, "Training", "LiveTraining"]
Images = str | Path | CellImages

EMBEDDING_SUFFIXES = (".npz", ".parquet", ".csv", ".h5ad")
SESSION_NAME = "session.json"


def open_source(source: Source, control: "Training | None" = None) -> tuple[Session, "LiveTraining | None"]:
    """Return the session to show, and the training that it belongs to when ``source`` is one.

    Raises
    ------
    AliError
        As :func:`open_session` does; or for a ``control`` without a training.
    """
    if "ali_core.training" in sys.modules:  # who has a training has imported it; nobody else waits for torch
        from ali_core.training import LiveTraining, Training  # noqa: PLC0415

        if isinstance(source, Training):
            source = LiveTraining.of(source, control=control)
        if isinstance(source, LiveTraining):
            return source.session or Session(source.state.embedding), source
    if control is not None:
        raise AliError("control is for a training only; give epochs(data, settings) as the source")
    return open_session(source), None


def open_session(source: Source) -> Session:
    """Return the session that ``source`` stands for.

    Parameters
    ----------
    source
        A session (returned as it is), an embedding, an embedding file, a session file with its embedding file beside
        it, or a folder that holds ``embedding.npz`` (or one embedding file) and perhaps ``session.json``.

    Raises
    ------
    AliError
        When there is no such file, or what it holds is no embedding or no session.
    """
    if isinstance(source, Session):
        return source
    if isinstance(source, LabelledEmbedding):
        return Session(source)
    if not isinstance(source, str | Path):
        raise AliError(f"give a path, a LabelledEmbedding, a Session or a Training; got {type(source).__name__}")
    path = Path(source).expanduser()
    if path.is_dir():
        return _of_folder(path)
    if not path.exists():
        raise AliError(f"there is no file or folder {path}")
    if path.suffix == ".json":
        return Session.load(path, LabelledEmbedding.load(_embedding_of(path)))
    return Session(LabelledEmbedding.load(path))


def _of_folder(folder: Path) -> Session:
    session_file = folder / SESSION_NAME
    if session_file.exists():
        return Session.load(session_file, LabelledEmbedding.load(_embedding_of(session_file)))
    return Session(LabelledEmbedding.load(_only_embedding(folder)))


def _embedding_of(session_file: Path) -> Path:
    named = SavedSession.read(session_file).embedding.file
    if named is not None and (session_file.parent / named).exists():
        return session_file.parent / named
    return _only_embedding(session_file.parent)


def _only_embedding(folder: Path) -> Path:
    usual = folder / "embedding.npz"
    if usual.exists():
        return usual
    found = sorted(path for path in folder.iterdir() if path.suffix in EMBEDDING_SUFFIXES)
    if len(found) != 1:
        there = ", ".join(path.name for path in found) or "none"
        raise AliError(f"{folder} must hold embedding.npz or exactly one embedding file; it holds {there}")
    return found[0]
