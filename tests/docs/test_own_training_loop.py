"""The code of docs/own-training-loop.md runs as it is printed, and does what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ali_core.losses import triplet_margin_loss

PAGE = Path(__file__).parents[2] / "docs" / "own-training-loop.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)
FIVE_LINES, AMP, RESUME, DICTIONARIES, DDP, PALI, LIGHTNING = BLOCKS
ROOT = PAGE.parents[1]


def after(*blocks):
    """Run the blocks one after the other; returns the names they leave."""
    names = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


@pytest.mark.slow
def test_five_lines_train():
    untrained, trained = after(FIVE_LINES.replace("range(5)", "range(0)")), after(FIVE_LINES)

    def value(names):
        return triplet_margin_loss(names["net"](names["inputs"]), names["labels"], margin=0.2).item()

    assert torch.equal(untrained["inputs"], trained["inputs"])
    assert value(trained) < 0.8 * value(untrained)


def falls(names, since):
    """Whether the triplet loss of the network is below that of the weights it began with."""
    inputs, labels = names["inputs"], names["labels"]
    vectors = names["net"].cpu()(inputs)
    return triplet_margin_loss(vectors, labels, margin=0.2) < triplet_margin_loss(since(inputs), labels, margin=0.2)


@pytest.mark.parametrize("block", [AMP, DICTIONARIES], ids=["amp", "dictionaries"])
def test_other_loops_train(block):
    without = after(FIVE_LINES.replace("range(5)", "range(0)"), block.replace("range(2)", "range(0)"))
    names = after(FIVE_LINES.replace("range(5)", "range(0)"), block.replace("range(2)", "range(8)"))
    assert falls(names, since=without["net"].cpu())
    assert len(names["loss"].transforms.scales) == 3


def test_a_resumed_run_ends_as_one_without_a_break(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = after(FIVE_LINES.replace("range(5)", "range(0)"), RESUME)
    whole = names["train"](4)["net"]
    for key, value in names["resumed"]["net"].items():
        assert torch.equal(value, whole[key])


@pytest.mark.slow
def test_ddp_plans_the_same_in_both_processes(tmp_path):
    told = "if rank == 0:\n            print("
    assert told in DDP
    (tmp_path / "ddp.py").write_text(
        DDP.replace(told, "with open(f'{rank}-{epoch}.txt', 'w') as file:\n            file.write(")
    )
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "ddp.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for epoch in (0, 1):
        plans = [(tmp_path / f"{rank}-{epoch}.txt").read_text() for rank in (0, 1)]
        assert plans[0] == plans[1]
        assert plans[0].startswith(f"epoch {epoch}: Plan of 25 steps")
        assert "300 samples, 8 dimensions" in plans[0]


@pytest.mark.slow
def test_pali_trains():
    names = after(FIVE_LINES, PALI)
    assert names["loss"].transforms.offsets.shape == (3, 2)
    positions = names["loss"].projection(names["net"](names["inputs"]))
    assert positions.shape == (300, 2)
    assert names["tsne"].n_features_in_ == 8


@pytest.mark.slow
# Lightning's advice to use more workers, given on machines with more cores: the data are in memory.
@pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning")
# Lightning's own use of a deprecated part of torch.
@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
def test_lightning_trains():
    trainer = 'Trainer(accelerator="cpu", enable_progress_bar=False, enable_model_summary=False, '
    names = after(LIGHTNING.replace("Trainer(max_epochs", trainer + "max_epochs"))
    assert names["trainer"].current_epoch == 2
    assert names["trainer"].global_step == 10
    assert names["callback"].plan.transforms is names["loss"].transforms
    assert len(names["loss"].transforms.scales) == 3
