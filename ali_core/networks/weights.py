"""Network weights from local files, and back.

=================== =================================================================================================
``.pth`` (or any    a state dict of a torchvision model, by itself or within a checkpoint; opened with
other suffix)       ``weights_only=True``, so nothing in it can run
``.safetensors``    a network saved by :func:`save_network`, which knows its backbone, width and normalisation; or a
                    state dict in that format
=================== =================================================================================================
"""

import argparse
import json
import logging
import pickle
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ali_core.errors import AliError
from ali_core.files import atomic_path
from ali_core.foreign import check_archive, reading, regular_file
from ali_core.networks.backbones import build_backbone, default_weights_url
from ali_core.networks.embedding_net import EmbeddingNet
from ali_core.networks.feature_net import FeatureNet

__all__ = ["load_feature_net", "load_network", "save_network"]

FORMAT_VERSION = 1
_METADATA_KEY = "ali_network"

#: Entries that a file may lack: they play no role in the output of a network in evaluation mode.
_OPTIONAL = re.compile(r"num_batches_tracked$|^aux", re.IGNORECASE)
#: Where training programs keep the network in a checkpoint that holds several of its kind.
_USUAL = ("state_dict.", "model_state_dict.", "model.")
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])(\.)")
_NAMED_IN_MESSAGE = 3
_DEEPEST = 3
_OTHER_BACKBONE = "name the backbone that the file was saved from (--backbone)"
#: Checkpoints often keep arguments and scores beside the weights; these types hold values and run nothing.
_SCALAR: Any = np.float64().__reduce__()[0]
_HARMLESS: list[Any] = [
    argparse.Namespace, np.dtype, _SCALAR, (_SCALAR, "numpy.core.multiarray.scalar"),
    *(type(np.dtype(name)) for name in ("bool", "int32", "int64", "float16", "float32", "float64")),
]  # fmt: skip

_LOG = logging.getLogger(__name__)


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
        A file of :func:`save_network`, or a state dict of a torchvision model.
    backbone
        The torchvision model that a state dict belongs to. A file of :func:`save_network` knows its own, and this
        argument is not looked at.

    Returns
    -------
    EmbeddingNet
        From a state dict: ``width`` is None, since no trained linear layer exists, and the embedding are the features
        that the classification layer received (1024 for DenseNet-121), not normalised.

    Raises
    ------
    AliError
        When the file is missing (says which file to put there), is no weights file, holds Python objects that could
        run code, holds several networks, or does not fit the backbone (says which entries differ).

    Notes
    -----
    Of a state dict only the backbone is taken: its classification layer may have any shape, or be absent. What stands
    before all names of the network (``module.``, ``model.backbone.``, ``_orig_mod.``, the ``state_dict`` of a
    checkpoint) is taken off, and half precision becomes float32. What was not used is told in a warning of the log. An
    entry that the backbone lacks in one of its own parts, such as a further block, makes it another backbone.
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
    net = EmbeddingNet(backbone, width=None)
    own = net.backbone.state_dict()
    # torchvision's first DenseNet files write norm.1 for what is called norm1 since.
    renamed = {_OLD_DENSENET.sub(r"\1\2\3", key): tensor for key, tensor in tensors.items()}
    prefix, dropped = _placed(path, list(renamed), own, backbone)
    found = {dropped + key.removeprefix(prefix): value for key, value in renamed.items() if key.startswith(prefix)}
    head = [key for key in found if f"{key}.".startswith(f"{net.replaced}.")]
    parts = {_part(key, dropped) for key in own}
    foreign = [key for key in found if _part(key, dropped) not in parts and key not in head]
    fitting = {key: value for key, value in found.items() if key not in {*head, *foreign}}
    _load_strict(net.backbone, fitting, path, backbone)
    _tell(path, prefix, unused=[*(key for key in renamed if not key.startswith(prefix)), *foreign], head=head)
    return net.eval()


def _placed(path: Path, names: list[str], own: Mapping[str, Tensor], backbone: str) -> tuple[str, str]:
    """Return what stands before the names of the backbone in a file, and what the file has dropped from them.

    The second is empty but for files that hold the entries of ``model.features`` alone.
    """
    first = f"{_part(next(iter(own)))}."
    votes: Counter[tuple[str, str]] = Counter()
    for dropped in ("", first) if all(key.startswith(first) for key in own) else ("",):
        wanted = {key.removeprefix(dropped) for key in own}
        places = ((name[:at], name[at:]) for name in names for at in _starts(name))
        votes.update((p, dropped) for p, rest in places if rest in wanted and not (dropped and p.endswith(dropped)))
    most = max(votes.values(), default=0)
    best = [place for place, count in votes.items() if count == most and most > 1]
    usual = [place for place in best if place[0].startswith(_USUAL)]
    if not best:
        raise AliError(
            f"{path.name} does not fit {backbone}: it lacks all of its {len(own)} entries, such as {next(iter(own))}, "
            f"and has {_listed(names)}; {_OTHER_BACKBONE}"
        )
    if len(best) > 1 and len(usual) != 1:
        raise AliError(
            f"{path.name} holds {len(best)} networks that fit {backbone} alike "
            f"({_listed([repr(prefix) for prefix, _ in best])}); save the state dict of one of them and give that file"
        )
    return (usual or best)[0]


