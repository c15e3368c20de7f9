"""Tables of images: every value is text, and every row that is used is complete."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.errors import AliError

__all__ = ["read_table", "select_rows"]


def read_table(path: Path) -> pd.DataFrame:
    """Return the CSV table in ``path`` with all values as text, empty cells as ``""``.

    Raises
    ------
    AliError
        When the file is missing, not UTF-8, not a table, or has no row.
    """
    if not path.is_file():
        raise AliError(f"there is no table {path}; give a CSV file with a row per image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            table = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False, encoding="utf-8-sig")
    except (ValueError, OSError, pd.errors.ParserWarning) as error:
        reason = str(error).strip().splitlines()[0]
        raise AliError(f"{path} is not a readable CSV table ({reason}); save it as UTF-8 with commas") from None
    if not len(table):
        raise AliError(f"{path} has no row below its header; a collection needs at least one image")
    return table.fillna("")


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
