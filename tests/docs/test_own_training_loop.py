"""The code of docs/own-training-loop.md runs as it is printed, and does what the page says."""

import re
from pathlib import Path

import pytest
import torch

from ali_core.losses import triplet_margin_loss

PAGE = Path(__file__).parents[2] / "docs" / "own-training-loop.md"
FIVE_LINES, PALI, LIGHTNING = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)


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
