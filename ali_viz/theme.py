"""One stable colour and marker per class, told apart without colour alone, ordered by lineage and maturity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ali_core.columns import in_natural_order

__all__ = [
    "UNLABELLED",
    "ClassStyle",
    "class_label",
    "class_styles",
    "has_lineages",
    "is_faint",
    "lineage_order",
    "order_words",
    "sample_styles",
]

Marker = str | tuple[int, Literal[0, 1, 2], int]

MARKERS: dict[str, Marker] = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "triangle-down": "v",
    "cross": "P",
    "x": "X",
    "star": "*",
    "triangle-left": "<",
    "triangle-right": ">",
    "pentagon": "p",
    "hexagram": (6, 1, 0),
}
"""Shapes by their plotly name (drawn by ``scatter`` and ``scattergl``) and what matplotlib calls them."""

CYCLE = (
    "#3061d8",
    "#8f2b0d",
    "#ed9b95",
    "#c15f95",
    "#9582fe",
    "#7c7903",
    "#225c62",
    "#74209c",
    "#0dbedf",
    "#b5b109",
)
"""Colours of unknown classes: at least 0.10 apart in OKLab for normal sight, protanopia, deuteranopia, tritanopia."""

LINEAGES: tuple[tuple[str, str, str], ...] = (
    ("blast", "#868686", "star"),
    ("promyelocyte", "#2b4aa4", "circle"),
    ("myelocyte", "#2f60c0", "square"),
    ("metamyelocyte", "#3681d7", "diamond"),
    ("immature_granulocyte", "#556b9b", "x"),
    ("band_granulocyte", "#429fe9", "triangle-up"),
    ("segmented_granulocyte", "#57c0f2", "triangle-down"),
    ("neutrophil", "#5b84ae", "cross"),
    ("eosinophilic_granulocyte", "#ef9716", "hexagram"),
    ("basophilic_granulocyte", "#8648c7", "triangle-left"),
    ("proerythroblast", "#93202e", "circle"),
    ("basophilic_erythroblast", "#ba2936", "square"),
    ("polychromatic_erythroblast", "#e2484a", "diamond"),
    ("orthochromatic_erythroblast", "#f3817c", "triangle-up"),
    ("erythroblast", "#d42e3a", "cross"),
    ("promonocyte", "#047554", "circle"),
    ("monocyte", "#22b988", "triangle-down"),
    ("lymphocyte", "#d25bcb", "pentagon"),
    ("plasma_cell", "#bc267f", "x"),
    ("platelet", "#8b8318", "triangle-right"),
)
"""Known cells in the order of lineage and maturity: name, colour (hue a lineage, lighter with age), marker (stage)."""

OUTLINED_FROM = len(CYCLE) * len(MARKERS)
"""Where the cycle of unknown classes turns from filled to outlined markers."""

SYNONYMS = {
    "band_neutrophil": "band_granulocyte",
    "segmented_neutrophil": "segmented_granulocyte",
    "neutrophil_unspecified": "neutrophil",
    "neutrophilic_granulocyte": "neutrophil",
    "eosinophil": "eosinophilic_granulocyte",
    "basophil": "basophilic_granulocyte",
    "ig": "immature_granulocyte",
    "ig_unspecified": "immature_granulocyte",
    "myeloblast": "blast",
    "normoblast": "erythroblast",
    "thrombocyte": "platelet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStyle:
    """How one class looks in every view and panel.

    Attributes
    ----------
    name
        As in the data.
    label
        As a person reads it.
    colour
        ``#rrggbb``; at least 2 : 1 against white and against #111111.
    marker
        Shape for matplotlib.
    symbol
        The same shape for plotly.
    filled
        False for an outlined shape (plotly symbols that end in ``-open``).
    order
        Rank of the class in lists and legends, from 0.
    """

    name: str
    label: str
    colour: str
    marker: Marker
    symbol: str
    filled: bool
    order: int


def class_label(name: str) -> str:
    """Write a class name as a person does: ``band_neutrophil`` becomes ``Band neutrophil``."""
    words = name.replace("_", " ").strip().split()
    text = " ".join("IG" if word.lower() == "ig" else word for word in words)
    return text[:1].upper() + text[1:] if text else name


def is_faint(colour: str) -> bool:
    """Tell whether ``#rrggbb`` has less than 2 : 1 of contrast to white or to #111111, and needs a rim to be seen."""
    shares = np.frombuffer(bytes.fromhex(colour[1:]), np.uint8) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return not 2 * (DARK + 0.05) <= luminance + 0.05 <= 1.05 / 2


DARK = 0.0056
"""Relative luminance of #111111."""


