"""Files that are either whole or absent."""

import os
import re
import socket
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

HOST = f"{zlib.crc32(socket.gethostname().encode()):08x}"
OWN = re.compile(r"\.ali-([0-9a-f]{8})-(\d+)-")
"""In the name of every temporary file of ours: the machine and the number of the process that writes it."""

STALE_SECONDS = 3600
"""A temporary file is left over when its process has ended and nothing was written to it for so long."""

_ASKING = threading.Lock()
"""Held while the permissions of new files are asked for, which is done by changing them for a moment."""


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
        ends, and is removed when the block raises, so that an older ``path`` survives a failed write. Temporary files
        of the same ``path`` that killed processes have left are removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    prefix = f".{path.stem}.ali-{HOST}-{os.getpid()}-"
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with _ASKING:
            umask = os.umask(0)
            os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove temporary files of ``path`` whose processes, of this machine, have ended: regular ones that are old."""
    start = f".{path.stem}.ali-"
    with os.scandir(path.parent) as entries:
        left = [entry for entry in entries if entry.name.startswith(start) and entry.name.endswith(path.suffix)]
    for entry in left:
        named = OWN.match(entry.name, len(start) - len(".ali-"))
        if named is None or named[1] != HOST or not entry.is_file(follow_symlinks=False) or _lives(int(named[2])):
            continue
        if time.time() - entry.stat(follow_symlinks=False).st_mtime > STALE_SECONDS:
            with suppress(OSError):  # another process was faster, or it is somebody else's
                Path(entry.path).unlink()


def _lives(process: int) -> bool:
    if os.name != "posix":  # where asking would end it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def write_text(text: str, path: str | Path) -> Path:
    r"""Write ``text`` in UTF-8, its lines ended by ``\n`` on all systems, whole or not at all, and return the path."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)


def write_csv(table: "pd.DataFrame", path: str | Path) -> Path:
    """Write ``table`` without its index, whole or not at all, and return the path."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)
    return Path(path)


def read_csv(path: str | Path) -> "pd.DataFrame":
    """Read a table with the very numbers that :func:`write_csv` wrote."""
    import pandas as pd  # noqa: PLC0415  # slow to import

    as_written = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)  # before, it had to be asked for
    return pd.read_csv(path) if as_written else pd.read_csv(path, float_precision="round_trip")
