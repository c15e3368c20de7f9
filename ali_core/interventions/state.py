"""Maps and statistics of all classes after some steps, in closed form: no sample is touched."""

from collections import deque
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

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
class Places:
    r"""The arrays of a state: :math:`sQ\bar c_0` (C, D), s (C,) and T (C, D) of every class, and what follows."""

    initial: ClassStatistics
    images: NDArray[np.float64]
    scales: NDArray[np.float64]
    offsets: NDArray[np.float64]

    @cached_property
    def statistics(self) -> ClassStatistics:
        """Statistics of the moved embedding."""
        return replace(
            self.initial,
            centers=np.where(self.initial.present[:, None], self.images + self.offsets, 0.0),
            squares=self.scales**2 * self.initial.squares,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A change of the arrays: new values for one class."""

    code: int
    image: NDArray[np.float64]
    scale: float
    offset: NDArray[np.float64]

    def carry_out(self, places: Places) -> None:
        """Change ``places``."""
        places.images[self.code], places.scales[self.code] = self.image, self.scale
        places.offsets[self.code] = self.offset


@dataclass(frozen=True, kw_only=True, eq=False)
class Factor:
    """A change of the arrays: all offsets times a factor, and with ``linear_too`` the linear parts as well."""

    factor: float
    linear_too: bool

    def carry_out(self, places: Places) -> None:
        """Change ``places``."""
        for array in (places.offsets, *((places.images, places.scales) if self.linear_too else ())):
            np.multiply(array, self.factor, out=array)


KEPT_EVERY = 32
"""Of so many changes, the arrays after one are kept."""

RECENT = 4
"""How many states more keep their arrays, the ones made last."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InterventionState:
    r"""The class-wise maps so far, and the class statistics after them.

    Each map is a similarity :math:`x \mapsto sQx + T`. So the center of a class is :math:`sQ\bar c_0 + T`, its summed
    squared deviations are :math:`s^2` times those at the start, and its summed squared norm is
    :math:`s^2\sum|x|^2 + 2 N T\cdot sQ\bar c_0 + N|T|^2`. All follow from the statistics at the start alone.

    Parameters
    ----------
    initial
        Statistics of the untouched embedding.
    turns
        Q of each class as its factors; None where it is the identity.
    before, change
        The state that this one follows, and what has changed since; None for the untouched state.
    number
        How many changes there were.

    Notes
    -----
    A state is small, O(D + C) and what its last step added: many can be kept. The arrays, O(C D), are kept by one state
    in ``KEPT_EVERY`` and by the last few; for all others they are made anew when asked for, by the same operations
    in the same order and so with the same numbers. The matrices of :attr:`transforms` are not kept by it; see
    :class:`~ali_core.interventions.turns.Turns`.
    """

    initial: ClassStatistics
    turns: tuple[Turns | None, ...]
    before: "InterventionState | None" = None
    change: Row | Factor | None = None
    number: int = 0
    _recent: "deque[tuple[InterventionState, Places]]" = field(
        default_factory=partial(deque, maxlen=RECENT), repr=False
    )
    _held: list[Places] = field(default_factory=list, init=False, repr=False)

    @classmethod
    def untouched(cls, initial: ClassStatistics) -> "InterventionState":
        """Return the state before any step."""
        return cls(initial=initial, turns=(None,) * initial.n_classes)

    @property
    def transforms(self) -> ClassTransforms:
        """θ of each class so far."""
        rotations = tuple(None if turns is None else turns.matrix for turns in self.turns)
        return ClassTransforms(scales=self.scales, rotations=rotations, offsets=self.offsets)

    @property
    def scales(self) -> NDArray[np.float64]:
        """Scale s of each class, shape (C,)."""
        return self.places.scales

    @property
    def offsets(self) -> NDArray[np.float64]:
        """Offset T of each class, shape (C, D)."""
        return self.places.offsets

    @property
    def statistics(self) -> ClassStatistics:
        """Statistics of the moved embedding."""
        return self.places.statistics

    @property
    def places(self) -> Places:
        """The arrays: those that are kept, or made anew."""
        changes, state = [], self
        while (places := state._kept_places()) is None and state.change is not None and state.before is not None:
            changes.append(state.change)
            state = state.before
        if places is not None and not changes:
            return places
        centers = self.initial.centers
        places = Places(
            initial=self.initial,
            images=(centers if places is None else places.images).copy(),
            scales=np.ones(len(centers)) if places is None else places.scales.copy(),
            offsets=np.zeros_like(centers) if places is None else places.offsets.copy(),
        )
        for change in reversed(changes):
            change.carry_out(places)
        self._recent.append((self, places))
        if self.number % KEPT_EVERY == 0:
            self._held[:] = [places]
        return places

    def _kept_places(self) -> Places | None:
        kept = (*self._held, *(places for state, places in tuple(self._recent) if state is self))
        return kept[0] if kept else None

    @cached_property
    def _initial_norms(self) -> NDArray[np.float64]:
        """Σ|x|² of each class at the start, shape (C,)."""
        counts, centers = self.initial.counts, self.initial.centers
        norms: NDArray[np.float64] = self.initial.squares + counts * np.einsum("cd,cd->c", centers, centers)
        return norms

    @property
    def root_mean_square(self) -> float:
        """Root of the mean squared length of all samples as they are now."""
        now = self.statistics
        total = now.squares.sum() + now.counts @ np.einsum("cd,cd->c", now.centers, now.centers)
        return float(np.sqrt(total / max(int(now.counts.sum()), 1)))

    def moved(self, class_index: int, move: Move) -> "InterventionState":
        """Return the state after ``move`` of one class, before the norm is restored; O(C D + D m)."""
        contraction, turns, places = move.contraction, self.turns[class_index], self.places
        image = contraction.scale * places.images[class_index]
        offset = contraction.scale * places.offsets[class_index] + contraction.offset
        if move.rotation is not None:
            image, offset = move.rotation.apply(np.stack([image, offset]))
            turns = Turns(last=move.rotation, before=turns)
        row = Row(
            code=class_index,
            image=image,
            scale=float(contraction.scale * places.scales[class_index]),
            offset=offset + move.shift,
        )
        all_turns = (*self.turns[:class_index], turns, *self.turns[class_index + 1 :])
        return replace(self, turns=all_turns, before=self, change=row, number=self.number + 1)

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
        counts, offsets, scales = self.initial.counts, self.places.offsets, self.places.scales
        start = float(self._initial_norms.sum())
        linear = float(scales**2 @ self._initial_norms)
        a = float(counts @ np.einsum("cd,cd->c", offsets, offsets))
        b = float(counts @ np.einsum("cd,cd->c", offsets, self.places.images))
        if norm_keeping == "none" or (norm_keeping == "offsets" and a == 0.0):
            return self, 1.0, norm_keeping
        lost = start - linear
        uniform = norm_keeping == "uniform" or (bool(np.all(scales <= 1.0)) and lost < 1e-14 * start)
        if uniform:
            total = linear + 2.0 * b + a
            factor = float(np.sqrt(start / total)) if total > 0.0 else 1.0
        else:
            root = float(np.sqrt(max(b * b + a * lost, 0.0)))
            factor = max(lost / (b + root) if b > 0.0 else (root - b) / a, 0.0)
        change = Factor(factor=factor, linear_too=uniform)
        changed = replace(self, before=self, change=change, number=self.number + 1)
        return changed, factor, "uniform" if uniform else "offsets"
