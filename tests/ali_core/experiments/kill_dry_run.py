"""Carries out a dry run in forked children that are killed at random moments, until one arrives.

python kill_dry_run.py FOLDER SEED
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from ali_core.experiments import dry_run
from tests.ali_core.experiments.dry_run_samples import GRID, folds

OPTIONS = {"combinations": ["c", "c,s"], "grid": GRID, "longest": 10, "workers": 1}


def main():
    folder, draw, kills = Path(sys.argv[1]), random.Random(int(sys.argv[2])), 0
    data = folds(2)
    dry_run(data, **OPTIONS | {"longest": 1})  # imports and first calls
    start = time.perf_counter()
    dry_run(data, out=folder / "straight", **OPTIONS)
    duration = time.perf_counter() - start
    while True:
        child = os.fork()
        if child == 0:
            dry_run(data, out=folder / "killed", **OPTIONS)
            os._exit(0)
        time.sleep(draw.uniform(0.02, 0.3) * duration * (1 + kills / 10))
        os.kill(child, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            break
        kills += 1
    print(f"kills {kills}")


if __name__ == "__main__":
    main()
