"""How parametric t-SNE is fit: affinities, regression, divergence by batches, refits anchored to the last layout."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ali_core.errors import AliError
from ali_core.networks.parametric_tsne import INPUT_RMS, SparseAffinities, TsneNetwork, kl_gradient
from ali_core.projection.linear import principal_plane
from ali_core.projection.tsne import EXACT_NEIGHBOURS_UP_TO, PROGRESS_EVERY, Progress

__all__ = ["Descent", "plane", "sparse_affinities", "standard"]

REGRESSION_ITERATIONS, REGRESSION_RATE = 30, 1e-2
EXAGGERATION, EXAGGERATED_SHARE = 2.0, 1 / 3
DECAY = 0.2
"""The learning rate at the end of a fit, as a part of that at its start; it falls geometrically."""
FAR, FEW = 10.0, 0.05
"""Samples this many times as far from the median as half of them are outliers, when they are at most this share."""
COLLAPSED_BELOW = 0.5
"""With all points this close to their mean all similarities 1 / (1 + |z_i - z_j|²) are alike and say nothing."""


def near(vectors: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which samples are no outliers: all, when more than a few lie ten times as far out as half of them do."""
    distances = np.linalg.norm(vectors - np.median(vectors, axis=0), axis=1)
    found: NDArray[np.bool_] = distances <= (FAR * np.median(distances) or np.inf)  # 0: half of them are equal
    return found if found.mean() >= 1.0 - FEW else np.ones(len(vectors), dtype=np.bool_)


def standard(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the mean (D,) and the scalar by which deviations are divided; AliError when there are none."""
    center = vectors.mean(axis=0)
    scale = float(np.sqrt(np.square(vectors - center).mean())) / INPUT_RMS
    if not scale * INPUT_RMS > np.finfo(np.float32).eps * np.abs(center).max():
        raise AliError(
            f"the {len(vectors)} samples are equal, to the precision of float32: each is about {vectors[0, :3]}…; "
            "a layout needs samples that differ, and less of a common offset"
        )
    return center, scale


def plane(vectors: NDArray[np.float64], near: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the first two principal components (N, 2) of those that are near, at a standard deviation of 1."""
    positions = principal_plane(vectors if near.all() else vectors[near]).project(vectors)
    spread = float(positions[near, 0].std())
    return positions / spread


def sparse_affinities(
    vectors: NDArray[np.float64], *, perplexity: float, seed: int, device: torch.device
) -> SparseAffinities:
    """Return the affinities of ``vectors`` (N, D) on ``device``; the perplexity is clipped to (N - 1) / 3."""
    from openTSNE.affinity import PerplexityBasedNN  # noqa: PLC0415 - slow to import

    n_samples = len(vectors)
    pairs = PerplexityBasedNN(
        vectors,
        perplexity=min(perplexity, (n_samples - 1) / 3),
        method="exact" if n_samples <= EXACT_NEIGHBOURS_UP_TO else "annoy",
        n_jobs=1,
        random_state=seed,
    ).P.tocoo()
    rows, columns = (torch.tensor(codes, dtype=torch.int64, device=device) for codes in (pairs.row, pairs.col))
    return SparseAffinities(rows, columns, torch.tensor(pairs.data, dtype=torch.float32, device=device), n_samples)


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
    progress
        Called every ten steps, and after the last, with the steps done and in all.
    """

    def __init__(
        self,
        network: TsneNetwork,
        samples: Tensor,
        affinities: SparseAffinities,
        *,
        batch_size: int,
        generator: torch.Generator,
        progress: Progress | None = None,
    ) -> None:
        self.progress, self.done, self.total = progress, 0, 0
        self.network = network.train().requires_grad_(True)
        self.samples, self.affinities = samples, affinities
        self.batch_size, self.generator = batch_size, generator

    def begin(self, targets: Tensor, iterations: int, rate: float) -> None:
        """Fit from scratch: regress on ``targets`` (N, 2), then minimise the divergence."""
        self.total = REGRESSION_ITERATIONS + iterations
        self.start(targets)
        self.descend(iterations, rate)
        if self.collapsed():  # exaggeration pulls samples together that have no clusters to keep apart
            self.total *= 2
            self.start(targets)
            self.descend(iterations, rate, exaggeration=1.0)

    def start(self, targets: Tensor) -> None:
        """Regress on ``targets`` (N, 2), by least squares."""
        optimiser = torch.optim.Adam(self.network.parameters(), lr=REGRESSION_RATE)
        for rows, _ in self._batches(REGRESSION_ITERATIONS):
            positions = self.network(self.samples[rows])
            self._step(optimiser, positions, 2.0 * (positions.detach() - targets[rows]) / len(rows))

    def descend(self, iterations: int, rate: float, exaggeration: float = EXAGGERATION) -> None:
        """Minimise the divergence from scratch, the first third of the ``iterations`` with ``exaggeration``."""
        optimiser, schedule = self._adam(rate, iterations)
        for iteration, (rows, shares) in enumerate(self._batches(iterations)):
            strength = exaggeration if iteration < EXAGGERATED_SHARE * iterations else 1.0
            positions = self.network(self.samples[rows])
            self._step(optimiser, positions, kl_gradient(positions.detach(), shares, strength))
            schedule.step()

    def follow(self, iterations: int, rate: float, anchoring: float) -> None:
        """Minimise the divergence and the anchor term, starting at the rate where `descend` ended."""
        self.total = iterations
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
        """Freeze the network and return the positions (N, 2) of all samples; AliError when they are one point."""
        self.network.eval().requires_grad_(False)
        positions = self.positions()
        if self.collapsed():
            size = self.radius()
            raise AliError(
                f"the layout collapsed: its points lie up to {size:.3g} from their mean, but at least one must lie "
                f"farther than {COLLAPSED_BELOW}; take a smaller learning_rate or a smaller perplexity"
            )
        return positions

    def radius(self) -> float:
        """Return how far from their mean the points lie at most."""
        positions = self.positions()
        return float((positions - positions.mean(dim=0)).norm(dim=1).max())

    def collapsed(self) -> bool:
        """Tell whether all points are so close to each other that their similarities say nothing."""
        radius = self.radius()
        return not (np.isfinite(radius) and radius > COLLAPSED_BELOW)

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

    def _step(self, optimiser: torch.optim.Optimizer, positions: Tensor, gradient: Tensor) -> None:
        optimiser.zero_grad()
        torch.autograd.backward(positions, gradient)
        optimiser.step()
        self.done += 1
        if self.progress is not None and (self.done % PROGRESS_EVERY == 0 or self.done == self.total):
            self.progress(self.done, self.total)
