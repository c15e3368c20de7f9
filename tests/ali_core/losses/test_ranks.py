"""Two gloo processes that hold parts of the training set plan as one that holds it all."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ali_core import preset
from ali_core.losses import InterventionLoss
from ali_core.losses.reduction import n_ranks

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("ranks_script.py")


def samples():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 4
    return torch.randn(120, 6, generator=generator) + 3.0 * labels[:, None], labels


@pytest.mark.slow
def test_two_processes_plan_together_and_fail_together(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", SCRIPT, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ranks = [np.load(tmp_path / f"rank{rank}.npz") for rank in (0, 1)]
    vectors, labels = samples()
    whole = InterventionLoss(preset("all", 6), margin=0.2).plan(vectors, labels).transforms
    for case in ("halves", "all to each", "nothing on one", "classes on one"):
        for rank in ranks:
            np.testing.assert_allclose(rank[case], whole.offsets, rtol=1e-9, atol=1e-9, err_msg=case)
        assert np.array_equal(ranks[0][case], ranks[1][case]), case
    first = InterventionLoss(preset("all", 6), margin=0.2).plan(vectors[:60], labels[:60]).transforms
    assert np.array_equal(ranks[0]["alone"], first.offsets)
    assert not np.allclose(ranks[1]["alone"], first.offsets)
    assert str(ranks[0]["fault"]) == "process 1 of 2 cannot plan; its own message says why"
    assert "vectors must be finite; 1 of 60 rows hold NaN or infinity (row 5)" in str(ranks[1]["fault"])
    assert all("all processes must have the same dimensions; got [6, 5]" in str(rank["dims"]) for rank in ranks)


def test_one_process_waits_for_no_other():
    assert n_ranks() == 1
    vectors, labels = samples()
    plans = [
        InterventionLoss(preset("all", 6), margin=0.2).plan(vectors, labels, over_ranks=over) for over in (True, False)
    ]
    assert np.array_equal(plans[0].transforms.offsets, plans[1].transforms.offsets)
