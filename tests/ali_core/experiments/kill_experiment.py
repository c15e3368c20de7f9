"""Carries out an experiment that is killed at random moments: python kill_experiment.py FOLDER SEED."""

import sys
from pathlib import Path

import torch

from ali_core.experiments.runner import run_experiment
from tests.ali_core.experiments.small_experiment import AFTER, ALI, DATA, TML, small
from tests.killing import kill_until_done

if __name__ == "__main__":
    folder, experiment = Path(sys.argv[1]), small(TML, ALI, AFTER)
    torch.set_num_threads(1)
    run_experiment(experiment, DATA, out=folder / "warm", only=["ali c"], workers=1)  # imports and first calls
    kill_until_done(lambda out: run_experiment(experiment, DATA, out=out, workers=1), folder, int(sys.argv[2]))
