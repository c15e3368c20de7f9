"""Labelled embeddings in archives of arrays: ``.npz``, ``.npy``, and feature dumps of torch; numbers and texts only."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.columns import SHELL, USUAL, Columns, Role, listed
from ali_core.embedding_parts import KEPT, Table, assembled, roles_of
from ali_core.embedding_tables import as_frame, table_beside
from ali_core.errors import AliError
from ali_core.foreign import check_archive, check_arrays

if TYPE_CHECKING:
    from ali_core.embedding import LabelledEmbedding

__all__ = ["read_npy", "read_npz", "read_safetensors", "read_torch", "write_npz"]

VECTORS = ("vectors", "X", "features", "embeddings", "embedding")
LABELS = (*USUAL["label"], "y")
PICKLED = (
    "{source} holds pickled Python objects, which are never opened because they can run code; save labels and names "
    "as string arrays"
)

OURS = ("class_names", "colours", "description", "unlabelled", "metadata", "rows")
"""Arrays of our own archives that are not one value a sample."""

Shapes = Mapping[str, tuple[int, ...]]


def read_npz(path: Path, columns: Columns) -> dict[str, Any]:
    """Return the arguments of a labelled embedding that a numpy archive holds."""
    try:
        check_arrays(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = _NpzArrays(archive)
            found = _from_arrays(arrays, path, columns)
            if "description" in arrays:
                found["description"] = str(arrays["description"])
            if "rows" in arrays:
                found["rows"] = arrays["rows"]
            return found
    except AliError:
        raise
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise AliError(PICKLED.format(source=path.name)) from None
        raise AliError(f"{path.name} is not a readable .npz file: {error}") from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, KeyError, TypeError) as error:
        raise AliError(f"{path.name} is not a readable .npz file: {error}") from None
    except AttributeError:  # a single array has no members
        raise AliError(f"{path.name} is not a readable .npz file: it is a single array") from None


def read_npy(path: Path, columns: Columns) -> dict[str, Any]:
    """Return the arguments of a labelled embedding: an array of vectors, and a table of the samples."""
    try:
        check_arrays(path)
        array = np.load(path, allow_pickle=False)
    except AliError:
        raise
    except (ValueError, OSError, EOFError) as error:
        if "allow_pickle" in str(error):
            raise AliError(PICKLED.format(source=path.name)) from None
        raise AliError(f"{path.name} is not a readable .npy file: {error}") from None
    return _from_arrays({"vectors": array}, path, columns)


def read_torch(path: Path, columns: Columns) -> dict[str, Any]:
    """Return the arguments of a labelled embedding that ``torch.save`` wrote: tensors and texts, nothing else."""
    import torch  # noqa: PLC0415  # slow to import

    check_archive(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the reader raises whatever the pickle machine meets
        said = " ".join(str(error).split())
        if "weights_only" in said.lower() or "unsupported" in said.lower():
            raise AliError(
                f"{path.name} holds Python objects, which are never opened because they can run code; save tensors, "
                "numbers and texts only: arrays of numpy as torch.from_numpy(array), or as array.tolist() if they hold "
                "texts"
            ) from None
        raise AliError(f"{path.name} is not a readable file of torch.save: {said:.200}") from None
    arrays = dict(_arrays_in(content))
    if not arrays:
        raise AliError(f"{path.name} holds no tensors; save a tensor, or a dictionary of tensors")
    return _from_arrays(arrays, path, columns)


def read_safetensors(path: Path, columns: Columns) -> dict[str, Any]:
    """Return the arguments of a labelled embedding that a safetensors file holds."""
    from safetensors import SafetensorError  # noqa: PLC0415  # imported with torch
    from safetensors.torch import load_file  # noqa: PLC0415

    try:
        content = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise AliError(f"{path.name} is not a readable .safetensors file: {error}") from None
    return _from_arrays(dict(_arrays_in(content)), path, columns)


def _arrays_in(content: Any, name: str = "") -> Iterator[tuple[str, NDArray[Any]]]:  # noqa: ANN401  # what people save
    """Yield what is an array in nested dictionaries, with its name."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _arrays_in(value, f"{name}.{key}" if name else str(key))
    elif hasattr(content, "detach"):
        tensor = content.detach()
        yield name or "vectors", (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    elif isinstance(content, list | tuple) and content:
        if all(isinstance(one, str | int | float) for one in content):
            yield name or "labels", np.array(content)
        elif all(hasattr(one, "detach") for one in content):
            with suppress(ValueError):  # arrays of different shapes are none together
                yield name or "vectors", _joined([array for one in content for _, array in _arrays_in(one)])


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Join what a loop has collected: batches of vectors or of whole numbers, single vectors, or single numbers."""
    one = parts[0].ndim == 0 or (parts[0].ndim == 1 and parts[0].dtype.kind == "f")
    return np.stack(parts) if one else np.concatenate(parts)


class _NpzArrays(Mapping[str, NDArray[Any]]):
    """The arrays of an archive; their shapes are known before they are read."""

    def __init__(self, archive: Any) -> None:  # noqa: ANN401  # numpy's NpzFile
        self._archive = archive
        self.shapes = {name: self._shape(name) for name in archive.files}

    def __getitem__(self, name: str) -> NDArray[Any]:
        array: NDArray[Any] = self._archive[name]
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._archive.files)

    def __len__(self) -> int:
        return len(self._archive.files)

    def _shape(self, name: str) -> tuple[int, ...]:
        with self._archive.zip.open(f"{name}.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            return tuple(read(file)[0])


def _from_arrays(arrays: Mapping[str, NDArray[Any]], path: Path, columns: Columns) -> dict[str, Any]:
    shapes: Shapes = arrays.shapes if isinstance(arrays, _NpzArrays) else {n: a.shape for n, a in arrays.items()}
    vectors = _vectors_key(shapes, path.name, columns)
    n_samples = shapes[vectors][0]
    per_sample = [name for name, shape in shapes.items() if shape in ((n_samples,), (n_samples, 1)) and name != vectors]
    words = {name: _shape_words(shapes[name]) for name in shapes}
    beside = columns.table or (table_beside(path) if not _has_label(per_sample, columns) else None)
    if beside is not None:
        frame = _frame_of(Path(beside), n_samples, path.name)
        frame = frame.join(_columns_of(arrays, [name for name in per_sample if name not in frame]))
        table = Table(words=dict.fromkeys(map(str, frame), ""), kinds={}, source=Path(beside).name)
        roles = roles_of(table, columns)
    else:
        table = Table(words=words, kinds={}, source=path.name)
        roles = _roles(table, columns, per_sample)
        frame = _columns_of(arrays, per_sample)
    frame, columns = _with_class_names(frame, arrays, roles["label"], columns, path.name)
    found = assembled(arrays[vectors], frame, roles, columns, table, dims=vectors)
    for array in (found["vectors"], found["vectors"].base):  # which nobody else has
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    if beside is not None:
        found["read_as"] += f" (table {Path(beside).name})"
    return found


def _with_class_names(
    frame: pd.DataFrame, arrays: Mapping[str, NDArray[Any]], label: str, columns: Columns, source: str
) -> tuple[pd.DataFrame, Columns]:
    """Replace codes by the class names that the archive has; take over what else only our own archives say."""
    own: dict[str, Any] = {}
    if "class_names" in arrays:
        names = tuple(np.atleast_1d(arrays["class_names"]).astype(str).tolist())
        codes = frame[label].to_numpy()
        keep = columns.unlabelled == "keep" or "unlabelled" in arrays
        if codes.dtype.kind in "iub":
            if codes.min() < (-1 if keep else 0) or codes.max() >= len(names):
                raise AliError(
                    f"{source}: labels must be codes from 0 to {len(names) - 1} for the {len(names)} class_names; got "
                    f"values from {codes.min()} to {codes.max()}"
                )
            frame = frame.assign(**{label: np.array([*names, ""], dtype=object)[codes.astype(np.int64)]})
        own = {"classes": columns.classes or names, "unlabelled": "keep" if keep else "refuse"}
        if "colours" in arrays:
            told = zip(names, arrays["colours"].astype(str).tolist(), strict=True)
            own["colours"] = {name: colour for name, colour in told if colour} | dict(columns.colours)
    return frame, replace(columns, **own)


def _roles(table: Table, columns: Columns, per_sample: list[str]) -> dict[Role, str]:
    """Return which array is what; ``y`` is a label here, and ``path`` an id."""
    own = Columns(**(columns.given | {"label": columns.label or next((n for n in LABELS if n in per_sample), None)}))
    if own.label is None:
        raise AliError(
            f"{table.source} has no labels or label or y; it has {listed(table.words)}: name them by label= "
            f"({SHELL['label']} NAME), or give a table with a row a sample by table= ({SHELL['table']} FILE)"
        )
    roles = roles_of(table, own)
    odd = [name for name in roles.values() if name not in per_sample]
    if odd:
        raise AliError(f"{table.source}: {odd[0]} ({table.words[odd[0]]}) must have one value per sample")
    return roles


def _has_label(per_sample: list[str], columns: Columns) -> bool:
    return any(name in per_sample for name in ((columns.label,) if columns.label is not None else LABELS))


def _vectors_key(shapes: Shapes, source: str, columns: Columns) -> str:
    matrices = {name: shape for name, shape in shapes.items() if len(shape) == 2}
    words = listed({name: _shape_words(shape) for name, shape in shapes.items()})
    wanted = columns.vectors if isinstance(columns.vectors, str | None) else next(iter(columns.vectors), None)
    if wanted is not None:
        if wanted not in shapes:
            raise AliError(f"{source} has no {wanted!r} for vectors; it has {words}: choose with {_vectors_option()}")
        return wanted
    usual = [name for name in VECTORS if name in matrices]
    if usual:
        return usual[0]
    wide = [name for name, shape in matrices.items() if shape[1] > 1]
    if len(wide) == 1:
        return wide[0]
    raise AliError(f"{source} has no vectors or X; it has {words}: choose with {_vectors_option()}")


def _vectors_option() -> str:
    return f"vectors= ({SHELL['vectors']} NAME)"


def _shape_words(shape: tuple[int, ...]) -> str:
    return str(shape)[1:-1]


def _columns_of(arrays: Mapping[str, NDArray[Any]], names: list[str]) -> pd.DataFrame:
    """Return the arrays with one value a sample as a frame, with the metadata that our own archives hold."""
    frame = pd.DataFrame({name: arrays[name].reshape(-1) for name in names if name not in OURS})
    if "metadata" not in arrays:
        return frame
    kept = pd.read_parquet(BytesIO(arrays["metadata"].tobytes())).rename(columns=lambda name: KEPT + str(name))
    return pd.concat([frame, kept], axis=1)


def _frame_of(path: Path, n_samples: int, source: str) -> pd.DataFrame:
    frame = as_frame(path).rename(columns=str)
    if len(frame) != n_samples:
        raise AliError(
            f"{path.name} has {len(frame)} rows, {source} {n_samples} vectors; they must be the same samples"
        )
    return frame


def write_npz(embedding: "LabelledEmbedding", path: Path) -> None:
    """Write an archive that keeps every bit."""
    arrays: dict[str, Any] = {
        "vectors": embedding.vectors,
        "labels": embedding.labels,
        "class_names": np.array(embedding.class_names),
        "description": np.array(embedding.description),
    }
    for name in ("ids", "groups", "split", "rows"):
        if getattr(embedding, name) is not None:
            arrays[name] = getattr(embedding, name)
    if embedding.colours:
        arrays["colours"] = np.array([embedding.colours.get(name, "") for name in embedding.class_names])
    if embedding.unlabelled == "keep":
        arrays["unlabelled"] = np.array("keep")
    if embedding.metadata is not None:
        content = BytesIO()
        embedding.metadata.to_parquet(content, index=False)
        arrays["metadata"] = np.frombuffer(content.getvalue(), dtype=np.uint8)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # of no date: equal content gives equal bytes
            # Texts shrink ten times, floats by some percent in ten times the time.
            member.compress_type = zipfile.ZIP_DEFLATED if array.dtype.kind == "U" else zipfile.ZIP_STORED
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
