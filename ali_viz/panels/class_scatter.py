"""Samples drawn by class, and the legends that go with them, from the rows of a table."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from ali_core.embedding import LabelledEmbedding
from ali_viz.panels.fonts import boxes_allowed, families_for
from ali_viz.panels.print_style import MM_PER_INCH, SMALL, add_axes_mm, points_to_mm, text_mm, text_width_mm
from ali_viz.theme import MARKERS, UNLABELLED, class_label, sample_styles

if TYPE_CHECKING:
    from ali_viz.picture import Colouring

__all__ = [
    "RASTER_ABOVE",
    "class_columns",
    "class_handle",
    "class_legend",
    "column_legend",
    "column_legend_mm",
    "draw_samples",
    "legend_height_mm",
    "marker_area",
    "place_legend",
]

RASTER_ABOVE = 5_000
"""With more samples than this in one panel, the points become an image of 600 dpi inside the vector file."""

LEGEND_ROW_MM, LEGEND_SYMBOL_MM, BAR_MM = 3.0, 5.6, 40.0
FAINT = 0.15
"""Share of their opacity that samples keep which are not selected, about as on screen."""
SIZE_FACTORS = {"star": 1.9, "hexagram": 1.6, "diamond": 0.85, "square": 0.95, "cross": 1.2, "x": 1.2}
"""Areas that make the shapes look equally large; 1.15 for the others but the circle."""


def class_columns(embedding: LabelledEmbedding) -> pd.DataFrame:
    """Say of each sample who it is and how it looks.

    Returns
    -------
    pandas.DataFrame
        One row a sample: ``id``, ``class_code``, ``class_name``, ``colour`` (#rrggbb), ``symbol``
        (plotly's name of the marker, ``-open`` if outlined), ``order`` (rank of the class in the
        legend).
    """
    styles = sample_styles(embedding.class_names, embedding.labels, embedding.colours)
    labels = embedding.labels
    return pd.DataFrame(
        {
            "id": embedding.sample_names,
            "class_code": labels,
            "class_name": np.array([style.name for style in styles])[labels],
            "colour": np.array([style.colour for style in styles])[labels],
            "symbol": np.array([style.symbol for style in styles])[labels],
            "order": np.array([style.order for style in styles])[labels],
        }
    )


def draw_samples(
    axes: Axes, table: pd.DataFrame, *, area: float, alpha: float = 0.85, raster: bool = False, edge: str = "none"
) -> None:
    """Draw the rows of ``table`` (x, y, class_name, colour, symbol), the largest class first so that rare ones show.

    A class has one colour, or each of its samples its own. With a column ``selected`` the other samples are faint.

    Samples without a class are below all others.

    Parameters
    ----------
    area
        Marker area in square points.
    alpha
        Opacity.
    raster
        Whether the points become an image inside a vector file.
    edge
        Colour of a thin outline of filled markers.
    """
    if "selected" not in table:
        table = table.assign(selected=True)
    classes = [
        (bool(rows["selected"].any()), name != UNLABELLED.name, -len(rows), int(rows["order"].iloc[0]), rows)
        for name, rows in table.groupby("class_name")
    ]
    for rank, (*_, rows) in enumerate(sorted(classes, key=lambda item: item[:4])):
        symbol, colours = str(rows["symbol"].iloc[0]), rows["colour"].unique()
        colour: Any = str(colours[0]) if len(colours) == 1 else rows["colour"].tolist()
        faint = ~rows["selected"].to_numpy()
        if faint.any():
            colour = to_rgba_array(colour, np.where(faint, FAINT * alpha, alpha))
        filled = not symbol.endswith("-open")
        axes.scatter(
            rows["x"],
            rows["y"],
            s=area * _size_factor(symbol),
            marker=MARKERS[symbol.removesuffix("-open")],
            facecolors=colour if filled else "none",
            edgecolors=edge if filled else colour,
            linewidths=(0.0 if edge == "none" else 0.3) if filled else 0.4,
            alpha=None if faint.any() else alpha,
            rasterized=raster,
            zorder=2 + rank / 1000,
        )


def class_legend(
    figure: Figure,
    table: pd.DataFrame,
    *,
    width_mm: float,
    left_mm: float,
    bottom_mm: float,
    numbers: Mapping[str, int] | None = None,
) -> None:
    """Write the legend of all classes in ``table``: their ``numbers``, if any, names, and how many samples each has."""
    entries = _entries(table, numbers or {})
    place_legend(
        figure,
        [class_handle(*entry) for entry in entries],
        n_columns=_n_columns(entries, width_mm),
        left_mm=left_mm,
        bottom_mm=bottom_mm,
    )


def column_legend(figure: Figure, colouring: "Colouring", *, width_mm: float, left_mm: float, bottom_mm: float) -> None:
    """Write what colours by a column mean, upwards from this corner: its name above categories, or a bar of numbers."""
    height = figure.get_size_inches()[1] * MM_PER_INCH
    top = height - bottom_mm - column_legend_mm(colouring, width_mm)
    text_mm(figure, left_mm, top, f"Colour: {colouring.title}", fontweight="bold")
    entries = [(words, colour, "circle") for words, colour in colouring.entries]
    if colouring.range is not None:
        low, high = (f"{end:.3g}" for end in colouring.range)
        text_mm(figure, left_mm, top + LEGEND_ROW_MM, low)
        left_mm += text_width_mm(low) + 1.0
        bar = add_axes_mm(figure, left_mm, top + LEGEND_ROW_MM, BAR_MM, 1.8)
        bar.imshow(colouring.palette[None, :255, :3], aspect="auto")
        bar.set(xticks=[], yticks=[])
        text_mm(figure, left_mm + BAR_MM + 1.0, top + LEGEND_ROW_MM, high)
        left_mm += BAR_MM + text_width_mm(high) + 5.0
    handles = [class_handle(*entry) for entry in entries]
    place_legend(figure, handles, n_columns=_n_columns(entries, width_mm), left_mm=left_mm, bottom_mm=bottom_mm)


def column_legend_mm(colouring: "Colouring", width_mm: float) -> float:
    """Return the height that `column_legend` will take."""
    entries = [(words, colour, "circle") for words, colour in colouring.entries]
    rows = 1 if colouring.range is not None else ceil(len(entries) / _n_columns(entries, width_mm))
    return LEGEND_ROW_MM * (1 + rows) + 0.5


def place_legend(
    figure: Figure, handles: Sequence[Line2D], *, n_columns: int, left_mm: float, bottom_mm: float
) -> None:
    """Write a legend upwards from this corner, given in millimetres from the bottom left."""
    total_width, total_height = figure.get_size_inches() * MM_PER_INCH
    long_handles = any(len(np.atleast_1d(handle.get_xdata())) > 1 for handle in handles)
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(left_mm / total_width, bottom_mm / total_height),
        ncols=n_columns,
        frameon=False,
        borderpad=0.0,
        borderaxespad=0.0,
        handlelength=2.0 if long_handles else 0.9,
        handletextpad=0.4,
        columnspacing=1.2,
        labelspacing=LEGEND_ROW_MM / points_to_mm(SMALL) - 1.0,
    )


def legend_height_mm(table: pd.DataFrame, width_mm: float, numbers: Mapping[str, int] | None = None) -> float:
    """Return the height that `class_legend` will take."""
    entries = _entries(table, numbers or {})
    return LEGEND_ROW_MM * ceil(len(entries) / _n_columns(entries, width_mm)) + 0.5


def class_handle(label: str, colour: str, symbol: str, *, size: float = 3.6, edge: str = "none") -> Line2D:
    """Make the legend symbol of a class; ``size`` in points."""
    filled = not symbol.endswith("-open")
    outlined = edge != "none" or not filled
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=MARKERS[symbol.removesuffix("-open")],
        markersize=size * np.sqrt(_size_factor(symbol)),
        markerfacecolor=colour if filled else "none",
        markeredgecolor=edge if filled else colour,
        markeredgewidth=0.6 if outlined else 0.0,
        label=label,
    )


def marker_area(n_samples: int, panel_mm: float, *, share: float = 1.0) -> float:
    """Choose a marker area in square points so that points in this ``share`` of a panel neither drown nor vanish."""
    panel_points = panel_mm / points_to_mm(1.0)
    return float(np.clip(share * (0.75 * panel_points / np.sqrt(max(n_samples, 1))) ** 2, 1.2, 12.0))


def _size_factor(symbol: str) -> float:
    shape = symbol.removesuffix("-open")
    return 1.0 if shape == "circle" else SIZE_FACTORS.get(shape, 1.15)


def _entries(table: pd.DataFrame, numbers: Mapping[str, int]) -> list[tuple[str, str, str]]:
    one_each = table.drop_duplicates("id")
    counts = one_each["class_name"].value_counts().to_dict()
    looks = one_each.drop_duplicates("class_name").sort_values("order", kind="stable")
    columns = (looks[column].astype(str) for column in ("class_name", "colour", "symbol"))
    return [
        (f"{numbers.get(name, '')} {class_label(name)} ({counts[name]})".strip(), colour, symbol)
        for name, colour, symbol in zip(*columns, strict=True)
    ]


def _n_columns(entries: Sequence[tuple[str, str, str]], width_mm: float) -> int:
    """Count the columns that fit side by side, filled from top to bottom."""
    widths = [_width_mm(label) + LEGEND_SYMBOL_MM for label, _, _ in entries]
    for n_rows in range(1, len(widths) + 1):
        n_columns = ceil(len(widths) / n_rows)
        if sum(column.max() for column in np.array_split(widths, n_columns)) <= width_mm:
            return n_columns
    return 1


@lru_cache(maxsize=4096)
def _width_mm(label: str) -> float:
    font = FontProperties(family=list(families_for(label)), size=SMALL)
    with boxes_allowed():
        return points_to_mm(float(TextPath((0, 0), label, prop=font).get_extents().width))
