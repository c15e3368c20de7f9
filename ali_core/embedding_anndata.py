"""Labelled embeddings in AnnData: vectors in ``obsm`` or ``X``, all else in ``obs``, and back by the cells' names."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ali_core.columns import SHELL, Columns
from ali_core.embedding_parts import COLOUR, KEPT, Table, assembled, described, roles_of
from ali_core.embedding_tables import kind_of, pandas_word
from ali_core.errors import AliError
from ali_core.hdf5 import check_hdf5

if TYPE_CHECKING:
    from ali_core.embedding import LabelledEmbedding

__all__ = ["read_anndata", "read_h5ad", "write_h5ad", "write_obs"]

INDEX = "obs_names"
PCA = "X_pca"
SCANPY_MOST = 50
"""scanpy takes X itself for neighbours when it has no more variables than this, and X_pca otherwise."""
PICTURE = 3
"""A layout to look at has at most so many dimensions."""
MOST_BYTES = 4 << 30
"""Largest sparse matrix, when it is dense, that is made so."""


def _anndata() -> Any:  # noqa: ANN401
    try:
        import anndata  # noqa: PLC0415
    except ImportError:
        raise AliError(
            "AnnData files need the extra: install it with pip install 'ali-interventions[anndata]'"
        ) from None
    return anndata


def read_h5ad(path: Path, columns: Columns) -> dict[str, Any]:
    """Return the arguments of a labelled embedding that an AnnData file holds.

    Files that anndata has written since 0.8 (2022) are read in parts, X only when it is asked for; older ones whole.
    """
    anndata = _anndata()
    check_hdf5(path)
    import h5py  # noqa: PLC0415  # comes with anndata

    try:
        with h5py.File(path) as file:
            data = _parts(anndata, file) if "encoding-type" in file.attrs else anndata.read_h5ad(path)  # before 0.8
            return read_anndata(data, columns, path.name)
    except AliError:
        raise
    except Exception as error:  # anndata raises whatever its many readers meet
        raise AliError(f"{path.name} is not a readable .h5ad file: {' '.join(str(error).split()):.200}") from None


def _parts(anndata: Any, file: Any) -> SimpleNamespace:  # noqa: ANN401
    """Return what :func:`read_anndata` looks at, by anndata's own readers; no matrix is read yet."""
    read, matrix = anndata.io.read_elem, file.get("X")
    if matrix is not None and not hasattr(matrix, "shape"):
        matrix = anndata.io.sparse_dataset(matrix)
    obs = read(file["obs"])
    return SimpleNamespace(
        obs=obs,
        obs_names=obs.index,
        X=matrix,
        n_vars=0 if matrix is None else matrix.shape[1],
        obsm={key: part if hasattr(part, "shape") else read(part) for key, part in file.get("obsm", {}).items()},
        uns={key: read(part) for key, part in file.get("uns", {}).items() if key.endswith("_colors")},
    )


def read_anndata(data: Any, columns: Columns, source: str) -> dict[str, Any]:  # noqa: ANN401  # anndata is optional
    """Return the arguments of a labelled embedding that an AnnData object holds."""
    obs = data.obs
    names = data.obs_names.to_numpy()
    frame = obs.reset_index(drop=True).rename(columns=str)
    words = {name: pandas_word(frame[name]) for name in frame}
    table = Table(words=words, kinds={name: kind_of(word) for name, word in words.items()}, source=f"obs of {source}")
    roles = roles_of(table, columns)
    made_up = names[:1].tolist() == ["0"] and np.array_equal(names.astype(str), np.arange(len(names)).astype(str))
    if columns.id is None and not made_up:  # by anndata, as row numbers
        roles["id"] = INDEX
        frame[INDEX] = names
    key = _vectors_key(data, columns, source)
    columns = _with_colours(data, roles["label"], columns)
    vectors = _matrix(data, key, source, asked=columns.vectors is not None)
    found = assembled(vectors, frame, roles, columns, table, dims=key)
    found["read_as"] = found["read_as"].replace(INDEX, "obs_names")
    return found


def _choices(data: Any) -> dict[str, str]:  # noqa: ANN401
    """Return the matrices there are, with their widths as a person reads them."""
    found = {}
    if data.X is not None:
        found["X"] = f"{data.n_vars}, sparse" if _is_sparse(data.X) else str(data.n_vars)
    return found | {str(key): str(data.obsm[key].shape[1]) for key in data.obsm}


def _is_sparse(matrix: Any) -> bool:  # noqa: ANN401
    if isinstance(matrix, np.ndarray):  # also a view of anndata's, which has a toarray
        return False
    return hasattr(matrix, "toarray") or hasattr(matrix, "to_memory") or "Sparse" in type(matrix).__name__


def _vectors_key(data: Any, columns: Columns, source: str) -> str:  # noqa: ANN401
    choices = _choices(data)
    listed = ", ".join(f"{name} ({words})" for name, words in choices.items()) or "nothing"
    choose = f"choose with vectors= ({SHELL['vectors']} NAME)"
    wanted = columns.vectors if isinstance(columns.vectors, str | None) else next(iter(columns.vectors), None)
    if wanted is not None:
        names = [name for name in (wanted, f"X_{wanted}") if name in choices]
        if not names:
            raise AliError(f"{source} has no {wanted!r} for vectors; it has {listed}: {choose}")
        return names[0]
    wide = [name for name, words in choices.items() if name != "X" and int(words) > PICTURE]
    dense = "X" in choices and "sparse" not in choices["X"]
    if PCA in wide and not (dense and data.n_vars <= SCANPY_MOST):
        return PCA
    if dense and not wide:
        return "X"
    if len(wide) == 1 and "X" not in choices:
        return wide[0]
    if len(choices) == 1 and not dense and "X" not in choices:
        return next(iter(choices))
    raise AliError(f"{source} has {listed}: {choose}")


