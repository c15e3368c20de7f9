"""The network that a training starts from: backbone weights from somewhere, a new last layer."""

from pathlib import Path

import torch

from ali_core.errors import AliError
from ali_core.networks.backbones import default_weights_url
from ali_core.networks.embedding_net import EmbeddingNet
from ali_core.networks.weights import load_network

__all__ = ["starting_network"]

MOMENTUM = 0.1
"""Batch normalisation follows the data at least this fast; MobileNet's 0.01 needs thousands of steps to arrive."""


def starting_network(backbone: str, weights: str, *, width: int, normalise: bool, px: int) -> EmbeddingNet:
    """Return a network to train.

    Parameters
    ----------
    backbone
        torchvision name.
    weights
        ``imagenet`` (torchvision's default weights, downloaded when they are not on the machine yet), ``none`` (drawn
        at random), or a file that :func:`~ali_core.networks.weights.load_network` reads.
    width, normalise, px
        See :class:`~ali_core.networks.embedding_net.EmbeddingNet`.

    Returns
    -------
    EmbeddingNet
        The last layer is drawn at random, from torch's global generator, unless the file has one of that width.

    Raises
    ------
    AliError
        For an unknown backbone, a file that does not fit, or weights that cannot be fetched: it says which file to
        put where.
    """
    net = EmbeddingNet(backbone, width=width, normalise=normalise, px=px)
    for module in net.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.momentum is not None:
            module.momentum = max(module.momentum, MOMENTUM)
    if weights == "none":
        return net
    source = load_network(_imagenet_file(backbone) if weights == "imagenet" else weights, backbone=backbone)
    if source.backbone_name != backbone:
        raise AliError(f"{weights} holds a {source.backbone_name}, not a {backbone}; name that as the backbone")
    own, given = net.state_dict(), source.state_dict()
    fitting = {name: given[name] for name in own if name in given and given[name].shape == own[name].shape}
    net.load_state_dict({**own, **fitting})
    return net


def _imagenet_file(backbone: str) -> Path:
    """Return torchvision's weights file of the backbone, fetched if it is not in torch's cache."""
    url = default_weights_url(backbone)
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), hash_prefix=_hash_prefix(path), progress=False)
    except (OSError, RuntimeError) as error:
        raise AliError(
            f"the ImageNet weights of {backbone} cannot be fetched ({error}); put {url} at {path}, give a weights file "
            "(--weights FILE), or start from random weights (--weights none)"
        ) from None
    return path


def _hash_prefix(path: Path) -> str | None:
    prefix = path.stem.rpartition("-")[2]
    return prefix if len(prefix) == 8 else None
