"""Files that are either whole or absent."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["atomic_path", "write_csv"]


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Write to a temporary neighbour of ``path`` and move it there once all is written.

    Parameters
    ----------
    path
        Where the file shall be; its folder is made if it is missing.

    Yields
    ------
    pathlib.Path
        A temporary file in the same folder, with the same suffix. It replaces ``path`` in one move when the block
        ends, and is removed when the block raises, so that an older ``path`` survives a failed write.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(table: "pd.DataFrame", path: str | Path) -> Path:
    """Write ``table`` without its index, whole or not at all, and return the path."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)
    return Path(path)
