"""Similarities of embedding space: scale, rotate, shift."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AffineMap"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AffineMap:
    r"""The map :math:`x \mapsto R x + T` with :math:`R = s\,Q`, a scale times a rotation.

    Parameters
    ----------
    scale
        Factor s > 0 of all distances (0 maps everything to one point).
    rotation
        Orthogonal matrix Q of shape (D, D), float64; None stands for the identity and costs nothing.
    offset
        T, shape (D,), float64.

    Notes
    -----
    The paper calls R a rotation :math:`R_c`; after a contraction it is one only up to scale.
    """

    scale: float
    rotation: NDArray[np.float64] | None
    offset: NDArray[np.float64]

    @classmethod
    def identity(cls, dim: int) -> "AffineMap":
        """Return the map that changes nothing in ``dim`` dimensions."""
        return cls(scale=1.0, rotation=None, offset=np.zeros(dim))

    @property
    def linear(self) -> NDArray[np.float64]:
        """R, shape (D, D)."""
        rotation = np.eye(len(self.offset)) if self.rotation is None else self.rotation
        return self.scale * rotation

    def apply(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Map each row of ``points``, shape (N, D)."""
        turned = points if self.rotation is None else points @ self.rotation.T
        return self.scale * turned + self.offset

    def after(self, first: "AffineMap") -> "AffineMap":
        r"""Return the map that applies ``first`` and then this one: :math:`R_i R`, :math:`R_i T + T_i` (Sec. III-A)."""
        if self.rotation is None or first.rotation is None:
            rotation = first.rotation if self.rotation is None else self.rotation
        else:
            rotation = self.rotation @ first.rotation
        return AffineMap(scale=self.scale * first.scale, rotation=rotation, offset=self.apply(first.offset[None])[0])
