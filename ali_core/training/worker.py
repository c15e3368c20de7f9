"""The mechanics of one process: embed the samples it is responsible for, train one epoch."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ali_core.errors import AliError
from ali_core.networks.devices import choose_device
from ali_core.training.inputs import FeatureInputs, ImageInputs
from ali_core.training.learner import GlobalDraws, Learner, derived_seed
from ali_core.training.one_process import OneProcess, QuickAdamW
from ali_core.training.sampling import batch_order
from ali_core.training.settings import TrainSettings

__all__ = ["EpochLosses", "Worker", "make_fabric"]

EVALUATION_BATCH = 256
IMAGES_ON_CPU = 32
"""Images that a CPU embeds at a time: activations of more of them do not fit into its cache."""
CHECK_EVERY = 20
"""Batches between looks at the losses: each look waits for the device."""
SUMMED = ("total", "base", "intervention", "active", "triplets")
ORDER, AUGMENTATION, NETWORK = range(3)
"""Purposes that numbers are drawn for in an epoch, each with a seed of its own."""


@dataclass(frozen=True, kw_only=True)
class EpochLosses:
    """Means over the batches of one epoch; NaN for a part that the method does not have.

    Parameters
    ----------
    loss, base_loss, intervention_loss
        The loss and its two parts.
    active_fraction
        Triplets that violate the margin, as a share of all triplets of the batches.
    n_samples
        Samples that were trained on, by all processes together.
    seconds_data
        Time spent waiting for batches.
    """

    loss: float
    base_loss: float
    intervention_loss: float
    active_fraction: float
    n_samples: int
    seconds_data: float


def make_fabric(settings: TrainSettings, loggers: Any = ()) -> Any:  # noqa: ANN401  # Fabric is imported when used
    """Return the process of a run on one device, or a launched Lightning Fabric where several share it."""
    device = choose_device(settings.device)
    precision = settings.precision
    if precision == "auto":
        half = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        precision = "bf16-mixed" if half else "32-true"
    if settings.devices == 1:
        return OneProcess(device, precision, loggers)
    from lightning.fabric import Fabric  # noqa: PLC0415  # takes 10 s

    fabric = Fabric(accelerator=device.type, devices=settings.devices, precision=precision, loggers=list(loggers))
    fabric.launch()
    return fabric


class Worker:
    """A learner with its optimiser and inputs on the device of one process.

    Parameters
    ----------
    fabric
        Of :func:`make_fabric`.
    learner
        Network and loss; from now on it lives on the device of ``fabric``.
    inputs
        All samples, those of other folds included.
    settings
        Of the run.
    """

    def __init__(
        self,
        fabric: Any,  # noqa: ANN401
        learner: Learner,
        inputs: FeatureInputs | ImageInputs,
        settings: TrainSettings,
    ) -> None:
        self.fabric, self.learner, self.inputs, self.settings = fabric, learner, inputs, settings
        self.optimiser = QuickAdamW(learner.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self._module, self._optimiser = fabric.setup(learner, self.optimiser)

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of ``rows`` that this process is responsible for."""
        return rows[self.fabric.global_rank :: self.fabric.world_size]

    def embed(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embed samples in evaluation mode; float32 of shape (len(rows), D).

        Raises
        ------
        AliError
            When the network yields NaN or infinity.
        """
        self._module.eval()
        with torch.inference_mode(), self.fabric.autocast():
            small = isinstance(self.inputs, ImageInputs) and self.fabric.device.type == "cpu"
            batches = self.inputs.plain_batches(rows, IMAGES_ON_CPU if small else EVALUATION_BATCH)
            parts = [self.learner.net(batch).float().cpu() for batch in batches]
        self._module.train()
        vectors = torch.cat(parts).numpy() if parts else np.empty((0, self.settings.width), np.float32)
        if not np.isfinite(vectors).all():
            raise AliError("the network yields NaN or infinity; use a lower learning_rate")
        return vectors

    def gathered(self, own: NDArray[np.float32], n_rows: int) -> NDArray[np.float32]:
        """Return what all processes have of ``n_rows`` samples, dealt out by :meth:`own`, in their order."""
        world = self.fabric.world_size
        if world == 1:
            return own
        longest = -(-n_rows // world)
        padded = np.zeros((longest, own.shape[1]), np.float32)
        padded[: len(own)] = own
        every = self.fabric.all_gather(torch.tensor(padded, device=self.fabric.device)).cpu().numpy()
        whole: NDArray[np.float32] = every.transpose(1, 0, 2).reshape(longest * world, -1)[:n_rows]
        return whole

    def run_epoch(
        self, rows: NDArray[np.int64], epoch: int, progress: Callable[[int, int], None] | None = None
    ) -> EpochLosses:
        """Train on every batch of ``rows`` once; ``progress`` is called with the batches done and in all.

        Raises
        ------
        AliError
            When the loss is NaN or infinite; the learner is then not to be used any more.
        """
        settings, rank = self.settings, self.fabric.global_rank
        order = batch_order(self.inputs.labels[rows], settings, derived_seed(settings.seed, epoch, ORDER))
        own = self.own(order.T).T if self.fabric.world_size > 1 else order
        places = torch.tensor(own, device=self.fabric.device)
        codes = torch.tensor(self.inputs.labels[rows][own], device=self.fabric.device)
        augmentation = torch.Generator().manual_seed(derived_seed(settings.seed, epoch, AUGMENTATION, rank))
        values, waited = [], 0.0
        self._module.train()
        draws = GlobalDraws(derived_seed(settings.seed, epoch, NETWORK, rank))
        batches = self.inputs.training_batches(rows[own.ravel()], own.shape[1], augmentation)
        for number, (batch, seconds) in enumerate(_timed(batches)):
            with draws.drawing():
                terms = self._step(batch, codes[number], places[number])
            values.append(torch.stack([terms[name].detach().float() for name in SUMMED]))
            waited += seconds
            if (number + 1) % CHECK_EVERY == 0 or number + 1 == len(own):
                _check_finite(values, len(own))
            if progress is not None:
                progress(number + 1, len(own))
        sums = torch.stack(values).cpu().double().sum(dim=0)
        if self.fabric.world_size > 1:
            sums = self.fabric.all_reduce(sums, reduce_op="sum")
        total, base, intervention, active, triplets = sums.tolist()
        count = len(own) * self.fabric.world_size
        return EpochLosses(
            loss=total / count,
            base_loss=base / count,
            intervention_loss=intervention / count,
            active_fraction=active / triplets if triplets else float("nan"),
            n_samples=order.size,
            seconds_data=waited,
        )

    def _step(self, batch: Tensor, labels: Tensor, places: Tensor) -> dict[str, Tensor]:
        """One step of the optimiser on ``batch``, whose samples stand at ``places`` in the training fold."""
        terms: dict[str, Tensor] = self._module(batch, labels, places)
        self._optimiser.zero_grad()
        self.fabric.backward(terms["total"])
        self._optimiser.step()
        return terms


def _check_finite(values: list[Tensor], n_batches: int) -> None:
    """Raise AliError that names the first batch whose loss is not finite; reading them makes the device wait."""
    totals = torch.stack(values)[:, 0].cpu()
    bad = torch.nonzero(~totals.isfinite()).flatten().tolist()
    if bad:
        raise AliError(
            f"the loss became {float(totals[bad[0]])} in batch {bad[0] + 1} of {n_batches}; use a lower learning_rate"
        )


def _timed(batches: Iterator[Tensor]) -> Iterator[tuple[Tensor, float]]:
    """Yield each batch with the seconds it was waited for."""
    while True:
        start = time.perf_counter()
        try:
            batch = next(batches)
        except StopIteration:
            return
        yield batch, time.perf_counter() - start