def _matrix(data: Any, key: str, source: str, *, asked: bool) -> NDArray[Any]:  # noqa: ANN401
    matrix = data.X if key == "X" else data.obsm[key]
    if isinstance(matrix, pd.DataFrame):
        return matrix.to_numpy()
    if not _is_sparse(matrix):
        dense = np.asarray(matrix)
        if dense is not matrix:  # read from a file just now
            dense.flags.writeable = False
        return dense
    n_bytes = int(np.prod(matrix.shape)) * np.dtype(matrix.dtype).itemsize
    if not asked or n_bytes > MOST_BYTES:
        raise AliError(
            f"{key} of {source} is sparse, {matrix.shape[0]} × {matrix.shape[1]}, and takes {n_bytes / 2**30:.1f} GiB "
            f"when it is dense; give a dense embedding such as X_pca by vectors= ({SHELL['vectors']} NAME)"
        )
    dense = (matrix.to_memory() if hasattr(matrix, "to_memory") else matrix).toarray()
    dense.flags.writeable = False
    return np.asarray(dense)


def _with_colours(data: Any, label: str, columns: Columns) -> Columns:  # noqa: ANN401
    """Take over the colours that scanpy keeps of the categories of a column."""
    told = data.uns.get(f"{label}_colors")
    column = data.obs[label]
    if told is None or not isinstance(column.dtype, pd.CategoricalDtype):
        return columns
    names = column.cat.categories.astype(str).str.strip()
    present = {str(name).strip() for name in column.dropna().unique()}
    colours = {
        name: str(colour)[:7].lower()
        for name, colour in zip(names, np.asarray(told).astype(str), strict=False)
        if name in present and str(colour).startswith("#") and len(str(colour)) in (7, 9)
    }
    return replace(columns, colours=colours | dict(columns.colours))


def write_h5ad(embedding: "LabelledEmbedding", path: Path) -> None:
    """Write an AnnData file: vectors in X, all else in obs, colours as scanpy keeps them."""
    obs = described(embedding, ids=False).drop(columns=COLOUR, errors="ignore")
    obs = obs.rename(columns=lambda name: name if name.removeprefix(KEPT) in obs else name.removeprefix(KEPT))
    data = _anndata().AnnData(
        X=np.asarray(embedding.vectors), obs=obs.set_axis(pd.Index(embedding.sample_names.astype(object)))
    )
    if embedding.colours:
        categories = data.obs["label"].cat.categories
        data.uns["label_colors"] = np.array([embedding.colours.get(str(name), "") for name in categories], dtype=object)
    data.write_h5ad(path)


def write_obs(
    embedding: "LabelledEmbedding",
    data: Any,  # noqa: ANN401
    columns: Mapping[str, ArrayLike],
    *,
    label: str | None,
    vectors: str | None,
) -> None:
    """Write into an AnnData object by the names of its cells; see :meth:`~ali_core.LabelledEmbedding.to_obs`."""
    if not hasattr(data, "obs_names"):
        raise AliError(f"results go into an AnnData object; got {type(data).__name__}: join a frame by its ids")
    if embedding.ids is None:
        raise AliError("this embedding has no ids to find cells by; name them by id= (--id-column) when it is read")
    places = pd.Index(embedding.ids).get_indexer(pd.Index(data.obs_names.astype(str)))
    here = places >= 0
    if not here.any():
        raise AliError(
            f"no id is a name of a cell: samples are called {str(embedding.ids[0])!r} and so on, cells "
            f"{str(data.obs_names[0])!r}"
        )
    for name, values in columns.items():
        array = np.asarray(values)
        if array.shape != (len(embedding),):
            raise AliError(
                f"column {name!r} must have one value per sample, shape ({len(embedding)},); got {array.shape}"
            )
        data.obs[name] = _spread(pd.Series(array), places, here, data.obs_names)
    if label is not None:
        codes = np.where(here, embedding.labels[places], -1)
        data.obs[label] = pd.Categorical.from_codes(codes, pd.Index(embedding.class_names), ordered=True)
        if len(embedding.colours) == embedding.n_classes:
            data.uns[f"{label}_colors"] = [embedding.colours[name] for name in embedding.class_names]
    if vectors is not None:
        moved = np.full((len(places), embedding.dim), np.nan, dtype=embedding.vectors.dtype)
        moved[here] = embedding.vectors[places[here]]
        data.obsm[vectors] = moved


def _spread(
    values: "pd.Series[Any]",
    places: NDArray[np.intp],
    here: NDArray[np.bool_],
    names: Any,  # noqa: ANN401
) -> "pd.Series[Any]":
    """Return values for all cells; those that are not here get False or no value."""
    found = values.reindex(np.where(here, places, -1)).set_axis(names)
    return found.fillna(False).astype(bool) if values.dtype == np.bool_ else found
