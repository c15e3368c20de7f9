"""Images in the ``.npz`` layout of MedMNIST."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ali_core.data.images import CellImages
from ali_core.errors import AliError
from ali_core.foreign import check_arrays, regular_file

__all__ = ["from_medmnist"]

MOST_CLASSES = 100_000
"""Largest code of a class: every code below the largest one gets a name."""

PARTS = {"train": "train", "val": "validation", "test": "test"}
SPLITS = tuple(PARTS)


def from_medmnist(npz: str | Path, split: str | None = None, *, class_names: Sequence[str] | None = None) -> CellImages:
    """Read a MedMNIST file of 2-D images with one label each.

    Parameters
    ----------
    npz
        The file, with ``train_images`` (n, H, W), (n, H, W, 1) or (n, H, W, 3) uint8, ``train_labels`` (n,) or (n, 1),
        and likewise ``val_`` and ``test_``. Grey values are repeated to three channels.
    split
        ``train``, ``val`` or ``test``; by default all there are, in this order.
    class_names
        Names in the order of the codes; ``"0"``, ``"1"``, … by default.

    Returns
    -------
    CellImages
        In memory, without groups; ids are ``train/0``, ``train/1``, …, and the split is that of the file.

    Raises
    ------
    AliError
        When the file cannot be read, lacks the split, holds pickled objects, volumes, or several labels per image.
    """
    npz = Path(npz)
    if split is not None and split not in SPLITS:
        raise AliError(f"split must be one of {', '.join(SPLITS)}; got {split!r}")
    arrays = _read_npz(npz, SPLITS if split is None else (split,))
    sizes = {part: images.shape[1:3] for part, (images, _) in arrays.items()}
    if len(set(sizes.values())) > 1:
        raise AliError(f"{npz}: all images must have one size; got {sizes}: give one split of it")
    images, labels = (np.concatenate([parts[at] for parts in arrays.values()]) for at in (0, 1))
    largest = int(labels.max(initial=0))
    if class_names is None and largest > MOST_CLASSES:
        raise AliError(f"{npz}: labels are codes from 0 to {MOST_CLASSES:,} at most; got {largest}: name the classes")
    names = [str(code) for code in range(int(labels.max(initial=0)) + 1)] if class_names is None else class_names
    return CellImages(
        labels=labels,
        class_names=tuple(names),
        ids=np.array([f"{part}/{row}" for part, (_, codes) in arrays.items() for row in range(len(codes))]),
        pixels=images,
        split=np.repeat([PARTS[part] for part in arrays], [len(codes) for _, codes in arrays.values()]),
    )


def _read_npz(npz: Path, splits: Sequence[str]) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Return images (n, H, W, 3) and labels (n,) of the splits that are there."""
    regular_file(npz, "MedMNIST file")
    try:
        check_arrays(npz)
        with npz.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            there = [part for part in splits if f"{part}_images" in archive and f"{part}_labels" in archive]
            _check_some(npz, there, splits)
            return {part: _checked(npz, part, archive[f"{part}_images"], archive[f"{part}_labels"]) for part in there}
    except AliError:
        raise
    except Exception as error:  # numpy and zipfile raise what their parsers meet
        reason = "it holds pickled objects, which are never opened" if "allow_pickle" in str(error) else str(error)
        raise AliError(f"{npz} is not a readable .npz file ({reason}); fetch or export it again") from None


def _check_some(npz: Path, there: Sequence[str], splits: Sequence[str]) -> None:
    if not there:
        raise AliError(
            f"{npz} has no {splits[0]}_images with {splits[0]}_labels; give a MedMNIST file, or an existing split of it"
        )


def _checked(
    npz: Path, part: str, images: NDArray[np.generic], labels: NDArray[np.generic]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    if images.dtype != np.uint8 or not (images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3))):
        raise AliError(
            f"{npz}: {part}_images must be uint8 of shape (n, H, W), (n, H, W, 1) or (n, H, W, 3); "
            f"got {images.dtype} of shape {images.shape}"
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape not in ((len(images),), (len(images), 1)):
        raise AliError(
            f"{npz}: {part}_labels must be one whole number per image, shape ({len(images)},); "
            f"got {labels.dtype} of shape {labels.shape}"
        )
    grey = images[..., None] if images.ndim == 3 else images
    rgb = grey if grey.shape[3] == 3 else np.repeat(grey, 3, axis=3)
    return rgb.astype(np.uint8, copy=False), labels.reshape(-1).astype(np.int64)
