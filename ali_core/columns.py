"""What is what in a table, a frame or an archive: one way to name it, for embeddings and images alike.

Synopsis::

    columns = Columns(label="cell_type", group="donor")
    found = columns.resolve({"f0": "float64", "cell_type": "text", "donor": "text"}, "cells.csv")
    found["label"]                                     # "cell_type"
    names = whole_names(values, "label", "cells.csv")  # text, blanks stripped, "1.0" is "1"; missing ones are an error
    codes, classes = class_codes(names)                # natural order: "2" before "10"
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TypedDict, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.errors import AliError

__all__ = [
    "MISSING",
    "ROLES",
    "SHELL",
    "USUAL",
    "ColumnOptions",
    "Columns",
    "Role",
    "class_codes",
    "in_natural_order",
    "is_known_name",
    "listed",
    "natural_key",
    "split_parts",
    "whole_names",
]

Role = Literal["label", "group", "id", "split", "path"]
ROLES: tuple[Role, ...] = get_args(Role)

USUAL: dict[Role, tuple[str, ...]] = {
    "label": ("label", "labels"),
    "group": ("group", "groups"),
    "id": ("id", "ids", "path"),
    "split": ("split",),
    "path": ("path",),
}
"""Names, in any case, that are taken for a role when nobody says otherwise: the first that is there."""

SHELL: dict[str, str] = {role: f"--{role}-column" for role in ROLES} | {
    "vectors": "--vectors",
    "drop": "--drop-column",
    "table": "--table",
    "where": "--where",
    "classes": "--classes",
    "colours": "--colours",
    "unlabelled": "--unlabelled",
}
"""What a keyword is called in the shell."""

KNOWN = frozenset(
    re.findall(
        r"\w+",
        """annotation barcode batch case category cell cell_type celltype class class_name code cohort diagnosis donor
        eye field file file_name filename fold group id idx image img index kfold label label_code label_colour
        partition path patient plate row row_number sample scan section seed series set site slide split stain
        subject subset target test tile train uid uuid val validation well""",
    )
)
"""Names, without plural and in lower case, of what is said about samples and is never a dimension of them."""
KNOWN_ENDS = ("id", "idx", "index", "label", "path", "file", "name", "fold", "group", "code", "split")

MISSING = frozenset(("", "nan", "NaN", "None", "<NA>", "NaT"))
"""Texts that say that there is no value."""
MISSING_NAMES = MISSING | {"NA", "N/A", "null", "NULL"}
"""The same for groups, ids and splits, as R and databases write it; a class may be called ``NA``."""

PARTS = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing", "tst"),
}


class ColumnOptions(TypedDict, total=False):
    """Keywords of everything that reads data; see :class:`Columns`."""

    label: str | None
    group: str | None
    id: str | None
    split: str | None
    path: str | None
    vectors: str | Sequence[str] | None
    drop: Sequence[str]
    where: tuple[str, str] | None
    table: str | Path | None
    classes: Sequence[str]
    colours: Mapping[str, str]
    unlabelled: Literal["refuse", "keep"]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What is what in the data.

    Parameters
    ----------
    label, group, id, split
        Columns (of a table or frame), obs columns (of AnnData) or arrays (of an archive) with the class, with what must
        never be split between folds (patient, slide region), with the name of the sample, and with the part it is in
        (train, validation, test, or a fold number). None takes the usual names.
    path
        Column of a table of images with their files.
    vectors
        Where the vectors are: a key of an archive, ``X`` or a key of ``obsm``, a column of lists, or columns by name,
        by pattern (``"f*"``), or several of these. None takes the float columns that nothing else is known about.
    drop
        Columns that are not looked at.
    where
        Column and value: only rows with this value are read.
    table
        A table with a row a sample, in the same order, for a file that holds vectors alone.
    classes
        The classes in the order wanted; by default that of a Categorical, or else natural order.
    colours
        ``#rrggbb`` by class name; other classes keep the colours of the theme.
    unlabelled
        ``refuse``: samples without a label are an error; ``keep``: they have the code -1, and are neither moved nor
        trained on nor scored.

    Raises
    ------
    AliError
        For two roles of the same column, and values out of their range.
    """

    label: str | None = None
    group: str | None = None
    id: str | None = None
    split: str | None = None
    path: str | None = None
    vectors: str | Sequence[str] | None = None
    drop: Sequence[str] = ()
    where: tuple[str, str] | None = None
    table: str | Path | None = None
    classes: Sequence[str] = ()
    colours: Mapping[str, str] = field(default_factory=dict, hash=False)
    unlabelled: Literal["refuse", "keep"] = "refuse"

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # in files of experiments

    def __post_init__(self) -> None:
        if self.vectors is not None and not isinstance(self.vectors, str):
            object.__setattr__(self, "vectors", tuple(map(str, self.vectors)))
        for name in ("drop", "classes"):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(map(str, value)))
        if self.unlabelled not in ("refuse", "keep"):
            raise AliError(f"unlabelled must be 'refuse' or 'keep'; got {self.unlabelled!r}")
        named = [name for name in (self.label, self.group, self.split) if name is not None]
        if len(set(named)) < len(named):
            raise AliError(f"label, group and split must be different columns; got {', '.join(map(repr, named))}")
        both = sorted({*named, self.id, self.path} & set(self.drop), key=str)
        if both:
            raise AliError(f"{both[0]!r} is named and dropped at once; leave it out of drop ({SHELL['drop']})")

    @property
    def given(self) -> dict[str, Any]:
        """The keywords that differ from their defaults."""
        default = Columns()
        values = {name: getattr(self, name) for name in ColumnOptions.__annotations__}
        return {name: value for name, value in values.items() if value != getattr(default, name)}

    def resolve(
        self, available: Mapping[str, str], source: str, *, need: Collection[str] = ("label",)
    ) -> dict[Role, str]:
        """Say which column has which role.

        Parameters
        ----------
        available
            Type in words of each column, in the order of the file.
        source
            What the data is called in messages.
        need
            Roles that must be there.

        Returns
        -------
        dict
            Column by role; roles that no column has are left out.

        Raises
        ------
        AliError
            A column that is named is not there, or one that is needed is neither named nor called as usual. The message
            lists what is there, and the option that chooses.
        """
        there = {name: words for name, words in available.items() if name not in self.drop}
        for name in self.drop:
            if name not in available:
                raise AliError(f"{source} has no column {name!r} to drop; it has {listed(available)}")
        found: dict[Role, str] = {}
        for role in ROLES:
            chosen = getattr(self, role)
            if chosen is not None and chosen not in there:
                raise AliError(
                    f"{source} has no column {chosen!r} for {role}; it has {listed(there)}: choose with {role}= "
                    f"({SHELL[role]})"
                )
            taken = {*found.values(), self.label, self.group, self.split}
            free = [name for name in there if name not in taken or role == "path"]
            usual = (name for word in USUAL[role] for name in free if name.strip().lower() == word)
            chosen = chosen or next(usual, None)
            if chosen is not None:
                found[role] = chosen
            elif role in need:
                raise AliError(
                    f"{source} has no column {' or '.join(USUAL[role][:2])}; it has {listed(there)}: name the one "
                    f"with the {role} by {role}= ({SHELL[role]} NAME)"
                )
        return found


