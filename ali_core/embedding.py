"""Labelled embeddings: vectors with a class label, and perhaps an id, a group, a split and more about each.

Synopsis::

    embedding = LabelledEmbedding.load("emb.npz")
    embedding = LabelledEmbedding.load("cells.h5ad", vectors="X_pca", label="cell_type", group="donor")
    embedding.vectors, embedding.labels, embedding.class_names
    embedding.without_classes(["unspecified"]).save("clean.npz")
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.columns import ColumnOptions, Columns, class_codes, natural_key, split_parts, whole_names
from ali_core.errors import AliError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LabelledEmbedding"]

LARGEST = 1e60
"""The largest absolute value of a set of vectors lies between 1 / LARGEST and LARGEST, unless all are 0."""

ArrayT = TypeVar("ArrayT", bound=NDArray[Any])


@dataclass(frozen=True, eq=False)
class LabelledEmbedding:
    r"""Embeddings :math:`x_i \in \mathbb{R}^D` of N samples with their classes, checked once.

    Parameters
    ----------
    vectors
        Array of shape (N, D), finite, the largest from 1e-60 to 1e60 in size (or all 0); float32 and float64 are kept,
        half precision becomes float32, all else float64. A torch tensor may be on any device, carry a gradient and be
        bfloat16.
    labels
        N class labels: names (str), or integers. Integers are codes into ``class_names`` when those are given.
    class_names
        The classes in the order of their codes; classes without a sample may be named. By default the labels that
        occur: in the order of the categories when ``labels`` is a Categorical, else in natural order.
    ids
        N unique names of the samples; None when they have none.
    groups
        N names of what must never be split between folds (patient, slide region); None when unknown.
    split
        N parts of a given split: ``train``, ``validation`` and ``test``, or fold numbers; None when none is given.
    metadata
        pandas frame with N rows: whatever else is known of the samples; None when that is nothing.
    colours
        ``#rrggbb`` by class name; the other classes have the colours of the theme.
    unlabelled
        ``keep``: labels may be missing. Such samples have the code -1; they are neither moved nor trained on nor
        scored. ``refuse``: they are an error.
    description
        What the samples are, in a few words such as ``synthetic marrow``; said in captions, kept in ``.npz`` files.
    source
        Where the embedding was read from, for error messages and saved records only.
    rows
        Row numbers, shape (N,), in the data that the samples were taken from by :meth:`subset`; None for all of it.
    read_as
        One line that says what became dimensions, label, group and metadata; empty when it was not read.

    Raises
    ------
    AliError
        Shapes that do not fit, values that are not finite (the first bad rows are named), fewer than two classes
        with samples, labels of a wrong type or outside ``class_names``, ids that occur twice, missing groups or ids,
        parts that are no split, colours that are none or of no class.
    """

    vectors: NDArray[np.floating[Any]]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] = ()
    ids: NDArray[np.str_] | None = None
    groups: NDArray[np.str_] | None = None
    description: str = ""
    source: Path | None = None
    split: NDArray[np.str_] | None = None
    metadata: "pd.DataFrame | None" = None
    colours: Mapping[str, str] = field(default_factory=dict)
    unlabelled: Literal["refuse", "keep"] = "refuse"
    rows: NDArray[np.int64] | None = None
    read_as: str = ""

    def __post_init__(self) -> None:
        vectors = _checked_vectors(self.vectors)
        n_samples = len(vectors)
        codes, names = _checked_labels(self.labels, self.class_names, n_samples, keep=self.unlabelled == "keep")
        put = object.__setattr__
        put(self, "vectors", _frozen(vectors))
        put(self, "labels", _frozen(codes))
        put(self, "class_names", names)
        put(self, "ids", None if self.ids is None else _frozen(_checked_ids(self.ids, n_samples)))
        put(self, "groups", None if self.groups is None else _frozen(_names(self.groups, "groups", n_samples)))
        put(self, "split", None if self.split is None else _frozen(_checked_split(self.split, n_samples)))
        if self.rows is not None and np.shape(self.rows) != (n_samples,):
            raise AliError(f"rows must be one per sample, shape ({n_samples},); got {np.shape(self.rows)}")
        put(self, "metadata", None if self.metadata is None else _checked_metadata(self.metadata, n_samples))
        put(self, "colours", _checked_colours(self.colours, names))

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        none = len(self) - int(self.counts.sum())
        samples = f"{len(self)} samples{f' ({none} unlabelled)' if none else ''}"
        what = f"{self.read_as};" if self.read_as else f"{self.dim} dimensions,"
        about = f"{samples}, {what} {self.n_classes} classes"
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
        """Samples per class, shape (C,); those without a label are in none."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.n_classes).astype(np.int64)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Whether a sample has a label, shape (N,)."""
        return self.labels >= 0

    @property
    def label_names(self) -> NDArray[np.str_]:
        """Class name of each sample, shape (N,); ``""`` for those without a label."""
        return np.array([*self.class_names, ""])[self.labels]

    @property
    def sample_names(self) -> NDArray[np.str_]:
        """What to call each sample, shape (N,): its id, or its row number in the data when there are no ids."""
        if self.ids is not None:
            return self.ids
        return (np.arange(len(self)) if self.rows is None else self.rows).astype(str)

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
            ids=None if self.ids is None else self.ids[chosen],
            groups=None if self.groups is None else self.groups[chosen],
            split=None if self.split is None else self.split[chosen],
            metadata=None if self.metadata is None else self.metadata.iloc[chosen],
            rows=(np.arange(len(self)) if self.rows is None else self.rows)[chosen],
        )

    def without_classes(self, names: Iterable[str]) -> Self:
        """Return the embedding without the samples and the names of these classes."""
        dropped = {self.class_index(name) for name in names}
        keep = [code for code in range(self.n_classes) if code not in dropped]
        rest = self.subset(~np.isin(self.labels, list(dropped)))
        number = np.full(self.n_classes + 1, -1)  # the last place is that of the code -1
        number[keep] = np.arange(len(keep))
        kept_names = tuple(self.class_names[code] for code in keep)
        return replace(
            rest,
            labels=number[rest.labels],
            class_names=kept_names,
            colours={name: colour for name, colour in self.colours.items() if name in kept_names},
        )

    @classmethod
    def load(cls, path: str | Path, /, **columns: Unpack[ColumnOptions]) -> Self:
        """Read a file; :data:`ali_core.embedding_files.FORMATS` lists the formats.

        Parameters
        ----------
        path
            The file.
        **columns
            What is what in it, where names are not as usual: ``label``, ``group``, ``id``, ``split``, ``vectors``,
            ``drop``, ``where``, ``table``, ``classes``, ``colours``, ``unlabelled``; see
            :class:`~ali_core.columns.Columns`.

        Raises
        ------
        AliError
            When it cannot be read, or a name is missing or ambiguous: what is there is listed.
        """
        from ali_core.embedding_files import read_arrays  # noqa: PLC0415  # pandas is slow to import

        return cls(**read_arrays(Path(path), Columns(**columns)), source=Path(path))

    @classmethod
    def from_frame(cls, frame: "pd.DataFrame", **columns: Unpack[ColumnOptions]) -> Self:
        """Take a pandas frame with a row a sample.

        Parameters
        ----------
        frame
            Vectors are its float columns that nothing else is known about, or a column of lists; a named index, or one
            of text, holds the ids.
        **columns
            As in :meth:`load`.

        Raises
        ------
        AliError
            As :meth:`load`.
        """
        from ali_core.embedding_tables import read_frame  # noqa: PLC0415

        return cls(**read_frame(frame, Columns(**columns)))

    @classmethod
    def from_anndata(cls, adata: Any, **columns: Unpack[ColumnOptions]) -> Self:  # noqa: ANN401  # anndata is optional
        """Take an AnnData object.

        Parameters
        ----------
        adata
            Vectors are in ``obsm`` or ``X``, what is said about the cells in ``obs``; ``obs_names`` are the ids.
        **columns
            As in :meth:`load`, such as ``vectors="X_pca"``, ``label="cell_type"``, ``group="donor"``.

        Raises
        ------
        AliError
            As :meth:`load`; and for a sparse matrix that would not fit when it is dense.
        """
        from ali_core.embedding_anndata import read_anndata  # noqa: PLC0415

        return cls(**read_anndata(adata, Columns(**columns), "the AnnData object"))

    def to_obs(
        self,
        adata: Any,  # noqa: ANN401  # anndata is optional
        columns: "Mapping[str, ArrayLike] | None" = None,
        *,
        label: str | None = None,
        vectors: str | None = None,
    ) -> None:
        """Write what is known here into an AnnData object, cell by cell by their ids.

        Parameters
        ----------
        adata
            Is changed; cells of it that are not in this embedding get no value (False for booleans).
        columns
            N values by the name of a column of ``obs``, such as
            ``{"picked": np.isin(embedding.ids, studio.selected_ids)}``.
        label
            Column of ``obs`` for the class, a Categorical in the order of the classes; their colours go along.
        vectors
            Key of ``obsm`` for the vectors, such as ``X_ali`` for those of ``session.after``.

        Raises
        ------
        AliError
            When this embedding has no ids, or none of them is in ``adata``; when a column has another length than N.
        """
        from ali_core.embedding_anndata import write_obs  # noqa: PLC0415

        write_obs(self, adata, columns or {}, label=label, vectors=vectors)

    def save(self, path: str | Path) -> Path:
        """Write the format that the suffix of ``path`` names, whole or not at all, and return the path."""
        from ali_core.embedding_files import write_arrays  # noqa: PLC0415

        return write_arrays(self, Path(path))


