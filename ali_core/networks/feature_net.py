"""A linear embedding of features that another network has computed.

Synopsis::

    net = FeatureNet(1024, width=256, normalise=True)
    net.scale_to(training_features)
    vectors = net(features)                                 # (B, 1024) -> (B, 256)
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ali_core.errors import AliError

__all__ = ["FeatureNet"]


class FeatureNet(nn.Module):
    r"""One linear layer on standardised features: the last layer of an embedding network, by itself.

    .. math:: x = W\,\frac{h - \mu}{\sigma} + b, \qquad x \leftarrow x / |x| \text{ if normalise}

    Parameters
    ----------
    n_features
        Features F of a sample.
    width
        Dimensions D of the embedding.
    normalise
        Whether embeddings are divided by their L2 norm.

    Raises
    ------
    AliError
        For a width below 1.

    Notes
    -----
    μ and σ are those of the training fold (:meth:`scale_to`) and are saved with the weights. Weights are drawn from
    torch's global generator; fork it (``torch.random.fork_rng``) for a seed of your own.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, n_features: int, *, width: int = 256, normalise: bool = False) -> None:
        super().__init__()
        if width < 1:
            raise AliError(f"the embedding needs at least 1 dimension; got width {width}")
        self.n_features, self.width, self.normalise = n_features, width, normalise
        self.linear = nn.Linear(n_features, width)
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("std", torch.ones(n_features))

    @property
    def dim(self) -> int:
        """Dimensions D of the embedding."""
        return self.width

    @property
    def settings(self) -> dict[str, Any]:
        """What makes an equal network, without its weights: the arguments of the constructor."""
        return {"n_features": self.n_features, "width": self.width, "normalise": self.normalise}

    def scale_to(self, features: Tensor) -> None:
        """Take μ and σ from ``features``, shape (N, F); a feature that does not vary is only centered."""
        values = features.double()
        spread = values.std(dim=0, correction=0)
        self.mean.copy_(values.mean(dim=0))
        self.std.copy_(torch.where(spread > 1e-6 * spread.max(), spread, torch.ones_like(spread)))

    def forward(self, features: Tensor) -> Tensor:
        """Embed ``features``, shape (B, F); returns shape (B, D)."""
        vectors: Tensor = self.linear((features - self.mean) / self.std)
        return functional.normalize(vectors, dim=1) if self.normalise else vectors
