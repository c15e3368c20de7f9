"""From columns with names to the arguments of a labelled embedding: the one way that all formats go.

:func:`dimensions` says which columns of a table are dimensions, :func:`assembled` what the others are, and
:func:`described` is the way back, as columns to be written.
"""

import fnmatch
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.columns import (
    MISSING,
    SHELL,
    Columns,
    Role,
    class_codes,
    in_natural_order,
    is_known_name,
    listed,
    natural_key,
    split_parts,
    whole_names,
)
from ali_core.errors import AliError

if TYPE_CHECKING:
    from ali_core.embedding import LabelledEmbedding

__all__ = [
    "ID_LIKE",
    "KEPT",
    "Kind",
    "Table",
    "assembled",
    "described",
    "dimensions",
    "roles_of",
    "series_of",
]

Kind = Literal["float", "int", "bool", "text", "list", "other"]

KEPT = "metadata:"
"""Written before the name of a column of metadata that would be taken for something else when it is read again."""
CODE, COLOUR = "label_code", "label_colour"
"""Columns that we write: the place of the class in the order, and its colour."""
ID_LIKE = re.compile(r"(cell|sample|image|img|tile|patch)_?id|(cell_?)?barcodes?|uu?id|obs_names", re.IGNORECASE)
COORDINATES = {"x", "y", "z"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """What is known of a table before its rows are read.

    Parameters
    ----------
    words
        Type of each column as a person reads it, in the order of the file.
    kinds
        The same in one of a few words.
    source
        What the table is called in messages.
    typed
        Whether whole numbers are known to be such; in a text table ``0`` may be a float.
    first_line
        Line of the first row in a text file; None where rows have no line.
    index
        Column that is the index of a frame and holds names.
    """

    words: Mapping[str, str]
    kinds: Mapping[str, Kind]
    source: str
    typed: bool = True
    first_line: int | None = None
    index: str | None = None


def roles_of(table: Table, columns: Columns, *, need: Collection[str] = ("label",)) -> dict[Role, str]:
    """Return the column of each role; see :meth:`~ali_core.columns.Columns.resolve`."""
    shown = {name: words for name, words in table.words.items() if not _row_number(name)}
    found = columns.resolve(shown, table.source, need=need)
    found.pop("path", None)
    if "id" not in found and table.index is not None and table.index not in (*columns.drop, *found.values()):
        found["id"] = table.index
    return found


def series_of(name: str) -> str | None:
    """Return what numbered columns such as ``f0``, ``f1``, … have in common; None for a name without a number."""
    match = re.fullmatch(r"(.*?)\d+", name)
    return None if match is None else match[1]


def dimensions(table: Table, roles: Collection[str], columns: Columns) -> list[str]:
    """Return the columns that are dimensions: those that ``vectors`` names, else the float columns that are left.

    Parameters
    ----------
    table
        The columns.
    roles
        Those that are known to be something else.
    columns
        What was named.

    Raises
    ------
    AliError
        When there are none, they hold no numbers, or several columns of lists could be meant.
    """
    free = [
        name for name in table.words if name not in (*roles, *columns.drop, CODE, COLOUR) and not name.startswith(KEPT)
    ]
    if columns.vectors is not None:
        return _named_dimensions(table, free, columns)
    lists = [name for name in free if table.kinds[name] == "list"]
    if len(lists) > 1:
        raise AliError(f"{table.source} has several columns of lists ({', '.join(lists)}): {_choose(table)}")
    if lists:
        return lists
    free = [name for name in free if not is_known_name(name)]
    found = [name for name in free if table.kinds[name] == "float"]
    if not table.typed:
        series = {series_of(name) for name in found} - {None}
        found = [name for name in free if _counts_as_float(table, name, series)]
    if not found:
        raise AliError(
            f"{table.source} has no float columns to be dimensions; it has {_listed(table)}: {_choose(table)}"
        )
    series = {series_of(name) for name in found} - {None}
    odd = [name for name in free if table.kinds[name] == "text" and series_of(name) in series]
    if odd and not table.typed:
        raise AliError(
            f"{table.source}: column {odd[0]!r} holds text, and others like it are dimensions: repair it, or leave it "
            f"out with drop= ({SHELL['drop']} {odd[0]})"
        )
    return found


def _named_dimensions(table: Table, free: list[str], columns: Columns) -> list[str]:
    patterns = [columns.vectors] if isinstance(columns.vectors, str) else list(columns.vectors or ())
    found: list[str] = []
    for pattern in patterns:
        matching = [pattern] if pattern in free else fnmatch.filter(free, pattern)
        if not matching:
            raise AliError(
                f"{table.source} has no column {pattern!r} for vectors; it has {_listed(table)}: {_choose(table)}"
            )
        found += [name for name in matching if name not in found]
    lists = [name for name in found if table.kinds[name] == "list"]
    if lists and len(found) > 1:
        raise AliError(f"{table.source}: vectors are one column of lists or columns of numbers; got {', '.join(found)}")
    odd = [name for name in found if table.kinds[name] in ("text", "other")]
    if odd:
        raise AliError(f"{table.source}: column {odd[0]!r} ({table.words[odd[0]]}) cannot be a dimension; leave it out")
    return found


def _counts_as_float(table: Table, name: str, series: Collection[str | None]) -> bool:
    """Whether a column of a text table is one of floats, though perhaps all that is written there is whole."""
    whole = table.kinds[name] == "int" and (series_of(name) in series or name.lower() in COORDINATES)
    return table.kinds[name] == "float" or whole


def _choose(table: Table) -> str:
    numbers = [name for name in table.words if table.kinds[name] in ("int", "list")]
    example = f", such as {numbers[0]!r}" if numbers else ", such as 'f*'"
    return f"choose with vectors= ({SHELL['vectors']} NAME{example})"


def _listed(table: Table) -> str:
    return listed({name: words for name, words in table.words.items() if not _row_number(name)})


def _row_number(name: str) -> bool:
    return name in ("", "__index_level_0__") or bool(re.fullmatch(r"Unnamed: \d+", name))


def _where_rows(frame: pd.DataFrame, columns: Columns, source: str) -> NDArray[np.bool_] | None:
    """Return which rows have the value asked for; None when none was asked for."""
    if columns.where is None:
        return None
    name, value = columns.where[0], str(columns.where[1]).strip()
    if name not in frame:
        raise AliError(f"{source} has no column {name!r}; its columns are {', '.join(map(str, frame.columns))}")
    texts = whole_names(frame[name].to_numpy(dtype=object), "label", source, keep_missing=True)
    rows: NDArray[np.bool_] = texts == value
    if not rows.any():
        some = ", ".join(sorted(set(texts.tolist()), key=natural_key)[:8])
        raise AliError(f"{source} has no row with {name} = {value!r}; values there: {some}")
    return rows


def assembled(
    vectors: NDArray[Any], frame: pd.DataFrame, roles: Mapping[Role, str], columns: Columns, table: Table, *, dims: str
) -> dict[str, Any]:
    """Return the keyword arguments of :class:`~ali_core.embedding.LabelledEmbedding`.

    Parameters
    ----------
    vectors
        Shape (N, D).
    frame
        All other columns, N rows.
    roles
        Which of them is label, group, id, split.
    columns
        What was named.
    table
        For messages.
    dims
        What the dimensions were called, such as ``f0 … f383``.

    Raises
    ------
    AliError
        For missing labels, groups, ids, parts; and a split that is none.
    """
    rows = _where_rows(frame, columns, table.source)
    if rows is not None:
        vectors, frame = vectors[rows], frame[rows]
    found: dict[str, Any] = {"vectors": vectors, "unlabelled": columns.unlabelled}
    used = dict(roles)
    if "label" in used:
        found["labels"], found["class_names"] = _classes(frame, used["label"], columns, table)
        found["colours"] = _colours(frame, found["labels"], found["class_names"]) | dict(columns.colours)
    for role, argument in (("group", "groups"), ("id", "ids")):
        if role in used:
            found[argument] = _names(frame, used[role], role, table)
    if "id" not in used and (name := _id_like(frame, used, table)) is not None:
        used["id"], found["ids"] = name, _names(frame, name, "id", table)
    if "split" in used:
        found["split"] = _split(frame, used, columns, table)
    rest = [name for name in frame if name not in (*used.values(), *columns.drop, CODE, COLOUR)]
    rest = [name for name in rest if not (_row_number(str(name)) and frame[name].dtype.kind in "iu")]
    if rest:
        found["metadata"] = frame[rest].rename(columns=lambda name: str(name).removeprefix(KEPT))
    said = ", ".join(f"{role} {used[role]}" for role in ("label", "group", "id", "split") if role in used)
    kept = f"; kept as metadata: {listed(dict.fromkeys(found['metadata'], ''))}" if rest else ""
    found["read_as"] = f"{vectors.shape[1]} dimensions ({dims}); {said}{kept}"
    return found


def _names(frame: pd.DataFrame, name: str, role: str, table: Table) -> NDArray[np.str_]:
    return whole_names(_values(frame[name], few=role != "id"), role, table.source, first_line=table.first_line)


def _values(column: "pd.Series[Any]", *, few: bool = True) -> Any:  # noqa: ANN401  # an array, or a Categorical
    """Return the values; texts, where ``few`` of them differ, as a Categorical, which is looked at faster."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.array
    if column.dtype.kind in "iubf" and not isinstance(column.dtype, pd.api.extensions.ExtensionDtype):
        return column.to_numpy()
    values = column.to_numpy(dtype=object)
    if few and pd.api.types.infer_dtype(values) == "string":
        codes, texts = pd.factorize(values)
        return pd.Categorical.from_codes(codes, pd.Index(texts))
    return values


def _classes(
    frame: pd.DataFrame, name: str, columns: Columns, table: Table
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    column, categories = frame[name], None
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.remove_unused_categories()
        categories = column.cat.categories
    values = _values(column)
    numbers = np.asarray(values if categories is None else categories)
    if numbers.dtype.kind == "f" and np.any(np.isfinite(numbers) & (numbers != np.floor(numbers))):
        raise AliError(
            f"{table.source}: column {name!r} holds fractions, which are no classes; choose with label= "
            f"({SHELL['label']} NAME)"
        )
    keep = columns.unlabelled == "keep"
    names = whole_names(values, "label", table.source, first_line=table.first_line, keep_missing=keep)
    order: tuple[str, ...] = tuple(columns.classes)
    texts = names if categories is None else whole_names(categories, "label", table.source, keep_missing=True)
    if not order and categories is not None:
        order = tuple(dict.fromkeys(text for text in texts.tolist() if text))
        if not column.cat.ordered and order == tuple(sorted(order)):
            order = ()  # pandas sorts the categories of what nobody has ordered, and not in natural order
    if not order and CODE in frame:
        places = pd.Series(pd.to_numeric(frame[CODE], errors="coerce").to_numpy(), index=names).groupby(level=0).first()
        order = tuple(str(text) for text in places.sort_values().index if text)
    codes, order = class_codes(texts, order, source=table.source)
    return codes if categories is None else np.append(codes, -1)[column.cat.codes], order


def _colours(frame: pd.DataFrame, codes: NDArray[np.int64], names: tuple[str, ...]) -> dict[str, str]:
    if COLOUR not in frame:
        return {}
    texts = frame[COLOUR].astype(str).to_numpy()
    first = [np.flatnonzero(codes == code) for code in range(len(names))]
    found = {name: str(texts[rows[0]]) for name, rows in zip(names, first, strict=True) if len(rows)}
    return {name: colour for name, colour in found.items() if colour not in MISSING}


def _id_like(frame: pd.DataFrame, used: Mapping[Role, str], table: Table) -> str | None:
    """Return a column that names every row once, and is called so, or is the first one of a text table."""
    names = [name for name in map(str, frame) if name not in used.values()]
    first = [
        name for name in list(table.words)[:1] if name in names and table.kinds[name] == "text" and not table.typed
    ]
    for name in [*filter(ID_LIKE.fullmatch, names), *first]:
        texts = whole_names(_values(frame[name], few=False), "id", table.source, keep_missing=True)
        if len(np.unique(texts)) == len(texts) and not (texts == "").any():
            return name
    return None


def _split(frame: pd.DataFrame, used: dict[Role, str], columns: Columns, table: Table) -> NDArray[np.str_] | None:
    names = _names(frame, used["split"], "split", table)
    parts = split_parts(names)
    if parts is None and columns.split is not None:
        some = ", ".join(sorted(set(names.tolist()), key=natural_key)[:8])
        raise AliError(
            f"{table.source}: column {columns.split!r} says {some}; a split says train, validation or test, or a fold "
            "number"
        )
    if parts is None:  # called split, and something else: metadata
        del used["split"]
    return parts


def described(embedding: "LabelledEmbedding", *, ids: bool = True) -> pd.DataFrame:
    """Return what is known of the samples, besides their vectors, as columns that :func:`assembled` understands."""
    labels: Any = pd.Categorical.from_codes(embedding.labels, pd.Index(embedding.class_names), ordered=True)
    columns: dict[str, Any] = {}
    if ids and embedding.ids is not None:
        columns["id"] = embedding.ids
    columns["label"] = labels
    if not in_natural_order(embedding.class_names):
        columns[CODE] = pd.array(np.where(embedding.labelled, embedding.labels, 0), dtype="Int64")
        columns[CODE][~embedding.labelled] = pd.NA
    if embedding.colours:
        columns[COLOUR] = np.array([embedding.colours.get(name, "") for name in embedding.label_names.tolist()])
    if embedding.groups is not None:
        columns["group"] = embedding.groups
    if embedding.split is not None:
        columns["split"] = embedding.split
    frame = pd.DataFrame(columns)
    if embedding.metadata is None:
        return frame
    known = {"id", "ids", "path", "label", "labels", "group", "groups", "split", CODE, COLOUR, *frame}

    def name_of(name: str) -> str:
        column = cast("pd.DataFrame", embedding.metadata)[name]
        plain = column.dtype.kind != "f" and name.lower() not in known and not ID_LIKE.fullmatch(name)
        return name if plain and series_of(name) != "x" else KEPT + name

    return pd.concat([frame, embedding.metadata.rename(columns=name_of)], axis=1)
