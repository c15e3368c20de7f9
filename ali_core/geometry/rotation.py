"""Rotations in a plane, and products of them that never leave a small subspace."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlaneRotation", "SpanRotation", "plane_rotation", "rotation_away", "rotations_away"]

FloatArray = NDArray[np.float64]

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

    first: FloatArray
    second: FloatArray
    angle: float

    def apply(self, points: FloatArray) -> FloatArray:
        """Rotate each row of ``points``, shape (N, D), in O(N D)."""
        along, across = points @ self.first, points @ self.second
        sine, cosine = np.sin(self.angle), np.cos(self.angle) - 1.0
        return (
            points
            + np.outer(cosine * along - sine * across, self.first)
            + np.outer(sine * along + cosine * across, self.second)
        )

    @property
    def matrix(self) -> FloatArray:
        """The rotation as a matrix R of shape (D, D), for column vectors."""
        return self.apply(np.eye(len(self.first))).T


def plane_rotation(start: FloatArray, toward: FloatArray, angle: float) -> PlaneRotation | None:
    r"""Return the rotation by ``angle`` in the plane of two vectors, or None when they span no plane.

    :math:`n = v/|v|` of ``start``, n' by Gram-Schmidt of ``toward`` against n (Sec. III-C of the paper).

    Parameters
    ----------
    start, toward
        Vectors of shape (D,), of any length.
    angle
        In radians; positive turns ``start`` towards ``toward``.

    Examples
    --------
    >>> import numpy as np
    >>> quarter = plane_rotation(np.array([2.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]), np.pi / 2)
    >>> quarter.apply(np.array([[1.0, 0.0, 5.0]])).round(12).tolist()
    [[0.0, 1.0, 5.0]]
    """
    planes = _planes(start, toward[None])
    return PlaneRotation(first=planes[0][0], second=planes[0][1], angle=angle) if planes else None


def rotation_away(center: FloatArray, neighbour: FloatArray, strength: float) -> PlaneRotation | None:
    """Return the one rotation of :func:`rotations_away` for ``neighbour`` (D,), or None without a plane.

    Examples
    --------
    >>> import numpy as np
    >>> away = rotation_away(np.array([1.0, 1.0]), np.array([0.0, 1.0]), strength=1.0)
    >>> bool(np.allclose(away.apply(np.array([[1.0, 1.0]])), [[0.0, -np.sqrt(2.0)]]))  # onto minus the neighbour
    True
    """
    found = rotations_away(center, neighbour[None], strength)
    return found[0] if found else None


def rotations_away(center: FloatArray, neighbours: FloatArray, strength: float) -> list[PlaneRotation]:
    r"""Return, for each neighbour, the rotation about the origin that turns ``center`` away from it.

    The angle is :math:`-\lambda_r(\pi - \varphi)` with φ the angle between the two: strength 0 changes nothing,
    strength 1 turns ``center`` onto the direction of minus the neighbour.

    Parameters
    ----------
    center
        Shape (D,).
    neighbours
        Shape (n, D); one that spans no plane with ``center`` is left out.
    strength
        λ_r in [0, 1].

    Notes
    -----
    Eq. 3 with a positive angle turns towards the neighbour, while the text wants the opposite end points; the minus
    sign gives them.
    """
    rotations = []
    for first, second, neighbour in _planes(center, neighbours):
        between = np.arctan2(neighbour @ second, neighbour @ first)
        rotations.append(PlaneRotation(first=first, second=second, angle=float(-strength * (np.pi - between))))
    return rotations


def _planes(start: FloatArray, others: FloatArray) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
    """Orthonormal n, n' for each plane of ``start`` and one of ``others`` (n, D), with that other at length 1."""
    length, lengths = np.linalg.norm(start), np.linalg.norm(others, axis=1)
    if length == 0.0:
        return []
    first, units = start / length, others / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    rests = units - np.outer(units @ first, first)
    rests -= np.outer(rests @ first, first)  # once more: keeps n' orthogonal when the two are almost parallel
    sizes = np.linalg.norm(rests, axis=1)
    return [(first, rests[k] / sizes[k], units[k]) for k in np.flatnonzero(sizes > PARALLEL)]


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

    basis: FloatArray
    core: FloatArray

    @classmethod
    def product(cls, factors: Sequence[PlaneRotation]) -> "SpanRotation":
        """Return the rotation that applies ``factors`` one after the other, the first of the list first."""
        firsts, seconds = np.array([f.first for f in factors]), np.array([f.second for f in factors])
        shared = bool(np.all(firsts == firsts[0]))  # as when one class turns away from all its neighbours
        basis = np.linalg.qr(np.concatenate([firsts[:1] if shared else firsts, seconds]).T)[0]
        planes = np.stack([firsts @ basis, seconds @ basis], axis=2)
        sines, cosines = np.sin([f.angle for f in factors]), np.cos([f.angle for f in factors]) - 1.0
        inner = np.array([[cosines, -sines], [sines, cosines]]).transpose(2, 0, 1)
        product = np.eye(basis.shape[1])
        for plane, turn in zip(planes, inner, strict=True):
            product += plane @ (turn @ (plane.T @ product))
        return cls(basis=basis, core=product - np.eye(basis.shape[1]))

    def apply(self, points: FloatArray) -> FloatArray:
        """Rotate each row of ``points``, shape (N, D)."""
        return points + ((points @ self.basis) @ self.core.T) @ self.basis.T

    def after(self, rotation: FloatArray | None) -> FloatArray:
        """Return the matrix of ``rotation`` (identity when None) followed by this one, shape (D, D)."""
        turned = self.basis @ self.core
        if rotation is None:
            matrix = turned @ self.basis.T
            matrix.flat[:: len(matrix) + 1] += 1.0
            return matrix
        matrix = turned @ (self.basis.T @ rotation)
        matrix += rotation
        return matrix
