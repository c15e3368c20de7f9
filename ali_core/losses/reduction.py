"""Statistics of a training set that is spread over processes: each sends C (D + 2) numbers and no sample."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import torch
from torch import Tensor, distributed

from ali_core.errors import AliError
from ali_core.interventions import ClassStatistics

__all__ = ["Gather", "agreed_classes", "merged_over_ranks", "n_ranks"]

Gather = Callable[[Tensor], Any]
"""Takes the tensor of this process and returns those of all, in rank order: stacked, or one after the other."""


def n_ranks() -> int:
    """Return how many processes ``torch.distributed`` joins; 1 where it joins none."""
    joined = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if joined else 1


def merged_over_ranks(statistics: ClassStatistics, gather: Gather | None = None) -> ClassStatistics:
    """Return the statistics of the samples of all processes together, the same on each.

    Parameters
    ----------
    statistics
        Of the samples that this process embedded; with the same classes and dimensions everywhere.
    gather
        Called once, with a float64 tensor of shape (C, D + 2) on the CPU. ``Fabric.all_gather`` and
        ``LightningModule.all_gather`` fit, also with one process, where they return their argument. By default the
        processes of ``torch.distributed``, all of which must call this; without them, the statistics stay as they are.

    Returns
    -------
    ClassStatistics
        Merged in float64 in the order of the ranks, exactly: see ``ClassStatistics.merged``.

    Raises
    ------
    AliError
        When a process has other classes or dimensions.

    Notes
    -----
    Samples that every process counts, R times in all, leave the plan as it is: centers and spreads stay, and both
    sides of the norm to be kept are multiplied by R.
    """
    columns = (statistics.counts[:, None], statistics.centers, statistics.squares[:, None])
    packed = torch.cat([torch.as_tensor(column, dtype=torch.float64) for column in columns], dim=1)
    gathered = (gather or _of_all_ranks)(packed)
    tables = [gathered] if isinstance(gathered, Tensor) and gathered.ndim == 2 else list(gathered)
    return reduce(ClassStatistics.merged, [_unpacked(table, statistics) for table in tables])


def agreed_classes(n_classes: int, dim: int, fault: AliError | None) -> int:
    """Return the most classes that a process of ``torch.distributed`` has seen; all of them must call this.

    Parameters
    ----------
    n_classes, dim
        C and D of this process.
    fault
        What is wrong with the samples of this process, if anything. It is raised here, and another error in the other
        processes, so that none waits for one that has stopped.

    Raises
    ------
    AliError
        When a process has a fault, or the dimensions differ.
    """
    rows = _of_all_ranks(torch.tensor([n_classes, dim, int(fault is not None)], dtype=torch.float64))
    sizes: list[list[int]] = torch.stack(rows).round().long().tolist()
    if fault is not None:
        raise fault
    faulty = [rank for rank, (_, _, failed) in enumerate(sizes) if failed]
    if faulty:
        raise AliError(f"process {faulty[0]} of {len(sizes)} cannot plan; its own message says why")
    if len({dims for _, dims, _ in sizes}) > 1:
        raise AliError(f"all processes must have the same dimensions; got {[dims for _, dims, _ in sizes]}")
    return max(classes for classes, _, _ in sizes)


def _of_all_ranks(table: Tensor) -> list[Tensor]:
    """Return the tensors of all processes, in rank order, on the CPU."""
    if n_ranks() == 1:
        return [table]
    # Such as "cpu:gloo,cuda:nccl": the devices whose tensors can travel.
    devices = [pair.partition(":")[0] for pair in distributed.get_backend_config().split(",")]
    device = torch.device("cpu" if "cpu" in devices else devices[0])
    tables = [torch.empty_like(table, device=device) for _ in range(n_ranks())]
    distributed.all_gather(tables, table.to(device))
    return [table.cpu() for table in tables]


def _unpacked(table: Tensor, like: ClassStatistics) -> ClassStatistics:
    expected = (like.n_classes, like.dim + 2)
    if tuple(table.shape) != expected:
        raise AliError(
            f"all processes must have the same classes and dimensions; got tables of the shapes {expected} and "
            f"{tuple(table.shape)}"
        )
    values = table.detach().cpu().double().numpy()
    return ClassStatistics(
        counts=values[:, 0].round().astype("int64"),
        centers=values[:, 1:-1].copy(),
        squares=values[:, -1].copy(),
        spread=like.spread,
    )
