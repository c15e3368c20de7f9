"""The layouts in which collections of cell images are read.

================== ====================================================================================
table, or folder   a row per image, or per box in an image; ``labels.csv`` in the folder, or a table that
with a table       is named
class folders      every sub-folder is a class; folders of a split, and an outer folder, may lie above
MedMNIST ``.npz``  ``train_images``, ``train_labels``, likewise ``val_`` and ``test_``
================== ====================================================================================
"""

import logging
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.columns import ColumnOptions, Columns, Role, class_codes, is_known_name, listed, split_parts, whole_names
from ali_core.data.decoding import IMAGE_SUFFIXES, White
from ali_core.data.image_folders import Locator, classes_of, walk_images
from ali_core.data.images import CellImages
from ali_core.data.medmnist import from_medmnist
from ali_core.data.tables import is_table, read_table, sniffed
from ali_core.errors import AliError
from ali_core.foreign import reading

__all__ = ["CsvOptions", "from_class_folders", "from_csv", "from_ids", "holds_images", "open_images"]

LABELS_FILE = "labels.csv"
LAYOUTS = (
    f"a folder with {LABELS_FILE} (columns path, label), such a table by itself, a folder with one sub-folder of "
    "images per class, or a MedMNIST .npz file with train_images"
)
#: What columns with image files are called where nobody says it.
PATH_COLUMNS = ("file", "filename", "filepath", "image", "imagefile", "imagename", "imagepath", "img", "imgpath")
BOXES = (("x0", "y0", "x1", "y1"), ("xmin", "ymin", "xmax", "ymax"))
#: The names that these options had first.
FIRST_NAMES = {"path_column": "path", "label_column": "label", "group_column": "group", "id_column": "id"}
BOX_ID = re.compile(r"(.*)\[(-?\d+,-?\d+,-?\d+,-?\d+)\]", re.DOTALL)
NAMED_IN_MESSAGE = 3
#: A table with so many columns of which nothing is known holds features, even if it names the images they are of.
FEATURES = 16

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How image files are read."""

    skip_unreadable: bool = False
    white: White = None


class CsvOptions(ColumnOptions, total=False):
    """Keywords of everything that reads images; those of :class:`~ali_core.columns.Columns`, and these.

    - ``skip_unreadable``: whether images that are missing are left out, and named with the damaged ones when the images
      are read.
    - ``white``: how files of more than 8 bits are scaled; see :func:`~ali_core.data.decoding.decode_image`.
    - ``path_column``, ``label_column``, ``group_column``, ``id_column``: second names of ``path``, ``label``, ``group``
      and ``id``.
    """

    skip_unreadable: bool
    white: White
    path_column: str | None
    label_column: str | None
    group_column: str | None
    id_column: str | None


def open_images(path: str | Path, /, **options: Unpack[CsvOptions]) -> CellImages:
    """Read a collection by what ``path`` is: a folder, a table or a MedMNIST file.

    Parameters
    ----------
    path
        A folder with ``labels.csv`` or another table, a table, a folder of class folders, or a MedMNIST ``.npz`` file.
    **options
        What is what in a table (``path=``, ``label=``, ``group=``, ``id=``, ``split=``, ``drop=``, ``where=``), which
        table of a folder (``table=``), the order and colours of classes (``classes=``, ``colours=``),
        ``skip_unreadable=``, ``white=``; see :class:`CsvOptions`.

    Returns
    -------
    CellImages
        The collection; its pixels are not read yet, except from ``.npz``.

    Raises
    ------
    AliError
        When ``path`` is none of these, or its content cannot be used.

    Notes
    -----
    A folder that holds a table and no class folders is read by the table. With class folders, the table is taken when
    columns or the table itself are named.
    """
    path = Path(path)
    if not path.exists():
        raise AliError(f"there is no {path}; give {LAYOUTS}")
    with reading(path, "collection of images"):
        return _opened(path, options)


def _opened(path: Path, options: CsvOptions) -> CellImages:
    columns, _ = _told(options)
    table = _table_in(path, columns) if path.is_dir() else path if is_table(path) else None
    if table is not None:
        return from_csv(table, **({"folder": path} if path.is_dir() else {}), **options)
    about_tables = [name for name in columns.given if name not in {"classes", "colours", "unlabelled"}]
    if about_tables:
        raise AliError(f"{', '.join(about_tables)} apply to tables only, and {path} holds none; leave them out")
    if path.is_dir():
        return from_class_folders(path, **options)
    if path.suffix.lower() == ".npz":
        return replace(from_medmnist(path, class_names=columns.classes or None), colours=columns.colours)
    raise AliError(f"{path} holds no collection of images; give {LAYOUTS}")


def _told(options: CsvOptions) -> tuple[Columns, Reading]:
    """Separate what is said about columns from how files are read."""
    given: dict[str, Any] = {FIRST_NAMES.get(name, name): value for name, value in options.items() if value is not None}
    reading = {name: given.pop(name) for name in Reading.__annotations__ if name in given}
    return Columns(**given), Reading(**reading)


def _table_in(folder: Path, columns: Columns) -> Path | None:
    """Return the table that describes the images of a folder, None when their sub-folders do."""
    if columns.table is not None:
        inside = folder / columns.table
        return inside if inside.is_file() else Path(columns.table)
    if (folder / LABELS_FILE).is_file():
        return folder / LABELS_FILE
    tables = sorted(file for file in folder.iterdir() if file.is_file() and is_table(file) and file.name[0] != ".")
    named = {"label", "path", "group", "id", "split", "where"} & columns.given.keys()
    if len(tables) == 1 and named:
        return tables[0]
    if not tables:
        return None
    if not named and _has_classes(folder):
        _LOG.warning(
            "%s: its sub-folders are the classes; %s beside them is not read: name the columns of a table to take it, "
            "with path= and label= (--path-column NAME --label-column NAME)",
            folder,
            _some([table.name for table in tables]),
        )
        return None
    if len(tables) > 1:
        raise AliError(
            f"{folder} has no {LABELS_FILE} but {len(tables)} tables ({_some([table.name for table in tables])}); "
            "choose one with table= (--table FILE)"
        )
    described = _described(read_table(tables[0]))
    try:
        _resolved(columns, described, tables[0].name)
    except AliError:
        raise AliError(
            f"{folder} has no {LABELS_FILE} and no class folders, but the table {tables[0].name} with the columns "
            f"{listed(dict.fromkeys(described, ''))}; say which are the image file and the class, with path= and "
            "label= (--path-column NAME --label-column NAME)"
        ) from None
    return tables[0]


def _has_classes(folder: Path) -> bool:
    """Whether sub-folders are classes, more than one: images in a single folder are what a table beside it names."""
    names = [name for name in walk_images(folder).names if "/" in name]
    try:
        return bool(names) and len(set(classes_of(names, folder.name)[0])) > 1
    except AliError:
        return False


def from_csv(csv_path: str | Path, *, folder: str | Path | None = None, **options: Unpack[CsvOptions]) -> CellImages:
    r"""Read a table with one row per image, or one row per box in an image.

    Parameters
    ----------
    csv_path
        The table; every value is read as text.
    folder
        Where the images are; by default the folder of the table.
    **options
        As in :func:`open_images`.

    Returns
    -------
    CellImages
        Classes in natural order, or as ``classes=`` says. The id of an image is its path in the folder, where no column
        is one; that of a box has its corners behind it. Columns that nothing else is known about are its metadata.

    Raises
    ------
    AliError
        A table that cannot be read, missing columns, no row, empty cells, paths that leave the folder, ids that occur
        twice, boxes without an area, or images that are missing (the first few are named), unless ``skip_unreadable``.

    Notes
    -----
    Paths may be relative to the folder, absolute within it, or those of another machine if they end alike; with ``/``
    or ``\``; with or without suffix. With columns x0, y0, x1, y1 (or xmin, …) in pixels, a row is that part of its
    image.
    """
    csv_path = Path(csv_path)
    columns, reading = _told(options)
    table = read_table(csv_path)
    if columns.where is not None:
        table = _matching(table, csv_path.name, columns.where)
    found = _resolved(columns, _described(table), csv_path.name)
    line = 2 if columns.where is None else None

    def texts(role: Role, *, keep_missing: bool = False) -> NDArray[np.str_]:
        values = table[found[role]].to_numpy()
        return whole_names(values, role, csv_path.name, first_line=line, keep_missing=keep_missing)

    written, names = texts("path"), texts("label", keep_missing=columns.unlabelled == "keep")
    groups = texts("group") if "group" in found else None
    own_ids = texts("id") if found.get("id", found["path"]) != found["path"] else None
    split = split_parts(texts("split")) if "split" in found else None
    if split is None and columns.split is not None:
        raise AliError(f"{csv_path.name}: {columns.split!r} holds neither train, validation and test nor fold numbers")
    boxes, box_columns = _boxes(table, csv_path.name, columns)
    locator = Locator(csv_path.parent if folder is None else Path(folder))
    places = [locator.locate(name) for name in written.tolist()]
    kept = np.array([row for row, place in enumerate(places) if place is not None], dtype=np.int64)
    missing = [(name, "is missing") for name, place in zip(written.tolist(), places, strict=True) if place is None]
    gone, how = [str(locator.root / name) for name, _ in missing], table.attrs.get("read_as", "")
    _check_missing(gone, len(written), skip=reading.skip_unreadable, source=f"{csv_path.name}, {how}: " if how else "")
    paths = np.array([places[row] for row in kept], dtype=str)
    if own_ids is None:
        own_ids = np.array(written, dtype=object)
        own_ids[kept] = paths if boxes is None else _box_ids(paths, boxes[kept])
    if split is None:
        found.pop("split", None)
    used = {*found.values(), *columns.drop, *box_columns}
    rest = table[[name for name in table if name not in used]].reset_index(drop=True)
    codes, classes = class_codes(names, columns.classes, source=csv_path.name)
    return CellImages(
        labels=codes[kept],
        class_names=classes,
        ids=own_ids[kept].astype(str),
        groups=None if groups is None else groups[kept],
        paths=tuple(locator.root / path for path in paths.tolist()),
        split=None if split is None else split[kept],
        boxes=None if boxes is None else boxes[kept],
        metadata=_typed(rest.iloc[kept].reset_index(drop=True)) if rest.shape[1] else None,
        colours=columns.colours,
        white=reading.white,
        missing=tuple(missing),
    )


def _described(table: pd.DataFrame) -> dict[str, str]:
    return dict.fromkeys(map(str, table), "text")


def _resolved(columns: Columns, available: dict[str, str], source: str) -> dict[Role, str]:
    """Say which column has which role; a column called like a file of an image has its path."""
    usual = [name for name in available if re.sub(r"[\W_]", "", name.lower()) in PATH_COLUMNS]
    if columns.path is None and len(usual) == 1 and not any(name.strip().lower() == "path" for name in available):
        columns = replace(columns, path=usual[0])
    return columns.resolve(available, source, need=("path", "label"))


def _matching(table: pd.DataFrame, source: str, where: tuple[str, str]) -> pd.DataFrame:
    column, value = where[0], str(where[1])
    if column not in table:
        raise AliError(f"{source} has no column {column!r}; its columns are {', '.join(map(str, table))}")
    values = table[column]
    matching = table[values == value]
    if not len(matching):
        some = ", ".join(sorted(set(values))[:8])
        raise AliError(f"{source} has no row with {column} = {value!r}; values there: {some}")
    return matching.reset_index(drop=True)


def _boxes(table: pd.DataFrame, source: str, columns: Columns) -> tuple[NDArray[np.int64] | None, list[str]]:
    """Return corners x0, y0, x1, y1 of each row, and the columns that they stand in."""
    plain = {re.sub(r"[\W_]", "", str(name).lower()): str(name) for name in table if name not in columns.drop}
    names = next(([plain[corner] for corner in corners] for corners in BOXES if {*corners} <= plain.keys()), None)
    if names is None:
        return None, []
    numbers = table[names].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~(np.isfinite(numbers).all(axis=1) & (numbers[:, 2:] > numbers[:, :2]).all(axis=1)))
    if len(bad):
        raise AliError(
            f"{source}: {len(bad)} of {len(table)} boxes have no area (first: row {bad[0]}, {numbers[bad[0]].tolist()})"
            f"; {', '.join(names)} must be pixels with {names[0]} < {names[2]} and {names[1]} < {names[3]}, or leave "
            "the columns out with drop= (--drop-column NAME)"
        )
    return np.rint(numbers).astype(np.int64), names


def _box_ids(paths: NDArray[np.str_], boxes: NDArray[np.int64]) -> list[str]:
    return [f"{path}[{','.join(map(str, box))}]" for path, box in zip(paths.tolist(), boxes.tolist(), strict=True)]


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Make columns of plain numbers numbers; ``007`` stays text."""
    number = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
    whole = [str(name) for name in table if table[name].map(lambda text: bool(number.fullmatch(text))).all()]
    return table.assign(**{name: pd.to_numeric(table[name]) for name in whole})


