"""The loss that pulls embeddings to where the interventions put them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ali_core.errors import AliError
from ali_core.interventions import ClassStatistics, ClassTransforms, Criterion, InterventionSettings, Plan, plan
from ali_core.interventions.confusion import experiment
from ali_core.interventions.criteria import criterion_name, own_criterion
from ali_core.interventions.settings import check_dimension
from ali_core.losses.labels import checked_weights, class_codes, planning_samples
from ali_core.losses.reduction import agreed_classes, merged_over_ranks, n_ranks
from ali_core.losses.triplet import TripletTerms, terms_of_codes

__all__ = ["InterventionLoss", "InterventionTerms", "Reduction", "intervention_distance"]

Reduction = Literal["mean", "sum"]
"""How the absolute differences of one sample's dimensions become one number."""


def intervention_distance(
    positions: Tensor,
    targets: Tensor,
    labels: ArrayLike | Tensor,
    *,
    class_weights: ArrayLike | Tensor | None = None,
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
        y, class codes of shape (B,) or (B, 1), integers of any type; used with ``class_weights`` only.
    class_weights
        w, one factor a class, shape (C,).
    reduction
        Whether L1 is the ``mean`` or the ``sum`` over the dimensions.

    Returns
    -------
    torch.Tensor
        Scalar; 0 for an empty batch.

    Raises
    ------
    AliError
        For labels that are fractions, negative or not one a sample, and for more classes than weights.

    Notes
    -----
    The paper does not say whether its L1 is a sum or a mean. The mean is the default because it trains better here:
    see ``benchmarks/README.md``. The target is detached: a place to go to, not a path for gradients.
    """
    if class_weights is None:
        return _weighted_distance(positions, targets, None, reduction)
    weights = checked_weights(class_weights)
    codes = class_codes(labels, len(positions), n_classes=len(weights), device=positions.device)
    return _weighted_distance(positions, targets, weights.to(positions.device)[codes], reduction)


def _weighted_distance(positions: Tensor, targets: Tensor, factors: Tensor | None, reduction: Reduction) -> Tensor:
    difference = positions.float() if positions.dtype not in (torch.float32, torch.float64) else positions
    distances = (difference - targets.detach().to(difference)).abs()
    each = distances.mean(dim=1) if reduction == "mean" else distances.sum(dim=1)
    if factors is not None:
        each = each * factors.to(each)
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

    .. math:: L = (1 - w)\,L_{tml}(B) + \frac{w}{|B|}\sum_{i \in B} w_{y_i}\,\mathcal{L}_1(p(x_i),\ x'_i),
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
    class_names
        The classes in the order of their codes; labels may then be names everywhere.
    criterion
        Your own criterion Ω, a function from :class:`~ali_core.interventions.ClassStatistics` to scores (C,). The
        settings then name it, and as long as they do it is used.

    Raises
    ------
    AliError
        For a weight outside [0, 1], a negative margin, an unknown reduction, or class weights that are not one a class;
        in :meth:`forward` before anything is planned.

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
        class_names: Sequence[str] = (),
        criterion: Criterion | None = None,
    ) -> None:
        super().__init__()
        if not 0.0 <= intervention_weight <= 1.0:
            raise AliError(f"intervention_weight must lie in [0, 1]; got {intervention_weight}")
        if not margin >= 0.0:
            raise AliError(f"margin must be at least 0; got {margin}")
        if reduction not in get_args(Reduction):
            raise AliError(f"reduction must be one of {' | '.join(get_args(Reduction))}; got {reduction!r}")
        self.settings = settings if criterion is None else settings.changed(criterion=criterion_name(criterion))
        self.criterion, self.margin, self.reduction = criterion, margin, reduction
        self.intervention_weight, self.projection = intervention_weight, projection
        self.class_names = tuple(str(name) for name in class_names)
        self.transforms: ClassTransforms | None = None
        weights = None if class_weights is None else checked_weights(class_weights, len(self.class_names) or None)
        self.register_buffer("class_weights", None if weights is None else weights.detach().float(), persistent=False)

    def plan(
        self,
        vectors: ArrayLike | Tensor,
        labels: ArrayLike | Tensor,
        *,
        n_classes: int | None = None,
        over_ranks: bool = True,
    ) -> Plan:
        """Plan the interventions of the next epoch on the embedding of the training set, and use them from now on.

        Parameters
        ----------
        vectors
            The training set embedded in evaluation mode, shape (N, D); its projection (N, 2) when there is one.
        labels
            Class codes, shape (N,) or (N, 1), integers of any type; or names, when the loss has ``class_names``.
        n_classes
            C; by default that of ``class_names`` or ``class_weights``, or the largest code plus 1.
        over_ranks
            Whether the processes of ``torch.distributed`` plan together, where there are several: each gives the
            samples that it has embedded (perhaps none, or all of them to each), and all get the same plan. All of them
            must call this method then. False plans on these samples alone.

        Returns
        -------
        Plan
            The steps and the map of each class; assign another one's ``transforms`` to ``loss.transforms`` to use it.

        Raises
        ------
        AliError
            For vectors with NaN or infinity (the rows are named), labels that are no class codes, settings that are the
            preset for another dimension; in every process, when one of them has such a fault; for the criterion
            ``confusion``, which looks at samples, where several processes plan together.

        Notes
        -----
        C (D + 2) numbers of each process travel, no sample: see :func:`~ali_core.losses.merged_over_ranks`. A plan
        follows from the embedding and the settings alone, so a run that is resumed at an epoch plans it again.
        """
        weights = self._weights()
        known = n_classes or len(self.class_names) or (0 if weights is None else len(weights))
        together, fault = over_ranks and n_ranks() > 1, None
        try:
            points, codes = planning_samples(vectors, labels, n_classes=known or None, class_names=self.class_names)
            check_dimension(self.settings, points.shape[1])
            n_seen, dim = known or int(codes.max(initial=-1)) + 1, points.shape[1]
        except AliError as error:
            n_seen, dim, fault = 0, 0, error
        if together:
            n_seen = agreed_classes(n_seen, dim, fault)
        if fault is not None:
            raise fault
        if not n_seen:
            raise AliError("there is no sample to plan on; give the embedding of the training set")
        statistics = ClassStatistics.from_samples(points, codes, n_seen, spread=self.settings.spread)
        criterion = own_criterion(self.criterion, self.settings.criterion)
        if not together:
            criterion = criterion or experiment(self.settings.criterion, points, codes, n_seen)
        planned = plan(merged_over_ranks(statistics) if together else statistics, self.settings, criterion=criterion)
        self.transforms = planned.transforms
        return planned

    def forward(self, embeddings: Tensor, labels: ArrayLike | Tensor) -> Tensor:
        """Return the loss of a batch: ``embeddings`` of shape (B, D) with ``labels`` (B,) as in :meth:`plan`."""
        return self.terms(embeddings, labels).total

    def terms(self, embeddings: Tensor, labels: ArrayLike | Tensor) -> InterventionTerms:
        """Return the loss of a batch and its parts; same arguments as :meth:`forward`."""
        if self.transforms is None:
            raise AliError("no interventions are planned yet; call plan(vectors, labels) before each epoch")
        weights = self._weights()
        n_classes = len(self.transforms.scales) if weights is None else min(len(self.transforms.scales), len(weights))
        codes = class_codes(
            labels,
            len(embeddings),
            n_classes=n_classes,
            class_names=self.class_names,
            device=embeddings.device,
        )
        weight = self.intervention_weight
        with torch.autocast(embeddings.device.type, enabled=False):
            points = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
            positions = points if self.projection is None else self.projection(points)
            targets = self.transforms.apply(positions.detach(), codes)
            factors = None if weights is None else weights.to(positions.device)[codes]
            moved = _weighted_distance(positions, targets, factors, self.reduction)
            if weight == 1.0:
                return InterventionTerms(total=moved, triplet=None, intervention=moved)
            triplet = terms_of_codes(points, codes, self.margin, None)
        total = (1.0 - weight) * triplet.loss + weight * moved
        return InterventionTerms(total=total, triplet=triplet, intervention=moved)

    def _weights(self) -> Tensor | None:
        weights: Any = self.class_weights
        return weights if isinstance(weights, Tensor) else None
