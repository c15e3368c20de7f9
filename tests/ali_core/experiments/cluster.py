"""A Dask cluster of real processes on this machine."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def require_dask():
    pytest.importorskip("distributed", reason="DASK MISSING: install the extra cluster")


def process(folder, *words, **environment):
    """Start ``python -m words`` with its output in a file of ``folder``."""
    with (Path(folder) / f"{words[0].rpartition('_')[2]}-{time.monotonic_ns()}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *map(str, words)],
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "passive"} | environment,
        )


@contextmanager
def cluster(folder, n_workers=2, n_threads=1):
    """Yield the address of a scheduler, the processes of its workers, and its own; end them all."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    started = [process(folder, "distributed.cli.dask_scheduler", "--host", address, "--no-dashboard")]
    words = ("distributed.cli.dask_worker", address, "--nthreads", n_threads, "--no-nanny", "--no-dashboard")
    try:
        started += [process(folder, *words, "--name", f"worker-{at}") for at in range(n_workers)]
        _wait(address, n_workers)
        yield address, started[1:], started[0]
    finally:
        for one in reversed(started):
            one.kill()
            one.wait()


def _wait(address, n_workers):
    """Return when the scheduler answers and has its workers."""
    import distributed

    for patience in (True, True, False):
        try:
            with distributed.Client(address, timeout=90, set_as_default=False) as client:
                if n_workers:
                    client.wait_for_workers(n_workers, timeout=90)
                return
        except AssertionError:  # its event loop has 10 seconds to start, which a machine under load can exceed
            if not patience:
                raise
