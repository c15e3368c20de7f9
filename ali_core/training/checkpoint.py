"""The state of a run as tensors with names, for safetensors files: nothing in them can run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from ali_core.errors import AliError
from ali_core.files import atomic_path

__all__ = [
    "optimiser_tensors",
    "prefixed",
    "read_tensors",
    "restore_optimiser",
    "text_of",
    "text_tensor",
    "under",
    "write_tensors",
]

Tensors = dict[str, Tensor]


def prefixed(tensors: Mapping[str, Tensor], prefix: str) -> Tensors:
    """Return copies on the CPU under names that start with ``prefix`` and a dot."""
    return {f"{prefix}.{name}": tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}


def under(tensors: Mapping[str, Tensor], prefix: str) -> Tensors:
    """Return the tensors whose names start with ``prefix.``, without it."""
    start = prefix + "."
    return {name[len(start) :]: tensor for name, tensor in tensors.items() if name.startswith(start)}


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> Tensors:
    """Return the running means and counts of an optimiser; empty before its first step."""
    state: dict[int, dict[str, Any]] = optimiser.state_dict()["state"]
    return {f"{number}.{name}": torch.as_tensor(value) for number, of in state.items() for name, value in of.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Take back what :func:`optimiser_tensors` returned."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def text_tensor(text: str) -> Tensor:
    """Return ``text`` as its bytes in UTF-8, uint8 of shape (length,)."""
    return torch.tensor(list(text.encode()), dtype=torch.uint8)


def text_of(tensor: Tensor) -> str:
    """Return the text that :func:`text_tensor` was given."""
    return bytes(tensor.tolist()).decode()


def write_tensors(tensors: Mapping[str, Tensor], path: Path) -> Path:
    """Write a safetensors file, whole or not at all."""
    with atomic_path(path) as temporary:
        save_file(dict(tensors), temporary)
    return path


def read_tensors(path: Path) -> Tensors:
    """Read a safetensors file; AliError when it is missing or damaged."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a mapping
    except (safetensors.SafetensorError, OSError) as error:
        raise AliError(f"{path} is missing or damaged ({error}); start the run again in another folder") from None
