"""Folds for cross-validation with a test, a validation and a training part each.

Synopsis::

    for split in grouped_folds(images.labels, groups=images.groups, class_names=images.class_names):
        train, validation, test = (images.subset(rows) for rows in (split.train, split.validation, split.test))
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.errors import AliError

__all__ = ["FoldSplit", "FoldWarning", "grouped_folds"]


class FoldWarning(UserWarning):
    """Some class is too small to be in every part of every fold."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldSplit:
    """One fold: which rows train, which choose, which are scored.

    Parameters
    ----------
    fold
        Its number, from 0.
    train, validation, test
        Row numbers, int64, ascending; together every row once.
    """

    fold: int
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def grouped_folds(
    labels: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    n_folds: int = 6,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> tuple[FoldSplit, ...]:
    """Divide samples into folds of similar class distribution, no group in two of them.

    The rows are cut into ``n_folds`` parts. Fold k tests on part k, validates on part (k + 1) mod ``n_folds`` and
    trains on all others, so every sample is tested once and validated once.

    Parameters
    ----------
    labels
        Class codes, integers of shape (N,).
    groups
        What must never be split (patient, slide region), shape (N,); None when every sample stands alone.
    n_folds
        At least 3. The paper has six: one test, one validation, four training (Sec. III-F).
    seed
        The same seed gives the same folds.
    class_names
        Names of the codes, for messages.

    Returns
    -------
    tuple of FoldSplit
        One a fold.

    Warns
    -----
    FoldWarning
        Classes with fewer samples (or groups) than folds, since some parts will lack them.

    Raises
    ------
    AliError
        Labels or groups of a wrong shape, fewer than 3 folds, fewer groups than folds, no class with as many samples
        as folds, a validation or test part without samples, or a training part that lacks a class.

    Notes
    -----
    The parts are those of scikit-learn's ``StratifiedGroupKFold``, or ``StratifiedKFold`` without groups, shuffled.
    """
    codes = _checked_codes(labels, class_names)
    members = None if groups is None else _checked_groups(groups, len(codes), n_folds)
    if n_folds < 3:
        raise AliError(f"n_folds must be at least 3, for a test, a validation and a training part; got {n_folds}")
    _warn_of_rare_classes(codes, members, n_folds, class_names)
    part = _parts(codes, members, n_folds, seed)
    splits = []
    for fold in range(n_folds):
        test, validation = part == fold, part == (fold + 1) % n_folds
        rows = [np.flatnonzero(chosen).astype(np.int64) for chosen in (~(test | validation), validation, test)]
        split = FoldSplit(fold=fold, train=rows[0], validation=rows[1], test=rows[2])
        _check_split(split, codes, class_names)
        splits.append(split)
    return tuple(splits)


def _checked_codes(labels: ArrayLike, class_names: Sequence[str] | None) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if array.ndim != 1 or not len(array) or not np.issubdtype(array.dtype, np.integer):
        raise AliError(
            f"labels must be integer class codes, one per sample; got the shape {array.shape} and type {array.dtype}"
        )
    n_names = int(array.max()) + 1 if class_names is None else len(class_names)
    if array.min() < 0 or array.max() >= n_names:
        raise AliError(f"labels must lie from 0 to {n_names - 1}; got values from {array.min()} to {array.max()}")
    return array.astype(np.int64)


def _checked_groups(groups: ArrayLike, n_samples: int, n_folds: int) -> NDArray[np.int64]:
    """Return the groups as codes."""
    array = np.asarray(groups)
    if array.shape != (n_samples,):
        raise AliError(f"groups must be one per sample, shape ({n_samples},); got {array.shape}")
    names, members = np.unique(array.astype(str), return_inverse=True)
    if len(names) < n_folds:
        raise AliError(
            f"{len(names)} groups cannot be kept whole in {n_folds} folds; take at most {len(names)} folds, or "
            "groups=None to split them"
        )
    return members.astype(np.int64)


def _name(code: int, class_names: Sequence[str] | None) -> str:
    return f"class {code}" if class_names is None else repr(str(class_names[code]))


def _warn_of_rare_classes(
    codes: NDArray[np.int64], members: NDArray[np.int64] | None, n_folds: int, class_names: Sequence[str] | None
) -> None:
    units = np.arange(len(codes)) if members is None else members
    rare = []
    for code in np.unique(codes).tolist():
        n_units = len(np.unique(units[codes == code]))
        if n_units < n_folds:
            rare.append(f"{_name(code, class_names)} ({n_units})")
    if rare:
        what = "samples" if members is None else "groups"
        warnings.warn(
            f"fewer {what} than the {n_folds} folds, so some parts lack them: {', '.join(rare)}",
            FoldWarning,
            stacklevel=3,
        )


def _parts(codes: NDArray[np.int64], members: NDArray[np.int64] | None, n_folds: int, seed: int) -> NDArray[np.int64]:
    """Return the number of the part each row is in."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # noqa: PLC0415  # slow to import

    largest = int(np.bincount(codes).max())
    if largest < n_folds:
        raise AliError(
            f"{n_folds} folds need a class with as many samples; the largest has {largest}: take fewer folds"
        )
    folds: Any = (StratifiedKFold if members is None else StratifiedGroupKFold)(
        n_folds, shuffle=True, random_state=seed
    )
    part = np.empty(len(codes), dtype=np.int64)
    with warnings.catch_warnings():
        # The warning of this module names all rare classes; scikit-learn's gives one number.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for number, (_, rows) in enumerate(folds.split(np.zeros((len(codes), 1)), codes, members)):
            part[rows] = number
    return part


def _check_split(split: FoldSplit, codes: NDArray[np.int64], class_names: Sequence[str] | None) -> None:
    for words, rows in (("validation", split.validation), ("test", split.test)):
        if not len(rows):
            raise AliError(f"the {words} part of fold {split.fold} has no sample; take fewer folds, or groups=None")
    lacking = np.setdiff1d(codes, codes[split.train]).tolist()
    if lacking:
        names = ", ".join(_name(code, class_names) for code in lacking)
        raise AliError(
            f"the training part of fold {split.fold} has no sample of {names}; remove or merge the class, "
            "take another number of folds, or groups=None"
        )
