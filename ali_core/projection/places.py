r"""Where the drawn samples of a state are, class by class: a similarity moves n × 2 numbers, never the n × D vectors.

Synopsis::

    plane = FoldedPlane(frame=frame, vectors=embedding.vectors, rows=rows, labels=embedding.labels[rows])
    places = plane.places(session.state_at(session.cursor))      # O(C D), whatever N
    places.positions(plane.labels)                               # (n, 2), when somebody wants them all
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ali_core.interventions.state import InterventionState
from ali_core.interventions.turns import Turns
from ali_core.projection.linear import PlaneFrame

__all__ = ["FoldedPlane", "Part", "Places"]

FloatArray = NDArray[np.float64]
Bounds = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    r"""The points of one class, kept small: :math:`p_i = u\,q_i + a`.

    Attributes
    ----------
    points
        q, shape (n, 2), float32, within [-1, 1]; NaN for a sample whose place is unknown.
    anchor, unit
        a, the mean of the known points (2,), and u > 0.
    low, high
        Corners of the box around the known points, (2,) each.

    Notes
    -----
    About the mean of the class, float32 errs by 1e-7 of the extent of the class, however far out it lies.
    """

    points: NDArray[np.float32]
    anchor: FloatArray
    unit: float
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, positions: NDArray[np.floating]) -> "Part | None":
        """Return the part with these ``positions`` (n, 2); None when none of them is known."""
        places = np.asarray(positions, dtype=np.float64)
        known = places[np.isfinite(places).all(axis=1)]
        if not len(known):
            return None
        anchor, low, high = known.mean(axis=0), known.min(axis=0), known.max(axis=0)
        unit = float(max((high - anchor).max(), (anchor - low).max())) or 1.0
        points = ((places - anchor) / unit).astype(np.float32)
        points.flags.writeable = False
        return cls(points=points, anchor=anchor, unit=unit, low=low, high=high)


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    r"""Where the drawn samples of one state are: class c at :math:`s_c\,p_i + t_c`.

    Attributes
    ----------
    parts
        The points p by class code; None for a class without samples, or not laid out. Where some samples have no
        class, theirs come last, so that their code -1 finds them; C then counts them as one class more.
    scales, shifts
        s, shape (C,), not negative, and t, shape (C, 2).
    """

    parts: tuple[Part | None, ...]
    scales: FloatArray
    shifts: FloatArray

    @classmethod
    def of(cls, positions: NDArray[np.floating], labels: NDArray[np.int64], n_classes: int) -> "Places":
        """Return the places ``positions`` (n, 2) of samples with the class codes ``labels`` (n,), each as it is."""
        codes = [*range(n_classes), *([-1] if (labels < 0).any() else [])]
        parts = tuple(Part.of(positions[labels == code]) for code in codes)
        return cls(parts=parts, scales=np.ones(len(codes)), shifts=np.zeros((len(codes), 2)))

    @cached_property
    def table(self) -> FloatArray:
        """What moves the points q of each part to their places: factor and shift in x and y, (C, 3); NaN without."""
        found = np.full((len(self.parts), 3), np.nan)
        for code, part in enumerate(self.parts):
            if part is not None:
                found[code, 0] = self.scales[code] * part.unit
                found[code, 1:] = self.scales[code] * part.anchor + self.shifts[code]
        return found

    @property
    def centers(self) -> FloatArray:
        """Mean place of each class, (C, 2); NaN for a class that is not placed."""
        return self.table[:, 1:]

    def positions(self, labels: NDArray[np.int64]) -> FloatArray:
        """Return the place of every sample, (n, 2), in the order of their class codes ``labels`` (n,)."""
        places, labels = np.full((len(labels), 2), np.nan), labels % len(self.parts)
        for code, (part, row) in enumerate(zip(self.parts, self.table, strict=True)):
            if part is not None:
                places[labels == code] = row[0] * part.points.astype(np.float64) + row[1:]
        return places

    def bounds(self, codes: Iterable[int] | None = None) -> Bounds | None:
        """Return (left, right), (bottom, top) of the classes ``codes``, all by default; None when none is placed."""
        chosen = range(len(self.parts)) if codes is None else codes
        corners = [
            self.scales[code] * np.stack([part.low, part.high]) + self.shifts[code]
            for code in chosen
            if (part := self.parts[code]) is not None
        ]
        if not corners:
            return None
        low, high = np.min([low for low, _ in corners], axis=0), np.max([high for _, high in corners], axis=0)
        return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldedPlane:
    r"""A linear layout of the states of one embedding, folded to two coordinates a sample.

    A class moved by :math:`\theta_c(x) = s Q x + T` is drawn at

    .. math:: W^T(\theta_c(x) - o) = s\,(Q^T W)^T x + W^T(T - o),

    so that a step without rotation changes s and a vector of two numbers; only after a rotation of a class its own
    samples are projected again, onto :math:`Q^T W`.

    Parameters
    ----------
    frame
        o and W.
    vectors
        The untouched embedding (N, D).
    rows
        Which of them are drawn (n,), sorted.
    labels
        Class codes of those (n,); -1 for samples without a class, which stay where they are.
    """

    frame: PlaneFrame
    vectors: NDArray[np.floating]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    _flat: dict[int, Part | None] = field(default_factory=dict, init=False, repr=False)
    _turned: "WeakKeyDictionary[Turns, Part | None]" = field(default_factory=WeakKeyDictionary, init=False, repr=False)

    def places(self, state: InterventionState) -> Places:
        """Return where the drawn samples are in ``state``; the same parts as before for what was not rotated since."""
        parts = [self._part(code, turns) for code, turns in enumerate(state.turns)]
        scales, offsets = state.scales, state.offsets
        if self._unlabelled:
            parts.append(self._part(-1, None))
            scales, offsets = np.append(scales, 1.0), np.vstack([offsets, np.zeros(offsets.shape[1])])
        return Places(parts=tuple(parts), scales=scales, shifts=(offsets - self.frame.origin) @ self.frame.axes)

    @cached_property
    def _unlabelled(self) -> bool:
        return bool((self.labels < 0).any())

    def _part(self, code: int, turns: Turns | None) -> Part | None:
        if turns is None:
            if code not in self._flat:
                self._flat[code] = self._projected(code, self.frame.axes)
            return self._flat[code]
        if turns not in self._turned:
            self._turned[turns] = self._projected(code, turned_back(self.frame.axes, turns))
        return self._turned[turns]

    def _projected(self, code: int, axes: FloatArray) -> Part | None:
        mine = self.vectors[self.rows[self.labels == code]]
        return Part.of(mine.astype(np.float64) @ axes)


def turned_back(axes: FloatArray, turns: Turns) -> FloatArray:
    r"""Return :math:`Q^T W` for the axes W (D, 2) and the rotation Q of ``turns``; no D × D matrix is made."""
    factor: Turns | None = turns
    columns = axes.T
    while factor is not None:
        basis, core = factor.last.basis, factor.last.core
        columns = columns + ((columns @ basis) @ core) @ basis.T
        factor = factor.before
    return columns.T
