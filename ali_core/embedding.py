"""The value that flows: vectors with a class label, an id and perhaps a group each.

Synopsis::

    embedding = LabelledEmbedding.load("emb.npz")
    embedding.vectors, embedding.labels, embedding.class_names
    embedding.without_classes(["unspecified"]).save("clean.npz")
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.errors import AliError

__all__ = ["LabelledEmbedding"]

ArrayT = TypeVar("ArrayT", bound=NDArray[Any])


@dataclass(frozen=True, eq=False)
class LabelledEmbedding:
    r"""Embeddings :math:`x_i \in \mathbb{R}^D` of N samples with their classes, checked once.

    Parameters
    ----------
    vectors
        Array of shape (N, D), finite; float32 and float64 are kept, half precision becomes float32, all else float64.
    labels
        N class labels: names (str), or integers. Integers are codes into ``class_names`` when those are given.
    class_names
        The classes in the order of their codes; classes without a sample may be named. By default the labels that
        occur, sorted.
    ids
        N unique names of the samples; ``"0"``, ``"1"``, … by default.
    groups
        N names of what must never be split between folds (patient, slide region); None when unknown.
    description
        What the samples are, in a few words such as ``synthetic marrow``; said in captions, kept in ``.npz`` files.
    source
        Where the embedding was read from, for error messages and saved records only.

    Raises
    ------
    AliError
        Shapes that do not fit, values that are not finite (the first bad rows are named), fewer than two classes
        with samples, labels of a wrong type or outside ``class_names``, ids that occur twice.
    """

    vectors: NDArray[np.floating[Any]]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] = ()
    ids: NDArray[np.str_] = field(default=cast("Any", None))
    groups: NDArray[np.str_] | None = None
    description: str = ""
    source: Path | None = None

    def __post_init__(self) -> None:
        vectors = _checked_vectors(self.vectors)
        codes, names = _checked_labels(self.labels, self.class_names, len(vectors))
        put = object.__setattr__
        put(self, "vectors", _frozen(vectors))
        put(self, "labels", _frozen(codes))
        put(self, "class_names", names)
        put(self, "ids", _frozen(_checked_ids(self.ids, len(vectors))))
        if self.groups is not None:
            put(self, "groups", _frozen(_strings(self.groups, "groups", len(vectors))))

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        about = f"{len(self)} samples, {self.dim} dimensions, {self.n_classes} classes"
        return f"{type(self).__name__}({about}{', ' + self.description if self.description else ''})"

    @property
    def dim(self) -> int:
        """Number of dimensions D."""
        return int(self.vectors.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes C that have a name, with samples or without."""
        return len(self.class_names)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Samples per class, shape (C,)."""
        return np.bincount(self.labels, minlength=self.n_classes).astype(np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of vectors, labels and class names: equal if and only if all numbers are equal."""
        digest = hashlib.sha256()
        for array in (self.vectors, self.labels):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        digest.update("\0".join(self.class_names).encode())
        return digest.hexdigest()

    def class_index(self, name: str) -> int:
        """Return the code of the class called ``name``; AliError lists the classes when there is none."""
        try:
            return self.class_names.index(name)
        except ValueError:
            raise AliError(f"no class is called {name!r}; the classes are {', '.join(self.class_names)}") from None

    def with_vectors(self, vectors: NDArray[np.floating[Any]]) -> Self:
        """Return the same samples at other places; ``vectors`` has shape (N, any D)."""
        return replace(self, vectors=vectors)

    def subset(self, rows: ArrayLike) -> Self:
        """Return the samples at ``rows`` (indices or a boolean mask) with all class names kept."""
        chosen = np.asarray(rows)
        return replace(
            self,
            vectors=self.vectors[chosen],
            labels=self.labels[chosen],
            ids=self.ids[chosen],
            groups=None if self.groups is None else self.groups[chosen],
        )

    def without_classes(self, names: Iterable[str]) -> Self:
        """Return the embedding without the samples and the names of these classes."""
        dropped = {self.class_index(name) for name in names}
        keep = np.array([code for code in range(self.n_classes) if code not in dropped])
        rows = np.isin(self.labels, keep)
        return replace(
            self,
            vectors=self.vectors[rows],
            labels=np.searchsorted(keep, self.labels[rows]),
            class_names=tuple(self.class_names[code] for code in keep),
            ids=self.ids[rows],
            groups=None if self.groups is None else self.groups[rows],
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read ``.npz``, ``.csv``, ``.parquet`` or ``.h5ad``; see :mod:`ali_core.embedding_files` for their layouts."""
        from ali_core.embedding_files import read_arrays  # noqa: PLC0415  # pandas is slow to import

        return cls(**read_arrays(Path(path)), source=Path(path))

    def save(self, path: str | Path) -> Path:
        """Write the format that the suffix of ``path`` names, whole or not at all, and return the path."""
        from ali_core.embedding_files import write_arrays  # noqa: PLC0415

        return write_arrays(self, Path(path))


def _frozen(array: ArrayT) -> ArrayT:
    """Return what nobody else can write to: the array itself when it is read-only, else a copy."""
    kept = array.copy() if array.flags.writeable or array.base is not None else array
    kept.flags.writeable = False
    return kept


def _checked_vectors(vectors: ArrayLike) -> NDArray[np.floating[Any]]:
    array = np.asarray(vectors)
    if array.ndim != 2 or 0 in array.shape:
        raise AliError(f"vectors must have the shape (samples, dimensions), both at least 1; got {array.shape}")
    if array.dtype not in (np.float32, np.float64):
        if not (np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_) or np.iscomplexobj(array):
            raise AliError(f"vectors must be real numbers; got the type {array.dtype}")
        array = array.astype(np.float32 if array.dtype.itemsize <= 2 else np.float64)
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        rows = ", ".join(map(str, bad[:5])) + (", …" if len(bad) > 5 else "")
        raise AliError(
            f"vectors must be finite; {len(bad)} of {len(array)} rows hold NaN or infinity (rows {rows}): "
            "remove or repair them"
        )
    return cast("NDArray[np.floating[Any]]", array)


def _checked_labels(
    labels: ArrayLike, class_names: Sequence[str], n_samples: int
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    array = np.asarray(labels)
    if array.shape != (n_samples,):
        raise AliError(f"labels must be one per sample, shape ({n_samples},); got {array.shape}")
    names = tuple(str(name) for name in class_names)
    if len(set(names)) != len(names):
        raise AliError("class_names must differ from each other; merge or rename the classes of equal name")
    integers = _whole_numbers(array)
    codes, names = _codes_of_names(array, names) if integers is None else _codes_of_integers(integers, names)
    if len(np.unique(codes)) < 2:
        raise AliError(
            f"at least two classes need samples, because interventions move classes apart; got {len(np.unique(codes))}"
        )
    return codes, names


def _whole_numbers(array: NDArray[Any]) -> NDArray[np.int64] | None:
    """Labels as integers, or None when they are names."""
    if np.issubdtype(array.dtype, np.integer) or array.dtype == np.bool_:
        return array.astype(np.int64)
    if np.issubdtype(array.dtype, np.floating):
        if not np.all(np.isfinite(array)) or np.any(array != np.floor(array)):
            raise AliError("labels must be names or whole numbers; these hold fractions, NaN or infinity")
        return array.astype(np.int64)
    if array.dtype.kind not in "USOT":
        raise AliError(f"labels must be names or whole numbers; got the type {array.dtype}")
    return None


def _codes_of_names(array: NDArray[Any], names: tuple[str, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    missing = np.flatnonzero(
        [label is None or str(label) in ("", "nan", "NaN", "None", "<NA>") for label in array.tolist()]
    )
    if len(missing):
        raise AliError(
            f"every sample needs a label; {len(missing)} have none (first: row {missing[0]}): label or remove them"
        )
    labels = array.astype(str)
    present, codes = np.unique(labels, return_inverse=True)
    if not names:
        return codes.astype(np.int64), tuple(present.tolist())
    unknown = sorted(set(present.tolist()) - set(names))
    if unknown:
        raise AliError(f"label {unknown[0]!r} is not among class_names ({', '.join(names)})")
    lookup = np.array([names.index(name) for name in present.tolist()], dtype=np.int64)
    return lookup[codes], names


def _codes_of_integers(array: NDArray[np.int64], names: tuple[str, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if not names:
        present, codes = np.unique(array, return_inverse=True)
        return codes.astype(np.int64), tuple(str(code) for code in present.tolist())
    if array.min() < 0 or array.max() >= len(names):
        raise AliError(
            f"labels must be codes from 0 to {len(names) - 1} for the {len(names)} class_names; "
            f"got values from {array.min()} to {array.max()}"
        )
    return array, names


def _strings(values: ArrayLike, name: str, n_samples: int) -> NDArray[np.str_]:
    array = np.asarray(values).astype(str)
    if array.shape != (n_samples,):
        raise AliError(f"{name} must be one per sample, shape ({n_samples},); got {array.shape}")
    return array


def _checked_ids(ids: ArrayLike | None, n_samples: int) -> NDArray[np.str_]:
    if ids is None:
        return np.arange(n_samples).astype(str)
    array = _strings(ids, "ids", n_samples)
    unique, counts = np.unique(array, return_counts=True)
    if len(unique) < n_samples:
        raise AliError(f"ids must differ from each other; {str(unique[counts.argmax()])!r} occurs {counts.max()} times")
    return array
