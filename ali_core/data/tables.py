"""Text tables as people have them: any separator, decimal comma, zipped, and the encodings of Excel.

Synopsis::

    table = read_table(Path("labels.csv"))                # every value as text
    dialect = sniffed(path := Path("features.tsv.gz"))
    with open_table(path, dialect) as reader:             # numbers as numbers, a batch of rows at a time
        for batch in reader: ...
"""

import codecs
import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.foreign import check_gzip, reading, regular_file

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

__all__ = [
    "REMEDY",
    "TABLE_SUFFIXES",
    "Dialect",
    "NotUtf8",
    "is_table",
    "open_table",
    "read_table",
    "select_rows",
    "sniffed",
]

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAMPLE = 1 << 16
"""Bytes that are looked at to tell how a table is written."""
BLOCK = 1 << 22
"""Bytes that are parsed at a time; the types of the columns follow from the first of them. About 30 are in memory."""
EMPTY = ("", "nan", "NaN", "NA", "N/A", "<NA>", "null", "NULL", "None")
REMEDY = "save it as UTF-8 with commas"


class NotUtf8(Exception):  # noqa: N818  # it is answered, not shown
    """A table that began as UTF-8 goes on otherwise."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a text table is written.

    Parameters
    ----------
    separator, decimal
        Between cells, and in numbers.
    encoding
        Python's name of it.
    skipped
        Lines before the header.
    names
        The header.
    """

    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    skipped: int = 0
    names: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is out of the ordinary, as a person says it; empty for commas, points and UTF-8."""
        said = [
            f"separated by {SEPARATORS.get(self.separator, self.separator)}" if self.separator != "," else "",
            "decimal commas" if self.decimal == "," else "",
            f"encoded in {self.encoding}" if self.encoding not in ("utf-8", "utf-8-sig") else "",
        ]
        return ", ".join(filter(None, said))


def is_table(path: Path) -> bool:
    """Whether the name of a file is that of a text table."""
    return path.name.lower().endswith(TABLE_SUFFIXES)


def sniffed(path: Path) -> Dialect:
    """Tell how a text table is written, by its first lines.

    Raises
    ------
    AliError
        When the file is not text.
    """
    regular_file(path, "table")
    try:
        if path.suffix.lower() == ".gz":
            check_gzip(path)
        with cast("Any", gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
            sample: bytes = file.read(SAMPLE)
    except (OSError, EOFError, zlib.error) as error:
        raise AliError(f"{path.name} is not a readable CSV table ({error}); {REMEDY}") from None
    encoding = _encoding(sample, path)
    lines = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample).splitlines()
    told = re.fullmatch(r'"?sep=(.)"?', lines[0].strip()) if lines else None  # Excel's own first line
    body = lines[1 if told else 0 :]
    header = body[0] if body else ""
    separator = told[1] if told else _separator(header, path)
    return Dialect(
        separator=separator,
        decimal=_decimal(body[1:200], separator),
        encoding=encoding,
        skipped=1 if told else 0,
        names=tuple(next(csv.reader([header], delimiter=separator), [])),
    )


def _encoding(sample: bytes, path: Path) -> str:
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and len(sample) > 3:
        return "utf-16"
    if b"\0" in sample or codecs.BOM_UTF16_LE in sample or codecs.BOM_UTF16_BE in sample:
        raise AliError(f"{path.name} is not a readable CSV table (it is not text); {REMEDY}")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _separator(header: str, path: Path) -> str:
    """Return what cuts the header into most cells."""
    counts = {mark: len(next(csv.reader([header], delimiter=mark), [])) for mark in SEPARATORS}
    first = "\t" if ".tsv" in path.suffixes else ","
    return max([first, *SEPARATORS], key=lambda mark: counts[mark])


def _decimal(lines: Sequence[str], separator: str) -> str:
    if separator == ",":
        return "."
    cells = [cell.strip() for row in csv.reader(lines, delimiter=separator) for cell in row]
    commas = any(re.fullmatch(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?", cell) for cell in cells)
    points = any(re.fullmatch(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?", cell) for cell in cells)
    return "," if commas and not points else "."


@contextmanager
def open_table(
    path: Path, dialect: Dialect, types: "Mapping[str, pa.DataType] | None" = None
) -> "Iterator[arrow_csv.CSVStreamingReader]":
    """Open a text table to be read a batch of rows at a time.

    Parameters
    ----------
    path, dialect
        The file, and how it is written.
    types
        Arrow types of some columns; those of the others follow from the first rows.

    Yields
    ------
    pyarrow.csv.CSVStreamingReader
        Its schema, and by iteration its record batches.

    Raises
    ------
    AliError
        When the file cannot be read as a table: rows of different lengths, columns of equal names.
    NotUtf8
        When there is something else than UTF-8 below the first lines.
    """
    import pyarrow as pa  # noqa: PLC0415  # slow to import
    from pyarrow import csv as arrow_csv  # noqa: PLC0415

    twice = sorted({name for name in dialect.names if dialect.names.count(name) > 1})
    if twice:
        raise AliError(f"{path.name}: several columns are called {twice[0]!r}; rename them")
    try:
        with arrow_csv.open_csv(
            str(path),
            read_options=arrow_csv.ReadOptions(encoding=dialect.encoding, skip_rows=dialect.skipped, block_size=BLOCK),
            parse_options=arrow_csv.ParseOptions(delimiter=dialect.separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict(types or {}),
                decimal_point=dialect.decimal,
                null_values=list(EMPTY),
                strings_can_be_null=False,
            ),
        ) as reader:
            if any(pa.types.is_binary(column.type) for column in reader.schema):
                raise NotUtf8
            yield reader
    except UnicodeError:
        if dialect.encoding == "cp1252":
            raise AliError(
                f"{path.name} is not a readable CSV table (neither UTF-8 nor Windows-1252); {REMEDY}"
            ) from None
        raise NotUtf8 from None
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        if "UTF8" in reason:
            raise NotUtf8 from None
        if "conversion error" in reason:
            raise
        raise AliError(f"{path.name} is not a readable CSV table ({reason}); {REMEDY}") from None


def read_table(path: Path) -> pd.DataFrame:
    """Return a text table with all values as text, empty cells as ``""``; ``attrs["read_as"]`` says how it is written.

    Raises
    ------
    AliError
        When the file is missing, no text, not a table, or has no row.
    """
    if not path.exists():
        raise AliError(f"there is no table {path}; give a CSV file with a row per image")
    with reading(path, "CSV table"):
        return _read_table(path)


def _read_table(path: Path) -> pd.DataFrame:
    import pyarrow as pa  # noqa: PLC0415

    dialect = sniffed(path)
    types = dict.fromkeys(dialect.names, pa.string())
    try:
        with open_table(path, dialect, types) as reader:
            table: pd.DataFrame = reader.read_all().to_pandas()
    except NotUtf8:
        with open_table(path, replace(dialect, encoding="cp1252"), types) as reader:
            table = reader.read_all().to_pandas()
    if not len(table):
        raise AliError(f"{path} has no row below its header; a collection needs at least one image")
    table = table.fillna("")
    table.attrs["read_as"] = dialect.words
    return table


def select_rows(
    table: pd.DataFrame, path: Path, columns: Sequence[str], where: tuple[str, str] | None
) -> dict[str, NDArray[np.str_]]:
    """Return the ``columns`` of the rows that match ``where``.

    Raises
    ------
    AliError
        When a column is missing, no row matches, or a used cell is empty (its line is named).
    """
    for column in (*columns, *(() if where is None else where[:1])):
        if column not in table:
            raise AliError(f"{path.name} has no column {column!r}; its columns are {', '.join(map(str, table))}")
    if where is not None:
        column, value = where[0], str(where[1])
        values = table[column]
        table = table[values == value]
        if not len(table):
            some = ", ".join(sorted(set(values))[:8])
            raise AliError(f"{path.name} has no row with {column} = {value!r}; values there: {some}")
    for column in columns:
        empty = table.index[table[column].str.strip() == ""]
        if len(empty):
            raise AliError(
                f"{path.name}: {len(empty)} rows have an empty {column} (first: line {int(empty[0]) + 2}); "
                "fill them in or remove the rows"
            )
    return {column: table[column].to_numpy().astype(str) for column in columns}
