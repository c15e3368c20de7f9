"""Network and loss as one module, so that one forward pass gives the loss of a batch."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from ali_core.data import FoldSplit
from ali_core.errors import AliError
from ali_core.losses import inverse_frequency
from ali_core.networks import EmbeddingNet
from ali_core.networks.feature_net import FeatureNet
from ali_core.networks.starting import starting_network
from ali_core.training.inputs import FeatureInputs, ImageInputs
from ali_core.training.objectives import Objective, Terms, make_objective
from ali_core.training.settings import TrainSettings

__all__ = ["Learner", "derived_seed", "make_learner", "seeded"]


class Learner(nn.Module):
    """A network and what it minimises.

    Parameters
    ----------
    net
        From inputs to embeddings.
    objective
        From embeddings to the loss.
    """

    def __init__(self, net: EmbeddingNet | FeatureNet, objective: Objective) -> None:
        super().__init__()
        self.net, self.objective = net, objective

    def forward(self, inputs: Tensor, labels: Tensor, rows: Tensor) -> Terms:
        """Return the loss of a batch and its parts; see :class:`~ali_core.training.objectives.Objective`."""
        terms: Terms = self.objective(self.net(inputs), labels, rows)
        return terms

    def start_from(self, tensors: Mapping[str, Tensor], name: str) -> None:
        """Take the network of another run, and of its loss what fits; AliError when the network does not.

        ``tensors`` are named ``learner.…``; ``name`` says where they come from.
        """
        own, given = self.state_dict(), {key.removeprefix("learner."): tensor for key, tensor in tensors.items()}
        fitting = {key: given[key] for key in own if key in given and given[key].shape == own[key].shape}
        lacking = [key for key in own if key.startswith("net.") and key not in fitting]
        if lacking:
            raise AliError(
                f"the network of {name} is another one ({len(lacking)} of its parts do not fit, first: {lacking[0]}); "
                "give the same backbone and width"
            )
        self.load_state_dict({**own, **fitting})


def make_learner(inputs: FeatureInputs | ImageInputs, settings: TrainSettings, split: FoldSplit) -> Learner:
    """Return the learner at the start of a run; class weights and feature scaling come from the training fold only."""
    n_classes = len(inputs.class_names)
    counts = np.bincount(inputs.labels[split.train], minlength=n_classes)
    weights = torch.tensor(inverse_frequency(counts), dtype=torch.float32) if settings.class_weights else None
    with seeded(settings.seed):
        if isinstance(inputs, FeatureInputs):
            features = inputs.features[torch.as_tensor(split.train, device=inputs.features.device)]
            head = FeatureNet(features.shape[1], width=settings.width, normalise=settings.normalise)
            head.scale_to(features.cpu())
            net: EmbeddingNet | FeatureNet = head
        else:
            net = starting_network(
                settings.backbone,
                settings.weights,
                width=settings.width,
                normalise=settings.normalise,
                px=settings.px,
            ).to(memory_format=torch.channels_last)
        return Learner(net, make_objective(settings, weights, n_classes))


def derived_seed(*parts: int) -> int:
    """Return a seed that follows from ``parts`` alone, such as (seed of the run, epoch, purpose)."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from torch's global generator with ``seed`` in the block, and leave it as it was."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
