"""Folds for cross-validation with a test, a validation and a training part each.

Synopsis::

    for split in grouped_folds(images.labels, groups=images.groups, class_names=images.class_names):
        train, validation, test = (images.subset(rows) for rows in (split.train, split.validation, split.test))
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.errors import AliError

__all__ = ["FoldSplit", "FoldWarning", "grouped_folds"]


class FoldWarning(UserWarning):
    """Some class is too small to be in every part of every fold."""


OURS = "folds of our own"


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldSplit:
    """One fold: which rows train, which choose, which are scored.

    Parameters
    ----------
    fold
        Its number, from 0.
    train, validation, test
        Row numbers, int64, ascending; together every row with a label once.
    origin
        Whose division it is, in words.
    """

    fold: int
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    origin: str = OURS


def grouped_folds(
    labels: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    split: ArrayLike | None = None,
    n_folds: int = 6,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> tuple[FoldSplit, ...]:
    """Divide samples into folds of similar class distribution, no group in two of them.

    The rows are cut into ``n_folds`` parts. Fold k tests on part k, validates on part (k + 1) mod ``n_folds`` and
    trains on all others, so every sample is tested once and validated once. A given split takes the place of this.

    Parameters
    ----------
    labels
        Class codes, integers of shape (N,); -1, with ``class_names``, for samples without a label, which are in no
        part.
    groups
        What must never be split (patient, slide region), shape (N,); None when every sample stands alone.
    split
        A given division, shape (N,): ``train``, ``validation`` and ``test`` make one fold, and where there is no
        ``validation``, it is cut from ``train`` as one of ``n_folds`` parts; fold numbers make as many folds as there
        are. None divides anew.
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
        as folds, a validation or test part without samples, a training part that lacks a class, or a given split that
        divides a group (it is named).

    Notes
    -----
    The parts are those of scikit-learn's ``StratifiedGroupKFold``, or ``StratifiedKFold`` without groups, shuffled.
    """
    if n_folds < 3:
        raise AliError(f"n_folds must be at least 3, for a test, a validation and a training part; got {n_folds}")
    everything = _checked_codes(labels, class_names)
    labelled = np.flatnonzero(everything >= 0)
    codes = everything[labelled]
    names = None if groups is None else _checked_groups(groups, len(everything))[labelled]
    if split is None:
        found = _own_folds(codes, names, n_folds, seed, class_names)
    else:
        given = np.asarray(split).astype(str)
        if given.shape != everything.shape:
            raise AliError(f"split must be one per sample, shape ({len(everything)},); got {given.shape}")
        found = _given_folds(given[labelled], codes, names, n_folds, seed)
    for fold in found:
        _check_split(fold, codes, class_names)
    return tuple(
        replace(fold, train=labelled[fold.train], validation=labelled[fold.validation], test=labelled[fold.test])
        for fold in found
    )


def _own_folds(
    codes: NDArray[np.int64],
    groups: NDArray[np.str_] | None,
    n_folds: int,
    seed: int,
    class_names: Sequence[str] | None,
) -> list[FoldSplit]:
    members = None if groups is None else group_codes(groups, n_folds)
    _warn_of_rare_classes(codes, members, n_folds, class_names)
    return _rotated(_parts(codes, members, n_folds, seed), n_folds, OURS)


def _rotated(part: NDArray[np.int64], n_folds: int, origin: str) -> list[FoldSplit]:
    """Return the folds of numbered parts: part k tests fold k, the next one validates."""
    folds = []
    for fold in range(n_folds):
        test, validation = part == fold, part == (fold + 1) % n_folds
        rows = [np.flatnonzero(chosen).astype(np.int64) for chosen in (~(test | validation), validation, test)]
        folds.append(FoldSplit(fold=fold, train=rows[0], validation=rows[1], test=rows[2], origin=origin))
    return folds


def _given_folds(
    split: NDArray[np.str_], codes: NDArray[np.int64], groups: NDArray[np.str_] | None, n_folds: int, seed: int
) -> list[FoldSplit]:
    """Return the folds of a division that came with the data."""
    _check_leaks(split, groups)
    present = set(split.tolist())
    if present <= {"train", "validation", "test"}:
        if not {"train", "test"} <= present:
            raise AliError(f"a given split needs samples in train and in test; got {', '.join(sorted(present))}")
        train, validation, test = (np.flatnonzero(split == part) for part in ("train", "validation", "test"))
        origin = "the split that is given"
        if not len(validation):
            members = None if groups is None else group_codes(groups[train], n_folds)
            part = _parts(codes[train], members, n_folds, seed)
            train, validation = train[part != 0], train[part == 0]
            origin += f" (validation: one of {n_folds} parts of its training part)"
        return [FoldSplit(fold=0, train=train, validation=validation, test=test, origin=origin)]
    if not all(name.isdecimal() for name in present) or len(present) < 3:
        raise AliError(
            "a given split says train, validation and test, or has at least three fold numbers; got "
            f"{', '.join(sorted(present))}"
        )
    numbers = np.unique(split.astype(np.int64), return_inverse=True)[1].astype(np.int64)
    return _rotated(numbers, len(present), f"the {len(present)} folds that are given")


def _check_leaks(split: NDArray[np.str_], groups: NDArray[np.str_] | None) -> None:
    if groups is None:
        return
    pairs = np.unique(np.stack([groups, split]), axis=1)
    names, counts = np.unique(pairs[0], return_counts=True)
    leaking = names[counts > 1].tolist()
    if leaking:
        told = [f"{name} in {' and '.join(pairs[1][pairs[0] == name].tolist())}" for name in leaking[:3]]
        raise AliError(
            f"the given split divides {len(leaking)} of {len(names)} groups ({', '.join(told)}"
            f"{', …' if len(leaking) > 3 else ''}), so a test would see what was trained on: mend it, leave it out "
            "with drop= (--drop-column NAME), or set groups='ignore' (--ignore-groups)"
        )


def _checked_codes(labels: ArrayLike, class_names: Sequence[str] | None) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if array.ndim != 1 or not len(array) or not np.issubdtype(array.dtype, np.integer):
        raise AliError(
            f"labels must be integer class codes, one per sample; got the shape {array.shape} and type {array.dtype}"
        )
    n_names = int(array.max()) + 1 if class_names is None else len(class_names)
    if array.min() < (0 if class_names is None else -1) or array.max() >= n_names:
        raise AliError(f"labels must lie from 0 to {n_names - 1}; got values from {array.min()} to {array.max()}")
    if array.max() < 0:
        raise AliError("no sample has a label; folds need samples of at least two classes")
    return array.astype(np.int64)


def _checked_groups(groups: ArrayLike, n_samples: int) -> NDArray[np.str_]:
    array = np.asarray(groups).astype(str)
    if array.shape != (n_samples,):
        raise AliError(f"groups must be one per sample, shape ({n_samples},); got {array.shape}")
    return array


def group_codes(groups: NDArray[np.str_], n_folds: int) -> NDArray[np.int64]:
    """Return the groups as codes; AliError when there are fewer than folds."""
    names, members = np.unique(groups, return_inverse=True)
    if len(names) < n_folds:
        fewer = f"at most {len(names)} folds (--n-folds {len(names)})" if len(names) >= 3 else "finer groups"
        raise AliError(
            f"{len(names)} groups cannot be kept whole in {n_folds} folds; take {fewer}, or leave the groups out "
            "(groups=None, --ignore-groups, --drop-column NAME)"
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
            stacklevel=4,
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
        told = [f"{_name(code, class_names)} ({np.count_nonzero(codes == code)} in all)" for code in lacking]
        example = _name(lacking[0], class_names).strip("'")
        where = f"fold {split.fold}" if split.origin == OURS else split.origin
        raise AliError(
            f"the training part of {where} has no sample of {', '.join(told)}, and a class must be trained on to be "
            f"tested; exclude it (--exclude '{example}'), merge it with another one, or add samples of it"
        )
