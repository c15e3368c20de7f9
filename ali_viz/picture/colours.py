"""Colours of points by a column of the metadata."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.columns import natural_key
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_viz.theme import CYCLE, is_faint

__all__ = ["Colouring", "colour_columns", "colouring", "tells_groups"]

MISSING = "#9a9a9a"
OTHERS = "#c9c9c9"
PALETTE = (
    *CYCLE,
    *("#ff87ff", "#f04b00", "#00a500", "#0087a5", "#00d278", "#006900", "#a50f69", "#785a87", "#964bd2", "#1e3ca5"),
    *("#0096ff", "#d2872d", "#ff69a5", "#a55a4b", "#5a4b00", "#c3a5f0", "#2da587", "#d21e4b", "#5a3c5a", "#d269e1"),
    *("#00874b", "#7887c3", "#87c3a5", "#b42da5", "#96964b", "#f0a50f", "#c387b4", "#5a3cc3", "#78a5f0", "#3c5a96"),
)
"""Colours of categories, the most distant first: at least 0.09 apart in OKLab for normal sight, from grey as well."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Colouring:
    """A colour for each sample.

    Attributes
    ----------
    title
        Name of the column.
    tints
        Entry of the palette for every sample of the embedding (N,), uint8.
    palette
        Red, green, blue of each entry, and 255 where it needs a rim to be seen, (256, 4), uint8.
    entries
        What colours mean: (words, ``#rrggbb``), the most frequent values in natural order; for numbers
        only what is missing, if any.
    range
        Lowest and highest value of numbers; None for categories.
    """

    title: str
    tints: NDArray[np.uint8]
    palette: NDArray[np.uint8]
    entries: tuple[tuple[str, str], ...]
    range: tuple[float, float] | None


def colour_columns(embedding: LabelledEmbedding) -> dict[str, NDArray[Any]]:
    """Return what is known of the samples (N,) beside their class, by name: the group, and each column of metadata."""
    columns: dict[str, NDArray[Any]] = {} if embedding.groups is None else {"group": embedding.groups}
    if embedding.metadata is not None:
        columns |= {str(name): embedding.metadata[name].to_numpy() for name in embedding.metadata}
    return columns


def tells_groups(values: ArrayLike) -> bool:
    """Tell whether a column (N,) can colour samples: it holds fractions, or a value that several samples share.

    Names of files and ids have no value twice.
    """
    column = np.asarray(values)
    if column.dtype.kind in "biuf":
        numbers = column[np.isfinite(column)]
        return bool(np.any(numbers % 1) or np.any(np.diff(np.sort(numbers)) == 0))
    known = [str(value) for value in column.tolist() if not _is_missing(value)]
    return len(set(known)) < len(known)


def colouring(title: str, values: ArrayLike | Sequence[object]) -> Colouring:
    """Colour samples by their ``values`` (N,).

    Numbers get the perceptual scale *viridis* from the lowest to the highest finite one, anything else a colour a
    category. What is missing (NaN, None, an empty text) is grey. Of more than 40 categories the rarest are grey too.

    Raises
    ------
    AliError
        When ``values`` is not one value a sample.
    """
    column = np.asarray(values)
    if column.ndim != 1:
        raise AliError(f"the column {title!r} must hold one value a sample; got shape {column.shape}")
    if column.dtype.kind in "iuf" and len(np.unique(column)) > 1:
        return _numbers(title, column.astype(np.float64))
    return _categories(title, column.tolist())


def _numbers(title: str, column: NDArray[np.float64]) -> Colouring:
    from matplotlib import colormaps, colors  # noqa: PLC0415  # slow to import, and not needed for classes

    known = np.isfinite(column)
    if not known.any():
        return _categories(title, [None] * len(column))
    low, high = float(column[known].min()), float(column[known].max())
    tints = np.full(len(column), 255, np.uint8)
    tints[known] = np.rint(254 * ((column[known] - low) / ((high - low) or 1.0))).astype(np.uint8)
    palette = _paint([*map(colors.to_hex, colormaps["viridis"](np.linspace(0.0, 1.0, 255))), MISSING])
    entries = () if known.all() else (("missing", MISSING),)
    return Colouring(title=title, tints=tints, palette=palette, entries=entries, range=(low, high))


def _categories(title: str, column: list[object]) -> Colouring:
    counts = Counter(str(value) for value in column if not _is_missing(value))
    common = sorted((name for name, _ in counts.most_common(len(PALETTE))), key=natural_key)
    codes = {name: code for code, name in enumerate(common)}
    tints = np.array([255 if _is_missing(value) else codes.get(str(value), 254) for value in column], dtype=np.uint8)
    colours = PALETTE[: len(common)]
    palette = _paint([*colours, *[OTHERS] * (255 - len(colours)), MISSING])
    rest = len(counts) - len(common)
    more = ([(f"{rest} others", OTHERS)] if rest else []) + ([("missing", MISSING)] if 255 in tints else [])
    entries = (*zip(common, colours, strict=True), *more)
    return Colouring(title=title, tints=tints, palette=palette, entries=entries, range=None)


def _is_missing(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and value != value)  # noqa: PLR0124  # NaN


def _paint(colours: Sequence[str]) -> NDArray[np.uint8]:
    """Return the palette of ``#rrggbb`` colours, (k, 4)."""
    return np.array([[*bytes.fromhex(colour[1:]), 255 * is_faint(colour)] for colour in colours], dtype=np.uint8)
