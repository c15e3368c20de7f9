"""From a place in the picture back to embedding space: how far samples must move for their mean to get there."""

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.errors import AliError
from ali_core.projection.layouts import Layout

if TYPE_CHECKING:
    from ali_core.projection.parametric import ParametricTSNE

__all__ = ["pull_back"]

FloatArray = NDArray[np.float64]
Image = tuple[FloatArray, FloatArray]

MAX_ITERATIONS = 100
TOLERANCE = 1e-3
"""How far from the target the mean may end, as a part of the RMS distance of all positions from their mean."""
STARTS = (15, 1, 60)
"""Steps start among so many landmarks near the target, and where the samples are."""
FIRST_DAMPING, WEAKER, STRONGER = 1e-3, 0.2, 5.0


def pull_back(layout: Layout, rows: ArrayLike, target: ArrayLike) -> FloatArray:
    r"""Find one displacement of samples in embedding space that brings their mean position to ``target``.

    In a linear layout with axes :math:`A` (D, 2) the shortest such displacement is :math:`d = (A^\top)^+ (t - \bar z)`,
    with the pseudo-inverse. In ``parametric``, with the mean position :math:`m(d) = \frac1n \sum_i f(x_i + d)` and its
    Jacobian :math:`J` (2, D), damped Gauss-Newton steps of least norm are taken:

    .. math:: d \leftarrow d + J^\top (J J^\top + \mu I)^{-1} (t - m(d))

    Parameters
    ----------
    layout
        Of the state from which is dragged; it is a map (`is_map`).
    rows
        Indices (n,) of the samples, n >= 1.
    target
        Where their mean position shall be, (2,), finite.

    Returns
    -------
    numpy.ndarray
        d, shape (D,) float64, added to each of the samples.

    Raises
    ------
    AliError
        For a layout that is no map, no samples, a target that is no point, and a place in ``parametric`` that is not
        reached, to a thousandth of the layout's size, in 100 iterations.

    Notes
    -----
    μ is relative to the mean of the diagonal of :math:`J J^\top`; it falls after a step that came nearer and rises
    after one that did not, which is then not taken (Levenberg-Marquardt). Each step is the shortest one, their sum
    need not be. They start from d = 0, and from where the landmarks lie whose places are nearest to the target; the
    shorter displacement of those that arrive is taken. From 0 alone, samples can end far out of the data, where the
    slope of the map leads to the target as well. With one dimension the second coordinate of a linear layout cannot
    change, and is not asked to.

    References
    ----------
    D. W. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", SIAM J. 11 (1963).

    Examples
    --------
    >>> import numpy as np
    >>> from ali_core.projection import layout
    >>> drawn = layout(np.array([[0.0, 0.0, 7.0], [2.0, 0.0, 7.0]]), "dims")
    >>> pull_back(drawn, [0, 1], (4.0, 1.0)).tolist()  # the mean is at (1, 0)
    [3.0, 1.0, 0.0]
    """
    chosen, goal = np.asarray(rows, dtype=np.int64), np.asarray(target, dtype=np.float64)
    if goal.shape != (2,) or not np.isfinite(goal).all():
        raise AliError(f"the target is {goal.tolist()}, but must be a point of two finite numbers; pass (x, y)")
    if not len(chosen):
        raise AliError("no sample is drawn of what shall be moved; choose a class that has some")
    if layout.frame is not None:
        displacement: FloatArray = np.linalg.pinv(layout.frame.axes.T) @ (goal - layout.positions[chosen].mean(axis=0))
        return displacement
    if layout.projector is None:
        raise AliError(
            f"the layout {layout.view!r} is no map, so nothing can be dragged in it; take 'pca' or 'parametric'"
        )
    size = float(np.sqrt(np.square(layout.positions - layout.positions.mean(axis=0)).sum(axis=1).mean()))
    moved = layout.vectors[chosen]
    image, center = _mean_position(layout.projector, moved), moved.mean(axis=0)
    found, refusal = [], None
    for start in (np.zeros_like(center), *(_near(layout.projector, goal, number) - center for number in STARTS)):
        try:
            found.append(_followed(image, goal, start, size))
        except AliError as error:
            refusal = refusal or error
    if not found:
        raise cast("AliError", refusal)
    return min(found, key=lambda displacement: float(np.linalg.norm(displacement)))


def _near(projector: "ParametricTSNE", goal: FloatArray, number: int) -> FloatArray:
    """Return a vector (D,) in the middle of the ``number`` landmarks whose places are nearest to ``goal``."""
    known = {name: tensor.double().cpu().numpy() for name, tensor in projector.network_.state_dict().items()}
    nearest = np.argsort(np.square(known["places"] - goal).sum(axis=1), kind="stable")[:number]
    coordinates = known["landmarks"][nearest].mean(axis=0)
    vector: FloatArray = known["center"] + coordinates @ np.linalg.pinv(known["axes"])
    return vector


def _followed(image: Callable[[FloatArray], Image], goal: FloatArray, start: FloatArray, size: float) -> FloatArray:
    """Return the displacement (D,) from ``start`` whose mean position is ``goal``, to a thousandth of ``size``."""
    displacement, damping = start, FIRST_DAMPING
    mean, jacobian = image(displacement)
    for _ in range(MAX_ITERATIONS):
        gap = goal - mean
        if np.linalg.norm(gap) <= TOLERANCE * size:
            return displacement
        normal = jacobian @ jacobian.T
        if not np.trace(normal) > 0.0:
            break
        normal += damping * np.trace(normal) / 2.0 * np.eye(2)
        tried = displacement + jacobian.T @ np.linalg.solve(normal, gap)
        new_mean, new_jacobian = image(tried)
        if np.linalg.norm(goal - new_mean) < np.linalg.norm(gap):
            displacement, mean, jacobian, damping = tried, new_mean, new_jacobian, WEAKER * damping
        else:
            damping *= STRONGER
    left = float(np.linalg.norm(goal - mean))
    if left <= TOLERANCE * size:
        return displacement
    raise AliError(
        f"the map does not reach ({goal[0]:.3g}, {goal[1]:.3g}): the class gets no nearer than {left:.3g}; "
        "drag it less far, or in the layout 'pca'"
    )


def _mean_position(projector: "ParametricTSNE", vectors: FloatArray) -> Callable[[FloatArray], Image]:
    """Return the function from a displacement (D,) to the mean position (2,) and its Jacobian (2, D), in float64."""
    import torch  # noqa: PLC0415  # slow to import

    network = deepcopy(projector.network_).double()
    samples = torch.tensor(vectors, device=network.center.device)

    def image(displacement: FloatArray) -> Image:
        shift = torch.tensor(displacement, device=samples.device, requires_grad=True)
        mean = network(samples + shift).mean(dim=0)
        slopes = [torch.autograd.grad(mean[axis], shift, retain_graph=axis == 0)[0] for axis in (0, 1)]
        return mean.detach().cpu().numpy(), torch.stack(slopes).cpu().numpy()

    return image
