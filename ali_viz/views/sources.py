"""From what a person gives (a path, an embedding, a session, a training) to a Session."""

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import pandas as pd

from ali_core.columns import Columns
from ali_core.data import CellImages
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import Session, session_embedding
from ali_core.interventions.session_embedding import only_embedding

if TYPE_CHECKING:
    from ali_core.training import LiveTraining, Training

__all__ = ["Images", "Source", "open_session", "open_source"]

Source = Union[str, Path, LabelledEmbedding, pd.DataFrame, Session, "Training", "LiveTraining", Any]
"""``Any`` stands for AnnData, which need not be installed."""
Images = str | Path | CellImages

SESSION_NAME = "session.json"


def open_source(
    source: Source, control: "Training | None" = None, columns: Columns | None = None
) -> tuple[Session, "LiveTraining | None"]:
    """Return the session to show, and the training that it belongs to when ``source`` is one.

    Raises
    ------
    AliError
        As :func:`open_session` does; or for a ``control`` without a training.
    """
    if "ali_core.training.loop" in sys.modules:  # who has a training has imported it; nobody else waits for torch
        from ali_core.training import LiveTraining, Training  # noqa: PLC0415

        if isinstance(source, Training):
            source = LiveTraining.of(source, control=control)
        if isinstance(source, LiveTraining):
            if columns is not None and columns.given:
                raise AliError(
                    f"{', '.join(columns.given)} belong to the data of a training: give them to open_images or "
                    "LabelledEmbedding.load, then train"
                )
            return source.session or Session(source.state.embedding), source
    if control is not None:
        raise AliError("control is for a training only; give epochs(data, settings) as the source")
    return open_session(source, columns), None


def open_session(source: Source, columns: Columns | None = None) -> Session:
    """Return the session that ``source`` stands for.

    Parameters
    ----------
    source
        A session (returned as it is), an embedding, an embedding file, a session file with its embedding file beside
        it, or a folder that holds ``embedding.npz`` (or one embedding file) and perhaps ``session.json``.
    columns
        What is what in a file, a frame or AnnData; None for the usual names.

    Raises
    ------
    AliError
        When there is no such file, or what it holds is no embedding or no session; when columns are named of what is
        an embedding already.
    """
    given = {} if columns is None else columns.given
    if isinstance(source, Session | LabelledEmbedding):
        return _of_what_is_read(source, **given)
    if isinstance(source, pd.DataFrame):
        return Session(LabelledEmbedding.from_frame(source, **given))
    if hasattr(source, "obs_names") and hasattr(source, "obsm"):
        return Session(LabelledEmbedding.from_anndata(source, **given))
    if not isinstance(source, str | Path):
        raise AliError(
            "give a path, a LabelledEmbedding, a frame, an AnnData object, a Session or a Training; got "
            f"{type(source).__name__}"
        )
    path = Path(source).expanduser()
    if path.is_dir():
        return _of_folder(path, given)
    if not path.exists():
        raise AliError(f"there is no file or folder {path}")
    if path.suffix == ".json":
        return Session.load(path, LabelledEmbedding.load(session_embedding(path), **given))
    return Session(LabelledEmbedding.load(path, **given))


def _of_what_is_read(
    source: Session | LabelledEmbedding,
    colours: Mapping[str, str] | None = None,
    **columns: Any,  # noqa: ANN401  # none that is allowed
) -> Session:
    if columns:
        raise AliError(f"{', '.join(columns)} name columns of a file, a frame or AnnData; this is read already")
    if isinstance(source, LabelledEmbedding):
        changed = {**source.colours, **(colours or {})}
        return Session(source if changed == source.colours else dataclasses.replace(source, colours=changed))
    if colours:
        raise AliError("colours belong to the embedding of a session: give them to the embedding, then make it")
    return source


def _of_folder(folder: Path, given: dict[str, Any]) -> Session:
    session_file = folder / SESSION_NAME
    if session_file.exists():
        return Session.load(session_file, LabelledEmbedding.load(session_embedding(session_file), **given))
    return Session(LabelledEmbedding.load(only_embedding(folder), **given))
