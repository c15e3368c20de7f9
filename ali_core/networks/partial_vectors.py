"""The vectors of an unfinished embedding on disk, with which an interrupted one continues.

A folder ``<out>.partial/`` with ``vectors.f32`` (the finished rows, little-endian float32, one after the other) and
``state.json`` (what the rows were computed from, and how many count). Rows are on the disk before the count moves on.
"""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.files import write_text

__all__ = ["PartialVectors"]

_LOG = logging.getLogger(__name__)
_ROWS, _STATE = "vectors.f32", "state.json"


class PartialVectors:
    """Rows 0 to ``done`` - 1 of an array of ``width`` columns.

    Parameters
    ----------
    folder
        Where the rows are kept.
    origin
        What the rows follow from: only rows of an equal origin are continued. Values that JSON keeps as they are.
    width
        Numbers per row.
    done
        How many rows of the file are valid.
    """

    def __init__(self, folder: Path, origin: Mapping[str, Any], *, width: int, done: int = 0) -> None:
        self.folder, self.origin, self.width, self.done = folder, dict(origin), width, done

    @classmethod
    def open(cls, folder: Path, origin: Mapping[str, Any], *, width: int) -> Self:
        """Continue what ``folder`` holds if it has the same origin; otherwise warn, naming why, and start anew."""
        if folder.is_symlink():
            raise AliError(f"{folder} is a link to another place; remove it, or choose another --out")
        state = _read_state(folder)
        if state is None:
            return cls(folder, origin, width=width)
        wanted = {**origin, "width": width}
        changed = [name for name, value in wanted.items() if state.get(name) != value]
        if changed:
            _LOG.warning("%s was left by a run with other %s; starting anew", folder, " and ".join(changed))
            return cls(folder, origin, width=width)
        rows_there = (folder / _ROWS).stat().st_size // (4 * width) if (folder / _ROWS).is_file() else 0
        return cls(folder, origin, width=width, done=min(int(state["done"]), rows_there))

    def append(self, vectors: NDArray[np.float32]) -> None:
        """Write ``vectors``, shape (n, width), behind the rows that are done."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Appending, not a memory map: a full disk is then an error that can be reported, and not a killed process.
        with (self.folder / _ROWS).open("r+b" if self.done else "wb") as file:
            file.seek(self.done * self.width * 4)
            file.write(np.ascontiguousarray(vectors, dtype="<f4").data)
            file.flush()
            os.fsync(file.fileno())
        self.done += len(vectors)
        state = {**self.origin, "width": self.width, "done": self.done}
        write_text(json.dumps(state, indent=1), self.folder / _STATE)

    def read(self) -> NDArray[np.float32]:
        """Return the rows that are done, shape (done, width)."""
        if not self.done:
            return np.empty((0, self.width), dtype=np.float32)
        values = np.fromfile(self.folder / _ROWS, dtype="<f4", count=self.done * self.width)
        return values.astype(np.float32, copy=False).reshape(self.done, self.width)

    def remove(self) -> None:
        """Delete the two files, and the folder if nothing else lies in it."""
        for name in (_ROWS, _STATE):
            (self.folder / name).unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def _read_state(folder: Path) -> dict[str, Any] | None:
    path = folder / _STATE
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = json.loads(path.read_text())
        readable = int(state["done"]) >= 0
    except (ValueError, KeyError, TypeError, OverflowError):
        readable = False
    if not readable:
        _LOG.warning("%s cannot be read; starting anew", path)
    return state if readable else None
