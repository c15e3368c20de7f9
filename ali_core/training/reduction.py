"""Statistics of a training set that is spread over processes: C (D + 2) numbers travel, no sample does."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from ali_core.errors import AliError
from ali_core.interventions import ClassStatistics

__all__ = ["Gather", "merged_over_ranks"]

Gather = Callable[[Tensor], Any]
"""Takes the tensor of this process and returns those of all, in rank order: stacked, or one after the other."""


def merged_over_ranks(statistics: ClassStatistics, gather: Gather) -> ClassStatistics:
    """Return the statistics of the samples of all processes together, the same on each.

    Parameters
    ----------
    statistics
        Of the samples that this process embedded; with the same classes and dimensions everywhere.
    gather
        Called once, with a float64 tensor of shape (C, D + 2) on the CPU. ``Fabric.all_gather`` and
        ``LightningModule.all_gather`` fit, also with one process, where they return their argument.

    Returns
    -------
    ClassStatistics
        Merged in float64 in the order of the ranks, exactly: see :meth:`ClassStatistics.merged`.

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
    gathered = gather(packed)
    tables = [gathered] if isinstance(gathered, Tensor) and gathered.ndim == 2 else list(gathered)
    return reduce(ClassStatistics.merged, [_unpacked(table, statistics) for table in tables])


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
