"""Classification networks of torchvision, by name."""

import difflib
from typing import Any

from torch import nn

from ali_core.errors import AliError

__all__ = ["build_backbone", "default_weights_url", "last_linear"]

# These two warn, and leave out a rescaling that their ImageNet weights expect, unless told otherwise.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    name: {"init_weights": True, "transform_input": True} for name in ("googlenet", "inception_v3")
}


def build_backbone(name: str) -> nn.Module:
    """Return the unmodified torchvision model ``name`` with freshly drawn weights.

    Raises
    ------
    AliError
        When torchvision has no classification model of that name; names that look alike are proposed.
    """
    import torchvision.models  # noqa: PLC0415  # slow, and only needed here

    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3) or ["densenet121", "resnet18"]
        raise AliError(f"torchvision has no classification network {name!r}; did you mean {' or '.join(close)}?")
    model = torchvision.models.get_model(name, weights=None, **_ARGUMENTS.get(name, {}))
    assert isinstance(model, nn.Module)  # noqa: S101  # torchvision is not annotated
    return model


def default_weights_url(name: str) -> str:
    """Return where torchvision publishes its default ImageNet weights of the backbone ``name``."""
    import torchvision.models  # noqa: PLC0415

    return str(torchvision.models.get_model_weights(name).DEFAULT.url)


def last_linear(model: nn.Module, name: str) -> tuple[str, nn.Linear]:
    """Return the classification layer of ``model`` and its dotted name.

    Raises
    ------
    AliError
        When the network ends without a linear layer (SqueezeNet classifies by a convolution).
    """
    linear = [(path, layer) for path, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    if not linear:
        raise AliError(
            f"the network {name!r} has no linear layer to replace by the embedding; "
            "choose another one, for instance densenet121"
        )
    return linear[-1]
