"""The layouts in which collections of cell images are read.

================== ====================================================================================
folder or CSV      ``labels.csv`` with columns path and label, and if wanted group and id; or any CSV
class folders      every sub-folder is a class
MedMNIST ``.npz``  ``train_images``, ``train_labels``, likewise ``val_`` and ``test_``
================== ====================================================================================
"""

import csv
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from ali_core.data.decoding import IMAGE_SUFFIXES
from ali_core.data.images import CellImages
from ali_core.data.medmnist import from_medmnist
from ali_core.data.tables import read_table, select_rows
from ali_core.errors import AliError

__all__ = ["CsvOptions", "from_class_folders", "from_csv", "holds_images", "open_images"]

LABELS_FILE = "labels.csv"
LAYOUTS = (
    f"a folder with {LABELS_FILE} (columns path, label), such a CSV file, a folder with one sub-folder of images "
    "per class, or a MedMNIST .npz file with train_images"
)


class CsvOptions(TypedDict, total=False):
    """How :func:`from_csv` reads a table; see there."""

    path_column: str
    label_column: str
    group_column: str | None
    id_column: str | None
    where: tuple[str, str] | None


def open_images(path: str | Path, **options: Unpack[CsvOptions]) -> CellImages:
    """Read a collection by what ``path`` is: a folder, a CSV file or a MedMNIST file.

    Parameters
    ----------
    path
        A folder with ``labels.csv``, a CSV file, a folder of class folders, or a MedMNIST ``.npz`` file.
    **options
        Columns and filter for the first two, as in :func:`from_csv`.

    Returns
    -------
    CellImages
        The collection; its pixels are not read yet, except from ``.npz``.

    Raises
    ------
    AliError
        When ``path`` is none of these, or its content cannot be used.
    """
    path = Path(path)
    if not path.exists():
        raise AliError(f"there is no {path}; give {LAYOUTS}")
    if path.is_dir() and (path / LABELS_FILE).is_file():
        return from_csv(path / LABELS_FILE, **options)
    if path.is_file() and path.suffix.lower() == ".csv":
        return from_csv(path, **options)
    if options:
        raise AliError(f"{', '.join(options)} apply to CSV tables only, and {path} is none; leave them out")
    if path.is_dir() and _class_folders(path):
        return from_class_folders(path)
    if path.is_file() and path.suffix.lower() == ".npz":
        return from_medmnist(path)
    raise AliError(f"{path} holds no collection of images; give {LAYOUTS}")


def from_csv(
    csv_path: str | Path,
    *,
    folder: str | Path | None = None,
    path_column: str = "path",
    label_column: str = "label",
    group_column: str | None = None,
    id_column: str | None = None,
    where: tuple[str, str] | None = None,
) -> CellImages:
    """Read a table with one row per image.

    Parameters
    ----------
    csv_path
        The table; every value is read as text.
    folder
        What the paths in the table are relative to; by default the folder of the table.
    path_column, label_column
        Columns with the image file and its class.
    group_column, id_column
        Columns with the group and the id. By default ``group`` and ``id`` where they exist; otherwise there are no
        groups, and the path is the id.
    where
        Column and value: only rows with this value are read.

    Returns
    -------
    CellImages
        Classes sorted by name.

    Raises
    ------
    AliError
        A table that cannot be read, missing columns, no row, empty cells, paths that are absolute or contain ``..``,
        ids that occur twice, or images that are missing (the first few are named).
    """
    csv_path = Path(csv_path)
    table = read_table(csv_path)
    group_column = group_column or ("group" if "group" in table else None)
    id_column = id_column or ("id" if "id" in table else None)
    wanted = [column for column in (path_column, label_column, group_column, id_column) if column is not None]
    columns = select_rows(table, csv_path, wanted, where)
    names = columns[path_column].tolist()
    for name in names:
        if _leaves_folder(name):
            raise AliError(f"{csv_path.name}: the path {name!r} leaves the folder; use paths relative to it without ..")
    root = csv_path.parent if folder is None else Path(folder)
    paths = tuple(root / name for name in names)
    _check_present(paths)
    return _labelled(
        columns[label_column],
        ids=columns[path_column if id_column is None else id_column],
        groups=None if group_column is None else columns[group_column],
        paths=paths,
    )


def from_class_folders(folder: str | Path) -> CellImages:
    """Read a folder whose sub-folders are the classes, with their images at any depth below.

    Hidden files and files without an image suffix are passed over; ids are the paths relative to ``folder``.

    Raises
    ------
    AliError
        When ``folder`` is not a folder, or no sub-folder holds an image.
    """
    folder = Path(folder)
    files = [(name, file) for name, members in _class_folders(folder).items() for file in members]
    if not files:
        raise AliError(f"{folder} has no sub-folder with images ({', '.join(IMAGE_SUFFIXES)}); make one per class")
    ids = np.array([file.relative_to(folder).as_posix() for _, file in files])
    return _labelled(
        np.array([name for name, _ in files]), ids=ids, groups=None, paths=tuple(file for _, file in files)
    )


def _class_folders(folder: Path) -> dict[str, list[Path]]:
    """Return the image files of each class folder; folders without images are left out."""
    if not folder.is_dir():
        raise AliError(f"{folder} is not a folder; give a folder with one sub-folder of images per class")
    found = {}
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.name.startswith("."):
            files = [file for file in sorted(child.rglob("*")) if file.suffix.lower() in IMAGE_SUFFIXES]
            found[child.name] = [file for file in files if not file.name.startswith(".") and file.is_file()]
    return {name: files for name, files in found.items() if files}


def _labelled(
    names: NDArray[np.str_], *, ids: NDArray[np.str_], groups: NDArray[np.str_] | None, paths: tuple[Path, ...]
) -> CellImages:
    classes, labels = np.unique(names, return_inverse=True)
    return CellImages(
        labels=labels.astype(np.int64), class_names=tuple(classes.tolist()), ids=ids, groups=groups, paths=paths
    )


def _leaves_folder(name: str) -> bool:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return bool(posix.is_absolute() or windows.anchor or ".." in posix.parts or ".." in windows.parts)


def _check_present(paths: Sequence[Path]) -> None:
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        first = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        raise AliError(
            f"{len(missing)} of {len(paths)} images are missing ({first}); restore them, or remove their rows"
        )


def holds_images(path: Path) -> bool:
    """Whether a path is a folder, a table of images or a MedMNIST archive rather than an embedding file."""
    if path.is_dir():
        return True
    if path.suffix.lower() == ".npz":
        try:
            with zipfile.ZipFile(path) as archive:
                return "train_images.npy" in archive.namelist()
        except (OSError, zipfile.BadZipFile):  # the reader of embeddings tells what is wrong
            return False
    if path.suffix.lower() != ".csv":
        return False
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return "path" in next(csv.reader([file.readline()]), [])
