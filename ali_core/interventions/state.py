"""Where all classes are after some steps, in closed form: no sample is touched."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ali_core.geometry import AffineMap, SpanRotation
from ali_core.interventions.class_transforms import ClassTransforms
from ali_core.interventions.settings import NormKeeping
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.turns import Turns

__all__ = ["InterventionState", "Move"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Move:
    """What one step does to one class: contract, then rotate, then shift by a vector of shape (D,)."""

    contraction: AffineMap
    rotation: SpanRotation | None
    shift: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class InterventionState:
    r"""Class-wise maps together with what they make of the statistics.

    Each map is a similarity :math:`x \mapsto sQx + T`. So the center of a class is :math:`sQ\bar c_0 + T`, its summed
    squared deviations are :math:`s^2` times those at the start, and its summed squared norm is
    :math:`s^2\sum|x|^2 + 2 N T\cdot sQ\bar c_0 + N|T|^2`. All follow from the statistics at the start alone.

    Parameters
    ----------
    initial
        Statistics of the untouched embedding.
    images
        :math:`s Q \bar c_0`, the initial centers under the linear part of θ, shape (C, D).
    scales
        s, shape (C,).
    turns
        Q of each class as its factors; None where it is the identity.
    offsets
        T, shape (C, D).

    Notes
    -----
    A state is small, O(C D) and what its last step added: many can be kept. The matrices of :attr:`transforms` are
    not kept by it; see :class:`~ali_core.interventions.turns.Turns`.
    """

    initial: ClassStatistics
    images: NDArray[np.float64]
    scales: NDArray[np.float64]
    turns: tuple[Turns | None, ...]
    offsets: NDArray[np.float64]

    @classmethod
    def untouched(cls, initial: ClassStatistics) -> "InterventionState":
        """Return the state before any step."""
        return cls(
            initial=initial,
            images=initial.centers,
            scales=np.ones(initial.n_classes),
            turns=(None,) * initial.n_classes,
            offsets=np.zeros_like(initial.centers),
        )

    @property
    def transforms(self) -> ClassTransforms:
        """θ of each class so far."""
        rotations = tuple(None if turns is None else turns.matrix for turns in self.turns)
        return ClassTransforms(scales=self.scales, rotations=rotations, offsets=self.offsets)

    @cached_property
    def statistics(self) -> ClassStatistics:
        """Statistics of the moved embedding."""
        present = self.initial.present[:, None]
        return replace(
            self.initial,
            centers=np.where(present, self.images + self.offsets, 0.0),
            squares=self.scales**2 * self.initial.squares,
        )

    @cached_property
    def _initial_norms(self) -> NDArray[np.float64]:
        """Σ|x|² of each class at the start, shape (C,)."""
        counts, centers = self.initial.counts, self.initial.centers
        norms: NDArray[np.float64] = self.initial.squares + counts * np.einsum("cd,cd->c", centers, centers)
        return norms

    def moved(self, class_index: int, move: Move) -> "InterventionState":
        """Return the state after ``move`` of one class, before the norm is restored; O(C D + D m)."""
        contraction, turns = move.contraction, self.turns[class_index]
        image = contraction.scale * self.images[class_index]
        offset = contraction.apply(self.offsets[class_index][None])[0]
        if move.rotation is not None:
            image, offset = move.rotation.apply(np.stack([image, offset]))
            turns = Turns(last=move.rotation, before=turns)
        images, scales, offsets = self.images.copy(), self.scales.copy(), self.offsets.copy()
        images[class_index], offsets[class_index] = image, offset + move.shift
        scales[class_index] = contraction.scale * scales[class_index]
        kept = (*self.turns[:class_index], turns, *self.turns[class_index + 1 :])
        return replace(self, images=images, scales=scales, turns=kept, offsets=offsets)

    def renormed(self, norm_keeping: NormKeeping) -> tuple["InterventionState", float, NormKeeping]:
        r"""Restore :math:`\sum|x|^2` of the untouched embedding by one factor β.

        ``offsets``: all T times the root β ≥ 0 of :math:`a\beta^2 + 2b\beta = d`, with :math:`a = \sum_c N_c|T_c|^2`,
        :math:`b = \sum_c N_c T_c\cdot sQ\bar c_0` and d the norm that the linear parts have lost. ``uniform``: the maps
        as a whole times the square root of the ratio of the norms. ``none``: nothing.

        Returns
        -------
        tuple
            The new state, β, and the way that was taken.

        Notes
        -----
        The paper normalises "the shift vectors for all classes"; we read it as one factor on all T. The root exists
        whenever no linear part lengthens vectors; after a switch from ``uniform`` it may not, and then the factor
        that comes nearest to the norm is taken. Where nothing has been contracted (d = 0) the root is 0 or does not
        depend on the length of a shift: it would take every outward shift back. Such a state is scaled as a whole
        instead, so that a class shifted by hand goes where it was sent.
        """
        counts, offsets, scales = self.initial.counts, self.offsets, self.scales
        start = float(self._initial_norms.sum())
        linear = float(scales**2 @ self._initial_norms)
        a = float(counts @ np.einsum("cd,cd->c", offsets, offsets))
        b = float(counts @ np.einsum("cd,cd->c", offsets, self.images))
        if norm_keeping == "none" or (norm_keeping == "offsets" and a == 0.0):
            return self, 1.0, norm_keeping
        lost = start - linear
        if norm_keeping == "uniform" or (bool(np.all(scales <= 1.0)) and lost < 1e-14 * start):
            total = linear + 2.0 * b + a
            factor = float(np.sqrt(start / total)) if total > 0.0 else 1.0
            return self._scaled(factor, linear_too=True), factor, "uniform"
        root = float(np.sqrt(max(b * b + a * lost, 0.0)))
        factor = max(lost / (b + root) if b > 0.0 else (root - b) / a, 0.0)
        return self._scaled(factor, linear_too=False), factor, "offsets"

    def _scaled(self, factor: float, *, linear_too: bool) -> "InterventionState":
        if not linear_too:
            return replace(self, offsets=factor * self.offsets)
        return replace(self, scales=factor * self.scales, images=factor * self.images, offsets=factor * self.offsets)
