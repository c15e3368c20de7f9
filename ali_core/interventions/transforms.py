"""The transforms of the paper: contract, rotate, shift (Sec. III-C), each for one class."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ali_core.geometry import AffineMap, SpanRotation, rotations_away

__all__ = ["contract", "ortho_direction", "rotate", "shift", "shift_direction"]

NEGLIGIBLE = 1e-12
"""Length, relative to the vectors that it comes from, below which a direction counts as zero."""


def contract(center: NDArray[np.float64], strength: float) -> AffineMap:
    r"""Return :math:`x \mapsto x + \lambda_c(\bar c - x)`: the center stays, the spread shrinks by 1 - λ_c.

    Parameters
    ----------
    center
        Shape (D,).
    strength
        λ_c in [0, 1].
    """
    return AffineMap(scale=1.0 - strength, rotation=None, offset=strength * center)


def rotate(center: NDArray[np.float64], neighbours: NDArray[np.float64], strength: float) -> SpanRotation | None:
    r"""Return :math:`\prod_k R_{ck}(\lambda_r)` about the origin, away from each neighbour (Eq. 2), or None.

    Parameters
    ----------
    center
        Shape (D,).
    neighbours
        Their centers, nearest first, shape (n, D); a neighbour that spans no plane with the center is left out.
    strength
        λ_r in [0, 1].

    Notes
    -----
    All factors are built from the center before the rotation, and the nearest neighbour's factor acts first; the
    paper leaves both open. With several neighbours the angles add up.
    """
    factors = rotations_away(center, neighbours, strength) if strength > 0.0 else []
    return SpanRotation.product(factors) if factors else None


def shift_direction(center: NDArray[np.float64], neighbours: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return :math:`v_{shift} = \sum_k (\bar c - \bar k)/d_{ck}`, away from the neighbours; shape (D,).

    Parameters
    ----------
    center
        Shape (D,).
    neighbours
        Centers, shape (n, D); one that coincides with ``center`` contributes nothing.

    Notes
    -----
    The wording of the paper points at the neighbours; its aim, and its Fig. 3, point away.
    """
    return _sum_of_units(center - neighbours, np.abs(center).max(initial=0.0))


def ortho_direction(center: NDArray[np.float64], neighbours: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return :math:`v_{ortho} = \sum_{j<k} (\bar c - p_{jk})/|\bar c - p_{jk}|`; shape (D,).

    :math:`p_{jk}` is the foot of the perpendicular from the center on the line through neighbours j and k.

    Parameters
    ----------
    center
        Shape (D,).
    neighbours
        Centers, shape (n, D). Coincident pairs span no line and contribute nothing, nor does a line that passes
        through ``center``. Zeros when there is no pair.
    """
    first, second = _pairs(len(neighbours))
    along = neighbours[second] - neighbours[first]
    to_center = center - neighbours[first]
    squared = np.einsum("pd,pd->p", along, along)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(squared > 0.0, np.einsum("pd,pd->p", to_center, along) / squared, 0.0)
    along *= share[:, None]
    from_foot = to_center - along
    from_foot[squared == 0.0] = 0.0
    size = np.abs(neighbours).max(initial=0.0) + np.abs(center).max(initial=0.0)
    return _sum_of_units(from_foot, size)


def shift(
    center: NDArray[np.float64],
    neighbours: NDArray[np.float64],
    *,
    spread: float,
    strength: float,
    shift_mix: float,
) -> NDArray[np.float64]:
    r"""Return :math:`v_c = \lambda_s s_c\, v/|v|` with :math:`v = \gamma v_{shift} + (1-\gamma) v_{ortho}`; shape (D,).

    Parameters
    ----------
    center
        Shape (D,).
    neighbours
        Centers, shape (n, D); with fewer than two there is no v_ortho and v = v_shift.
    spread
        s_c of the class as the transforms before left it.
    strength
        λ_s ≥ 0.
    shift_mix
        γ in [0, 1].

    Returns
    -------
    numpy.ndarray
        Zeros when all directions cancel or none is defined.
    """
    if strength == 0.0:
        return np.zeros_like(center)
    direction = shift_direction(center, neighbours)
    if len(neighbours) >= 2 and shift_mix < 1.0:  # v_ortho looks at every pair, and costs most
        direction = shift_mix * direction + (1.0 - shift_mix) * ortho_direction(center, neighbours)
    length = np.linalg.norm(direction)
    if length <= NEGLIGIBLE * len(neighbours):
        return np.zeros_like(center)
    vector: NDArray[np.float64] = (strength * spread / length) * direction
    return vector


@lru_cache(maxsize=16)
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all pairs j < k of ``count`` things."""
    return np.triu_indices(count, k=1)


def _sum_of_units(vectors: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Sum of the rows (n, D) at length 1; rows that are rounding errors of numbers of ``size`` drop out."""
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    defined = lengths > NEGLIGIBLE * size
    weights = np.where(defined, 1.0 / np.where(defined, lengths, 1.0), 0.0)
    total: NDArray[np.float64] = weights @ vectors
    return total
