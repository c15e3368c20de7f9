"""The loss that pulls embeddings to where the interventions put them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from ali_core.errors import AliError
from ali_core.interventions import ClassStatistics, ClassTransforms, InterventionSettings, Plan, plan
from ali_core.losses.triplet import TripletTerms, triplet_terms

__all__ = ["InterventionLoss", "InterventionTerms", "Reduction", "intervention_distance"]

Reduction = Literal["mean", "sum"]
"""How the absolute differences of one sample's dimensions become one number."""


def intervention_distance(
    positions: Tensor,
    targets: Tensor,
    labels: Tensor,
    *,
    class_weights: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Return :math:`\frac{1}{|B|}\sum_i w_{y_i}\,\mathcal{L}_1(z_i, z'_i)`, the second term of Eq. 1 and 5.

    Parameters
    ----------
    positions
        z, where the samples are: embeddings (B, D), or their 2-D projection. Half precision is computed in float32.
    targets
        z', where the interventions put them, shape (B, D). No gradient passes through them.
    labels
        y, class codes of shape (B,); used with ``class_weights`` only.
    class_weights
        w, one factor a class, shape (C,).
    reduction
        Whether L1 is the ``mean`` or the ``sum`` over the dimensions.

    Returns
    -------
    torch.Tensor
        Scalar; 0 for an empty batch.

    Notes
    -----
    The paper does not say whether its L1 is a sum or a mean. The mean is the default because it trains better here:
    see ``benchmarks/README.md``. The target is detached: a place to go to, not a path for gradients.
    """
    difference = positions.float() if positions.dtype not in (torch.float32, torch.float64) else positions
    distances = (difference - targets.detach().to(difference)).abs()
    each = distances.mean(dim=1) if reduction == "mean" else distances.sum(dim=1)
    if class_weights is not None:
        each = each * class_weights.to(each)[labels]
    return each.sum() / max(len(each), 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class InterventionTerms:
    """The parts of the loss of one batch.

    Parameters
    ----------
    total
        Scalar tensor; it carries the gradient.
    triplet
        The triplet margin loss and how many triplets violate the margin; None where the weight leaves no room for it.
    intervention
        The L1 term, scalar tensor.
    """

    total: Tensor
    triplet: TripletTerms | None
    intervention: Tensor


class InterventionLoss(nn.Module):
    r"""Triplet margin loss and the distance to the moved embedding (Eq. 1 and 5 of the paper).

    .. math:: L = (1 - w)\,L_{tml}(B) + \frac{w}{|B|}\sum_{i \in B} w_{y_i}\,\mathcal{L}_1\big(p(x_i),\ x'_i\big),
              \qquad x'_i = \theta_{y_i}(p(x_i))

    with p the identity (ALI), or a frozen parametric t-SNE (PALI).

    Parameters
    ----------
    settings
        The interventions that :meth:`plan` carries out, for instance ``preset("c,s", dim=256)``.
    margin
        Of the triplet margin loss.
    intervention_weight
        w in [0, 1]: 0 is the triplet margin loss alone, 1 the interventions alone. The paper takes 0.8, and 0.9 in 2-D.
    class_weights
        Factor of each class in the L1 term, shape (C,), for instance
        :func:`~ali_core.losses.class_weights.inverse_frequency`; None weighs all samples alike.
    reduction
        Whether L1 is the ``mean`` or the ``sum`` over the dimensions.
    projection
        p, from (B, D) to (B, 2) tensors, for instance ``ParametricTSNE().fit(vectors).forward``; None is the identity.

    Raises
    ------
    AliError
        For a weight outside [0, 1], a negative margin or an unknown reduction; in :meth:`forward` before anything is
        planned.

    Notes
    -----
    The paper calls w α, and its caption of Fig. 5 calls "ALI without TML" α = 0, which Eq. 1 contradicts; here it is
    ``intervention_weight=1``. ``class_weights`` enter the L1 term only, as Sec. III-E says.
    """

    def __init__(
        self,
        settings: InterventionSettings,
        *,
        margin: float,
        intervention_weight: float = 0.8,
        class_weights: ArrayLike | Tensor | None = None,
        reduction: Reduction = "mean",
        projection: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        if not 0.0 <= intervention_weight <= 1.0:
            raise AliError(f"intervention_weight must lie in [0, 1]; got {intervention_weight}")
        if not margin >= 0.0:
            raise AliError(f"margin must be at least 0; got {margin}")
        if reduction not in get_args(Reduction):
            raise AliError(f"reduction must be one of {' | '.join(get_args(Reduction))}; got {reduction!r}")
        self.settings, self.margin, self.reduction = settings, margin, reduction
        self.intervention_weight, self.projection = intervention_weight, projection
        self.transforms: ClassTransforms | None = None
        weights = None if class_weights is None else torch.as_tensor(_as_array(class_weights), dtype=torch.float32)
        self.register_buffer("class_weights", weights, persistent=False)

    def plan(self, vectors: ArrayLike | Tensor, labels: ArrayLike | Tensor, *, n_classes: int | None = None) -> Plan:
        """Plan the interventions of the next epoch on the embedding of the training set, and use them from now on.

        Parameters
        ----------
        vectors
            The training set embedded in evaluation mode, shape (N, D); its projection (N, 2) when there is one.
        labels
            Class codes, shape (N,).
        n_classes
            C; by default the largest code plus 1.

        Returns
        -------
        Plan
            The steps and the map of each class; assign another one's ``transforms`` to :attr:`transforms` to use it.
        """
        points, codes = _as_array(vectors), _as_array(labels)
        statistics = ClassStatistics.from_samples(
            points, codes, n_classes or int(codes.max()) + 1, spread=self.settings.spread
        )
        planned = plan(statistics, self.settings)
        self.transforms = planned.transforms
        return planned

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch: ``embeddings`` of shape (B, D) with class codes ``labels`` (B,)."""
        return self.terms(embeddings, labels).total

    def terms(self, embeddings: Tensor, labels: Tensor) -> InterventionTerms:
        """Return the loss of a batch and its parts; same arguments as :meth:`forward`."""
        if self.transforms is None:
            raise AliError("no interventions are planned yet; call plan(vectors, labels) before each epoch")
        weight = self.intervention_weight
        with torch.autocast(embeddings.device.type, enabled=False):
            points = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
            positions = points if self.projection is None else self.projection(points)
            targets = self.transforms.apply(positions.detach(), labels)
            moved = intervention_distance(
                positions, targets, labels, class_weights=self._weights(), reduction=self.reduction
            )
            if weight == 1.0:
                return InterventionTerms(total=moved, triplet=None, intervention=moved)
            triplet = triplet_terms(points, labels, margin=self.margin)
        total = (1.0 - weight) * triplet.loss + weight * moved
        return InterventionTerms(total=total, triplet=triplet, intervention=moved)

    def _weights(self) -> Tensor | None:
        weights: Any = self.class_weights
        return weights if isinstance(weights, Tensor) else None


def _as_array(values: ArrayLike | Tensor) -> NDArray[Any]:
    if not isinstance(values, Tensor):
        return np.asarray(values)
    values = values.detach().cpu()
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()  # numpy has no bfloat16
