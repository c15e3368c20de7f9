"""What each method minimises, behind one call: embeddings, labels and rows in, loss and its parts out."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pkgutil import resolve_name

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ali_core.losses import InterventionLoss, inverse_frequency, triplet_terms
from ali_core.training.methods import BASES
from ali_core.training.settings import TrainSettings

__all__ = ["Objective", "Pull", "Terms", "make_objective"]

Terms = dict[str, Tensor]
"""``total`` carries the gradient; ``base`` and ``intervention`` are its parts, ``active`` and ``triplets`` are counted.

A part that a method does not have is NaN, a count 0.
"""


class Pull(nn.Module, ABC):
    """The second term of a loss: how far samples are from where interventions want them."""

    @abstractmethod
    def forward(self, points: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        """Return the term as a scalar; arguments as :meth:`Objective.forward`."""


class ToMoved(Pull):
    """``ali`` and ``pali``: L1 to the moved embedding, planned anew before each epoch (Eq. 1 and 5).

    Parameters
    ----------
    settings
        Of the run.
    class_weights
        Factor of each class, shape (C,); None weighs all alike.

    Attributes
    ----------
    loss
        Holds the transforms in force and, for ``pali``, the projection.
    """

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None) -> None:
        super().__init__()
        self.loss = InterventionLoss(
            settings.intervention_settings(),
            margin=settings.margin,
            intervention_weight=1.0,
            class_weights=class_weights,
            reduction=settings.reduction,
        )

    def forward(self, points: Tensor, labels: Tensor, rows: Tensor) -> Tensor:  # noqa: ARG002
        return self.loss.terms(points, labels).total


class ToRecorded(Pull):
    r"""``pli``: MSE to targets that were computed once.

    :attr:`targets` of shape (N, 2) or (N, D) are those of all training samples, :attr:`projection` is frozen.
    """

    targets: Tensor

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None) -> None:  # noqa: ARG002
        super().__init__()
        self.register_buffer("targets", torch.empty(0, 2), persistent=False)
        self.projection: Callable[[Tensor], Tensor] = lambda points: points

    def forward(self, points: Tensor, labels: Tensor, rows: Tensor) -> Tensor:  # noqa: ARG002
        return functional.mse_loss(self.projection(points), self.targets[rows])


class Objective(nn.Module, ABC):
    r"""What a method minimises: a loss of labels, and under interventions a pull beside it.

    .. math:: L = (1 - w)\,L_{base} + w\,L_{pull}

    Parameters
    ----------
    settings
        Of the run.
    class_weights
        Factor of each class in the loss of labels, shape (C,); None weighs all alike.
    counts
        Training samples of each class, int64 of shape (C,).

    Attributes
    ----------
    pull
        The second term; None for a method without interventions, and for a control.
    intervening
        Whether the pull counts now; without it, L is the loss of labels alone.

    Notes
    -----
    Eq. 1 of the paper has the triplet margin loss as its base, PLI has cross entropy; any other can take their place.
    """

    pull: Pull | None
    class_weights: Tensor | None

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None, counts: NDArray[np.int64]) -> None:
        super().__init__()
        self.settings, self.counts, self.intervening = settings, counts, True
        self.pull = None
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, embeddings: Tensor, labels: Tensor, rows: Tensor) -> Terms:
        """Return the loss of a batch and its parts.

        Parameters
        ----------
        embeddings
            Shape (B, D), float32.
        labels
            Class codes, shape (B,).
        rows
            Where the samples stand in the training set, shape (B,).
        """
        with torch.autocast(embeddings.device.type, enabled=False):
            points = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
            terms = self._both(points, labels, rows)
        none = torch.full((), torch.nan, device=points.device)
        zero = torch.zeros((), dtype=torch.int64, device=points.device)
        filled = {"base": none, "intervention": none, "active": zero, "triplets": zero, **terms}
        return {name: term if name == "total" else term.detach() for name, term in filled.items()}

    def _both(self, points: Tensor, labels: Tensor, rows: Tensor) -> Terms:
        weight = self.settings.weight
        if self.pull is None or not self.intervening:
            terms = self.terms(points, labels)
            return {"total": terms["base"], **terms}
        moved = self.pull(points, labels, rows)
        if weight == 1.0:
            return {"total": moved, "intervention": moved}
        terms = self.terms(points, labels)
        return {"total": (1.0 - weight) * terms["base"] + weight * moved, "intervention": moved, **terms}

    @abstractmethod
    def terms(self, points: Tensor, labels: Tensor) -> Terms:
        """Return the loss of labels as ``base`` and, where it has triplets, their numbers."""


class Triplet(Objective):
    """``tml``: the triplet margin loss."""

    def terms(self, points: Tensor, labels: Tensor) -> Terms:
        found = triplet_terms(points, labels, margin=self.settings.margin, class_weights=self.class_weights)
        return {"base": found.loss, "active": found.n_active, "triplets": found.n_triplets}


class CrossEntropy(Objective):
    r"""``ce``: cross entropy of :math:`(V x + b) / T`."""

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None, counts: NDArray[np.int64]) -> None:
        super().__init__(settings, class_weights, counts)
        self.classify = nn.Linear(settings.width, len(counts))

    def terms(self, points: Tensor, labels: Tensor) -> Terms:
        return {"base": functional.cross_entropy(self.scores(points), labels, weight=self.class_weights)}

    def scores(self, points: Tensor) -> Tensor:
        """Return the logits of a batch, shape (B, C)."""
        return self.classify(points) / self.settings.temperature  # type: ignore[no-any-return]


class LogitAdjusted(CrossEntropy):
    r"""``logit-adjusted``: cross entropy of :math:`(V x + b) / T + \log(N_c / N)`.

    A. K. Menon et al., Long-tail learning via logit adjustment, ICLR 2021, with their τ = 1. A class without training
    samples is never predicted.
    """

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None, counts: NDArray[np.int64]) -> None:
        super().__init__(settings, class_weights, counts)
        self.log_shares: Tensor
        shares = torch.tensor(counts, dtype=torch.float32) / max(int(counts.sum()), 1)
        self.register_buffer("log_shares", shares.log(), persistent=False)

    def scores(self, points: Tensor) -> Tensor:
        return super().scores(points) + self.log_shares


class SupCon(Objective):
    """``supcon``, as pytorch-metric-learning computes it."""

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None, counts: NDArray[np.int64]) -> None:
        super().__init__(settings, class_weights, counts)
        from pytorch_metric_learning import distances, losses  # noqa: PLC0415  # slow, and only needed here

        from ali_core.training.peer_weights import sample_reducer  # noqa: PLC0415

        self.loss = losses.SupConLoss(
            temperature=settings.temperature,
            distance=distances.CosineSimilarity(),
            reducer=sample_reducer(class_weights),
        )

    def terms(self, points: Tensor, labels: Tensor) -> Terms:
        return {"base": self.loss(points, labels)}


class ProxyAnchor(Objective):
    """``proxyanchor``, as pytorch-metric-learning computes it."""

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None, counts: NDArray[np.int64]) -> None:
        super().__init__(settings, class_weights, counts)
        from pytorch_metric_learning import losses  # noqa: PLC0415  # slow, and only needed here

        from ali_core.training.peer_weights import proxy_reducer  # noqa: PLC0415

        self.loss = losses.ProxyAnchorLoss(
            len(counts),
            settings.width,
            margin=settings.proxy_margin,
            alpha=settings.proxy_scale,
            reducer=proxy_reducer(class_weights),
        )

    def terms(self, points: Tensor, labels: Tensor) -> Terms:
        return {"base": self.loss(points, labels)}


def make_objective(settings: TrainSettings, counts: NDArray[np.int64]) -> Objective:
    """Return what the method of ``settings`` minimises; weights are drawn from torch's global generator.

    Parameters
    ----------
    settings
        Of the run.
    counts
        Training samples of each class, shape (C,); class weights follow from them.
    """
    spec = settings.spec
    weights = torch.tensor(inverse_frequency(counts), dtype=torch.float32) if settings.class_weights else None
    of_base, of_pull = (None, weights) if spec.planned else (weights, None)
    objective: Objective = resolve_name(BASES[settings.base_loss])(settings, of_base, counts)
    if spec.intervenes and not settings.control:
        objective.pull = resolve_name(spec.pull)(settings, of_pull)
    return objective
