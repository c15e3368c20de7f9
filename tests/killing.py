"""Work in forked children that are killed at random moments, until one arrives."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def kill_until_done(work, folder, seed):
    """Do ``work(folder / "straight")``, and ``work(folder / "killed")`` in several lives; print the number of kills."""
    start = time.perf_counter()
    work(folder / "straight")
    duration = time.perf_counter() - start
    draw, kills = random.Random(seed), 0
    while True:
        child = os.fork()
        if child == 0:
            work(folder / "killed")
            os._exit(0)
        # Each life is a little longer, so that the end comes.
        time.sleep(draw.uniform(0.02, 0.3) * duration * (1 + kills / 10))
        os.kill(child, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            break
        kills += 1
    print(f"kills {kills}")


def run_killed(script, *arguments):
    """Run a script that calls :func:`kill_until_done`, as a process that has no threads yet when it forks."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "ali_core" / script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert int(re.search(r"kills (\d+)", done.stdout)[1]) >= 3
