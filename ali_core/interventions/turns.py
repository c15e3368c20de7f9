"""What a class has been turned by, as a chain of factors: small, where its matrix would be D × D."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ali_core.geometry import SpanRotation

__all__ = ["Turns"]

KEPT_BYTES = 128 * 2**20
"""How many bytes of matrices are kept, those asked for last."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Turns:
    r"""The rotation :math:`Q = Q_k \cdots Q_1` of one class, kept as its factors.

    Parameters
    ----------
    last
        The factor that acts last.
    before
        The factors before it, shared with the states in which they were all; None when ``last`` is the only one.

    Notes
    -----
    A factor that turns away from n neighbours takes O(n D) memory. The matrix is computed when it is asked for, from
    the nearest earlier one that is still kept, always by the same products in the same order. So it has the same
    numbers whatever was asked before.
    """

    last: SpanRotation
    before: "Turns | None"

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Q, shape (D, D), float64; nobody may write to it."""
        missing: list[Turns] = []
        turns: Turns | None = self
        matrix: NDArray[np.float64] | None = None
        while turns is not None and (matrix := _RECENT.get(turns)) is None:
            missing.append(turns)
            turns = turns.before
        for later in reversed(missing):
            matrix = later.last.after(matrix)
            matrix.flags.writeable = False
        assert matrix is not None  # noqa: S101  # it is found, or there is a factor
        _RECENT.keep(self, matrix)
        return matrix


class _RecentMatrices:
    """The matrices that were asked for last, as many as fit into ``limit`` bytes, and one at least."""

    def __init__(self, limit: int) -> None:
        self._limit, self._bytes, self._lock = limit, 0, threading.Lock()
        self._kept: OrderedDict[Turns, NDArray[np.float64]] = OrderedDict()

    def get(self, turns: Turns) -> NDArray[np.float64] | None:
        with self._lock:
            if turns in self._kept:
                self._kept.move_to_end(turns)
            return self._kept.get(turns)

    def keep(self, turns: Turns, matrix: NDArray[np.float64]) -> None:
        with self._lock:
            if turns not in self._kept:
                self._kept[turns] = matrix
                self._bytes += matrix.nbytes
            while self._bytes > self._limit and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes


_RECENT = _RecentMatrices(KEPT_BYTES)
