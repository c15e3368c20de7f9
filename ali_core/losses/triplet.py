"""The triplet margin loss over all violating triplets of a batch, without listing a triplet.

Synopsis::

    loss = triplet_margin_loss(embeddings, labels, margin=0.2)
    loss.backward()
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.autograd.function import once_differentiable

from ali_core.errors import AliError
from ali_core.losses.labels import checked_weights, class_codes

__all__ = ["TripletTerms", "triplet_margin_loss", "triplet_terms"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TripletTerms:
    """The triplet margin loss of a batch with what one needs to watch a training.

    Parameters
    ----------
    loss
        Scalar tensor; it carries the gradient.
    n_active
        Triplets that violate the margin, scalar tensor.
    n_triplets
        All triplets of the batch, scalar tensor.
    """

    loss: Tensor
    n_active: Tensor
    n_triplets: Tensor


def triplet_margin_loss(
    embeddings: Tensor,
    labels: ArrayLike | Tensor,
    *,
    margin: float,
    class_weights: ArrayLike | Tensor | None = None,
    class_names: Sequence[str] = (),
) -> Tensor:
    r"""Return the mean loss of all triplets of a batch that violate the margin.

    .. math:: L = \frac{\sum_{(a,p,n) \in T} w_{y_a}\, l_{apn}}{\sum_{(a,p,n) \in T} w_{y_a}}, \qquad
              l_{apn} = |x_a - x_p| - |x_a - x_n| + m,

    over :math:`T = \{(a,p,n) : y_a = y_p \ne y_n,\ a \ne p,\ l_{apn} > 0\}`.

    (:math:`\mathcal{L}_{tml}(\mathcal{T}_B)` in Eq. 1 of the paper; F. Schroff et al., CVPR 2015.)

    Parameters
    ----------
    embeddings
        x, shape (B, D), floating point. Half precision is computed in float32, also within autocast.
    labels
        y, class codes of shape (B,) or (B, 1), integers of any type; or names, when ``class_names`` are given.
    margin
        m, at least 0; in units of the L2 distance of embeddings.
    class_weights
        w, one factor a class, shape (C,); None weighs all triplets alike.
    class_names
        The classes in the order of their codes, for labels that are names.

    Returns
    -------
    torch.Tensor
        Scalar, float32 or float64. 0 with a gradient of zeros when no triplet violates the margin.

    Raises
    ------
    AliError
        For shapes that do not fit, a negative margin, labels that are fractions, negative or unknown, and more classes
        than weights.

    Notes
    -----
    For one anchor the loss only depends on how many negatives are nearer than :math:`d_{ap} + m`, and on the sum of
    their distances. With the negatives of an anchor sorted once, both follow for all positives by bisection and a
    cumulative sum; so do value and gradient in O(B² (D + log B)) time and O(B²) memory, where a list of triplets takes
    O(B³). The gradient at distance 0 is taken as 0. A triplet with exactly :math:`l = 0` does not count.
    """
    return triplet_terms(embeddings, labels, margin=margin, class_weights=class_weights, class_names=class_names).loss


def triplet_terms(
    embeddings: Tensor,
    labels: ArrayLike | Tensor,
    *,
    margin: float,
    class_weights: ArrayLike | Tensor | None = None,
    class_names: Sequence[str] = (),
) -> TripletTerms:
    """Return :func:`triplet_margin_loss` together with the numbers of violating and of all triplets; same arguments."""
    if embeddings.ndim != 2:
        raise AliError(f"embeddings must have the shape (B, D); got {tuple(embeddings.shape)}")
    factors = None if class_weights is None else checked_weights(class_weights, len(class_names) or None)
    codes = class_codes(
        labels,
        len(embeddings),
        n_classes=None if factors is None else len(factors),
        class_names=class_names,
        device=embeddings.device,
    )
    if not margin >= 0.0:
        raise AliError(f"margin must be at least 0; got {margin}")
    return terms_of_codes(embeddings, codes, margin, factors)


def terms_of_codes(embeddings: Tensor, codes: Tensor, margin: float, factors: Tensor | None) -> TripletTerms:
    """Return :func:`triplet_terms` of arguments that are checked already."""
    with torch.autocast(embeddings.device.type, enabled=False):
        points = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
        weights = None if factors is None else factors.to(points)[codes]
        loss, n_active, n_triplets = _TripletMargin.apply(points, codes, margin, weights)
    return TripletTerms(loss=loss, n_active=n_active, n_triplets=n_triplets)


class _TripletMargin(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  # torch's context is not annotated
        points: Tensor,
        labels: Tensor,
        margin: float,
        weights: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        distances = _distances(points)
        slope, n_active, n_triplets = _slope(distances, labels, margin)
        if weights is not None:
            slope *= weights[:, None]
        # Each triplet adds its weight once to a positive and takes it once from a negative distance.
        total = slope.clamp(min=0.0).sum()
        loss = torch.where(total > 0, (slope * distances).sum() / total + margin, torch.zeros_like(total))
        ctx.save_for_backward(points, distances, slope, total)
        ctx.mark_non_differentiable(n_active, n_triplets)
        return loss, n_active, n_triplets

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, None, None, None]:  # noqa: ANN401
        points, distances, slope, total = ctx.saved_tensors
        pull = (slope + slope.T) / distances
        pull.masked_fill_(distances == 0.0, 0.0)
        pull *= torch.where(total > 0, gradient / total, torch.zeros_like(total))
        with torch.autocast(points.device.type, enabled=False):  # for a backward() inside autocast
            return pull.sum(dim=1, keepdim=True) * points - pull @ points, None, None, None


def _distances(points: Tensor) -> Tensor:
    """L2 distances of all pairs, shape (B, B); the diagonal is 0."""
    centered = points - points.mean(dim=0)  # smaller numbers cancel less
    squares = centered.square().sum(dim=1)
    products = torch.addmm(squares[:, None] + squares, centered, centered.T, alpha=-2.0)
    return products.clamp_(min=0.0).sqrt_().fill_diagonal_(0.0)


def _slope(distances: Tensor, labels: Tensor, margin: float) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return the derivative of the summed loss by each distance of an anchor (row), and the numbers of triplets.

    For a positive it is the number of negatives nearer than :math:`d_{ap} + m`; for a negative, minus the number of
    positives with :math:`d_{ap} + m` beyond it.
    """
    same = labels[:, None] == labels
    negatives, order = torch.sort(distances.masked_fill(same, torch.inf), dim=1)
    reached = torch.searchsorted(negatives, distances + margin)
    reached.masked_fill_(~same, 0).fill_diagonal_(0)
    # How many positives reach past the j-th negative: those that reach more than j of them.
    histogram = torch.zeros(len(labels), len(labels) + 1, dtype=distances.dtype, device=distances.device)
    histogram.scatter_add_(1, reached, torch.ones_like(distances))
    passing = len(labels) - histogram.cumsum(dim=1)[:, :-1]
    slope = reached.to(distances.dtype) - torch.zeros_like(distances).scatter_(1, order, passing)
    positives = same.sum(dim=1) - 1
    return slope, reached.sum(), (positives * (len(labels) - positives - 1)).sum()
