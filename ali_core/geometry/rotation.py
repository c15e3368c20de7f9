"""Rotations in a plane, and products of them that never leave a small subspace."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlaneRotation", "SpanRotation", "plane_rotation", "rotation_away"]

PARALLEL = 1e-12
"""Relative length of a rest below which two vectors count as parallel, so that they span no plane."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneRotation:
    r"""Rotation by an angle in the plane of two orthonormal vectors, identity on all that is orthogonal to it.

    .. math:: R = I + (n' n^T - n n'^T)\sin\alpha + (n n^T + n' n'^T)(\cos\alpha - 1)

    Eq. 3-4 of the paper; a positive angle turns ``first`` (n) towards ``second`` (n').

    Parameters
    ----------
    first, second
        Orthonormal vectors, shape (D,).
    angle
        In radians.
    """

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    angle: float

    def apply(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rotate each row of ``points``, shape (N, D), in O(N D)."""
        along, across = points @ self.first, points @ self.second
        sine, cosine = np.sin(self.angle), np.cos(self.angle) - 1.0
        return (
            points
            + np.outer(cosine * along - sine * across, self.first)
            + np.outer(sine * along + cosine * across, self.second)
        )

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The rotation as a matrix R of shape (D, D), for column vectors."""
        return self.apply(np.eye(len(self.first))).T


def plane_rotation(start: NDArray[np.float64], toward: NDArray[np.float64], angle: float) -> PlaneRotation | None:
    r"""Return the rotation by ``angle`` in the plane of two vectors, or None when they span no plane.

    :math:`n = v/|v|` of ``start``, n' by Gram-Schmidt of ``toward`` against n (Sec. III-C of the paper).

    Parameters
    ----------
    start, toward
        Vectors of shape (D,), of any length.
    angle
        In radians; positive turns ``start`` towards ``toward``.
    """
    length, other = np.linalg.norm(start), np.linalg.norm(toward)
    if length == 0.0 or other == 0.0:
        return None
    first = start / length
    unit = toward / other
    rest = unit - (first @ unit) * first
    rest -= (first @ rest) * first  # once more: keeps n' orthogonal when the two are almost parallel
    size = np.linalg.norm(rest)
    if size <= PARALLEL:
        return None
    return PlaneRotation(first=first, second=rest / size, angle=angle)


def rotation_away(center: NDArray[np.float64], neighbour: NDArray[np.float64], strength: float) -> PlaneRotation | None:
    r"""Return the rotation about the origin that turns ``center`` away from ``neighbour``, or None without a plane.

    The angle is :math:`-\lambda_r(\pi - \varphi)` with φ the angle between the two: strength 0 changes nothing,
    strength 1 turns ``center`` onto the direction of minus ``neighbour``.

    Parameters
    ----------
    center, neighbour
        Vectors of shape (D,).
    strength
        λ_r in [0, 1].

    Notes
    -----
    Eq. 3 with a positive angle turns towards the neighbour, while the text wants the opposite end points; the minus
    sign gives them.
    """
    rotation = plane_rotation(center, neighbour, 0.0)
    if rotation is None:
        return None
    angle_between = np.arctan2(neighbour @ rotation.second, neighbour @ rotation.first)
    angle = -strength * (np.pi - angle_between)
    return PlaneRotation(first=rotation.first, second=rotation.second, angle=float(angle))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpanRotation:
    r"""A product of plane rotations, kept as :math:`I + B K B^T` on the m directions B that they touch.

    Rotating n points costs O(n D m) instead of O(n D²).

    Parameters
    ----------
    basis
        B, orthonormal columns, shape (D, m).
    core
        K, shape (m, m).
    """

    basis: NDArray[np.float64]
    core: NDArray[np.float64]

    @classmethod
    def product(cls, factors: Sequence[PlaneRotation]) -> "SpanRotation":
        """Return the rotation that applies ``factors`` one after the other, the first of the list first."""
        vectors = np.stack([vector for factor in factors for vector in (factor.first, factor.second)], axis=1)
        left, sizes, _ = np.linalg.svd(vectors, full_matrices=False)
        basis = left[:, sizes > PARALLEL * sizes[0]]
        rows = np.eye(basis.shape[1])
        for factor in factors:
            inside = PlaneRotation(first=factor.first @ basis, second=factor.second @ basis, angle=factor.angle)
            rows = inside.apply(rows)
        return cls(basis=basis, core=rows.T - np.eye(basis.shape[1]))

    def apply(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rotate each row of ``points``, shape (N, D)."""
        return points + ((points @ self.basis) @ self.core.T) @ self.basis.T

    def after(self, rotation: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Return the matrix of ``rotation`` (identity when None) followed by this one, shape (D, D)."""
        first = np.eye(len(self.basis)) if rotation is None else rotation
        return first + self.basis @ (self.core @ (self.basis.T @ first))
