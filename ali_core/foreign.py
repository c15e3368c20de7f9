"""Files that somebody else may have written: looked at before they are opened; what readers raise, in one line.

A small file can claim a large array, or be packed from one. A file may therefore take at most :func:`most_bytes` in
memory; the environment variable ``ALI_MOST_BYTES`` sets another limit.
"""

import gzip
import json
import math
import os
import stat
import tokenize
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ali_core.errors import AliError

__all__ = [
    "check_archive",
    "check_arrays",
    "check_gzip",
    "check_size",
    "most_bytes",
    "read_json",
    "read_text",
    "read_toml",
    "reading",
    "regular_file",
]

VARIABLE = "ALI_MOST_BYTES"
FLOOR = 1 << 28
"""What any file may take, 256 MB."""
FOLD = 20
"""How many times its size a larger file may take: vectors hardly shrink when they are packed, text about ten times."""
MOST_TEXT = 1 << 28
"""Largest settings, session or record, in bytes."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BLOCK = 1 << 20


def regular_file(path: Path, what: str = "file") -> int:
    """Return the size of a file in bytes; AliError when there is none, or it is a device or a pipe."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        raise AliError(f"there is no {what} {path}") from None
    if not stat.S_ISREG(about.st_mode):
        raise AliError(f"{path} is no regular {what}, but a folder, a device or a pipe; give a file")
    return about.st_size


def most_bytes(size: int) -> int:
    """Return how much memory a file of ``size`` bytes may take: ``ALI_MOST_BYTES``, or 256 MB or 20 times its size."""
    told = os.environ.get(VARIABLE, "")
    if not told:
        return max(FLOOR, FOLD * size)
    try:
        return int(float(told))
    except (ValueError, OverflowError):
        raise AliError(f"{VARIABLE} must be a number of bytes such as 8e9; got {told!r}") from None


def check_size(path: Path, n_bytes: float) -> None:
    """Raise AliError when what ``path`` claims to hold is beyond :func:`most_bytes`."""
    most = most_bytes(regular_file(path))
    if n_bytes > most:
        raise AliError(
            f"{path.name} is {path.stat().st_size:,} bytes long and would take {n_bytes:.3g} in memory, but at most "
            f"{most:.3g} are let in; if you trust it, set {VARIABLE} to more"
        )


def check_arrays(path: Path) -> None:
    """Look at the arrays that a ``.npz`` or ``.npy`` file claims, before they are read.

    Raises
    ------
    AliError
        When they are larger than their bytes in the file, or all together than :func:`most_bytes`; when a member is
        packed by a method that numpy does not write.
    """
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            _check_header(file, path.stat().st_size, path)
            return
        check_archive(path)
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".npy"):
                    with archive.open(member) as opened:
                        _check_header(opened, member.file_size, path)  # type: ignore[arg-type]


def check_archive(path: Path) -> None:
    """Raise AliError when a zip archive holds more than :func:`most_bytes`, or is packed by a method nobody writes."""
    if not zipfile.is_zipfile(path):
        return
    with reading(path, "archive"), zipfile.ZipFile(path) as archive:
        check_size(path, sum(member.file_size for member in archive.infolist()))
        odd = [member.filename for member in archive.infolist() if member.compress_type not in METHODS]
    if odd:
        raise AliError(f"{path.name}: {odd[0]} is packed by an unknown method; save it again, not packed or by deflate")


def _check_header(file: BinaryIO, size: int, path: Path) -> None:
    """Raise AliError when an array is claimed that is larger than ``size``; what is no array is left to numpy."""
    try:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            return
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    except (ValueError, TypeError, SyntaxError, KeyError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise AliError(f"{path.name} is not a readable numpy file: {reason(error)}") from None
    if dtype.hasobject:
        return  # numpy refuses it
    if any(length < 0 for length in shape) or math.prod(shape) * max(dtype.itemsize, 1) > size:
        raise AliError(f"{path.name} claims an array of shape {shape} and type {dtype}, but holds less; save it again")


def check_gzip(path: Path) -> None:
    """Unpack a ``.gz`` file without keeping it; AliError when it is beyond :func:`most_bytes`."""
    most, n_bytes = most_bytes(regular_file(path)), 0
    with gzip.open(path) as file:
        while block := file.read(BLOCK):
            n_bytes += len(block)
            if n_bytes > most:
                check_size(path, n_bytes)


def read_text(path: Path, what: str) -> str:
    """Return a small text file of UTF-8; AliError when it is missing, no regular file, too long, or not UTF-8."""
    if regular_file(path, what) > MOST_TEXT:
        raise AliError(f"{path} is {path.stat().st_size:,} bytes long; a {what} has at most {MOST_TEXT:,}")
    with reading(path, what):
        return path.read_text(encoding="utf-8")


def read_json(path: Path, what: str) -> Any:  # noqa: ANN401  # JSON
    """Return the content of a JSON file; AliError as :func:`read_text`, and when it is no JSON or nested too deeply."""
    text = read_text(path, what)
    with reading(path, what):
        return json.loads(text)


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Return the content of a TOML file; AliError as :func:`read_text`, and when it is no TOML or nested too deeply."""
    text = read_text(path, what)
    with reading(path, "TOML file"):
        return tomllib.loads(text)


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a library raises while it reads a file into one AliError that names file and reason."""
    try:
        yield
    except AliError:
        raise
    except MemoryError:
        raise AliError(f"{path.name} needs more memory than there is") from None
    except Exception as error:  # libraries raise what their parsers meet: dozens of kinds
        raise AliError(f"{path.name} is not a readable {what}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Return what an exception says in one short line, with its kind where it says little."""
    said: Any = " ".join(str(error).split())[:200]
    kind = type(error).__name__
    return said if isinstance(error, OSError) or len(said.split()) > 3 else f"{kind} {said}".strip()
