"""Carries out an experiment in forked children that are killed at random moments, until one arrives.

python kill_experiment.py FOLDER SEED
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from ali_core.experiments.runner import run_experiment
from tests.ali_core.experiments.small_experiment import AFTER, ALI, DATA, TML, small


def main():
    folder, draw, kills = Path(sys.argv[1]), random.Random(int(sys.argv[2])), 0
    torch.set_num_threads(1)
    experiment = small(TML, ALI, AFTER)
    run_experiment(experiment, DATA, out=folder / "warm", only=["ali c"], workers=1)  # imports and first calls
    start = time.perf_counter()
    run_experiment(experiment, DATA, out=folder / "straight", workers=1)
    duration = time.perf_counter() - start
    while True:
        child = os.fork()
        if child == 0:
            run_experiment(experiment, DATA, out=folder / "killed", workers=1)
            os._exit(0)
        time.sleep(draw.uniform(0.05, 0.3) * duration * (1 + kills / 10))
        os.kill(child, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            break
        kills += 1
    print(f"kills {kills}")


if __name__ == "__main__":
    main()