def from_class_folders(folder: str | Path, **options: Unpack[CsvOptions]) -> CellImages:
    """Read a folder whose sub-folders are the classes, with their images at any depth below.

    Hidden files and folders, and files without an image suffix, are passed over; links are followed. Folders of a split
    (train, test, fold_0) above the classes, and a single outer folder, are seen as what they are: see
    :func:`~ali_core.data.image_folders.classes_of`. Ids are the paths relative to ``folder``.

    Raises
    ------
    AliError
        When ``folder`` is not a folder, no sub-folder holds an image, the sub-folders are no classes, or links lead
        nowhere and ``skip_unreadable`` is false.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise AliError(f"{folder} is not a folder; give a folder with one sub-folder of images per class")
    columns, reading = _told(options)
    found = walk_images(folder)
    names = [name for name in found.names if "/" in name]
    if not names:
        raise AliError(
            f"{folder} has no sub-folder with images ({', '.join(IMAGE_SUFFIXES)}) and no table of them; give {LAYOUTS}"
        )
    _check_missing(
        [str(folder / name) for name in found.gone], len(found.names) + len(found.gone), skip=reading.skip_unreadable
    )
    if len(names) < len(found.names):
        loose = [name for name in found.names if "/" not in name]
        _LOG.warning("%s: %d images lie in no class folder and are left out (%s)", folder, len(loose), _some(loose))
    classes, split = classes_of(names, str(folder))
    codes, class_names = class_codes(np.array(classes), columns.classes, source=str(folder))
    return CellImages(
        labels=codes,
        class_names=class_names,
        ids=np.array(names),
        paths=tuple(folder / name for name in names),
        split=split,
        colours=columns.colours,
        white=reading.white,
        missing=tuple((name, "is missing") for name in found.gone),
    )


def from_ids(folder: str | Path, ids: Sequence[str], *, white: White = None) -> CellImages:
    """Find images by ids that are their paths in a folder, without a table and without classes.

    Parameters
    ----------
    folder
        Where the images are.
    ids
        Paths of image files, in any of the spellings that :func:`from_csv` reads; behind a path may stand the corners
        of a box, as in ``smear.png[10,5,20,15]``. Others name no image.
    white
        See :func:`~ali_core.data.decoding.decode_image`.

    Returns
    -------
    CellImages
        The images that are there, without labels.

    Raises
    ------
    AliError
        When no id names an image in the folder.
    """
    locator = Locator(Path(folder))
    names, places, boxes = [], [], []
    for name in ids:
        box = BOX_ID.fullmatch(name)
        place = _located(locator, name if box is None else box[1])
        if place is not None:
            names.append(name)
            places.append(locator.root / place)
            boxes.append(None if box is None else [int(corner) for corner in box[2].split(",")])
    if not names:
        raise AliError(f"none of the ids, {_some(ids)}, is the path of an image in {folder}")
    return CellImages(
        labels=np.full(len(names), -1),
        class_names=("",),
        ids=np.array(names),
        paths=tuple(places),
        boxes=np.array(boxes) if all(boxes) else None,
        white=white,
    )


def _located(locator: Locator, name: str) -> str | None:
    """Return where an image is, None when the text is no path of one."""
    if not name.lower().endswith(IMAGE_SUFFIXES):
        return None
    try:
        return locator.locate(name)
    except AliError:  # it leaves the folder, or fits several files: then it names none
        return None


def _check_missing(missing: Sequence[str], n_images: int, *, skip: bool, source: str = "") -> None:
    if missing and (not skip or len(missing) == n_images):
        raise AliError(
            f"{source}{len(missing)} of {n_images} images are missing ({_some(missing)}); restore them, or remove "
            "their rows or links, or leave them out with skip_unreadable (--skip-unreadable)"
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED_IN_MESSAGE]) + (", …" if len(names) > NAMED_IN_MESSAGE else "")


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
    return is_table(path) and _names_images(path)


def _names_images(path: Path) -> bool:
    """Whether the rows of a table are image files with their classes, and not features with the file as their id."""
    dialect = sniffed(path)
    plain = [re.sub(r"[\W_]", "", name.lower()) for name in dialect.names]
    if "path" not in plain and not any(name in PATH_COLUMNS for name in plain):
        return False
    others = [name for name in dialect.names if not is_known_name(name) and name not in {*BOXES[0], *BOXES[1]}]
    return len(others) < FEATURES
