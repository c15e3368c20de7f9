"""Two processes that share the training fold plan as one does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ali_core.interventions import SavedSession
from ali_core.training import epochs
from tests.ali_core.training.samples import features, small

ROOT = Path(__file__).parents[3]
LAUNCHER = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


METHODS = ("ali", "pali")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder for each method, with what two processes wrote."""
    folder = tmp_path_factory.mktemp("two")
    script = ROOT / "tests" / "ali_core" / "training" / "two_processes_script.py"
    done = subprocess.run(
        [*LAUNCHER, script, folder, *METHODS],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_two_processes_plan_as_one(runs, method):
    first, second = (np.load(runs / method / f"rank{rank}.npz") for rank in (0, 1))
    with epochs(features(), small(method=method)) as training:
        state = next(training)
    assert first["n 0"] + second["n 0"] == len(state.embedding)
    for rank in (first, second):
        assert rank["classes 0"].tolist() == [step.classes[0] for step in state.session.steps]
        np.testing.assert_allclose(rank["offsets 0"], state.session.transforms.offsets, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(rank["scales 0"], state.session.transforms.scales, rtol=1e-12)
    # Later epochs: both took the same steps, and hold the same network and scores.
    for name in first.files:
        if not name.startswith("n "):
            assert np.array_equal(first[name], second[name]), name
    sessions = sorted((runs / method / "run" / "interventions").iterdir())
    assert [path.name for path in sessions] == ["epoch-0000.json", "epoch-0001.json"]
    saved = SavedSession.read(sessions[0])
    assert [step.classes for step in saved.steps] == [step.classes for step in state.session.steps]
    assert saved.embedding.n_samples == len(state.embedding)
    table = pd.read_csv(runs / method / "run" / "epochs.csv")
    assert table.n_steps.tolist()[1:] == [len(first["classes 0"])] * 2
    assert table.test_f1.notna().all()
