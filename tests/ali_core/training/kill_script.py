"""Trains, and is killed at random moments: python kill_script.py FOLDER METHOD SEED."""

import sys
from pathlib import Path

import torch

from ali_core.training import train
from tests.ali_core.training.samples import features, small
from tests.killing import kill_until_done

if __name__ == "__main__":
    folder, method, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    settings = small(method=method, max_epochs=10, class_weights=True)
    train(features(), settings.changed(max_epochs=1))  # imports and first calls
    kill_until_done(lambda out: train(features(), settings, out=out, resume=True), folder, seed)