def listed(available: Mapping[str, str]) -> str:
    """Return columns with their types as a person reads them; numbered neighbours of a type become ``f0 … f383``."""
    runs: list[list[str]] = []
    types: list[str] = []
    for name, words in available.items():
        stem = re.sub(r"\d+$", "", name)
        if runs and types[-1] == words and stem != name and re.sub(r"\d+$", "", runs[-1][-1]) == stem:
            runs[-1].append(name)
        else:
            runs.append([name])
            types.append(words)
    shown = [
        (f"{run[0]} … {run[-1]}" if len(run) > 2 else ", ".join(run)) + (f" ({words})" if words else "")
        for run, words in zip(runs, types, strict=True)
    ]
    return ", ".join(shown[:40]) + (f" and {len(shown) - 40} more" if len(shown) > 40 else "") or "nothing"


def is_known_name(name: str) -> bool:
    """Whether a column is called like something said about samples (a class, a patient, a fold), not like a feature."""
    plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()).strip("_")
    words = plain.split("_")
    singular = "_".join([*words[:-1], words[-1].removesuffix("s")])
    named = {plain, singular, plain.removesuffix("es")} & KNOWN
    whole = len(words) > 1 and (words[-1] in KNOWN_ENDS or words[0] == "is")
    return bool(named) or whole or plain.startswith("unnamed") or not plain


def whole_names(
    values: ArrayLike, role: str, source: str, *, first_line: int | None = None, keep_missing: bool = False
) -> NDArray[np.str_]:
    """Return classes, groups or ids as text: blanks around them stripped, the number or class ``1.0`` written as ``1``.

    Parameters
    ----------
    values
        Texts, numbers, objects with gaps, or a Categorical; shape (N,).
    role, source
        What they are and where they come from, for messages.
    first_line
        Line of the first row in a text file; None where rows have no line.
    keep_missing
        Whether missing ones become ``""`` instead of an error.

    Raises
    ------
    AliError
        When some are missing: how many, and the first of them.
    """
    places: slice | NDArray[np.integer[Any]] = slice(None)
    if isinstance(codes := getattr(values, "codes", None), np.ndarray):  # a Categorical
        names, places = _texts([*cast("Any", values).categories, None], role), codes
    else:
        array = np.asarray(values)
        if array.dtype.kind in "iub":
            return array.astype(np.int64 if array.dtype.kind != "b" else str).astype(str)
        if role != "label" and _are_texts(array):  # perhaps all different
            names = np.char.strip(array.astype(str))
        else:
            distinct, places = _distinct(array)
            names = _texts(distinct, role)
    names[np.isin(names, [*(MISSING if role == "label" else MISSING_NAMES)])] = ""
    names = names[places]
    missing = np.flatnonzero(names == "")
    if len(missing) and not keep_missing:
        row = int(missing[0])
        place = f"row {row}" if first_line is None else f"line {row + first_line}"
        keep = f", or keep them with unlabelled='keep' ({SHELL['unlabelled']} keep)" if role == "label" else ""
        leave = f", or leave the column out with drop= ({SHELL['drop']} NAME)" if role in ("group", "split") else ""
        raise AliError(
            f"{source}: {len(missing)} of {len(names)} rows have an empty {role} (first: {place}); fill them in or "
            f"remove the rows{keep}{leave}"
        )
    return names


