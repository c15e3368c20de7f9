"""HDF5 files are looked through by another process: a damaged one can make the library loop or crash."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from ali_core.errors import AliError
from ali_core.foreign import most_bytes, regular_file

__all__ = ["check_hdf5"]

WALK = Path(__file__).with_name("hdf5_walk.py")
SECONDS = 20
"""How long a processor may be busy with looking through, besides a second for every 20 MB."""


def check_hdf5(path: Path) -> None:
    """Raise AliError for a file that the HDF5 library cannot walk through in time, or that holds too much."""
    size = regular_file(path, "HDF5 file")
    seconds = SECONDS + size // 20_000_000
    numbers = (str(most_bytes(size)), str(seconds))
    command = [sys.executable, "-I", str(WALK), str(path.absolute()), *numbers]  # not the package: it is slow to import
    try:
        done = subprocess.run(  # noqa: S603  # our own command
            command, capture_output=True, text=True, errors="replace", timeout=30 * seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise AliError(f"{path.name} is not a readable HDF5 file: reading it does not end; save it again") from None
    if done.returncode in {-signal.SIGXCPU, -signal.SIGKILL} if os.name == "posix" else False:
        raise AliError(f"{path.name} is not a readable HDF5 file: reading it does not end; save it again")
    if done.returncode:
        said = " ".join((done.stdout or done.stderr).split())[-200:] or f"the reader ended with {done.returncode}"
        raise AliError(f"{path.name} is not a readable HDF5 file: {said}; save it again")
