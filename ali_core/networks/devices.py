"""Where a network computes."""

import torch

from ali_core.errors import AliError

__all__ = ["choose_device"]


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called ``name``; ``auto`` takes CUDA, else Apple's MPS, else the CPU.

    Raises
    ------
    AliError
        When the name is none that torch knows, or the device is not there.
    """
    available = ["cpu"]
    if torch.backends.mps.is_available():
        available.insert(0, "mps")
    if torch.cuda.is_available():
        available.insert(0, "cuda")
    if name == "auto":
        return torch.device(available[0])
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in available:
        raise AliError(f"the device {name!r} is not there; choose auto or {' or '.join(available)}")
    return device
