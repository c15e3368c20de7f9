"""Trains in forked children that are killed at random moments, until one arrives; run as a process of its own.

python kill_script.py FOLDER METHOD SEED [STEPS]
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from ali_core.training import train
from tests.ali_core.training.samples import features, small


def main():
    folder, method, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    settings = small(method=method, max_epochs=10, class_weights=True)
    train(features(), settings.changed(max_epochs=1))  # imports and first calls
    start = time.perf_counter()
    train(features(), settings, out=folder / "straight")
    duration = time.perf_counter() - start
    draw, kills = random.Random(seed), 0
    while not (folder / "killed" / "result.json").is_file():
        child = os.fork()
        if child == 0:
            train(features(), settings, out=folder / "killed", resume=True)
            os._exit(0)
        # Each life is a little longer, so that the end comes.
        time.sleep(draw.uniform(0.02, 0.35) * duration * (1 + kills / 10))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
    print(f"kills {kills}")


if __name__ == "__main__":
    main()
