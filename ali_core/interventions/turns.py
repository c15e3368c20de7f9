"""What a class has been turned by, as a chain of factors: small, where its matrix would be D × D."""

from dataclasses import dataclass, field
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from ali_core.geometry import SpanRotation

__all__ = ["Turns"]


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
    the nearest earlier one that somebody still holds, always by the same products in the same order; it lives as
    long as somebody holds it.
    """

    last: SpanRotation
    before: "Turns | None"
    _known: "list[ReferenceType[NDArray[np.float64]]]" = field(default_factory=list, init=False, repr=False)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Q, shape (D, D), float64."""
        held = self._held()
        if held is not None:
            return held
        missing, turns, start = [], self.before, None
        while turns is not None and (start := turns._held()) is None:
            missing.append(turns)
            turns = turns.before
        for earlier in reversed(missing):
            start = earlier.last.after(start)
        matrix = self.last.after(start)
        self._known[:] = [ref(matrix)]
        return matrix

    def _held(self) -> NDArray[np.float64] | None:
        """Return the matrix if somebody holds it."""
        return next((matrix for known in tuple(self._known) if (matrix := known()) is not None), None)