def lineage_order(class_names: Sequence[str]) -> list[int]:
    """Order classes as somebody has chosen, or else by lineage and maturity.

    Parameters
    ----------
    class_names
        Names in the order of their codes.

    Returns
    -------
    list of int
        Indices into ``class_names``. Names that do not stand in natural order stay: somebody chose
        their order. Otherwise known cells come first, blasts to platelets, then the others.
    """
    if not in_natural_order(class_names):
        return list(range(len(class_names)))
    ranks = {name: rank for rank, (name, _, _) in enumerate(LINEAGES)}
    return sorted(
        range(len(class_names)),
        key=lambda index: (ranks.get(_known_name(class_names[index]), len(ranks)), index),
    )


def order_words(class_names: Sequence[str]) -> str:
    """Say in a caption how `lineage_order` orders classes."""
    if not in_natural_order(class_names):
        return "Classes are in the order that was chosen for them."
    return "Cells known to the theme are ordered by lineage and maturity, other classes as they are named."


def has_lineages(class_names: Sequence[str]) -> bool:
    """Tell whether any class is a known cell, so that an order by lineage means something."""
    known = {name for name, _, _ in LINEAGES}
    return any(_known_name(name) in known for name in class_names)


UNLABELLED = ClassStyle(
    name="unlabelled",
    label="Unlabelled",
    colour="#9a9a9a",
    marker=MARKERS["circle"],
    symbol="circle",
    filled=True,
    order=10_000,
)
"""How samples without a class look: grey, and last in a legend."""


def sample_styles(
    class_names: Sequence[str], labels: NDArray[np.integer[Any]], colours: Mapping[str, str] | None = None
) -> list[ClassStyle]:
    """Return what ``styles[code]`` looks like for each code of ``labels``.

    Parameters
    ----------
    class_names, colours
        As in :func:`class_styles`.
    labels
        Codes, shape (N,); -1 for no class.

    Returns
    -------
    list of ClassStyle
        Those of the classes, and at the end, where the code -1 finds it, :data:`UNLABELLED` if some have no class.
    """
    none = len(labels) > 0 and int(labels.min()) < 0
    return [*class_styles(class_names, colours), *([UNLABELLED] if none else [])]


def class_styles(class_names: Sequence[str], colours: Mapping[str, str] | None = None) -> list[ClassStyle]:
    """Give each class its colour and marker.

    Parameters
    ----------
    class_names
        Names in the order of their codes.
    colours
        ``#rrggbb`` by class name, which a person has chosen; they stand in place of ours.

    Returns
    -------
    list of ClassStyle
        In the order of ``class_names``. A known cell type looks the same in every data set; the
        others take the next free pair of a colour and a marker, so that the same names in the same
        order always look the same.

    Notes
    -----
    Ten colours and twelve filled or outlined markers make 240 pairs; more classes than that repeat
    them.
    """
    ranks = {index: rank for rank, index in enumerate(lineage_order(class_names))}
    known = {name: (colour, symbol) for name, colour, symbol in LINEAGES}
    pairs: dict[int, tuple[str, str]] = {}
    for index, name in enumerate(class_names):
        pair = known.get(_known_name(name))
        if pair is not None and pair not in pairs.values():
            pairs[index] = pair
    position = OUTLINED_FROM if pairs else 0
    for index in range(len(class_names)):
        if index not in pairs:
            pairs[index] = _cycled(position)
            position += 1
    chosen = colours or {}
    looks = [(chosen.get(name, pairs[index][0]), pairs[index][1]) for index, name in enumerate(class_names)]
    return [_style(name, *looks[index], ranks[index]) for index, name in enumerate(class_names)]


def _known_name(name: str) -> str:
    plain = "_".join(name.lower().replace("-", " ").replace("_", " ").split())
    return SYNONYMS.get(plain, plain)


def _cycled(position: int) -> tuple[str, str]:
    """Pair number ``position``: neighbours differ in both, and all 240 pairs come before one returns."""
    shapes = list(MARKERS)
    turn = position // len(CYCLE)
    symbol = shapes[(position + turn) % len(shapes)]
    filled = (turn // len(shapes)) % 2 == 0
    return CYCLE[position % len(CYCLE)], symbol if filled else f"{symbol}-open"


def _style(name: str, colour: str, symbol: str, order: int) -> ClassStyle:
    return ClassStyle(
        name=name,
        label=class_label(name),
        colour=colour,
        marker=MARKERS[symbol.removesuffix("-open")],
        symbol=symbol,
        filled=not symbol.endswith("-open"),
        order=order,
    )
