"""The network of parametric t-SNE, its divergence on a batch, and the batches.

Synopsis::

    net = TsneNetwork(256, (300, 100), generator=torch.Generator().manual_seed(0))
    net.standardise(center, scale)
    positions = net(vectors)                                # (N, 256) -> (N, 2)
    positions.backward(kl_gradient(positions.detach(), affinities))
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["INPUT_RMS", "SparseAffinities", "TsneNetwork", "drawn_in", "kl_divergence", "kl_gradient"]

INPUT_RMS = 4.0
"""Root mean square, per axis, of what the first layer receives from the samples it was fit to."""
FARTHEST = 20.0
"""A sample this many times as far from the mean as the root mean square is put there; others farther out as well."""


class TsneNetwork(nn.Module):
    r"""A perceptron from D dimensions to the plane: softplus between its layers, a linear output.

    .. math:: z = W_3\,\sigma(W_2\,\sigma(W_1 \tfrac{x - \bar x}{s} + b_1) + b_2) + b_3,
              \qquad \sigma(a) = \log(1 + e^a)

    Parameters
    ----------
    dim
        Dimensions D of a sample.
    hidden
        Widths of the hidden layers.
    generator
        Draws the weights, on the CPU; torch's global generator is not used.

    Attributes
    ----------
    center, scale
        Buffers :math:`\bar x` (D,) and s (), float32; see `standardise`. At first 0 and 1.

    Notes
    -----
    The paper names no architecture. Its predecessor, Parametric Latent Interventions, uses 300-100-2 with softplus.
    A linear output because one that is rectified loses a dimension when a unit dies. Weights and biases are uniform in
    ±1/√(inputs), torch's rule for a linear layer.
    """

    center: Tensor
    scale: Tensor

    def __init__(self, dim: int, hidden: Sequence[int], *, generator: torch.Generator) -> None:
        super().__init__()
        widths = [dim, *hidden, 2]
        layers: list[nn.Module] = []
        for n_inputs, n_outputs in pairwise(widths):
            layers += [_linear(n_inputs, n_outputs, generator), nn.Softplus()]
        self.layers = nn.Sequential(*layers[:-1])
        self.register_buffer("center", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(()))

    @torch.no_grad()
    def standardise(self, center: Tensor, scale: Tensor) -> None:
        """Take the mean ``center`` (D,) of the samples, and the ``scale`` () by which deviations are divided."""
        self.center.copy_(center)
        self.scale.copy_(scale)

    def forward(self, vectors: Tensor) -> Tensor:
        """Lay out ``vectors`` (N, D) of the network's dtype; returns positions (N, 2)."""
        positions: Tensor = self.layers(drawn_in((vectors - self.center) / self.scale))
        return positions


def drawn_in(inputs: Tensor) -> Tensor:
    """Return ``inputs`` (N, D) with those beyond :data:`FARTHEST` at that distance, in the direction they were."""
    most = FARTHEST * INPUT_RMS * inputs.shape[1] ** 0.5
    distances = torch.linalg.vector_norm(inputs, dim=1, keepdim=True).clamp(min=most)
    near: Tensor = inputs * (most / distances)
    return near


def _linear(n_inputs: int, n_outputs: int, generator: torch.Generator) -> nn.Linear:
    layer = nn.Linear(n_inputs, n_outputs, device="meta").to_empty(device="cpu")  # draws nothing
    bound = n_inputs**-0.5
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def kl_divergence(positions: Tensor, affinities: Tensor) -> Tensor:
    r"""Kullback-Leibler divergence of the layout's similarities Q from the affinities P.

    .. math:: \sum_{i \ne j} p_{ij} \log\frac{p_{ij}}{q_{ij}}, \qquad
              q_{ij} = \frac{(1 + |z_i - z_j|^2)^{-1}}{\sum_{k \ne l} (1 + |z_k - z_l|^2)^{-1}}

    Parameters
    ----------
    positions
        z, shape (B, 2).
    affinities
        P, shape (B, B), symmetric, zero on its diagonal, of sum 1.

    Returns
    -------
    torch.Tensor
        A scalar, differentiable in ``positions``.

    References
    ----------
    L. van der Maaten, "Learning a parametric embedding by preserving local structure", AISTATS 2009, eq. 3 and 5 with
    one degree of freedom.
    """
    squares = (positions[:, None] - positions[None]).square().sum(dim=2)
    total = (1.0 / (1.0 + squares)).sum() - len(positions)
    return (torch.xlogy(affinities, affinities) + affinities * torch.log1p(squares)).sum() + total.log()


