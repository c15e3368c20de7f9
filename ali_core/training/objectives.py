"""What each method minimises, behind one call: embeddings, labels and rows in, loss and its parts out."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from ali_core.errors import AliError
from ali_core.losses import InterventionLoss, triplet_terms
from ali_core.training.settings import TrainSettings

__all__ = ["Objective", "Terms", "make_objective"]

Terms = dict[str, Tensor]
"""``total`` carries the gradient; ``base`` and ``intervention`` are its parts, ``active`` and ``triplets`` are counted.

A part that a method does not have is NaN, a count 0.
"""


class Objective(nn.Module, ABC):
    """A loss of a batch that knows the class weights; the base of all methods.

    Parameters
    ----------
    settings
        Of the run.
    class_weights
        Factor of each class, shape (C,); None weighs all alike.
    """

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("class_weights", class_weights, persistent=False)

    @property
    def weights(self) -> Tensor | None:
        """The class weights, on the device of the objective."""
        return self._buffers["class_weights"]

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
            terms = self.terms(points, labels, rows)
        none = torch.full((), torch.nan, device=points.device)
        zero = torch.zeros((), dtype=torch.int64, device=points.device)
        filled = {"base": none, "intervention": none, "active": zero, "triplets": zero, **terms}
        return {name: term if name == "total" else term.detach() for name, term in filled.items()}

    @abstractmethod
    def terms(self, points: Tensor, labels: Tensor, rows: Tensor) -> Terms:
        """Return ``total`` and those of the parts that the method has; arguments as :meth:`forward`."""


class Triplet(Objective):
    """``tml``, and the control of ``ali`` and ``pali``, which weigh classes in the L1 term only."""

    def terms(self, points: Tensor, labels: Tensor, rows: Tensor) -> Terms:  # noqa: ARG002
        weights = self.weights if self.settings.method == "tml" else None
        found = triplet_terms(points, labels, margin=self.settings.margin, class_weights=weights)
        return {"total": found.loss, "base": found.loss, "active": found.n_active, "triplets": found.n_triplets}


class Intervention(Objective):
    """``ali`` and ``pali``: :class:`~ali_core.losses.InterventionLoss`, planned anew before each epoch."""

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None) -> None:
        super().__init__(settings, class_weights)
        self.loss = InterventionLoss(
            settings.intervention_settings(),
            margin=settings.margin,
            intervention_weight=settings.weight,
            class_weights=class_weights,
            reduction=settings.reduction,
        )

    def terms(self, points: Tensor, labels: Tensor, rows: Tensor) -> Terms:  # noqa: ARG002
        found = self.loss.terms(points, labels)
        terms = {"total": found.total, "intervention": found.intervention}
        if found.triplet is None:
            return terms
        triplet = found.triplet
        return {**terms, "base": triplet.loss, "active": triplet.n_active, "triplets": triplet.n_triplets}


class CrossEntropy(Objective):
    r"""``ce``, and the control of ``pli``: cross entropy of :math:`(V x + b) / T`."""

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None, n_classes: int) -> None:
        super().__init__(settings, class_weights)
        self.classify = nn.Linear(settings.width, n_classes)

    def terms(self, points: Tensor, labels: Tensor, rows: Tensor) -> Terms:  # noqa: ARG002
        scores = self.classify(points) / self.settings.temperature
        loss = functional.cross_entropy(scores, labels, weight=self.weights)
        return {"total": loss, "base": loss}


class Replay(CrossEntropy):
    r"""``pli``: :math:`(1 - \lambda)` CE + :math:`\lambda` MSE to targets that were computed once.

    :attr:`targets` of shape (N, 2) or (N, D) are those of all training samples, :attr:`projection` is frozen.
    """

    targets: Tensor

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None, n_classes: int) -> None:
        super().__init__(settings, class_weights, n_classes)
        self.register_buffer("targets", torch.empty(0, 2), persistent=False)
        self.projection: Callable[[Tensor], Tensor] = _unchanged

    def terms(self, points: Tensor, labels: Tensor, rows: Tensor) -> Terms:
        base = super().terms(points, labels, rows)["base"]
        moved = functional.mse_loss(self.projection(points), self.targets[rows])
        weight = self.settings.weight
        return {"total": (1.0 - weight) * base + weight * moved, "base": base, "intervention": moved}


class Peer(Objective):
    """``supcon`` and ``proxyanchor``, as pytorch-metric-learning computes them."""

    def __init__(self, settings: TrainSettings, class_weights: Tensor | None, n_classes: int) -> None:
        super().__init__(settings, class_weights)
        from pytorch_metric_learning import distances, losses  # noqa: PLC0415  # slow, and only needed here

        from ali_core.training.peer_weights import proxy_reducer, sample_reducer  # noqa: PLC0415

        if settings.method == "supcon":
            self.loss = losses.SupConLoss(
                temperature=settings.temperature,
                distance=distances.CosineSimilarity(),
                reducer=sample_reducer(class_weights),
            )
        else:
            self.loss = losses.ProxyAnchorLoss(
                n_classes,
                settings.width,
                margin=settings.proxy_margin,
                alpha=settings.proxy_scale,
                reducer=proxy_reducer(class_weights),
            )

    def terms(self, points: Tensor, labels: Tensor, rows: Tensor) -> Terms:  # noqa: ARG002
        loss = self.loss(points, labels)
        return {"total": loss, "base": loss}


def _unchanged(points: Tensor) -> Tensor:
    return points


def make_objective(settings: TrainSettings, class_weights: Tensor | None, n_classes: int) -> Objective:
    """Return what the method of ``settings`` minimises; weights are drawn from torch's global generator."""
    method = settings.method
    if method in ("supcon", "proxyanchor"):
        return Peer(settings, class_weights, n_classes)
    if method == "ce" or (method == "pli" and settings.control):
        return CrossEntropy(settings, class_weights, n_classes)
    if method == "pli":
        return Replay(settings, class_weights, n_classes)
    if method == "tml" or settings.control:
        return Triplet(settings, class_weights)
    if method in ("ali", "pali"):
        return Intervention(settings, class_weights)
    raise AliError(f"the method {method!r} is unknown")
