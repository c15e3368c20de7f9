"""Carries out a dry run that is killed at random moments: python kill_dry_run.py FOLDER SEED."""

import sys
from pathlib import Path

from ali_core.experiments import dry_run
from tests.ali_core.experiments.dry_run_samples import GRID, folds
from tests.killing import kill_until_done

OPTIONS = {"combinations": ["c", "c,s"], "grid": GRID, "longest": 10, "workers": 1}

if __name__ == "__main__":
    data = folds(2)
    dry_run(data, **OPTIONS | {"longest": 1})  # imports and first calls
    kill_until_done(lambda out: dry_run(data, out=out, **OPTIONS), Path(sys.argv[1]), int(sys.argv[2]))
