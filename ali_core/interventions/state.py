"""Where all classes are after some steps, in closed form: no sample is touched."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ali_core.geometry import AffineMap, SpanRotation
from ali_core.interventions.class_transforms import ClassTransforms
from ali_core.interventions.settings import NormKeeping
from ali_core.interventions.statistics import ClassStatistics

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
    transforms
        θ of each class so far.
    images
        :math:`s Q \bar c_0`, the initial centers under the linear part of θ, shape (C, D).
    """

    initial: ClassStatistics
    transforms: ClassTransforms
    images: NDArray[np.float64]

    @classmethod
    def untouched(cls, initial: ClassStatistics) -> "InterventionState":
        """Return the state before any step."""
        identity = ClassTransforms.identity(initial.n_classes, initial.dim)
        return cls(initial=initial, transforms=identity, images=initial.centers)

    @cached_property
    def statistics(self) -> ClassStatistics:
        """Statistics of the moved embedding."""
        present = self.initial.present[:, None]
        return replace(
            self.initial,
            centers=np.where(present, self.images + self.transforms.offsets, 0.0),
            squares=self.transforms.scales**2 * self.initial.squares,
        )

    @cached_property
    def _initial_norms(self) -> NDArray[np.float64]:
        """Σ|x|² of each class at the start, shape (C,)."""
        counts, centers = self.initial.counts, self.initial.centers
        norms: NDArray[np.float64] = self.initial.squares + counts * np.einsum("cd,cd->c", centers, centers)
        return norms

    def moved(self, class_index: int, move: Move) -> "InterventionState":
        """Return the state after ``move`` of one class, before the norm is restored; O(D m) and O(D² m) for Q."""
        theta = move.contraction.after(self.transforms[class_index])
        image = move.contraction.scale * self.images[class_index]
        rotation, offset = theta.rotation, theta.offset
        if move.rotation is not None:
            image, offset = move.rotation.apply(np.stack([image, offset]))
            rotation = move.rotation.after(rotation)
        theta = AffineMap(scale=theta.scale, rotation=rotation, offset=offset + move.shift)
        images = self.images.copy()
        images[class_index] = image
        return replace(self, transforms=self.transforms.updated(class_index, theta), images=images)

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
        counts, offsets, scales = self.initial.counts, self.transforms.offsets, self.transforms.scales
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
        scales, images = self.transforms.scales, self.images
        if linear_too:
            scales, images = factor * scales, factor * images
        transforms = replace(self.transforms, scales=scales, offsets=factor * self.transforms.offsets)
        return replace(self, transforms=transforms, images=images)