def _are_texts(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "U" or (
        array.dtype.kind == "O" and {*map(type, array.tolist())} <= {str, np.str_, type(None)}
    )


def _texts(values: Iterable[Any], role: str) -> NDArray[np.str_]:
    return np.array([_text(value, role) for value in values], dtype=str)


def _text(value: Any, role: str) -> str:  # noqa: ANN401
    text = "" if value is None else str(value, "utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = text.strip()
    whole = role == "label" or isinstance(value, float)
    return re.sub(r"^(-?\d+)\.0*$", r"\1", text) if whole else text


def _distinct(array: NDArray[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the different values, and which of them each place has."""
    if array.dtype.kind == "O":
        seen: dict[Any, int] = {}
        values = array.tolist() if _are_texts(array) else _hashable(array)
        places = [seen.setdefault(value, len(seen)) for value in values]
        return list(seen), np.array(places, dtype=np.int64)
    distinct, inverse = np.unique(array, return_inverse=True)
    return distinct.tolist(), inverse.astype(np.int64)


def _hashable(array: NDArray[Any]) -> Iterable[Any]:
    for value in array.tolist():
        if value is None or str(value) in MISSING:
            yield None  # NaN, NaT and NA are not even equal to themselves
        else:
            yield value if isinstance(value, str | bytes | int | float) else str(value)


def natural_key(name: str) -> tuple[tuple[int, float, str], ...]:
    """Return what sorts names in natural order: ``stage 2`` before ``stage 10``, numbers by their size."""
    try:
        return ((0, float(name), name),)
    except ValueError:
        pieces = re.split(r"(\d+)", name)
        return tuple((1, float(piece), piece) if piece.isdecimal() else (2, 0.0, piece) for piece in pieces if piece)


def in_natural_order(names: Sequence[str]) -> bool:
    """Tell whether names stand in natural order, which is that of classes to which nobody has given another."""
    return list(names) == sorted(names, key=natural_key)


def class_codes(
    names: NDArray[np.str_], classes: Sequence[str] = (), *, source: str = "the data"
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Give each class a number.

    Parameters
    ----------
    names
        Class of each sample; ``""`` for none.
    classes
        Their order; by default natural order. Classes without a sample may be among them.
    source
        For messages.

    Returns
    -------
    tuple
        Codes, int64, -1 for no class; and the class names in the order of the codes.

    Raises
    ------
    AliError
        For a class that is not among ``classes``.
    """
    present, places = np.unique(names, return_inverse=True)
    order = tuple(str(name).strip() for name in classes) or tuple(
        sorted((name for name in present.tolist() if name), key=natural_key)
    )
    if len(set(order)) < len(order):
        raise AliError("class_names must differ from each other; merge or rename the classes of equal name")
    number = {name: code for code, name in enumerate(order)} | {"": -1}
    unknown = [name for name in present.tolist() if name not in number]
    if unknown:
        raise AliError(f"{source}: label {unknown[0]!r} is not among the classes given ({', '.join(order)})")
    return np.array([number[name] for name in present.tolist()], dtype=np.int64)[places], order


def split_parts(names: NDArray[np.str_]) -> NDArray[np.str_] | None:
    """Return a given split in one spelling: ``train``, ``validation``, ``test``, or fold numbers from ``0``.

    None when the names are neither. ``TestA`` and ``test_2`` are test parts; folds may be called ``fold_3`` or ``3``.
    """
    present, places = np.unique(names, return_inverse=True)
    plain = [re.sub(r"[\W_]+", "", name.lower()) for name in present.tolist()]
    folds = [re.fullmatch(r"(?:fold|part|split|k)?(\d+)", name) for name in plain]
    if all(folds):
        numbers = np.array([int(match[1]) for match in folds if match])
        return np.searchsorted(np.unique(numbers), numbers).astype(str)[places]
    spelt = {part: re.compile(rf"(?:{'|'.join(words)})(?:set|[a-z]|\d+)?") for part, words in PARTS.items()}
    parts = [[part for part, spelling in spelt.items() if spelling.fullmatch(name)] for name in plain]
    return np.array([part for (part,) in parts])[places] if all(len(found) == 1 for found in parts) else None