def _frozen(array: ArrayT) -> ArrayT:
    """Return what nobody else can write to: a read-only array, or view of one, itself; of others a copy."""
    owner = array if array.base is None else array.base
    free = array.flags.writeable or not isinstance(owner, np.ndarray) or owner.flags.writeable
    kept = array.copy() if free or owner.base is not None else array
    kept.flags.writeable = False
    return kept


def _as_array(values: Any) -> NDArray[Any]:  # noqa: ANN401  # tensors are known by what they can do
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.float() if str(values.dtype) == "torch.bfloat16" else values).numpy()
    return np.asarray(values)


def _checked_vectors(vectors: ArrayLike) -> NDArray[np.floating[Any]]:
    array = _as_array(vectors)
    if array.ndim != 2 or 0 in array.shape:
        raise AliError(f"vectors must have the shape (samples, dimensions), both at least 1; got {array.shape}")
    if array.dtype not in (np.float32, np.float64):
        if not (np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_) or np.iscomplexobj(array):
            raise AliError(f"vectors must be real numbers; got the type {array.dtype}")
        array = array.astype(np.float32 if array.dtype.itemsize <= 2 else np.float64)
    largest = max(float(array.max()), -float(array.min()))
    if not np.isfinite(largest):
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        rows = ", ".join(map(str, bad[:5])) + (", …" if len(bad) > 5 else "")
        raise AliError(
            f"vectors must be finite; {len(bad)} of {len(array)} rows hold NaN or infinity (rows {rows}): "
            "remove or repair them"
        )
    if largest > LARGEST or 0.0 < largest < 1.0 / LARGEST:
        raise AliError(
            f"the largest number of vectors must be from {1.0 / LARGEST:.0e} to {LARGEST:.0e} in size, because squares "
            f"of squares must not overflow; got {largest:.3g}: divide all by one constant, which changes nothing else"
        )
    return cast("NDArray[np.floating[Any]]", array)


