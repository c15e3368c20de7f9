"""The descent of parametric t-SNE: regression, divergence by batches, and a refit that holds on to what was."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ali_core.networks.parametric_tsne import SparseAffinities, TsneNetwork, kl_gradient

__all__ = ["Descent"]

REGRESSION_ITERATIONS, REGRESSION_RATE = 30, 1e-2
EXAGGERATION, EXAGGERATED_SHARE = 2.0, 1 / 3
DECAY = 0.2
"""The learning rate at the end of a fit, as a part of that at its start; it falls geometrically."""


class Descent:
    """Fits one network, in place, to samples and their affinities.

    Parameters
    ----------
    network
        On the device of the samples.
    samples
        (N, D), float32.
    affinities
        P of the same samples, on the same device.
    batch_size
        Fewest samples in a batch.
    generator
        Of the CPU; draws the batches.
    """

    def __init__(
        self,
        network: TsneNetwork,
        samples: Tensor,
        affinities: SparseAffinities,
        *,
        batch_size: int,
        generator: torch.Generator,
    ) -> None:
        self.network = network.train().requires_grad_(True)
        self.samples, self.affinities = samples, affinities
        self.batch_size, self.generator = batch_size, generator

    def start(self, targets: Tensor) -> None:
        """Regress on ``targets`` (N, 2), by least squares."""
        optimiser = torch.optim.Adam(self.network.parameters(), lr=REGRESSION_RATE)
        for rows, _ in self._batches(REGRESSION_ITERATIONS):
            positions = self.network(self.samples[rows])
            self._step(optimiser, positions, 2.0 * (positions.detach() - targets[rows]) / len(rows))

    def descend(self, iterations: int, rate: float) -> None:
        """Minimise the divergence from scratch, the first third of the ``iterations`` with exaggeration."""
        optimiser, schedule = self._adam(rate, iterations)
        for iteration, (rows, shares) in enumerate(self._batches(iterations)):
            exaggeration = EXAGGERATION if iteration < EXAGGERATED_SHARE * iterations else 1.0
            positions = self.network(self.samples[rows])
            self._step(optimiser, positions, kl_gradient(positions.detach(), shares, exaggeration))
            schedule.step()

    def follow(self, iterations: int, rate: float, anchoring: float) -> None:
        """Minimise the divergence and the anchor term, starting at the rate where `descend` ended."""
        before = self.positions()
        size = (before - before.mean(dim=0)).square().sum(dim=1).mean()
        optimiser, schedule = self._adam(DECAY * rate, iterations)
        for rows, shares in self._batches(iterations):
            positions = self.network(self.samples[rows])
            now = positions.detach()
            pull = 2.0 * anchoring / (size * len(rows)) * (now - before[rows])
            self._step(optimiser, positions, kl_gradient(now, shares) + pull)
            schedule.step()

    def finish(self) -> Tensor:
        """Freeze the network and return the positions (N, 2) of all samples."""
        self.network.eval().requires_grad_(False)
        return self.positions()

    @torch.no_grad()
    def positions(self) -> Tensor:
        """Return the positions (N, 2) of all samples."""
        positions: Tensor = self.network(self.samples)
        return positions

    def _adam(self, rate: float, iterations: int) -> tuple[torch.optim.Adam, torch.optim.lr_scheduler.ExponentialLR]:
        optimiser = torch.optim.Adam(self.network.parameters(), lr=rate)
        return optimiser, torch.optim.lr_scheduler.ExponentialLR(optimiser, DECAY ** (1 / iterations))

    def _batches(self, iterations: int) -> Iterator[tuple[Tensor, Tensor]]:
        done = 0
        while True:
            for batch in self.affinities.batches(self.batch_size, self.generator):
                if done == iterations:
                    return
                done += 1
                yield batch

    @staticmethod
    def _step(optimiser: torch.optim.Optimizer, positions: Tensor, gradient: Tensor) -> None:
        optimiser.zero_grad()
        positions.backward(gradient)
        optimiser.step()
