"""What a lasso, a box or a click chooses."""

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_viz.picture import How

__all__ = ["How", "combined", "lassoed_classes", "lassoed_samples"]


def lassoed_classes(inside: Mapping[int, int], drawn: Mapping[int, int]) -> list[int]:
    """Return the classes that a lasso selects.

    Parameters
    ----------
    inside
        Points in the lasso by class code.
    drawn
        Drawn points by class code.

    Returns
    -------
    list of int
        Classes with at least half of their drawn points in it, by code; if there is none, the class with most of
        them.
    """
    half = sorted(code for code, count in inside.items() if 2 * count >= drawn[code])
    if half or not inside:
        return half
    return [max(inside, key=lambda code: (inside[code], -code))]


def combined(selected: Sequence[int], codes: Sequence[int], how: How) -> tuple[int, ...]:
    """Return the selection after ``codes`` were chosen: ``replace`` it, ``add`` to it or ``remove`` from it."""
    if how == "add":
        return (*selected, *(code for code in codes if code not in selected))
    if how == "remove":
        return tuple(code for code in selected if code not in codes)
    return tuple(codes)


def lassoed_samples(
    before: NDArray[np.int64], rows: NDArray[np.int64], how: How, *, labels: NDArray[np.int64], drawn: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return which samples are selected after a lasso.

    Parameters
    ----------
    before
        Rows of the samples selected so far.
    rows
        Rows of the samples in the lasso.
    how
        What becomes of the selection.
    labels
        Class codes of all samples (N,).
    drawn
        Rows that a lasso can reach. A class that loses the last of these loses the others as well.
    """
    if how not in get_args(How):
        raise AliError(f"how must be one of {', '.join(get_args(How))}; got {how!r}")
    if how == "replace":
        return rows
    if how == "add":
        return np.union1d(before, rows)
    left = np.setdiff1d(before, rows)
    gone = np.setdiff1d(labels[rows], labels[np.intersect1d(left, drawn)])
    return left[~np.isin(labels[left], gone)]
