"""Labelled embeddings in tables: pandas frames, text tables, parquet.

Rows or columns are read some at a time into the one array that stays, and no more than it and these are in memory.
"""

import gzip
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.columns import USUAL, Columns, listed
from ali_core.data.tables import REMEDY, TABLE_SUFFIXES, Dialect, NotUtf8, open_table, sniffed
from ali_core.embedding_parts import ID_LIKE, Kind, Table, assembled, described, dimensions, roles_of, series_of
from ali_core.errors import AliError
from ali_core.foreign import check_size

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

    from ali_core.embedding import LabelledEmbedding

__all__ = [
    "as_frame",
    "kind_of",
    "pandas_word",
    "read_frame",
    "read_parquet",
    "read_text",
    "table_beside",
    "write_parquet",
    "write_text",
]

MOST_PROMOTIONS = 40
"""Columns of a text table that may turn out to be of another type than their first rows."""
ROWS = 1 << 14
"""Rows of lists that are read at a time, and rows that are written at a time."""
NUMBERS = 1 << 22
"""Numbers that are read from columns of parquet at a time."""
PAGES = 1 << 20
"""Bytes of a parquet file that are read ahead."""


def read_frame(frame: pd.DataFrame, columns: Columns, source: str = "the frame") -> dict[str, Any]:
    """Return the arguments of a labelled embedding that a frame holds; a named index, or one of text, holds the ids."""
    frame, index = _with_index(frame)
    words = {str(name): pandas_word(frame[name]) for name in frame}
    kinds = {name: kind_of(word) for name, word in words.items()}
    table = Table(words=words, kinds=kinds, source=source, index=index)
    roles = roles_of(table, columns)
    dims = dimensions(table, roles.values(), columns)
    vectors = _stacked(frame[dims[0]], dims[0], source) if table.kinds[dims[0]] == "list" else frame[dims].to_numpy()
    rest = frame.drop(columns=dims)
    return assembled(vectors, rest, roles, columns, table, dims=listed(dict.fromkeys(dims, "")))


