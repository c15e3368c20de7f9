"""A server in another process, on this machine, until Ctrl-C or the end of this process, however it ends."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import filelock

__all__ = ["ONLY_THIS_HOST", "free_port", "private_folder", "run_server"]

STOP_SECONDS = 5
LOCK = "in-use.lock"

ONLY_THIS_HOST = "; ".join(
    (
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:",
        "connect-src 'self' data: blob: ws://127.0.0.1:* ws://localhost:*",
        "frame-ancestors 'self'",
        "form-action 'self'",
        "base-uri 'self'",
    )
)
"""Content-Security-Policy of the pages: a browser asks no other host for anything, whatever a notebook shows."""


def run_server(
    command: Sequence[str], environment: Mapping[str, str], started: Callable[[], None] | None = None
) -> int:
    """Run a server and wait until it ends; Ctrl-C ends it and is no failure.

    Parameters
    ----------
    command
        Python, ``-m``, a module and its arguments.
    environment
        Of the server, whole.
    started
        Called once the process runs; it must not wait for the server.

    Returns
    -------
    int
        Exit status of the server; 0 when it was stopped with Ctrl-C, 128 + the number of the signal when this process
        was told to end.

    Notes
    -----
    The server holds the other end of a pipe to this process and ends when that closes: also when this process is
    killed and can do nothing more; see :mod:`ali_viz.watched`.
    """
    watched = [*command[:2], "ali_viz.watched", *command[2:]]
    with _signals_end_this() as told:
        process = subprocess.Popen(watched, env=environment, stdin=subprocess.PIPE)  # noqa: S603  # our own command
        try:
            if started is not None:
                started()
            return process.wait()
        except KeyboardInterrupt:
            return _stopped(process, insist_at_once=bool(told), status=128 + told[0] if told else 0)
        finally:
            if process.stdin is not None:
                process.stdin.close()


@contextmanager
def private_folder(prefix: str) -> Iterator[Path]:
    """Make a folder that only this person can look into, for the time of the block.

    Folders of the same prefix that killed processes have left are removed first: those of this person, whose lock
    nobody holds.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if _is_stale(left):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        lock = filelock.FileLock(Path(folder) / LOCK)
        with lock:
            yield Path(folder)


def free_port() -> int:
    """Return a port on which nothing on this machine listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_stale(folder: Path) -> bool:
    """Whether a folder is one of ours that nobody uses any more."""
    try:
        about = folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or not (folder / LOCK).is_file():
            return False
        with filelock.FileLock(folder / LOCK, timeout=0):
            return True
    except (OSError, AttributeError, filelock.Timeout):  # no user ids on this system: nothing is removed
        return False


@contextmanager
def _signals_end_this() -> Iterator[list[int]]:
    """Treat a request to end, or a terminal that hangs up, like Ctrl-C; yields the signals that have come."""
    told: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        told.append(number)
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    for name in ("SIGTERM", "SIGHUP"):
        with suppress(AttributeError, ValueError):  # there is no such signal here, or this is not the main thread
            number = getattr(signal, name)
            before[number] = signal.signal(number, end)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopped(process: subprocess.Popen[bytes], *, insist_at_once: bool, status: int) -> int:
    """Wait for the end after Ctrl-C, which the server has heard as well; insist when it does not come."""
    ways = (lambda: None, lambda: process.send_signal(signal.SIGTERM), process.kill)
    for insist in ways[insist_at_once:]:
        insist()
        try:
            process.wait(timeout=STOP_SECONDS)
            break
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue
    return status
