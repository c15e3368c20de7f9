"""An image network whose output is the embedding.

Synopsis::

    net = EmbeddingNet("densenet121", width=256)
    vectors = net(images)                                   # (B, 3, H, W) in [0, 1] -> (B, 256)
"""

import hashlib
import json
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ali_core.errors import AliError
from ali_core.networks.backbones import build_backbone, last_linear

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "EmbeddingNet"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class EmbeddingNet(nn.Module):
    r"""A torchvision network whose classification layer is replaced by one linear layer.

    .. math:: x = W\,h\!\left(\frac{p - \mu}{\sigma}\right) + b, \qquad
              x \leftarrow x / |x| \text{ if normalise}

    with the image p, ImageNet's channel mean and standard deviation μ and σ, and the features h that the replaced
    layer received (Sec. III-F of the paper: DenseNet-121 and a fully connected layer to 256).

    Parameters
    ----------
    backbone
        Name of a classification model of ``torchvision.models``.
    width
        Dimensions of the embedding. None leaves the linear layer out: the embedding is h, which for DenseNet-121 are
        the 1024 pooled features.
    normalise
        Whether embeddings are divided by their L2 norm. It belongs to the network and is saved with it, so that
        loss, class statistics and classifier all see the same vectors.
    px
        The image size the network was trained for, kept for whoever loads it; None when it does not matter.

    Attributes
    ----------
    n_features
        Size of h.
    replaced
        Dotted name of the classification layer that was replaced, such as ``classifier`` or ``fc``.

    Raises
    ------
    AliError
        For an unknown backbone, one without a linear layer, or a width below 1.

    Notes
    -----
    μ and σ are buffers: they travel with the network, and images are RGB in [0, 1] everywhere outside of it.
    Weights are drawn from torch's global generator; fork it (``torch.random.fork_rng``) for a seed of your own.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: str = "densenet121",
        *,
        width: int | None = 256,
        normalise: bool = False,
        px: int | None = None,
    ) -> None:
        super().__init__()
        if width is not None and width < 1:
            raise AliError(f"the embedding needs at least 1 dimension; got width {width}")
        self.backbone_name, self.width, self.normalise, self.px = backbone, width, normalise, px
        self.backbone = build_backbone(backbone)
        self.replaced, layer = last_linear(self.backbone, backbone)
        self.n_features = layer.in_features
        head = nn.Identity() if width is None else nn.Linear(layer.in_features, width)
        self.backbone.set_submodule(self.replaced, head)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    @property
    def dim(self) -> int:
        """Dimensions D of the embedding."""
        return self.width or self.n_features

    @property
    def settings(self) -> dict[str, Any]:
        """What makes an equal network, without its weights: the arguments of the constructor."""
        return {
            "backbone": self.backbone_name,
            "width": self.width,
            "normalise": self.normalise,
            "px": self.px,
        }

    def forward(self, images: Tensor) -> Tensor:
        """Embed ``images``, shape (B, 3, H, W), float RGB in [0, 1]; returns shape (B, D).

        Raises
        ------
        AliError
            When the backbone cannot take images of this size.
        """
        try:
            output = self.backbone((images - self.mean) / self.std)
        except (AssertionError, RuntimeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            if not any(word in reason.lower() for word in ("size", "height", "width")):
                raise
            raise AliError(
                f"{self.backbone_name} cannot take images of {images.shape[-1]} px ({reason}); "
                "choose another image size (px)"
            ) from error
        vectors: Tensor = output if isinstance(output, Tensor) else output[0]  # [1:] are auxiliary
        return functional.normalize(vectors, dim=1) if self.normalise else vectors

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of settings and weights: equal networks give equal embeddings."""
        digest = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode())
        for name, tensor in sorted(self.state_dict().items()):
            values = tensor.detach().cpu().contiguous()
            digest.update(f"{name}{values.dtype}{tuple(values.shape)}".encode())
            digest.update(values.reshape(-1).view(torch.uint8).numpy().data)
        return digest.hexdigest()