def kl_gradient(positions: Tensor, affinities: Tensor, exaggeration: float = 1.0) -> Tensor:
    r"""Gradient of `kl_divergence` in the positions, in a third of the time that autograd takes.

    .. math:: \frac{\partial}{\partial z_i} = 4 \sum_j (e\,p_{ij} - q_{ij}) (1 + |z_i - z_j|^2)^{-1} (z_i - z_j)

    Parameters
    ----------
    positions, affinities
        As for `kl_divergence`.
    exaggeration
        e: how much stronger than the divergence wants it similar samples attract each other.

    Returns
    -------
    torch.Tensor
        Shape (B, 2).
    """
    lengths = positions.square().sum(dim=1)
    squares = torch.addmm(lengths[:, None] + lengths[None], positions, positions.T, alpha=-2)
    similarities = squares.clamp_(min=0.0).add_(1.0).reciprocal_().fill_diagonal_(0.0)
    forces = (exaggeration * affinities).sub_(similarities / similarities.sum()).mul_(similarities)
    return 4.0 * (forces.sum(dim=1, keepdim=True) * positions - forces @ positions)


@dataclass(frozen=True, slots=True, eq=False)
class SparseAffinities:
    """Affinities P of N samples, as the list of the pairs that have any.

    Attributes
    ----------
    rows, columns
        The pairs, both (E,), int64; each pair stands in both orders.
    weights
        Affinity of each pair, (E,), floating.
    n_samples
        N.
    """

    rows: Tensor
    columns: Tensor
    weights: Tensor
    n_samples: int

    def batches(self, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Split the samples at random into batches of ``size`` to twice ``size``; all at once when N is less.

        Yields
        ------
        samples : torch.Tensor
            The samples of a batch, (B,), int64.
        affinities : torch.Tensor
            Their affinities among each other, (B, B), divided by their sum.
        """
        n_batches = max(1, self.n_samples // size)
        parts = torch.randperm(self.n_samples, generator=generator).to(self.rows.device).tensor_split(n_batches)
        batch_of, place = torch.empty(2, self.n_samples, dtype=torch.int64, device=self.rows.device)
        for number, samples in enumerate(parts):
            batch_of[samples] = number
            place[samples] = torch.arange(len(samples), device=samples.device)
        together = (batch_of[self.rows] == batch_of[self.columns]).nonzero()[:, 0]
        numbers, order = batch_of[self.rows[together]].sort(stable=True)
        counts = torch.bincount(numbers, minlength=n_batches).tolist()
        for samples, pairs in zip(parts, together[order].split(counts), strict=True):
            yield samples, self._dense(len(samples), place, pairs)

    def _dense(self, n: int, place: Tensor, pairs: Tensor) -> Tensor:
        weights = self.weights[pairs]
        flat = weights.new_zeros(n * n)
        flat[place[self.rows[pairs]] * n + place[self.columns[pairs]]] = weights
        return (flat / flat.sum().clamp(min=torch.finfo(flat.dtype).tiny)).view(n, n)

    def kl_divergence(self, positions: Tensor) -> float:
        """Return `kl_divergence` of all samples at ``positions`` (N, 2), in pieces: O(N²) time, O(N) memory."""
        shares = self.weights / self.weights.sum()
        squares = (positions[self.rows] - positions[self.columns]).square().sum(dim=1)
        attraction = torch.xlogy(shares, shares) + shares * squares.log1p()
        similarities = positions.new_zeros(())
        for first in range(0, len(positions), 512):
            # By matrix products the distance of a point from itself would not be 0.
            exact = "donot_use_mm_for_euclid_dist"
            distances = torch.cdist(positions[first : first + 512], positions, compute_mode=exact)
            similarities += (1.0 + distances.square()).reciprocal().sum()
        return float(attraction.sum() + torch.log(similarities - len(positions)))
