"""Interventions for people who train with Lightning's Trainer.

Synopsis::

    loss = InterventionLoss(preset("c,s", dim=256), margin=0.2)     # also used in your training_step
    callback = InterventionCallback(loss, dataloader, n_classes=11)
    Trainer(max_epochs=100, callbacks=[callback]).fit(module, train_dataloaders)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from numpy.typing import NDArray
from torch import Tensor, nn

from ali_core.errors import AliError
from ali_core.interventions import ClassStatistics, Plan, plan
from ali_core.interventions.settings import check_dimension
from ali_core.losses import InterventionLoss, merged_over_ranks
from ali_core.losses.labels import planning_samples

__all__ = ["Embed", "InterventionCallback", "Projector"]

Embed = Callable[[LightningModule, Any], tuple[Tensor, Tensor]]
"""Takes the module and a batch on its device; returns embeddings (B, D) and labels (B,) as the loss takes them."""

FloatArray = NDArray[np.floating[Any]]
Batch = tuple[FloatArray, NDArray[np.int64]]


class Projector(Protocol):
    """What PALI needs of a projection: ``ParametricTSNE(warm_start=True)`` has it."""

    def fit(self, vectors: FloatArray, /) -> object:
        """Fit to the embedding (N, D) of the training set."""

    def transform(self, vectors: FloatArray, /) -> FloatArray:
        """Return the positions (N, 2) of ``vectors`` (N, D)."""

    def forward(self, vectors: Tensor, /) -> Tensor:
        """Return the positions (B, 2) of ``vectors`` (B, D), differentiable in them."""


class InterventionCallback(Callback):
    """Plans the interventions of each epoch on the training set as the module embeds it at the epoch's start.

    Parameters
    ----------
    loss
        The loss that your ``training_step`` uses; its ``transforms`` are set, and its ``projection`` with a projector.
    dataloader
        Yields the training set once, as batches, without augmentation; its order does not matter.
    n_classes
        C, classes of the training set.
    embed
        Returns embeddings and labels of a batch; by default ``module(batch[0])`` and ``batch[1]``. Batches that are
        dictionaries need it: ``lambda module, batch: (module(batch["image"]), batch["label"])``.
    projector
        PALI: fitted to the embedding before each plan; the interventions are planned on its positions.

    Attributes
    ----------
    plan
        The :class:`~ali_core.interventions.Plan` of the present epoch; None before the first.

    Raises
    ------
    AliError
        When training starts, for a projector with several processes; when a plan is due, for a data loader that
        yields nothing or batches that ``embed`` cannot take, for vectors that are not finite, labels that are no class
        codes, and settings that are the preset for another dimension.

    Notes
    -----
    The module embeds in evaluation mode, without gradient and in the precision of the trainer; afterwards every
    submodule is in the mode that it was in, and the random numbers of PyTorch on the CPU go on as without the callback.
    With several processes each embeds what its own ``dataloader`` yields, and the statistics are merged exactly: give
    each a part of the training set, or all of it to each. A run resumed within an epoch plans where it resumes.
    """

    def __init__(
        self,
        loss: InterventionLoss,
        dataloader: Iterable[Any],
        *,
        n_classes: int,
        embed: Embed | None = None,
        projector: Projector | None = None,
    ) -> None:
        self.loss, self.dataloader, self.n_classes = loss, dataloader, n_classes
        self.embed = embed or _first_and_second
        self.projector = projector
        self.plan: Plan | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002  # Lightning's
        """Refuse what cannot work before anything is computed, and forget the plan of an earlier run."""
        self.plan = None
        if self.projector is not None and trainer.world_size > 1:
            raise AliError(
                f"a projector is fitted by one process alone; got {trainer.world_size} processes: "
                "train with devices=1 or without the projector"
            )

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Embed, plan, and hand the transforms to the loss."""
        self._plan(trainer, pl_module)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        """Plan when a run was resumed within an epoch: Lightning starts no epoch then."""
        if self.plan is None:
            self._plan(trainer, pl_module)

    def _plan(self, trainer: Trainer, module: LightningModule) -> None:
        with _evaluating(module), torch.no_grad(), torch.random.fork_rng(devices=[]):
            statistics = self._statistics(self._embedded(trainer, module))
        if trainer.world_size > 1:
            statistics = merged_over_ranks(statistics, module.all_gather)
        self.plan = plan(statistics, self.loss.settings)
        self.loss.transforms = self.plan.transforms

    def _statistics(self, batches: Iterator[Batch]) -> ClassStatistics:
        if self.projector is not None:
            batches = self._projected(list(batches), self.projector)
        spread, statistics = self.loss.settings.spread, None
        for vectors, labels in batches:
            part = ClassStatistics.from_samples(vectors, labels, self.n_classes, spread=spread)
            statistics = part if statistics is None else statistics.merged(part)
        if statistics is None:
            raise AliError("the data loader of the interventions yields no batch; give it the training set")
        check_dimension(self.loss.settings, statistics.dim)
        return statistics

    def _embedded(self, trainer: Trainer, module: LightningModule) -> Iterator[Batch]:
        names = self.loss.class_names
        for batch in self.dataloader:
            given = trainer.strategy.batch_to_device(trainer.precision_plugin.convert_input(batch))
            with trainer.precision_plugin.forward_context():
                vectors, labels = self.embed(module, given)
            yield planning_samples(vectors, labels, n_classes=self.n_classes, class_names=names)

    def _projected(self, batches: list[Batch], projector: Projector) -> Iterator[Batch]:
        """Fit the projector to all batches, and yield their positions."""
        if not batches:
            return
        with torch.enable_grad():
            projector.fit(np.concatenate([vectors for vectors, _ in batches]))
        self.loss.projection = projector.forward
        for vectors, labels in batches:
            yield projector.transform(vectors), labels


def _first_and_second(module: LightningModule, batch: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401
    if not isinstance(batch, list | tuple) or len(batch) < 2:
        what = f"dictionaries with {', '.join(map(str, batch))}" if isinstance(batch, Mapping) else str(type(batch))
        raise AliError(
            f"the batches of the data loader are {what}, not (inputs, labels); say what is embedded with "
            'embed=lambda module, batch: (module(batch["image"]), batch["label"])'
        )
    return module(batch[0]), batch[1]


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Put all submodules into evaluation mode, and each back into its own afterwards."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
