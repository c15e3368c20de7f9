"""What would be read from a path, and what is wrong with it, before anything long begins.

Synopsis::

    found = check_data("cells.h5ad", label="cell_type")
    found.lines, found.faults, found.notes
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ali_core.columns import SHELL, ColumnOptions, Columns, split_parts
from ali_core.data import CellImages, grouped_folds
from ali_core.data.decoding import White
from ali_core.data.reading import Readers
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.samples import Samples, open_samples

__all__ = ["DataCheck", "check_data"]

SCAN_PX = 32
FOLDS, LEAST_FOLDS = 6, 3
NAMED = 5
"""So many of a kind are named in a line."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class DataCheck:
    """What was found.

    Parameters
    ----------
    lines
        What would be read.
    faults
        What must be mended, each in a sentence.
    notes
        What may be as it should, or not.
    command
        What to go on with; empty when nothing can be read.
    """

    lines: tuple[str, ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()
    command: str = ""


@dataclass
class _Findings:
    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_data(
    path: str | Path,
    /,
    *,
    skip_unreadable: bool = False,
    white: White = None,
    progress: Progress | None = None,
    **columns: Unpack[ColumnOptions],
) -> DataCheck:
    """Read what is at ``path`` and look for what is nearly always a mistake.

    Parameters
    ----------
    path
        Embedding file, or a folder, table or archive of images; images are all decoded once.
    skip_unreadable
        Whether missing and damaged images are to be left out: they are noted then, are no faults, and do not count.
    white
        How images of more than 8 bits are scaled: see :func:`~ali_core.data.decoding.decode_image`.
    progress
        Called with the images decoded, and all.
    **columns
        What is what in it, as in :meth:`ali_core.LabelledEmbedding.load`.

    Returns
    -------
    DataCheck
        Faults are: what cannot be read, missing or damaged images, a class that is called like a part of a split, a
        dimension that is the number of the class, a split that divides groups or lacks a class in training, groups
        that are the classes. The rest is noted.
    """
    place, found = Path(path), _Findings()
    try:
        named = Columns(**columns)
        samples = open_samples(place, named, skip_unreadable=True, white=white)
    except AliError as error:
        return DataCheck(lines=(), faults=(str(error),))
    if isinstance(samples, LabelledEmbedding):
        found.lines.append(f"{place.name}: {len(samples)} samples, {samples.read_as}")
        _look_at_vectors(samples, found)
    else:
        samples = _look_at_images(samples, found, progress, leave_out=skip_unreadable)
        found.lines.append(f"{place.name}: {len(samples)} images")
    _look_at_classes(samples, found)
    _look_at_groups(samples, found)
    return DataCheck(
        lines=tuple(found.lines),
        faults=tuple(found.faults),
        notes=tuple(found.notes),
        command=_command(place, named, samples, skip_unreadable=skip_unreadable, white=white),
    )


def _look_at_classes(samples: Samples, found: _Findings) -> None:
    counts = samples.counts.tolist()
    named = [f"{name} {count}" for name, count in zip(samples.class_names, counts, strict=True)]
    none = len(samples) - sum(counts)
    found.lines.append(f"classes: {', '.join(named)}{f'; {none} unlabelled' if none else ''}")
    parts = [name for name in samples.class_names if not name.isdecimal() and split_parts(np.array([name])) is not None]
    if parts:
        found.faults.append(
            f"a class is called {parts[0]!r}, which is a part of a split: name the column with the class "
            f"({SHELL['label']} NAME), or give the folder in which the class folders lie"
        )
    if sum(count > 0 for count in counts) < 2:
        found.faults.append("only one class has samples; interventions move classes apart, and need two")
    rare = [name for name, count in zip(samples.class_names, counts, strict=True) if 0 < count < FOLDS]
    if rare and samples.split is None:
        smallest = min(filter(None, counts))
        enough = sum(count >= FOLDS for count in counts) > 1
        remedy = "leave them out with --exclude NAME" if enough else f"take --n-folds {smallest}"
        remedy = remedy if enough or smallest >= LEAST_FOLDS else "too few to train on and to test"
        found.notes.append(f"fewer than {FOLDS} samples, one a fold: {_few(rare)}; {remedy}")


def _look_at_groups(samples: Samples, found: _Findings) -> None:
    if samples.groups is None:
        found.lines.append("groups: none, so samples of one patient may be in training and test at once")
    else:
        _look_at_group_names(samples.groups, samples, found)
    if samples.split is None:
        return
    parts, counts = np.unique(samples.split, return_counts=True)
    found.lines.append("split: " + ", ".join(f"{part} {count}" for part, count in zip(parts, counts, strict=True)))
    try:
        grouped_folds(samples.labels, groups=samples.groups, split=samples.split, class_names=samples.class_names)
    except AliError as error:
        found.faults.append(str(error))


def _look_at_group_names(groups: NDArray[np.str_], samples: Samples, found: _Findings) -> None:
    labelled = samples.labels >= 0
    pairs = np.unique(np.stack([groups[labelled], samples.labels[labelled].astype(str)]), axis=1)
    names, n_classes = np.unique(pairs[0], return_counts=True)
    sizes = np.unique(groups, return_counts=True)[1]
    found.lines.append(f"groups: {len(sizes)}, of {sizes.min()} to {sizes.max()} samples")
    if len(names) == len(np.unique(pairs[1])) == pairs.shape[1]:
        found.faults.append(
            "each group is one class, so no fold can hold a class back: name another column for groups "
            f"({SHELL['group']} NAME), or leave it out ({SHELL['drop']} NAME)"
        )
    elif 0 < (several := int(np.sum(n_classes > 1))) < len(names):
        found.notes.append(
            f"{several} of {len(names)} groups hold several classes: right for cells of a patient, wrong where the "
            "class is that of the patient"
        )
    if len(names) < FOLDS and samples.split is None:
        remedy = f"--n-folds {len(names)}" if len(names) >= LEAST_FOLDS else "finer groups, or --ignore-groups"
        found.notes.append(f"{len(names)} groups cannot be kept whole in {FOLDS} folds; take {remedy}")


def _look_at_vectors(embedding: LabelledEmbedding, found: _Findings) -> None:
    vectors, dim = embedding.vectors, embedding.dim
    constant = np.flatnonzero(vectors.min(axis=0) == vectors.max(axis=0))
    if len(constant):
        found.notes.append(f"{len(constant)} of {dim} dimensions are the same for all samples ({_few(constant)})")
    codes = [axis for axis in range(dim) if _is_class_code(vectors[:, axis], embedding.labels)]
    if codes:
        found.faults.append(
            f"dimension {codes[0]} is a number of the class, so the class is given away: leave its column out "
            f"({SHELL['drop']} NAME)"
        )
    first: dict[bytes, int] = {}
    copies = [row for row, vector in enumerate(vectors) if first.setdefault(vector.tobytes(), row) != row]
    if copies:
        names = embedding.sample_names[copies]
        found.notes.append(
            f"{len(copies)} samples have the vector of another one ({_few(names)}); copies may be in training and test "
            "at once"
        )


def _is_class_code(values: NDArray[np.floating[Any]], labels: NDArray[np.int64]) -> bool:
    """Whether whole numbers are the same within each class and different between classes."""
    sample = values[:256]
    if np.any(sample != np.floor(sample)):
        return False
    values, labels = values[labels >= 0], labels[labels >= 0]
    pairs = np.unique(np.stack([values.astype(np.float64), labels]), axis=1)
    n_values, n_classes = len(np.unique(pairs[0])), len(np.unique(pairs[1]))
    return n_values == n_classes == pairs.shape[1] and n_classes > 1


def _look_at_images(images: CellImages, found: _Findings, progress: Progress | None, *, leave_out: bool) -> CellImages:
    """Tell which images are missing or damaged, and return those that are counted."""
    told = found.notes if leave_out else found.faults
    if images.missing:
        names = [name for name, _ in images.missing]
        remedy = "" if leave_out else ": restore them, or add --skip-unreadable"
        told.append(f"{len(names)} images are missing ({_few(names)}){remedy}")
    readers = Readers(2)
    try:
        damaged = readers.scan(images, SCAN_PX, None, progress)
    finally:
        readers.close()
    if damaged:
        names = [str(images.ids[row]) for row in damaged]
        told.append(
            f"{len(damaged)} of {len(images)} images cannot be used ({_few(names)}). The first: "
            f"{next(iter(damaged.values()))}" + ("" if leave_out else ". To leave them out, add --skip-unreadable")
        )
    readable = np.setdiff1d(np.arange(len(images)), list(damaged))
    if leave_out and not len(readable):
        found.faults.append("no image can be used")
    return images.subset(readable) if leave_out and len(readable) else images


def _few(names: "Sequence[str] | NDArray[Any]") -> str:
    return ", ".join(map(str, names[:NAMED])) + (", …" if len(names) > NAMED else "")


def _command(path: Path, columns: Columns, samples: Samples, *, skip_unreadable: bool, white: White) -> str:
    """Return the command to go on with, with the names that were given."""
    options = ["--skip-unreadable"] if skip_unreadable else []
    options += [] if white is None else [f"--white {white}"]
    for name, value in columns.given.items():
        values = value.items() if isinstance(value, dict) else [value] if isinstance(value, str | Path) else value
        if name == "where":
            values = ["=".join(value)]
        options += [f"{SHELL[name]} {quote('='.join(one) if isinstance(one, tuple) else str(one))}" for one in values]
    named = " ".join(["", *options])
    if isinstance(samples, LabelledEmbedding):
        return f"ali studio {quote(str(path))}{named}"
    return f"ali embed {quote(str(path))}{named} --weights FILE"
