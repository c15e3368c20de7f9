"""The network of parametric t-SNE: landmarks with places in the plane, and a vote of those that are near.

Synopsis::

    net = TsneNetwork(center=m, axes=A, landmarks=c, places=w, slope=B)
    positions = net(vectors)                                # (N, D) -> (N, 2)
"""

import torch
from torch import Tensor, nn

__all__ = ["TsneNetwork"]

VOTERS = 15
"""Nearest landmarks that have a say where a sample lies."""
AGREEMENT = 8
"""Power of the votes: the higher, the more a sample lies with the majority and the less in between."""
NEARNESS = 10.0
"""Squared distance in the plane at which two landmarks agree by half; that of t-SNE's own similarities is 1."""


class TsneNetwork(nn.Module):
    r"""A map from D dimensions to the plane that knows K landmarks and their places.

    A sample x has the coordinates :math:`u = A^\top (x - m)`. Of the 15 landmarks nearest to it each has a share by its
    distance, and votes from those that lie near it in the plane; the sample lies at their mean, weighted by both:

    .. math:: p_k \propto e^{-|u - c_k|^2}, \qquad
              v_k = \sum_j \frac{p_j}{1 + |w_k - w_j|^2 / 10}, \qquad
              z = \frac{\sum_k p_k v_k^8 \, (w_k + B^\top (u - c_k))}{\sum_k p_k v_k^8}

    Attributes
    ----------
    center, axes
        Buffers m (D,) and A (D, d). Columns of A are orthogonal, in the unit in which neighbours are near.
    landmarks, places
        Buffers c (K, d) and w (K, 2).
    slope
        Buffer B (d, 2): how far a sample lies from the place of a landmark for how far it is from the landmark.

    Notes
    -----
    A mean of neighbours that lie in two clusters of a layout lies in neither. Votes let the greater one decide: a step
    towards the mode of :math:`\sum_k p_k (1 + |z - w_k|^2)^{-1}`, which is where the attraction of t-SNE would take
    the sample; but a smooth one, so that gradients pass. The slope leads beyond the outermost landmarks.
    """

    center: Tensor
    axes: Tensor
    landmarks: Tensor
    places: Tensor
    slope: Tensor

    def __init__(self, **tensors: Tensor) -> None:
        super().__init__()
        for name in self.__annotations__:
            self.register_buffer(name, tensors[name])

    def forward(self, vectors: Tensor, *, hold_votes: bool = False) -> Tensor:
        r"""Lay out ``vectors`` (N, D) of the network's dtype; returns positions (N, 2).

        With ``hold_votes`` the gradient is that of the slope alone, :math:`\partial z / \partial x = A B`.
        """
        inputs = (vectors - self.center) @ self.axes
        products = torch.addmm(self.landmarks.square().sum(dim=1), inputs, self.landmarks.T, alpha=-2.0)
        distances, nearest = products.topk(min(VOTERS, len(self.landmarks)), dim=1, largest=False)  # less |u|²
        shares, places = torch.softmax(-distances, dim=1), self.places[nearest]
        agreement = 1.0 / (1.0 + torch.cdist(places, places).square() / NEARNESS)
        votes = shares * (agreement @ shares[:, :, None])[:, :, 0] ** AGREEMENT
        votes = votes / votes.sum(dim=1, keepdim=True)
        if hold_votes:
            votes = votes.detach()
        offsets = (self.places - self.landmarks @ self.slope)[nearest]
        positions: Tensor = (votes[:, None] @ offsets)[:, 0] + inputs @ self.slope
        return positions
