"""The random numbers behind each drawn cell: a cell has its own stream, so it looks the same in any collection."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_DOTS", "Draws"]

MAX_DOTS = 200
_N_NORMAL, _N_UNIFORM = 96, 64


@dataclass(frozen=True)
class Draws:
    """Random numbers of N cells, handed out one column after the other.

    Asking in a fixed order is what makes a drawing reproducible; :meth:`normal` and :meth:`uniform` have separate
    columns.
    """

    generators: tuple[np.random.Generator, ...]
    dots: NDArray[np.float32]
    _normals: Iterator[NDArray[np.float32]] = field(repr=False)
    _uniforms: Iterator[NDArray[np.float32]] = field(repr=False)

    @classmethod
    def of_cells(cls, entropy: Sequence[int], cells: NDArray[np.int64]) -> "Draws":
        """Return the streams of the cells numbered ``cells`` in the collection that ``entropy`` names."""
        generators = tuple(np.random.default_rng([*entropy, int(cell)]) for cell in cells)
        normals = np.stack([rng.standard_normal(_N_NORMAL, dtype=np.float32) for rng in generators])
        uniforms = np.stack([rng.random(_N_UNIFORM, dtype=np.float32) for rng in generators])
        dots = np.stack([rng.random((MAX_DOTS, 4), dtype=np.float32) for rng in generators])
        return cls(generators, dots, iter(normals.T[:, :, None, None]), iter(uniforms.T[:, :, None, None]))

    def normal(self) -> NDArray[np.float32]:
        """Return the next standard normal number of every cell, shape (N, 1, 1)."""
        return next(self._normals)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> NDArray[np.float32]:
        """Return the next number between ``low`` and ``high`` of every cell, shape (N, 1, 1)."""
        return low + (high - low) * next(self._uniforms)

    def noise(self, px: int) -> NDArray[np.float32]:
        """Return the camera noise of every cell, standard normal, shape (N, px, px, 1)."""
        return np.stack([rng.standard_normal((px, px, 1), dtype=np.float32) for rng in self.generators])
