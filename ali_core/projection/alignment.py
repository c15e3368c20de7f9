"""Rigid alignment of one 2-D layout to another, on the samples that stayed where they were."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import orthogonal_procrustes

from ali_core.errors import AliError

__all__ = ["RigidMotion", "aligned", "rigid_motion", "stayed"]

FloatArray = NDArray[np.float64]

MIN_SHARED = 3
"""Fewer samples than this do not fix a rotation and a reflection in the plane."""


@dataclass(frozen=True, slots=True)
class RigidMotion:
    """A rotation or reflection about one point, followed by a move to another; lengths are kept.

    Attributes
    ----------
    rotation
        Orthogonal matrix (2, 2), applied to rows from the right.
    source_center
        Point (2,) about which is turned.
    target_center
        Point (2,) where ``source_center`` ends.
    """

    rotation: FloatArray
    source_center: FloatArray
    target_center: FloatArray

    def apply(self, points: FloatArray) -> FloatArray:
        """Move each row of ``points`` (n, 2)."""
        return (points - self.source_center) @ self.rotation + self.target_center


def rigid_motion(source: FloatArray, target: FloatArray) -> RigidMotion:
    r"""Find the rigid motion that brings ``source`` closest to ``target``.

    Minimises :math:`\sum_i |(a_i - \bar a) R + \bar b - b_i|^2` over all orthogonal :math:`R`
    (reflections included, since a layout has no handedness) without scaling.

    Parameters
    ----------
    source, target
        Matching points, both (n, 2), n >= 1.

    Returns
    -------
    RigidMotion
        The least-squares motion.

    References
    ----------
    P. H. Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika
    31 (1966).

    Examples
    --------
    >>> import numpy as np
    >>> triangle = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    >>> turned = triangle @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + 5.0
    >>> bool(np.allclose(rigid_motion(triangle, turned).apply(triangle), turned))
    True
    """
    source_center, target_center = source.mean(axis=0), target.mean(axis=0)
    rotation, _ = orthogonal_procrustes(source - source_center, target - target_center)
    return RigidMotion(rotation, source_center, target_center)


def stayed(before: ArrayLike, after: ArrayLike, *, tolerance: float = 1e-3) -> NDArray[np.bool_]:
    """Tell which samples did not move between two states of an embedding.

    Parameters
    ----------
    before, after
        The two states, both (N, D).
    tolerance
        Largest displacement that still counts as staying, as a part of the RMS distance of
        ``before`` from its mean. Keeping the norm rescales the offsets of every class that moved
        before by a hair; that is not a move.

    Returns
    -------
    numpy.ndarray
        Mask (N,), True where the sample stayed.

    Raises
    ------
    AliError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> before = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> stayed(before, before + np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])).tolist()
    [True, False, True]
    """
    old, new = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if old.shape != new.shape:
        raise AliError(
            f"a state of shape {new.shape} cannot follow one of shape {old.shape}; "
            "both must hold the same samples in the same dimensions, so start a new layout instead."
        )
    size = np.sqrt(np.square(old - old.mean(axis=0)).sum(axis=1).mean())
    displacement = np.linalg.norm(new - old, axis=1)
    return np.asarray(displacement <= tolerance * size, dtype=np.bool_)


def aligned(positions: FloatArray, reference: FloatArray, anchors: NDArray[np.bool_]) -> FloatArray:
    """Lay ``positions`` over ``reference``, both (N, 2), by the rigid motion that fits ``anchors``.

    ``anchors`` is a mask (N,). With fewer than three anchors all rows are used.
    """
    rows = anchors if int(anchors.sum()) >= MIN_SHARED else np.ones_like(anchors)
    return rigid_motion(positions[rows], reference[rows]).apply(positions)
