"""Carries out the small experiment when another process is ready to do so, and says how many results there are.

python same_time.py FOLDER OWN OTHER
"""

import sys
import time
from pathlib import Path

import torch

from ali_core.experiments.runner import run_experiment
from ali_core.training import train
from tests.ali_core.experiments.small_experiment import DATA, small


def main():
    folder, (own, other) = Path(sys.argv[1]), sys.argv[2:]
    torch.set_num_threads(1)
    assert callable(train)  # Lightning is loaded
    (folder / own).touch()
    end = time.monotonic() + 60
    while not (folder / other).exists() and time.monotonic() < end:
        time.sleep(0.01)
    print(len(run_experiment(small(), DATA, out=folder / "out", workers=1)))


if __name__ == "__main__":
    main()
