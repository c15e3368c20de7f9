"""One process in plain torch does what Lightning Fabric does."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from ali_core.data import grouped_folds
from ali_core.training.inputs import open_inputs
from ali_core.training.learner import make_learner
from ali_core.training.one_process import OneProcess
from ali_core.training.worker import Worker
from tests.ali_core.training.samples import features, small


class Heard:
    def __init__(self):
        self.heard = []

    def log_metrics(self, metrics, step):
        self.heard.append((dict(metrics), step))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_weights_losses_and_logs_equal_those_of_fabric(precision):
    from lightning.fabric import Fabric

    def trained(process):
        inputs = open_inputs(features(), settings, process.device)
        split = grouped_folds(inputs.labels, n_folds=settings.n_folds, seed=settings.fold_seed)[settings.fold]
        worker = Worker(process, make_learner(inputs, settings, split), inputs, settings)
        epochs = [worker.run_epoch(worker.own(split.train), epoch) for epoch in range(2)]
        process.log_dict({"loss": epochs[1].loss}, step=1)
        process.barrier()
        said = process.broadcast({"n": 3}, src=0), process.all_gather(torch.arange(3.0)).tolist()
        return worker, [epoch.loss for epoch in epochs], worker.embed(split.validation), said

    settings, ours, theirs = small(method="tml", class_weights=True), Heard(), Heard()
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision, loggers=[theirs])
    fabric.launch()
    worker, losses, vectors, said = trained(OneProcess(torch.device("cpu"), precision, [ours]))
    expected = trained(fabric)
    assert losses == expected[1]
    assert losses[1] < losses[0]
    assert np.array_equal(vectors, expected[2])
    assert said == expected[3]
    assert ours.heard == theirs.heard
    state, reference = worker.learner.state_dict(), expected[0].learner.state_dict()
    assert all(torch.equal(state[name], reference[name]) for name in reference)
    for name in ("device", "global_rank", "world_size", "is_global_zero"):
        assert getattr(worker.fabric, name) == getattr(fabric, name)


@pytest.mark.slow
def test_a_run_on_features_loads_neither_lightning_nor_torchvision_nor_the_compiler():
    code = (
        "import sys; from ali_core.training import train; from tests.ali_core.training.samples import features, small;"
        "train(features(), small(max_epochs=1));"
        "sys.exit(str({'lightning', 'torchvision', 'torch._dynamo'} & set(sys.modules) or '') or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
