"""File formats of a labelled embedding.

========== ==========================================================================================================
``.npz``   arrays ``vectors`` or ``X`` (N, D), ``labels`` or ``y`` (N,), and if wanted ``class_names`` (C,), ``ids`` or
           ``path`` (N,), ``groups`` or ``group`` (N,), and a text ``description``. Pickled objects are refused.
``.csv``   one row a sample: a column ``label`` (or ``labels``), if wanted ``id`` and ``group``, and as dimensions all
           other columns, which must be numbers. A first column without a name, as pandas writes it, is left out.
``.parquet`` the same table as ``.csv``.
``.h5ad``  AnnData: vectors in ``.X``, ``label`` and ``group`` in ``.obs`` (its index is the id); needs the extra
           ``anndata``.
========== ==========================================================================================================

Only ``.npz`` keeps every bit, the order of the classes, classes without samples, and the description; a session replays
on the ``.npz`` it was recorded on.
"""

import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ali_core.errors import AliError
from ali_core.files import atomic_path

if TYPE_CHECKING:
    from ali_core.embedding import LabelledEmbedding

__all__ = ["read_arrays", "write_arrays"]

ALIASES = {
    "vectors": ("vectors", "X"),
    "labels": ("labels", "label", "y"),
    "class_names": ("class_names",),
    "ids": ("ids", "id", "path"),
    "groups": ("groups", "group"),
    "description": ("description",),
}
TABLE_ALIASES = {"labels": ("label", "labels"), "ids": ("id", "ids", "path", "index"), "groups": ("group", "groups")}
"""In a table ``y`` is a coordinate."""
SUFFIXES = (".npz", ".csv", ".parquet", ".h5ad")


def read_arrays(path: Path) -> dict[str, Any]:
    """Return the keyword arguments of :class:`~ali_core.embedding.LabelledEmbedding` that the file holds.

    Raises
    ------
    AliError
        When the file is missing, has another suffix, is damaged, or lacks vectors or labels.
    """
    if not path.is_file():
        raise AliError(f"there is no embedding file {path}; give a {', '.join(SUFFIXES)} file")
    readers = {".npz": _read_npz, ".csv": _read_csv, ".parquet": _read_parquet, ".h5ad": _read_h5ad}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise AliError(f"{path.name}: an embedding is read from {', '.join(SUFFIXES)}; got {path.suffix!r}")
    return reader(path)


def write_arrays(embedding: "LabelledEmbedding", path: Path) -> Path:
    """Write ``embedding`` to ``path`` in the format of its suffix, whole or not at all; return ``path``."""
    writers = {".npz": _write_npz, ".csv": _write_csv, ".parquet": _write_parquet, ".h5ad": _write_h5ad}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise AliError(f"{path.name}: an embedding is written to {', '.join(SUFFIXES)}; got {path.suffix!r}")
    with atomic_path(path) as temporary:
        writer(embedding, temporary)
    return path


