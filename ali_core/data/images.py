"""Labelled images of single cells, on disk or in memory.

Synopsis::

    images = open_images("cells/labels.csv")        # see ali_core.data.layouts
    pixels = images.load(range(32), px=64)          # uint8 (32, 64, 64, 3)
    clean = images.without_classes(["unspecified"])
"""

import hashlib
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from ali_core.data.decoding import White, decode_image, resize_image
from ali_core.errors import AliError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CellImages", "contact_sheet"]

PART = 2**16
"""Bytes at a time that the fingerprint reads of a file."""
ArrayT = TypeVar("ArrayT", bound=NDArray[Any])


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CellImages:
    """N images with their classes; pixels are read when asked for.

    Parameters
    ----------
    labels
        Codes into ``class_names``, shape (N,); -1 for an image without a label.
    class_names
        The classes in the order of their codes; classes without an image may be named.
    ids
        N unique names of the images.
    groups
        N names of what must never be split between folds (patient, slide region); None when unknown.
    paths
        N image files, or None when ``pixels`` is given.
    pixels
        Array of shape (N, H, W, 3), uint8, or None when ``paths`` is given.
    split
        N parts of a given split: ``train``, ``validation`` and ``test``, or fold numbers; None when none is given.
    boxes
        The part of its file that each image is, x0, y0, x1, y1 in pixels, shape (N, 4); None for whole files.
    metadata
        pandas frame with N rows: whatever else is known of the images; None when that is nothing.
    colours
        ``#rrggbb`` by class name; the other classes have the colours of the theme.
    white
        How files of more than 8 bits are scaled: see :func:`~ali_core.data.decoding.decode_image`.
    missing
        Id and reason of each image that was left out because there is no file.

    Raises
    ------
    AliError
        No image, lengths that differ, ``white`` that is neither positive nor ``range``, labels outside ``class_names``,
        ids that occur twice, or not exactly one of ``paths`` and ``pixels``.
    """

    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    ids: NDArray[np.str_]
    groups: NDArray[np.str_] | None = None
    paths: tuple[Path, ...] | None = None
    pixels: NDArray[np.uint8] | None = None
    split: NDArray[np.str_] | None = None
    boxes: NDArray[np.int64] | None = None
    metadata: "pd.DataFrame | None" = None
    colours: Mapping[str, str] = field(default_factory=dict)
    white: White = None
    missing: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "labels", _frozen(np.asarray(self.labels, dtype=np.int64)))
        put(self, "class_names", tuple(str(name) for name in self.class_names))
        put(self, "ids", _frozen(np.asarray(self.ids).astype(str)))
        if self.groups is not None:
            put(self, "groups", _frozen(np.asarray(self.groups).astype(str)))
        if self.paths is not None:
            put(self, "paths", tuple(Path(path) for path in self.paths))
        if self.pixels is not None:
            put(self, "pixels", _frozen(np.asarray(self.pixels)))
        if self.split is not None:
            put(self, "split", _frozen(np.asarray(self.split).astype(str)))
        if self.boxes is not None:
            put(self, "boxes", _frozen(np.asarray(self.boxes, dtype=np.int64)))
        self._check_source()
        self._check_names()

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary})"

    @property
    def n_classes(self) -> int:
        """Number of classes C that have a name, with images or without."""
        return len(self.class_names)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Images per class, shape (C,); those without a label are in none."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.n_classes).astype(np.int64)

    @property
    def summary(self) -> str:
        """One line that says what was read: images, classes with counts, groups, split, metadata, what is missing."""
        classes = ", ".join(f"{name} {count:,}" for name, count in zip(self.class_names, self.counts, strict=True))
        unlabelled = len(self) - int(self.counts.sum())
        said = [f"{len(self):,} images, {self.n_classes} classes: {classes}"]
        if unlabelled:
            said.append(f"{unlabelled:,} unlabelled")
        if self.groups is not None:
            said.append(f"{len(np.unique(self.groups)):,} groups")
        if self.split is not None:
            parts, counts = np.unique(self.split, return_counts=True)
            said.append("split " + ", ".join(f"{part} {n:,}" for part, n in zip(parts, counts, strict=True)))
        if self.boxes is not None:
            said.append(f"boxes in {len(set(self.paths or ())):,} files")
        if self.metadata is not None:
            said.append(f"kept as metadata: {', '.join(map(str, self.metadata.columns))}")
        if self.missing:
            said.append(f"{len(self.missing):,} missing")
        return "; ".join(said)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of ids, labels, groups and class names, and of the pixels or files.

        Of a file, its size and three parts of at most 64 kB count: its beginning, middle and end. So a copy of the
        images is the same data, and a slide of gigabytes costs no more than a cell.

        Raises
        ------
        AliError
            When a file is gone, or no file that may be read.
        """
        digest = hashlib.sha256(repr((self.class_names, self.ids.tolist())).encode())
        digest.update(repr(None if self.groups is None else self.groups.tolist()).encode())
        digest.update(self.labels.astype("<i8").tobytes())
        if self.pixels is not None:
            digest.update(repr(self.pixels.shape).encode() + np.ascontiguousarray(self.pixels).tobytes())
        for name, value in (("split", self.split), ("boxes", self.boxes), ("white", self.white)):
            if value is not None:  # so that collections without them keep their fingerprint
                digest.update(f"{name}{value.tolist() if isinstance(value, np.ndarray) else value}".encode())
        parts = {path: _file_digest(path) for path in dict.fromkeys(self.paths or ())}
        for path in self.paths or ():
            digest.update(parts[path])
        return digest.hexdigest()

    def load(self, indices: ArrayLike | Sequence[int], px: int) -> NDArray[np.uint8]:
        """Return the images at ``indices`` as RGB, shape (n, px, px, 3).

        Images of another size are resized (bilinear, antialiased); of images that are not square, the middle square
        is taken.

        Raises
        ------
        AliError
            When ``px`` is not positive, an index does not exist, or a file cannot be decoded (it is named).
        """
        if px < 1:
            raise AliError(f"px must be at least 1; got {px}")
        rows = self._rows(indices)
        if self.pixels is not None and self.pixels.shape[1:3] == (px, px):
            return self.pixels[rows]
        loaded = np.empty((len(rows), px, px, 3), dtype=np.uint8)
        for at, row in enumerate(rows.tolist()):
            if self.pixels is not None:
                loaded[at] = np.asarray(resize_image(Image.fromarray(self.pixels[row]), px))
            elif self.paths is not None and self.boxes is None:
                loaded[at] = decode_image(self.paths[row], px, white=self.white)
        if self.paths is not None and self.boxes is not None:
            for path in dict.fromkeys(self.paths[row] for row in rows.tolist()):  # each file is decoded once
                places = [at for at, row in enumerate(rows.tolist()) if self.paths[row] == path]
                loaded[places] = decode_image(path, px, white=self.white, boxes=self.boxes[rows[places]].tolist())
        return loaded

    def subset(self, indices: ArrayLike) -> Self:
        """Return the images at ``indices`` (or where a boolean mask is true) with all class names kept."""
        rows = self._rows(indices)
        return replace(
            self,
            labels=self.labels[rows],
            ids=self.ids[rows],
            groups=None if self.groups is None else self.groups[rows],
            paths=None if self.paths is None else tuple(self.paths[row] for row in rows.tolist()),
            pixels=None if self.pixels is None else self.pixels[rows],
            split=None if self.split is None else self.split[rows],
            boxes=None if self.boxes is None else self.boxes[rows],
            metadata=None if self.metadata is None else self.metadata.iloc[rows].reset_index(drop=True),
        )

    def without_classes(self, names: Iterable[str]) -> Self:
        """Return the collection without the images and the names of these classes.

        Raises
        ------
        AliError
            When a name is unknown (the known ones are listed), or no image is left.
        """
        dropped = list(names)
        unknown = [name for name in dropped if name not in self.class_names]
        if unknown:
            raise AliError(f"no class is called {unknown[0]!r}; the classes are {', '.join(self.class_names)}")
        keep = [code for code, name in enumerate(self.class_names) if name not in dropped]
        rows = np.flatnonzero(np.isin(self.labels, [*keep, -1]))
        if not (self.labels[rows] >= 0).any():
            raise AliError(f"leaving out {', '.join(dropped)} leaves no image; keep at least one class")
        rest = self.subset(rows)
        return replace(
            rest,
            labels=np.where(rest.labels < 0, -1, np.searchsorted(keep, rest.labels)).astype(np.int64),
            class_names=tuple(self.class_names[code] for code in keep),
            colours={name: colour for name, colour in self.colours.items() if name not in dropped},
        )

    def _rows(self, indices: ArrayLike | Sequence[int]) -> NDArray[np.int64]:
        rows = np.atleast_1d(np.asarray(indices))
        if rows.dtype == np.bool_ and rows.shape == (len(self),):
            return np.flatnonzero(rows).astype(np.int64)
        if rows.ndim != 1 or (rows.size and not np.issubdtype(rows.dtype, np.integer)):
            raise AliError(f"indices must be whole numbers in one dimension; got {rows.dtype} of shape {rows.shape}")
        if rows.size and (rows.min() < -len(self) or rows.max() >= len(self)):
            raise AliError(
                f"indices must lie below {len(self)}, the number of images; got {rows.min()} to {rows.max()}"
            )
        return rows.astype(np.int64)

    def _check_source(self) -> None:
        if (self.paths is None) == (self.pixels is None):
            raise AliError("images come from paths or from pixels; give exactly one of the two")
        source = self.pixels if self.paths is None else self.paths
        if source is None or not len(source):
            raise AliError("a collection needs at least one image; got none")
        if len(source) != len(self.labels):
            raise AliError(f"labels must be one per image; got {len(self.labels)} for {len(source)} images")
        if self.boxes is not None and (self.paths is None or self.boxes.shape != (len(source), 4)):
            raise AliError(f"boxes are parts of files, shape ({len(source)}, 4); got {self.boxes.shape}")
        if self.metadata is not None and len(self.metadata) != len(source):
            raise AliError(f"metadata must have a row per image; got {len(self.metadata)} for {len(source)} images")
        if not (self.white in (None, "range") or (isinstance(self.white, int | float) and self.white > 0)):
            raise AliError(f"white must be a positive number or 'range'; got {self.white!r}")
        if self.pixels is not None and (
            self.pixels.dtype != np.uint8 or self.pixels.ndim != 4 or self.pixels.shape[3] != 3
        ):
            raise AliError(
                f"pixels must be uint8 of shape (N, H, W, 3); got {self.pixels.dtype} of shape {self.pixels.shape}"
            )

    def _check_names(self) -> None:
        if len(set(self.class_names)) < len(self.class_names):
            raise AliError("class_names must differ from each other; merge or rename the classes of equal name")
        if self.labels.min() < -1 or self.labels.max() >= self.n_classes:
            raise AliError(
                f"labels must be codes from 0 to {self.n_classes - 1}; got {self.labels.min()} to {self.labels.max()}"
            )
        for name, column in (("ids", self.ids), ("groups", self.groups), ("split", self.split)):
            if column is not None and column.shape != self.labels.shape:
                raise AliError(f"{name} must be one per image, shape {self.labels.shape}; got {column.shape}")
        unique, counts = np.unique(self.ids, return_counts=True)
        if counts.max() > 1:
            raise AliError(
                f"ids must differ from each other; {str(unique[counts.argmax()])!r} occurs {counts.max()} times: "
                "remove the repeated rows or give another id column"
            )


def _file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file's size, and of its beginning, middle and end."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise AliError(f"{path} is no file; remove it from the collection")
        digest = hashlib.sha256(str(about.st_size).encode())
        with path.open("rb", buffering=0) as file:
            if about.st_size <= 3 * PART:
                digest.update(file.read())
            else:
                for start in (0, (about.st_size - PART) // 2, about.st_size - PART):
                    file.seek(start)
                    digest.update(file.read(PART))
    except FileNotFoundError:
        raise AliError(f"{path} is missing: restore it, or remove it from the collection") from None
    except OSError as error:
        raise AliError(f"{path} cannot be read ({error.strerror or error}); make it readable, or remove it") from None
    return digest.digest()


def contact_sheet(images: CellImages, *, per_class: int = 8, px: int = 64, seed: int = 0) -> NDArray[np.uint8]:
    """Return one picture with a row of up to ``per_class`` images for each class, in the order of the class names.

    Parameters
    ----------
    images
        What to look at; classes without an image get an empty (white) row.
    per_class
        Images in a row, drawn at random with ``seed``.
    px
        Height and width of each image.
    seed
        Of the draw.

    Returns
    -------
    numpy.ndarray
        uint8, shape (C · px, per_class · px, 3).
    """
    rng = np.random.default_rng(seed)
    sheet = np.full((images.n_classes, px, per_class, px, 3), 255, dtype=np.uint8)
    for code in range(images.n_classes):
        rows = np.flatnonzero(images.labels == code)
        chosen = np.sort(rng.permutation(rows)[:per_class])
        sheet[code, :, : len(chosen)] = images.load(chosen, px).swapaxes(0, 1)
    return sheet.reshape(images.n_classes * px, per_class * px, 3)


def _frozen(array: ArrayT) -> ArrayT:
    view: ArrayT = array.view()
    view.flags.writeable = False
    return view