def _starts(name: str) -> list[int]:
    """Return where in a dotted name a shorter one may begin."""
    return [0, *(at + 1 for at, letter in enumerate(name) if letter == ".")]


def _part(name: str, dropped: str = "") -> str:
    """Return the part of the network that an entry belongs to."""
    return name.removeprefix(dropped).partition(".")[0]


def _tell(path: Path, prefix: str, *, unused: list[str], head: list[str]) -> None:
    """Warn of what was not used; the classification layer that every file of torchvision has is worth no word."""
    told = [f"{prefix!r} is taken off the names"] if prefix else []
    if unused:
        told.append(f"{len(unused)} entries outside of the network are ignored ({_listed(unused)})")
    if told or any(_part(key) != key.rpartition(".")[0] for key in head):
        _LOG.warning(
            "%s: %s", path.name, "; ".join([*told, *(["its classification layer is not used"] if head else [])])
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED_IN_MESSAGE]) + (", …" if len(names) > _NAMED_IN_MESSAGE else "")


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
    net = EmbeddingNet(**_claimed(EmbeddingNet, settings, tensors, path))
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
    net = FeatureNet(**_claimed(FeatureNet, about, tensors, path))
    _load_strict(net, tensors, path, "the head")
    return net.eval()


def _claimed(
    kind: type[FeatureNet] | type[EmbeddingNet], about: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path
) -> dict[str, Any]:
    """Return the settings that a file claims, once the shapes that follow from them are known to be those it holds."""
    settings = {name: value for name, value in about.items() if name != "format_version"}
    with reading(path, "weights file"), torch.device("meta"):  # nothing is allocated
        wanted = {key: tuple(tensor.shape) for key, tensor in kind(**settings).state_dict().items()}
    odd = [key for key, tensor in tensors.items() if key in wanted and tuple(tensor.shape) != wanted[key]]
    missing = [key for key in wanted if key not in tensors and not _OPTIONAL.search(key)]
    if odd or missing:
        what = f"other shapes than its settings say ({_listed(odd)})" if odd else f"no {_listed(missing)}"
        raise AliError(f"{path.name} does not fit its own settings: it has {what}; save the network again")
    return settings


def _load_strict(model: nn.Module, tensors: Mapping[str, Tensor], path: Path, backbone: str) -> None:
    """Load all of ``tensors`` into all of ``model``, or say what does not fit."""
    own = model.state_dict()
    # What is optional is left out where it does not fit: auxiliary classifiers, and counters that old files lack.
    given = {key: value for key, value in tensors.items() if not (_OPTIONAL.search(key) and not _fits(key, value, own))}
    differences = {
        "missing": [key for key in own if key not in given and not _OPTIONAL.search(key)],
        "unexpected": [key for key in given if key not in own],
        "of another shape": [
            f"{key} {tuple(given[key].shape)} for {tuple(own[key].shape)}"
            for key in own
            if key in given and own[key].shape != given[key].shape
        ],
        "no floating-point numbers": [
            key for key in own if key in given and own[key].is_floating_point() != given[key].is_floating_point()
        ],
    }
    found = [f"{len(keys)} {what} ({_listed(keys)})" for what, keys in differences.items() if keys]
    if found:
        raise AliError(
            f"{path.name} does not fit {backbone}: of {len(own)} entries, {', '.join(found)}; {_OTHER_BACKBONE}"
        )
    model.load_state_dict({**own, **given})


def _fits(key: str, value: Tensor, own: Mapping[str, Tensor]) -> bool:
    return key in own and own[key].shape == value.shape


def _read(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any] | None]:
    """Tensors by name, and what :func:`save_network` wrote about them, if it did.

    Dictionaries within dictionaries become dotted names; what is no tensor is passed over.
    """
    regular_file(path, "weights file")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    check_archive(path)
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(_HARMLESS):
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
    tensors = dict(_tensors(content)) if isinstance(content, Mapping) else {}
    if not tensors:
        raise AliError(f"{path.name} holds no tensor by name; save model.state_dict() and give that file")
    return tensors, None


def _tensors(content: Mapping[Any, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    for key, value in content.items():
        if isinstance(value, Tensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _tensors(value, f"{prefix}{key}.", depth + 1)


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any] | None]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a mapping
        about = json.loads(metadata[_METADATA_KEY]) if _METADATA_KEY in metadata else None
    except (safetensors.SafetensorError, OSError, ValueError, RecursionError, TypeError, AttributeError) as error:
        raise _not_weights(path) from error
    if about is not None and not isinstance(about, Mapping):
        raise _not_weights(path)
    return tensors, about


def _not_weights(path: Path) -> AliError:
    return AliError(
        f"{path.name} is not a readable weights file; give a state dict saved by torch.save, or a .safetensors file"
    )
