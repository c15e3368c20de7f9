"""Class weights for the losses of pytorch-metric-learning, which reduces them by plain means."""

from pytorch_metric_learning.reducers import AvgNonZeroReducer, BaseReducer, DivisorReducer
from torch import Tensor

__all__ = ["proxy_reducer", "sample_reducer"]


def sample_reducer(class_weights: Tensor | None) -> BaseReducer:
    r"""Return :math:`\sum_i w_{y_i} l_i / \sum_i w_{y_i}` over the samples with a loss above 0 (``supcon``)."""
    return AvgNonZeroReducer() if class_weights is None else _WeightedNonZero(class_weights)


def proxy_reducer(class_weights: Tensor | None) -> BaseReducer:
    """Return the mean over proxies, each times the weight of its class (``proxyanchor``)."""
    return DivisorReducer() if class_weights is None else _WeightedProxies(class_weights)


class _WeightedNonZero(BaseReducer):  # type: ignore[misc]  # the library is not annotated
    def __init__(self, class_weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights, persistent=False)

    def element_reduction(self, losses: Tensor, loss_indices: Tensor, embeddings: Tensor, labels: Tensor) -> Tensor:
        weights = self.class_weights.to(losses)[labels[loss_indices]] * (losses > 0)
        if not bool(weights.any()):
            return self.zero_loss(embeddings)  # type: ignore[no-any-return]
        mean: Tensor = (weights * losses).sum() / weights.sum()
        return mean


class _WeightedProxies(DivisorReducer):  # type: ignore[misc]  # the library is not annotated
    def __init__(self, class_weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights, persistent=False)

    def element_reduction(
        self,
        losses: Tensor,
        loss_indices: Tensor,
        embeddings: Tensor,
        labels: Tensor,
        divisor: int = 1,
    ) -> Tensor:
        # A proxy stands for one class, so its index is the class code.
        weighted = losses * self.class_weights.to(losses)[loss_indices]
        return super().element_reduction(weighted, loss_indices, embeddings, labels, divisor)  # type: ignore[no-any-return]
