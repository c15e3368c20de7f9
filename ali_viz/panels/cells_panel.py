"""Example cells of each class (Fig. 1 of the paper).

Synopsis::

    cells_panel(images, data="marrow, Munich 2019", seed=0).save("figures", "fig1")
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ali_core.data import CellImages
from ali_core.errors import AliError
from ali_viz.panels.panel import Panel
from ali_viz.panels.print_style import (
    LINE_MM,
    MM_PER_INCH,
    Width,
    add_axes_mm,
    new_figure,
    print_style,
    width_in_mm,
    wrapped,
    write_lines,
)
from ali_viz.theme import class_label, lineage_order, order_words

__all__ = ["CELLS_COLUMNS", "CellsGrid", "cells_panel", "cells_table", "draw_cells"]

CELLS_COLUMNS = {
    "class_name": "class of the cell",
    "id": "name of the image",
    "row": "row of the figure, from 1",
    "column": "place in the row, from 1",
}
"""What each column of the table means."""

DPI = 300
"""Images are read as large as they are printed at this resolution."""

MARGIN_MM, TILE_GAP_MM, CLASS_GAP_MM, NAME_MM, ROW_GAP_MM = 1.5, 0.5, 1.8, 0.8, 1.2
SMALLEST_MM, LARGEST_MM, CLASS_LEAST_MM = 10.0, 28.0, 17.5
BASELINE_MM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsGrid:
    """Where tiles are: classes side by side in rows of about the same number.

    Parameters
    ----------
    n_classes
        Classes with an image.
    per_class
        Places for the images of each.
    width
        ``single`` or ``double``.
    """

    n_classes: int
    per_class: int
    width: Width

    @property
    def n_beside(self) -> int:
        """Classes in a row."""
        least = max(self.per_class * SMALLEST_MM, CLASS_LEAST_MM)
        most = max(1, int((self.inner_mm + CLASS_GAP_MM) // (least + CLASS_GAP_MM)))
        return ceil(self.n_classes / ceil(self.n_classes / most))

    @property
    def inner_mm(self) -> float:
        """Width without margins."""
        return width_in_mm(self.width) - 2 * MARGIN_MM

    @property
    def class_mm(self) -> float:
        """Width of the tiles of one class."""
        return self.per_class * self.tile_mm + (self.per_class - 1) * TILE_GAP_MM

    @property
    def tile_mm(self) -> float:
        """Width and height of a tile."""
        gaps = (self.n_beside - 1) * CLASS_GAP_MM + self.n_beside * (self.per_class - 1) * TILE_GAP_MM
        return min((self.inner_mm - gaps) / (self.n_beside * self.per_class), LARGEST_MM)

    @property
    def px(self) -> int:
        """Pixels of a tile."""
        return round(self.tile_mm / MM_PER_INCH * DPI)

    def left_mm(self, column: int) -> float:
        """Left of the tile at this place of a row, from 1."""
        block, tile = divmod(column - 1, self.per_class)
        return MARGIN_MM + block * (self.class_mm + CLASS_GAP_MM) + tile * (self.tile_mm + TILE_GAP_MM)


def cells_table(images: CellImages, *, per_class: int = 1, seed: int, width: Width = "double") -> pd.DataFrame:
    """Draw lots for the images of each class.

    Parameters
    ----------
    images
        What to choose from.
    per_class
        Images of each class; all of those that have fewer.
    seed
        Of the draw.
    width
        Of the figure.

    Returns
    -------
    pandas.DataFrame
        One row an image; classes in the order of `ali_viz.theme.lineage_order`, those without an image
        left out; the columns are described in ``CELLS_COLUMNS``.

    Raises
    ------
    AliError
        When ``per_class`` is less than 1.
    """
    if per_class < 1:
        raise AliError(f"per_class must be at least 1; got {per_class}")
    rng = np.random.default_rng(seed)
    chosen = [
        np.sort(rng.permutation(np.flatnonzero(images.labels == code))[:per_class]) for code in range(images.n_classes)
    ]
    order = [code for code in lineage_order(images.class_names) if len(chosen[code])]
    grid = CellsGrid(n_classes=len(order), per_class=per_class, width=width)
    rows = []
    for place, code in enumerate(order):
        row, block = divmod(place, grid.n_beside)
        for tile, index in enumerate(chosen[code]):
            rows.append((images.class_names[code], images.ids[index], row + 1, block * per_class + tile + 1))
    return pd.DataFrame(rows, columns=list(CELLS_COLUMNS))


def draw_cells(
    table: pd.DataFrame, pixels: NDArray[np.uint8], grid: CellsGrid, *, tile_um: float | None = None
) -> Figure:
    """Draw the images of `cells_table`, each class with its name below.

    Parameters
    ----------
    table
        With the columns of ``CELLS_COLUMNS``.
    pixels
        The image of each row, uint8 of shape (n, px, px, 3).
    grid
        Where they are.
    tile_um
        What the width of an image is in micrometres; with it, the first tile gets a bar.

    Returns
    -------
    matplotlib.figure.Figure
        With tiles of one size.
    """
    names = {name: wrapped(class_label(name), grid.class_mm) for name in table["class_name"].unique()}
    lines = [max(names[name].count("\n") + 1 for name in rows["class_name"]) for _, rows in table.groupby("row")]
    heights = [grid.tile_mm + NAME_MM + n_lines * LINE_MM for n_lines in lines]
    tops = [MARGIN_MM + sum(heights[:row]) + row * ROW_GAP_MM for row in range(len(heights))]
    with print_style():
        figure = new_figure(width_in_mm(grid.width), tops[-1] + heights[-1] + MARGIN_MM)
        for image, (_, tile) in zip(pixels, table.iterrows(), strict=True):
            left, top = grid.left_mm(tile["column"]), tops[tile["row"] - 1]
            axes = add_axes_mm(figure, left, top, grid.tile_mm, grid.tile_mm)
            axes.imshow(image, interpolation="none")
            axes.set_axis_off()
        for name, tile in table.groupby("class_name", sort=False).first().iterrows():
            middle = grid.left_mm(tile["column"]) + grid.class_mm / 2
            baseline = tops[tile["row"] - 1] + grid.tile_mm + NAME_MM + BASELINE_MM
            write_lines(figure, middle, baseline, names[str(name)])
        if tile_um is not None:
            _draw_bar(figure.axes[0], _bar_um(tile_um) / tile_um)
    return figure


def cells_panel(
    images: CellImages,
    *,
    data: str,
    per_class: int = 1,
    seed: int = 0,
    tile_um: float | None = None,
    width: Width = "double",
) -> Panel:
    """Choose, draw and describe example cells of each class.

    Parameters
    ----------
    images
        What to choose from.
    data
        What the images are and whose, for the caption.
    per_class, seed
        See `cells_table`.
    tile_um
        See `draw_cells`; None when it is not known.
    width
        ``single`` (88 mm) or ``double`` (181 mm).

    Returns
    -------
    Panel
        Table, figure and caption.

    Raises
    ------
    AliError
        When ``per_class`` is less than 1, ``tile_um`` is not positive, or an image cannot be read (it is named).
    """
    if tile_um is not None and not tile_um > 0:
        raise AliError(f"tile_um must be above 0; got {tile_um}")
    table = cells_table(images, per_class=per_class, seed=seed, width=width)
    grid = CellsGrid(n_classes=table["class_name"].nunique(), per_class=per_class, width=width)
    row_of = {name: row for row, name in enumerate(images.ids.tolist())}
    pixels = images.load([row_of[name] for name in table["id"]], grid.px)
    figure = draw_cells(table, pixels, grid, tile_um=tile_um)
    chosen = f"They were drawn by lot with seed {seed}, not picked by eye."
    bar = "The size of a pixel is not known." if tile_um is None else f"Bar: {_bar_um(tile_um):g} µm."
    caption = _caption(images, table, data=data, per_class=per_class, chosen=chosen, bar=bar)
    return Panel(figure=figure, table=table, caption=caption)


def _bar_um(tile_um: float) -> float:
    """Return 1, 2 or 5 times a power of ten: the longest of them within 0.4 of a tile."""
    longest = 0.4 * tile_um
    power = 10.0 ** np.floor(np.log10(longest))
    return float(power * max(digit for digit in (1, 2, 5) if digit * power <= longest))


def _draw_bar(axes: Axes, share: float) -> None:
    ends = ([0.95 - share, 0.95], [0.06, 0.06])
    for colour, line_width in (("white", 2.4), ("black", 1.2)):
        axes.plot(*ends, color=colour, lw=line_width, transform=axes.transAxes, solid_capstyle="butt")


def _caption(images: CellImages, table: pd.DataFrame, *, data: str, per_class: int, chosen: str, bar: str) -> str:
    shown = table["class_name"].nunique()
    empty = images.n_classes - shown
    each = "one image" if per_class == 1 else f"{per_class} images"
    sentences = [
        f"Example cells of {data}: {each} of each of {shown} classes, of {len(images):,} in all.",
        chosen,
        "Classes with fewer images show all they have." if len(table) < shown * per_class else "",
        f"{empty} classes have no image." if empty > 1 else "One class has no image." if empty else "",
        order_words(images.class_names),
        "A tile is the middle square of an image; all are printed at one size, whatever their number of pixels.",
        bar,
        "The names are the labels of the data, written with a capital and without underscores.",
    ]
    return " ".join(sentence for sentence in sentences if sentence) + "\n"