def _with_index(frame: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """Return a frame with its index as a column, where it says something, and what that column is called."""
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AliError(f"several columns of the frame are called {twice[0]!r}; rename them")
    plain = frame.set_axis(names, axis=1)
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        return plain.reset_index(), None
    if isinstance(index, pd.RangeIndex) or (index.name is None and index.dtype.kind in "iuf"):
        return plain.reset_index(drop=True), None
    name = "__index_level_0__" if index.name is None else str(index.name)
    if name in names:
        return plain.reset_index(drop=True), None
    return plain.rename_axis(name).reset_index(), name


def pandas_word(column: "pd.Series[Any]") -> str:
    """Return the type of a column as a person reads it."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    if column.dtype.kind != "O" or isinstance(column.dtype, pd.StringDtype):
        return "text" if isinstance(column.dtype, pd.StringDtype) else str(column.dtype)
    first = next((value for value in column if value is not None), None)
    if isinstance(first, list | tuple | np.ndarray):
        return f"list of {len(first)}" if np.asarray(first).dtype.kind in "fiub" else "lists"
    return "text"


def kind_of(word: str) -> Kind:
    """Return the kind of a type in words."""
    if word.startswith("list of "):
        return "list"
    for kind, start in (("float", "float"), ("int", "int"), ("int", "uint"), ("bool", "bool")):
        if word.lower().startswith(start):
            return kind  # type: ignore[return-value]  # the four are kinds
    return "text" if word in ("text", "category") else "other"


def _stacked(column: "pd.Series[Any]", name: str, source: str) -> NDArray[Any]:
    lengths = {0 if value is None else len(value) for value in column}
    if len(lengths) > 1:
        raise AliError(f"{source}: the lists in {name!r} have different lengths ({min(lengths)} to {max(lengths)})")
    return np.stack([np.asarray(value) for value in column])


# Arrow: text and parquet -------------------------------------------------------------------------------------------


def read_text(path: Path, columns: Columns) -> dict[str, Any]:
    """Return the arguments of a labelled embedding that a text table holds."""
    named = {columns.label, columns.group, columns.id, columns.split}

    def use(opened: Any, dialect: Dialect) -> dict[str, Any]:  # noqa: ANN401  # pyarrow is not typed
        if all(str(field.type) in ("null", "string") for field in opened.schema) and not opened.read_all().num_rows:
            raise AliError(
                f"{path.name} is not a readable CSV table (no row below its header); {REMEDY}, a row a sample"
            )
        found = _gathered(opened.schema, partial(_text_rows, opened, path.name), path, columns, dialect=dialect)
        if dialect.words:
            found["read_as"] += f" ({dialect.words})"
        return found

    found: dict[str, Any] = _text(path, named, use)
    return found


def _text_rows(opened: Any, source: str, dims: list[str], rest: list[str]) -> tuple[NDArray[Any], "pa.Table"]:  # noqa: ANN401
    """Read all rows of an open text table: the columns ``dims`` as one array, ``rest`` as a table."""
    import pyarrow as pa  # noqa: PLC0415

    vectors, kept = np.empty((0, len(dims))), []
    for batch in opened:
        if batch.num_rows:
            vectors.resize((len(vectors) + batch.num_rows, len(dims)), refcheck=False)  # where it lies, if it can
            _fill(vectors[-batch.num_rows :], batch, dims)
            kept.append(batch.select(rest))
    if not kept:
        raise _no_rows(source)
    return vectors, pa.Table.from_batches(kept)


def as_frame(path: Path) -> pd.DataFrame:
    """Return a table, text or parquet, as a frame."""
    if path.suffix.lower() == ".parquet":
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise AliError(f"{path.name} is not a readable .parquet table: {str(error).splitlines()[0]}") from None
    frame: pd.DataFrame = _text(path, (), lambda opened, _: _to_pandas(opened.read_all()))
    return frame


def table_beside(path: Path) -> Path | None:
    """Return the table of the same name beside a file, if there is one."""
    stem = path.name.removesuffix(path.suffix)
    return next(
        (there for end in (*TABLE_SUFFIXES, ".parquet") if (there := path.with_name(stem + end)).is_file()),
        None,
    )


def _text(path: Path, named: Collection[str | None], use: Callable[[Any, Dialect], Any]) -> Any:  # noqa: ANN401  # what ``use`` returns
    """Open a text table, ``named`` columns as text, and use it; again with other types where its first rows misled."""
    import pyarrow as pa  # noqa: PLC0415  # slow to import

    dialect = sniffed(path)
    types: dict[str, Any] = {name: pa.string() for name in dialect.names if name in named or _is_name(name)}
    for _ in range(MOST_PROMOTIONS):
        try:
            with open_table(path, dialect, types) as opened:
                return use(opened, dialect)
        except NotUtf8:
            dialect = replace(dialect, encoding="cp1252")
        except pa.ArrowInvalid as error:
            _promote(types, dialect.names, str(error), path)
    raise AliError(f"{path.name}: too many columns hold numbers in some rows and text in others; repair them")


def _is_name(column: str) -> bool:
    """Whether what is in a column is a name, so that ``007`` is not a number."""
    plain = column.strip().lower()
    return any(plain in usual for usual in USUAL.values()) or ID_LIKE.fullmatch(column) is not None


def _promote(types: dict[str, Any], names: tuple[str, ...], reason: str, path: Path) -> None:
    """Let the column that could not be converted, and those of its series, be floats; if it is one, be text."""
    import pyarrow as pa  # noqa: PLC0415

    told = re.search(r"In CSV column #(\d+).*conversion error to (\w+)", reason)
    if told is None:
        raise AliError(f"{path.name} is not a readable CSV table ({reason.splitlines()[0]})")
    name = names[int(told[1])]
    if told[2].startswith("int"):
        series = series_of(name)
        alike = [other for other in names if other == name or (series and series_of(other) == series)]
        types |= {other: pa.float64() for other in alike if other not in types}
        types[name] = pa.float64()
    else:
        types[name] = pa.string()


def read_parquet(path: Path, columns: Columns) -> dict[str, Any]:
    """Return the arguments of a labelled embedding that a parquet file holds."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    try:
        with parquet.ParquetFile(path, buffer_size=PAGES, pre_buffer=False) as file:
            check_size(path, 8.0 * file.metadata.num_rows * file.metadata.num_columns)
            if not file.metadata.num_rows:
                raise _no_rows(path.name)
            return _gathered(file.schema_arrow, partial(_parquet_rows, file, path.name), path, columns)
    except (OSError, pa.ArrowException) as error:
        raise AliError(f"{path.name} is not a readable .parquet table: {str(error).splitlines()[0]}") from None


def _parquet_rows(
    file: "parquet.ParquetFile", source: str, dims: list[str], rest: list[str]
) -> tuple[NDArray[Any], "pa.Table"]:
    """Read all rows of a parquet file: the columns ``dims`` as one array, ``rest`` as a table.

    A parquet file keeps each column of many rows in one piece, so numbers are read some columns at a time. Columns
    that all are float32 stay so.
    """
    n_rows, start, schema = file.metadata.num_rows, 0, file.schema_arrow  # made anew each time it is asked for
    types = [schema.field(name).type for name in dims]
    if _is_list(types[0]):
        vectors: NDArray[Any] | None = None
        for batch in file.iter_batches(ROWS, columns=dims):
            block = _unpacked(batch.column(0), dims[0], source)
            vectors = np.empty((n_rows, block.shape[1]), dtype=block.dtype) if vectors is None else vectors
            if block.shape[1] != vectors.shape[1]:
                raise _lengths(source, dims[0], {block.shape[1], vectors.shape[1]})
            vectors[start : start + len(block)] = block
            start += len(block)
        return cast("NDArray[Any]", vectors), file.read(columns=rest)
    vectors = np.empty((n_rows, len(dims)), np.float32 if {*map(str, types)} == {"float"} else np.float64)
    for group in range(file.num_row_groups):
        stop = start + file.metadata.row_group(group).num_rows
        n_columns = max(1, NUMBERS // max(1, stop - start))
        for at in range(0, len(dims), n_columns):
            names = dims[at : at + n_columns]
            _fill(vectors[start:stop, at : at + len(names)], file.read_row_group(group, columns=names), names)
        start = stop
    return vectors, file.read(columns=rest)


def _gathered(
    schema: "pa.Schema",
    rows: Callable[[list[str], list[str]], tuple[NDArray[Any], "pa.Table"]],
    path: Path,
    columns: Columns,
    *,
    dialect: Dialect | None = None,
) -> dict[str, Any]:
    """Read an array of dimensions and a frame of all else that can be kept, once it is known which column is which."""
    words = {name: _arrow_word(schema.field(name).type) for name in schema.names}
    table = Table(
        words=words,
        kinds={name: kind_of(word) for name, word in words.items()},
        source=path.name,
        typed=dialect is None,
        first_line=None if dialect is None else 2 + dialect.skipped,
        index=_index_of(schema, words),
    )
    roles = roles_of(table, columns)
    dims = dimensions(table, roles.values(), columns)
    vectors, kept = rows(dims, [name for name in words if name not in dims and table.kinds[name] != "list"])
    vectors.flags.writeable = False
    return assembled(vectors, _to_pandas(kept), roles, columns, table, dims=listed(dict.fromkeys(dims, "")))


def _no_rows(source: str) -> AliError:
    return AliError(f"{source} has no rows; an embedding needs samples of at least two classes")


def _fill(vectors: NDArray[Any], rows: "pa.RecordBatch | pa.Table", dims: list[str]) -> None:
    """Write the columns ``dims`` of some rows into ``vectors``, shape (n, D)."""
    for axis, name in enumerate(dims):
        column = rows.column(name)
        vectors[:, axis] = column.to_numpy() if hasattr(column, "chunks") else column.to_numpy(zero_copy_only=False)


def _unpacked(lists: Any, name: str, source: str) -> NDArray[Any]:  # noqa: ANN401  # an array of lists
    """Return lists of one length as an array, shape (n, D)."""
    import pyarrow as pa  # noqa: PLC0415

    if lists.null_count:
        raise AliError(f"{source}: {lists.null_count} rows have no list in {name!r}; fill them in or remove them")
    fixed = pa.types.is_fixed_size_list(lists.type)
    lengths = {lists.type.list_size} if fixed else set(np.unique(np.diff(lists.offsets.to_numpy())).tolist())
    if len(lengths) != 1:
        raise _lengths(source, name, lengths)
    block: NDArray[Any] = lists.flatten().to_numpy(zero_copy_only=False).reshape(len(lists), lengths.pop())
    return block


def _lengths(source: str, name: str, lengths: Collection[int]) -> AliError:
    return AliError(f"{source}: the lists in {name!r} have different lengths ({min(lengths)} to {max(lengths)})")


def _is_list(kind: "pa.DataType") -> bool:
    import pyarrow as pa  # noqa: PLC0415

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _arrow_word(kind: "pa.DataType") -> str:
    import pyarrow as pa  # noqa: PLC0415

    if _is_list(kind):
        numbers = pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)
        return f"list of {kind.value_type}" if numbers else str(kind)
    if pa.types.is_dictionary(kind):
        return "category"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    return {"double": "float64", "float": "float32", "halffloat": "float16"}.get(str(kind), str(kind))


def _index_of(schema: "pa.Schema", words: Mapping[str, str]) -> str | None:
    """Return the column that is the index of the pandas frame that was written, if it holds names."""
    about = schema.pandas_metadata or {}
    index = [name for name in about.get("index_columns", []) if isinstance(name, str) and name in words]
    if len(index) != 1 or (index[0] == "__index_level_0__" and words[index[0]] != "text"):
        return next((name for name in list(words)[:1] if not name and words[name] == "text"), None)
    return index[0]


def _to_pandas(table: "pa.Table") -> pd.DataFrame:
    """Return a table as a frame, with its index as a column."""
    import pyarrow as pa  # noqa: PLC0415

    table = table.replace_schema_metadata(None)
    for at, field in enumerate(table.schema):
        if pa.types.is_date(field.type) or pa.types.is_time(field.type):  # objects in pandas
            table = table.set_column(at, field.name, table.column(at).cast(pa.string()))
    frame: pd.DataFrame = table.to_pandas()
    return frame


# Writing -----------------------------------------------------------------------------------------------------------


def write_text(embedding: "LabelledEmbedding", path: Path, *, separator: str, zipped: bool) -> None:
    """Write a text table with a row a sample."""
    about, names = described(embedding), [f"x{axis}" for axis in range(embedding.dim)]
    with (gzip.open if zipped else open)(path, "wt", encoding="utf-8", newline="") as file:
        for start in range(0, len(embedding), ROWS):
            vectors = pd.DataFrame(embedding.vectors[start : start + ROWS], columns=names)
            rows = pd.concat([about[start : start + ROWS].reset_index(drop=True), vectors], axis=1)
            rows.to_csv(file, index=False, sep=separator, header=start == 0)


def write_parquet(embedding: "LabelledEmbedding", path: Path) -> None:
    """Write a parquet table with a row a sample."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    about = pa.Table.from_pandas(described(embedding), preserve_index=False)
    kind = pa.from_numpy_dtype(embedding.vectors.dtype)
    numbers = [pa.field(f"x{axis}", kind) for axis in range(embedding.dim)]
    schema = pa.schema([*about.schema, *numbers], about.schema.metadata)
    with parquet.ParquetWriter(path, schema, use_dictionary=about.column_names) as writer:
        for start in range(0, len(embedding), ROWS):
            axes = np.ascontiguousarray(embedding.vectors[start : start + ROWS].T)
            writer.write_table(pa.table([*about.slice(start, ROWS).columns, *map(pa.array, axes)], schema=schema))
