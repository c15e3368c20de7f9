"""One process on one device, in plain torch, where several share the work by Lightning Fabric."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from inspect import unwrap
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

__all__ = ["OneProcess", "QuickAdamW"]


class OneProcess:
    """What a run needs of :class:`lightning.fabric.Fabric`, with the same numbers, for one process on one device.

    Parameters
    ----------
    device
        Where the learner lives.
    precision
        ``"32-true"``, or ``"bf16-mixed"`` for forward passes under torch's autocast to bfloat16.
    loggers
        Loggers of Lightning Fabric that are given the numbers of each epoch.

    Notes
    -----
    ``import lightning.fabric`` takes about 10 CPU seconds, three times as long as ``import torch``; no run on one
    device needs it.
    """

    global_rank, world_size, is_global_zero = 0, 1, True

    def __init__(
        self, device: torch.device, precision: Literal["32-true", "bf16-mixed"], loggers: Sequence[Any] = ()
    ) -> None:
        if device.type == "cuda":
            device = torch.device("cuda", device.index or 0)
            torch.cuda.set_device(device)
        self.device, self.precision, self.loggers = device, precision, tuple(loggers)

    def setup(self, module: nn.Module, optimiser: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Move ``module`` to the device; its outputs are float32 from now on, whatever the precision inside."""
        module.to(self.device)
        return (module if self.precision == "32-true" else _Mixed(module, self)), optimiser

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of forward passes."""
        if self.precision == "32-true":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of ``loss``."""
        loss.backward()  # type: ignore[no-untyped-call]

    def barrier(self) -> None:
        """Return at once: there is no other process to wait for."""

    def broadcast(self, value: Any, src: int = 0) -> Any:  # noqa: ANN401, ARG002  # whatever the only process has
        """Return ``value``."""
        return value

    def all_gather(self, tensor: Tensor) -> Tensor:
        """Return ``tensor``, without a dimension of ranks."""
        return tensor

    def log_dict(self, metrics: Mapping[str, Any], step: int) -> None:
        """Give the loggers the numbers of an epoch."""
        for logger in self.loggers:
            logger.log_metrics(metrics=metrics, step=step)


class _Mixed(nn.Module):
    """``module`` under autocast; floating inputs are bfloat16, and floating outputs float32, as Fabric has it."""

    def __init__(self, module: nn.Module, process: OneProcess) -> None:
        super().__init__()
        self.module, self._process = module, process

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        with self._process.autocast():
            terms = self.module(*(_floating(tensor, torch.bfloat16) for tensor in inputs))
        return {name: _floating(term, torch.float32) for name, term in terms.items()}


def _floating(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


class QuickAdamW(AdamW):
    """AdamW that is made and used without ``import torch._dynamo``, which takes 3 CPU seconds.

    torch wraps these methods so that its compiler leaves them alone, and imports the compiler when they are first
    called. Nothing is compiled here: the methods inside do the same.
    """

    add_param_group = unwrap(Optimizer.add_param_group)
    zero_grad = unwrap(Optimizer.zero_grad)
    state_dict = unwrap(Optimizer.state_dict)
    load_state_dict = unwrap(Optimizer.load_state_dict)
    step = torch.no_grad()(unwrap(AdamW.step))
