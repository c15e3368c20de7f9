"""HDF5 files are looked through by another process: a damaged one can make the library loop or crash."""

import faulthandler
import os
import select
import signal
import subprocess
import sys
import warnings
from pathlib import Path

from ali_core import hdf5_walk
from ali_core.errors import AliError
from ali_core.foreign import most_bytes, regular_file

__all__ = ["check_hdf5"]

SECONDS = 20
"""How long a processor may be busy with looking through, besides a second for every 20 MB."""
PATIENCE = 30
"""How many times longer it may take by the clock."""


def check_hdf5(path: Path) -> None:
    """Raise AliError for a file that the HDF5 library cannot walk through in time, or that holds too much."""
    size = regular_file(path, "HDF5 file")
    walked = _by_fork if sys.platform == "linux" else _by_new_process
    status, said = walked(str(path.absolute()), most_bytes(size), SECONDS + size // 20_000_000)
    if status is None or (os.name == "posix" and status in {-signal.SIGXCPU, -signal.SIGKILL}):
        raise AliError(f"{path.name} is not a readable HDF5 file: reading it does not end; save it again")
    if status:
        said = " ".join(said.split())[-200:] or f"the reader ended with {status}"
        raise AliError(f"{path.name} is not a readable HDF5 file: {said}; save it again")


def _by_fork(path: str, most: int, seconds: int) -> tuple[int | None, str]:
    """Walk in a copy of this process, which has imported the library; return its status, None when it did not end.

    A new process takes longer to import numpy and h5py than anndata needs to read 200 MB. The copy does nothing but
    read, so it needs no lock that another thread could hold: h5py itself holds its own over a fork.
    """
    ours, theirs = os.pipe()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of threads, which the copy does not need
            child = os.fork()
    except OSError:  # no room for a copy
        os.close(ours)
        os.close(theirs)
        return _by_new_process(path, most, seconds)
    if not child:
        said = "it could not be read"
        faulthandler.disable()  # a crash is told by its status
        try:
            said = hdf5_walk.walk_within(path, most, seconds)
            os.write(theirs, said.encode("utf-8", "replace")[:4096])
        finally:
            os._exit(bool(said))
    os.close(theirs)
    in_time: list[tuple[int, int]] = []
    try:
        waiting = select.poll()
        waiting.register(ours, select.POLLIN)
        in_time = waiting.poll(1000 * PATIENCE * seconds)
        said = os.read(ours, 4096).decode("utf-8", "replace") if in_time else ""
    finally:  # also when the person stops the waiting
        os.close(ours)
        if not in_time:
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if in_time else None, said


def _by_new_process(path: str, most: int, seconds: int) -> tuple[int | None, str]:
    """Do the same in a new process, where a copy is not possible or not safe."""
    command = [sys.executable, "-I", hdf5_walk.__file__, path, str(most), str(seconds)]
    try:
        done = subprocess.run(  # noqa: S603  # our own command
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE * seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout or done.stderr
