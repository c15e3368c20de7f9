"""Network weights from local files, and back.

=================== =================================================================================================
``.pth`` (or any    a plain state dict of a torchvision model, as torchvision publishes them; opened with
other suffix)       ``weights_only=True``, so nothing in it can run
``.safetensors``    a network saved by :func:`save_network`, which knows its backbone, width and normalisation; or a
                    plain state dict in that format
=================== =================================================================================================
"""

import json
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ali_core.errors import AliError
from ali_core.files import atomic_path
from ali_core.networks.backbones import build_backbone, default_weights_url
from ali_core.networks.embedding_net import EmbeddingNet
from ali_core.networks.feature_net import FeatureNet

__all__ = ["load_feature_net", "load_network", "save_network"]

FORMAT_VERSION = 1
_METADATA_KEY = "ali_network"


def save_network(net: EmbeddingNet | FeatureNet, path: str | Path) -> Path:
    """Write weights and settings of ``net`` to a ``.safetensors`` file, whole or not at all; return the path."""
    path = Path(path)
    if path.suffix != ".safetensors":
        raise AliError(f"{path.name}: a network is saved to a .safetensors file; got {path.suffix!r}")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    about = json.dumps({"format_version": FORMAT_VERSION, **net.settings})
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={_METADATA_KEY: about})
    return path


def load_network(path: str | Path, *, backbone: str = "densenet121") -> EmbeddingNet:
    """Return the network stored in a local file, in evaluation mode and on the CPU.

    Parameters
    ----------
    path
        A file of :func:`save_network`, or a plain state dict of a torchvision model.
    backbone
        The torchvision model that a plain state dict belongs to. A file of :func:`save_network` knows its own, and
        this argument is not looked at.

    Returns
    -------
    EmbeddingNet
        From a plain state dict: ``width`` is None, since no trained linear layer exists, and the embedding are the
        features that the classification layer received (1024 for DenseNet-121), not normalised.

    Raises
    ------
    AliError
        When the file is missing (says which file to put there), is no weights file, holds Python objects that could
        run code, or does not fit the backbone (says how many entries are missing, unexpected or of another shape).
    """
    path = Path(path)
    if not path.is_file():
        build_backbone(backbone)  # an unknown name is the first thing to say
        raise AliError(
            f"there is no weights file {path}; put a network saved by this program there, "
            f"or the state dict of {backbone} that torchvision publishes at {default_weights_url(backbone)}"
        )
    tensors, about = _read(path)
    if about is None:
        return _from_plain(path, tensors, backbone)
    return _from_own(path, tensors, about)


def _from_plain(path: Path, tensors: dict[str, Tensor], backbone: str) -> EmbeddingNet:
    # torchvision's first DenseNet files write norm.1 for what is called norm1 since.
    renamed = {re.sub(r"\.(norm|conv)\.([12])\.", r".\1\2.", key): tensors[key] for key in tensors}
    model = build_backbone(backbone)
    _load_strict(model, renamed, path, backbone)
    net = EmbeddingNet(backbone, width=None)
    net.backbone.load_state_dict({key: model.state_dict()[key] for key in net.backbone.state_dict()})
    return net.eval()


def _from_own(path: Path, tensors: dict[str, Tensor], about: Mapping[str, Any]) -> EmbeddingNet:
    version = about.get("format_version")
    if version != FORMAT_VERSION:
        raise AliError(
            f"{path.name} has the network format {version}, this version reads {FORMAT_VERSION}; "
            "use the version that wrote it, or save the network again"
        )
    settings = {name: value for name, value in about.items() if name != "format_version"}
    if "n_features" in settings:
        raise AliError(
            f"{path.name} is a head for {settings['n_features']} features, not a network for images; give it a feature "
            "file, or images with another network"
        )
    net = EmbeddingNet(**settings)
    _load_strict(net, tensors, path, net.backbone_name)
    return net.eval()


def load_feature_net(path: str | Path) -> FeatureNet:
    """Return the head for features stored by :func:`save_network`, in evaluation mode and on the CPU.

    Raises
    ------
    AliError
        When the file is missing, is no weights file, or holds a network for images.
    """
    path = Path(path)
    if not path.is_file():
        raise AliError(f"there is no weights file {path}; ali train writes network.safetensors")
    tensors, about = _read(path)
    if about is None or "n_features" not in about:
        raise AliError(f"{path.name} is a network for images; give it images, or features with a head trained on them")
    net = FeatureNet(**{name: value for name, value in about.items() if name != "format_version"})
    _load_strict(net, tensors, path, "the head")
    return net.eval()


def _load_strict(model: nn.Module, tensors: Mapping[str, Tensor], path: Path, backbone: str) -> None:
    """Load all of ``tensors`` into all of ``model``, or say what does not fit."""
    own = model.state_dict()
    # Files older than batch normalisation's counter lack it; it plays no role in the output.
    missing = [key for key in own if key not in tensors and not key.endswith("num_batches_tracked")]
    differences = {
        "missing": missing,
        "unexpected": [key for key in tensors if key not in own],
        "of another shape": [key for key in own if key in tensors and own[key].shape != tensors[key].shape],
    }
    found = [f"{len(keys)} {what} (first: {keys[0]})" for what, keys in differences.items() if keys]
    if found:
        raise AliError(
            f"{path.name} does not fit {backbone}: of {len(own)} entries, {', '.join(found)}; "
            "name the backbone that the file was saved from"
        )
    model.load_state_dict({**own, **tensors})


def _read(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any] | None]:
    """Tensors by name, and what :func:`save_network` wrote about them, if it did."""
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch warns of here ends in one of the errors below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error) or path.read_bytes()[:1] == b"\x80":  # the first byte of any pickle
            raise AliError(
                f"{path.name} holds Python objects other than tensors, which are never opened because they can run "
                "code; save the state dict of the model (torch.save(model.state_dict(), …)) and give that file"
            ) from None
        raise _not_weights(path) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise _not_weights(path) from error
    if not isinstance(content, Mapping):
        raise _not_weights(path)
    others = [key for key, value in content.items() if not isinstance(value, Tensor)]
    if others or not content:
        entry = f"it holds {str(others[0])!r}, which is no tensor" if others else "it is empty"
        raise AliError(
            f"{path.name} is not a plain state dict ({entry}); save model.state_dict() by itself and give that file"
        )
    return dict(content), None


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any] | None]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a mapping
        about = json.loads(metadata[_METADATA_KEY]) if _METADATA_KEY in metadata else None
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise _not_weights(path) from error
    return tensors, about


def _not_weights(path: Path) -> AliError:
    return AliError(
        f"{path.name} is not a readable weights file; give a state dict saved by torch.save, or a .safetensors file"
    )