def _checked_labels(
    labels: Any,  # noqa: ANN401  # arrays, lists, tensors, Categoricals
    class_names: Sequence[str],
    n_samples: int,
    *,
    keep: bool,
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    names = tuple(str(name) for name in class_names)
    categories = getattr(getattr(labels, "cat", labels), "categories", None)  # a Series or a Categorical
    array = _as_array(labels)
    if array.shape != (n_samples,):
        raise AliError(f"labels must be one per sample, shape ({n_samples},); got {array.shape}")
    if len(set(names)) != len(names):
        raise AliError("class_names must differ from each other; merge or rename the classes of equal name")
    gaps = keep and array.dtype.kind == "f" and bool(np.isnan(array).any())
    integers = None if categories is not None or gaps else _whole_numbers(array)
    if integers is None:
        codes, names = _codes_of_names(array, names, categories, keep=keep)
    else:
        codes, names = _codes_of_integers(integers, names, keep=keep)
    n_present = len(np.unique(codes[codes >= 0]))
    if n_present < 2:
        raise AliError(f"at least two classes need samples, because interventions move classes apart; got {n_present}")
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


def _codes_of_names(
    array: NDArray[Any],
    names: tuple[str, ...],
    categories: Any,  # noqa: ANN401  # an index of pandas, or None
    *,
    keep: bool,
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    texts = whole_names(array, "label", "labels", keep_missing=True)
    missing = np.flatnonzero(texts == "")
    if len(missing) and not keep:
        raise AliError(
            f"every sample needs a label; {len(missing)} have none (first: row {missing[0]}): label or remove them, "
            "or keep them with unlabelled='keep'"
        )
    if categories is not None and not names:
        present = set(texts.tolist())
        ordered = whole_names(np.asarray(categories, dtype=object), "label", "labels", keep_missing=True).tolist()
        names = tuple(dict.fromkeys(name for name in ordered if name in present and name))
    return class_codes(texts, names, source="labels")


def _codes_of_integers(
    array: NDArray[np.int64], names: tuple[str, ...], *, keep: bool
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if not names:
        present, codes = np.unique(array, return_inverse=True)
        return codes.astype(np.int64), tuple(str(code) for code in present.tolist())
    if array.min() < (-1 if keep else 0) or array.max() >= len(names):
        raise AliError(
            f"labels must be codes from 0 to {len(names) - 1} for the {len(names)} class_names; "
            f"got values from {array.min()} to {array.max()}"
        )
    return array, names


def _names(values: ArrayLike, role: str, n_samples: int) -> NDArray[np.str_]:
    array = _as_array(values)
    if array.shape != (n_samples,):
        raise AliError(f"{role} must be one per sample, shape ({n_samples},); got {array.shape}")
    return whole_names(array, role.removesuffix("s"), role)


def _checked_ids(ids: ArrayLike, n_samples: int) -> NDArray[np.str_]:
    array = _names(ids, "ids", n_samples)
    if len(set(array.tolist())) < n_samples:
        unique, counts = np.unique(array, return_counts=True)
        raise AliError(f"ids must differ from each other; {str(unique[counts.argmax()])!r} occurs {counts.max()} times")
    return array


def _checked_split(split: ArrayLike, n_samples: int) -> NDArray[np.str_]:
    names = _names(split, "split", n_samples)
    parts = split_parts(names)
    if parts is None:
        some = ", ".join(sorted(set(names.tolist()), key=natural_key)[:8])
        raise AliError(f"a split says train, validation or test, or a fold number, of each sample; got {some}")
    return parts


def _checked_metadata(metadata: "pd.DataFrame", n_samples: int) -> "pd.DataFrame":
    if len(metadata) != n_samples:
        raise AliError(f"metadata must have a row per sample, {n_samples}; got {len(metadata)}")
    frame = metadata.reset_index(drop=True)
    frame.columns = frame.columns.astype(str)
    if not frame.columns.is_unique:
        raise AliError(f"metadata has two columns called {frame.columns[frame.columns.duplicated()][0]!r}; rename one")
    return frame


def _checked_colours(colours: Mapping[str, str], class_names: tuple[str, ...]) -> dict[str, str]:
    for name, colour in colours.items():
        if name not in class_names:
            raise AliError(f"colours: no class is called {name!r}; the classes are {', '.join(class_names)}")
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(colour)):
            raise AliError(f"the colour of {name!r} must be written as #rrggbb; got {colour!r}")
    return {name: str(colour).lower() for name, colour in colours.items()}
