"""Functions that other processes import."""

import os
import time
from pathlib import Path

from ali_core.experiments.run_work import carry_out


def square(number):
    return number * number


def fail_at(number, bad):
    if number == bad:
        raise ValueError(f"task {number} is bad")
    return number


def last_first(folder, number):
    """Task 0 ends after task 2, or after a minute."""
    done, end = Path(folder) / "done", time.monotonic() + 60
    if number == 2:
        done.touch()
    while number == 0 and not done.exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5 * (number == 0))
    return number


def note(folder, number, seconds):
    """Leave a file with the process id, and take some time."""
    (Path(folder) / f"{number}").write_text(str(os.getpid()))
    time.sleep(seconds)
    return number


def die(number):
    os.kill(os.getpid(), 9)


def carry_out_or_die(run, data):
    """Carry out a run; that of ali c on fold 1 ends its process each time, that of tml on fold 0 the first time."""
    marker = run.folder.with_name("died")
    if run.key[:2] == ("ali c", 1):
        die(0)
    if run.key[:2] == ("tml", 0) and not marker.exists():
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        die(0)
    return carry_out(run, data)


def carry_out_and_sign(run, data):
    """Carry out a run, beside which a file tells the process as long as it lasts."""
    run.folder.parent.mkdir(parents=True, exist_ok=True)
    signed = run.folder.with_name(f"{run.folder.name}.pid")
    signed.write_text(str(os.getpid()))
    try:
        return carry_out(run, data)
    finally:
        signed.unlink(missing_ok=True)


def threads(number):
    """Return how many threads BLAS, OpenMP and torch have here, before and after numpy and torch are loaded."""
    import numpy as np
    import threadpoolctl
    import torch

    np.ones((300, 300)) @ np.ones((300, 300))
    pools = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
    return [torch.get_num_threads(), os.environ["OMP_NUM_THREADS"], *pools]
