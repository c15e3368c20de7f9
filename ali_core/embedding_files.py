"""File formats of a labelled embedding: one table with an entry each, :data:`FORMATS`."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ali_core.columns import Columns
from ali_core.errors import AliError
from ali_core.files import atomic_path
from ali_core.foreign import reading, regular_file

if TYPE_CHECKING:
    from ali_core.embedding import LabelledEmbedding

__all__ = ["FORMATS", "READ", "WRITTEN", "Format", "format_of", "read_arrays", "write_arrays"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One kind of file.

    Parameters
    ----------
    suffix
        How its name ends.
    words
        What is where in it.
    read
        From a path and what was named to the keyword arguments of :class:`~ali_core.embedding.LabelledEmbedding`.
    write
        An embedding to a path; None for what is only read.
    """

    suffix: str
    words: str
    read: Callable[[Path, Columns], dict[str, Any]]
    write: "Callable[[LabelledEmbedding, Path], None] | None" = None


_TABLE = "a row a sample: a column label, if wanted id, group and split; the other float columns are dimensions"


def _late(module: str, name: str, **fixed: Any) -> Callable[..., Any]:  # noqa: ANN401  # options of any writer
    """Return a function of a module that is imported when it is first called: pandas is slow to import."""

    def call(*given: Any) -> Any:  # noqa: ANN401
        return getattr(import_module(f"ali_core.{module}"), name)(*given, **fixed)

    return call


def _text(suffix: str, words: str) -> Format:
    separator = "\t" if ".tsv" in suffix else ","
    write = _late("embedding_tables", "write_text", separator=separator, zipped=suffix.endswith(".gz"))
    return Format(suffix=suffix, words=words, read=_late("embedding_tables", "read_text"), write=write)


FORMATS = (
    Format(
        suffix=".npz",
        words="arrays vectors (or X) and labels (or y), if wanted class_names, ids, groups, split; keeps every bit",
        read=_late("embedding_arrays", "read_npz"),
        write=_late("embedding_arrays", "write_npz"),
    ),
    _text(".csv", f"{_TABLE}; any separator, decimal comma, encoding"),
    Format(
        suffix=".parquet",
        words=f"{_TABLE}; or one column of lists",
        read=_late("embedding_tables", "read_parquet"),
        write=_late("embedding_tables", "write_parquet"),
    ),
    Format(
        suffix=".h5ad",
        words="AnnData: vectors in obsm or X, label, group and split in obs, ids in obs_names (extra anndata)",
        read=_late("embedding_anndata", "read_h5ad"),
        write=_late("embedding_anndata", "write_h5ad"),
    ),
    _text(".tsv", "as .csv, with tabs"),
    _text(".csv.gz", "as .csv, zipped"),
    _text(".tsv.gz", "as .tsv, zipped"),
    Format(suffix=".txt", words="as .csv, or with tabs", read=_late("embedding_tables", "read_text")),
    Format(
        suffix=".npy",
        words="vectors, with a table of the samples beside it or by --table",
        read=_late("embedding_arrays", "read_npy"),
    ),
    Format(
        suffix=".pt",
        words="tensors and texts that torch.save wrote, as in .npz or .npy",
        read=_late("embedding_arrays", "read_torch"),
    ),
    Format(suffix=".pth", words="as .pt", read=_late("embedding_arrays", "read_torch")),
    Format(
        suffix=".safetensors", words="tensors, as in .npz or .npy", read=_late("embedding_arrays", "read_safetensors")
    ),
)
"""Every format that is read; the first that fits a name counts."""

READ = tuple(known.suffix for known in FORMATS)
WRITTEN = tuple(known.suffix for known in FORMATS if known.write is not None)


def format_of(path: Path) -> Format | None:
    """Return the format of a file by its name; None when it is none of an embedding."""
    name = path.name.lower()
    return next((known for known in FORMATS if name.endswith(known.suffix)), None)


def read_arrays(path: Path, columns: Columns | None = None) -> dict[str, Any]:
    """Return the keyword arguments of :class:`~ali_core.embedding.LabelledEmbedding` that the file holds.

    Raises
    ------
    AliError
        When the file is missing, has another suffix, is damaged, or lacks vectors or labels.
    """
    if not path.exists():
        raise AliError(f"there is no embedding file {path}; give a {', '.join(READ)} file")
    regular_file(path, "embedding file")
    known = format_of(path)
    if known is None:
        raise AliError(f"{path.name}: an embedding is read from {', '.join(READ)}; got {path.suffix!r}")
    with reading(path, f"{known.suffix} file"):
        return known.read(path, columns or Columns())


def write_arrays(embedding: "LabelledEmbedding", path: Path) -> Path:
    """Write ``embedding`` to ``path`` in the format of its suffix, whole or not at all; return ``path``."""
    known = format_of(path)
    if known is None or known.write is None:
        raise AliError(f"{path.name}: an embedding is written to {', '.join(WRITTEN)}; got {path.suffix!r}")
    with atomic_path(path) as temporary:
        known.write(embedding, temporary)
    return path
