"""Network and loss as one module, so that one forward pass gives the loss of a batch."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from ali_core.data import FoldSplit
from ali_core.errors import AliError
from ali_core.networks import EmbeddingNet
from ali_core.networks.feature_net import FeatureNet
from ali_core.networks.starting import starting_network
from ali_core.training.inputs import FeatureInputs, ImageInputs
from ali_core.training.objectives import Objective, Terms, make_objective
from ali_core.training.settings import TrainSettings

__all__ = ["GlobalDraws", "Learner", "derived_seed", "make_learner"]

_one_at_a_time = threading.Lock()


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
    counts = np.bincount(inputs.labels[split.train], minlength=len(inputs.class_names))
    with GlobalDraws(settings.seed).drawing():
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
        return Learner(net, make_objective(settings, counts))


def derived_seed(*parts: int) -> int:
    """Return a seed that follows from ``parts`` alone, such as (seed of the run, epoch, purpose)."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)


class GlobalDraws:
    """A stream of numbers from torch's global generators, where layers such as dropout draw theirs.

    Parameters
    ----------
    seed
        Of the first block; each further one goes on where the last one ended.

    Notes
    -----
    These layers, and the initial weights of torchvision and pytorch-metric-learning, take no generator. The global ones
    belong to the whole process. Each block therefore keeps other threads' blocks out and leaves the
    generators as it found them, so that two trainings side by side draw what each would draw alone.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._states: tuple[Tensor, list[Tensor]] | None = None

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Draw from the stream in the block; it is not to be entered twice."""
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        with _one_at_a_time, torch.random.fork_rng(devices=devices):
            if self._states is None:
                torch.manual_seed(self._seed)
            else:
                torch.set_rng_state(self._states[0])
                for device, state in zip(devices, self._states[1], strict=True):
                    torch.cuda.set_rng_state(state, device)
            yield
            self._states = torch.get_rng_state(), [torch.cuda.get_rng_state(device) for device in devices]