def _pick(source: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Rename what is there to our names; vectors and labels must be there."""
    found = {}
    for name, aliases in ALIASES.items():
        present = [alias for alias in aliases if alias in source]
        if present:
            found[name] = source[present[0]]
        elif name in ("vectors", "labels"):
            raise AliError(f"{path.name} has no {' or '.join(aliases)}; it has {', '.join(source)}")
    return found


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise AliError(
                f"{path.name} holds pickled Python objects, which are never opened because they can run code; "
                "save labels and names as string arrays"
            ) from None
        raise AliError(f"{path.name} is not a readable .npz file: {error}") from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, KeyError, TypeError) as error:
        raise AliError(f"{path.name} is not a readable .npz file: {error}") from None
    found = _pick(arrays, path)
    if "class_names" in found:
        found["class_names"] = tuple(np.atleast_1d(found["class_names"]).astype(str).tolist())
    if "description" in found:
        found["description"] = str(found["description"])
    return found


def _write_npz(embedding: "LabelledEmbedding", path: Path) -> None:
    arrays: dict[str, Any] = {
        "vectors": embedding.vectors,
        "labels": embedding.labels,
        "class_names": np.array(embedding.class_names),
        "ids": embedding.ids,
        "description": np.array(embedding.description),
    }
    if embedding.groups is not None:
        arrays["groups"] = embedding.groups
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _read_csv(path: Path) -> dict[str, Any]:
    try:
        header = pd.read_csv(path, nrows=0).columns
        special = [next((alias for alias in aliases if alias in header), "") for aliases in TABLE_ALIASES.values()]
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            table = pd.read_csv(
                path,
                index_col=False,
                dtype={name: str for name in special if name},
                keep_default_na=False,
                float_precision="round_trip",
                na_values={name: ["", "nan", "NaN"] for name in header if name not in special},
            )
    except (ValueError, UnicodeDecodeError, OSError, pd.errors.ParserWarning) as error:
        raise AliError(f"{path.name} is not a readable .csv table: {str(error).splitlines()[0]}") from None
    return _from_table(table, path)


def _read_parquet(path: Path) -> dict[str, Any]:
    try:
        return _from_table(pd.read_parquet(path), path)
    except (OSError, ValueError) as error:
        if isinstance(error, AliError):
            raise
        raise AliError(f"{path.name} is not a readable .parquet table: {str(error).splitlines()[0]}") from None


def _from_table(table: pd.DataFrame, path: Path) -> dict[str, Any]:
    table = table[[column for column in table if not str(column).startswith("Unnamed:")]]
    special = {next((alias for alias in names if alias in table), None) for names in TABLE_ALIASES.values()}
    known = {alias for names in TABLE_ALIASES.values() for alias in names}
    if not set(TABLE_ALIASES["labels"]) & set(table):
        raise AliError(f"{path.name} has no column label; it has {', '.join(map(str, table))}")
    numeric = [column for column in table if pd.api.types.is_numeric_dtype(table[column]) and column not in special]
    texts = [column for column in table if column not in numeric and column not in known]
    if texts:
        raise AliError(
            f"{path.name}: column {texts[0]!r} is neither a number nor one of {', '.join(sorted(known))}; "
            "remove or rename it"
        )
    source: dict[str, Any] = {str(column): table[column].to_numpy() for column in table if column in special}
    if numeric:
        source["vectors"] = table[numeric].to_numpy(dtype=np.float64)
    return _pick(source, path)


def _as_table(embedding: "LabelledEmbedding") -> pd.DataFrame:
    columns: dict[str, Any] = {
        "id": embedding.ids,
        "label": np.array(embedding.class_names)[embedding.labels],
    }
    if embedding.groups is not None:
        columns["group"] = embedding.groups
    columns |= {f"x{axis}": embedding.vectors[:, axis] for axis in range(embedding.dim)}
    return pd.DataFrame(columns)


def _write_csv(embedding: "LabelledEmbedding", path: Path) -> None:
    _as_table(embedding).to_csv(path, index=False)


def _write_parquet(embedding: "LabelledEmbedding", path: Path) -> None:
    _as_table(embedding).to_parquet(path, index=False)


def _anndata() -> Any:  # noqa: ANN401
    try:
        import anndata  # noqa: PLC0415
    except ImportError:
        raise AliError(
            "AnnData files need the extra: install it with pip install 'ali-interventions[anndata]'"
        ) from None
    return anndata


def _read_h5ad(path: Path) -> dict[str, Any]:
    try:
        data = _anndata().read_h5ad(path)
    except AliError:
        raise
    except Exception as error:  # anndata raises whatever its many readers meet
        raise AliError(f"{path.name} is not a readable .h5ad file: {' '.join(str(error).split()):.200}") from None
    matrix = data.X
    if matrix is None:
        raise AliError(f"{path.name} has no matrix X; store the embedding there")
    vectors = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
    special = [alias for aliases in TABLE_ALIASES.values() for alias in aliases if alias in data.obs]
    found = _pick({column: data.obs[column].astype(object).to_numpy() for column in special} | {"X": vectors}, path)
    found.setdefault("ids", data.obs_names.to_numpy())
    return found


def _write_h5ad(embedding: "LabelledEmbedding", path: Path) -> None:
    table = _as_table(embedding)
    observations = table[[name for name in ("label", "group") if name in table]].set_axis(embedding.ids)
    _anndata().AnnData(X=np.asarray(embedding.vectors), obs=observations).write_h5ad(path)
