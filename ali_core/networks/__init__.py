"""Networks that turn images of cells into embeddings.

Synopsis::

    net = load_network("densenet121_imagenet.pth")          # ImageNet weights: 1024 pooled features
    net = load_network("runs/x/network.safetensors")       # or a network that ali train has trained
    embedding = embed_images(images, net, px=64, out="emb.npz")
    save_network(net, "network.safetensors")

Names are looked up when first used, so that importing this package imports neither torch nor torchvision.
"""

from typing import TYPE_CHECKING

from ali_core.lazy import lazy_names

if TYPE_CHECKING:
    from ali_core.networks.embed import embed_features, embed_images
    from ali_core.networks.embedding_net import EmbeddingNet
    from ali_core.networks.feature_net import FeatureNet
    from ali_core.networks.starting import starting_network
    from ali_core.networks.weights import load_feature_net, load_network, save_network
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "EmbeddingNet": "embedding_net",
            "embed_features": "embed",
            "embed_images": "embed",
            "FeatureNet": "feature_net",
            "load_feature_net": "weights",
            "load_network": "weights",
            "save_network": "weights",
            "starting_network": "starting",
        },
    )

__all__ = [
    "EmbeddingNet",
    "FeatureNet",
    "embed_features",
    "embed_images",
    "load_feature_net",
    "load_network",
    "save_network",
    "starting_network",
]
