"""How many samples each class has, on a logarithmic axis (Fig. 2 of the paper).

Synopsis::

    distribution_panel(images.labels, images.class_names, data="marrow").save("figures", "fig2")
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import ArrayLike

from ali_core.errors import AliError
from ali_viz.panels.panel import Panel
from ali_viz.panels.print_style import (
    LINE_MM,
    Width,
    add_axes_mm,
    new_figure,
    points_to_mm,
    print_style,
    text_mm,
    text_width_mm,
    width_in_mm,
    wrapped,
)
from ali_viz.theme import class_label, lineage_order, order_words, sample_styles

__all__ = ["DISTRIBUTION_COLUMNS", "distribution_panel", "distribution_table", "draw_distribution"]

DISTRIBUTION_COLUMNS = {
    "class_name": "the class; in the order of the figure, from the top",
    "n_samples": "its number of samples",
    "colour": "its colour, #rrggbb",
}
"""What each column of the table means."""

FROM = 0.5
"""Where the axis begins, so that the bar of a single sample has a length."""

MARGIN_MM, NAME_GAP_MM, COUNT_GAP_MM, BAR_GAP_MM, BELOW_MM = 1.5, 1.2, 0.8, 0.7, 7.0
NAME_SHARE = 0.45
"""Names take no more of the width than this; longer ones are broken into lines."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Names as they are written, and where their bars are in millimetres from the top of the axes."""

    names: list[str]

    @property
    def heights(self) -> list[float]:
        return [(name.count("\n") + 1) * LINE_MM + BAR_GAP_MM for name in self.names]

    @property
    def middles(self) -> list[float]:
        return [float(end - height / 2) for end, height in zip(np.cumsum(self.heights), self.heights, strict=True)]


def distribution_table(
    labels: ArrayLike, class_names: Sequence[str], colours: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Count the samples of each class.

    Parameters
    ----------
    labels
        Codes into ``class_names``, shape (N,), integers; -1 for samples without a class.
    class_names
        The classes in the order of their codes; classes without a sample may be named.
    colours
        ``#rrggbb`` by class name, of those that have another colour than the theme's.

    Returns
    -------
    pandas.DataFrame
        One row a class, in the order of `ali_viz.theme.lineage_order`; the columns are described in
        ``DISTRIBUTION_COLUMNS``.

    Raises
    ------
    AliError
        When there is no class, or a label is no code of one.
    """
    codes = np.asarray(labels)
    if not len(class_names):
        raise AliError("class_names are empty; name at least one class")
    if codes.size and (codes.min() < -1 or codes.max() >= len(class_names)):
        raise AliError(f"labels must be codes from 0 to {len(class_names) - 1}; got {codes.min()} to {codes.max()}")
    counts = np.bincount(codes[codes >= 0].astype(np.int64), minlength=len(class_names))
    styles, order = sample_styles(class_names, codes, colours), lineage_order(class_names)
    none = [-1] * (len(styles) - len(class_names))  # samples without a class have a bar of their own, at the end
    return pd.DataFrame(
        {
            "class_name": [styles[code].name for code in (*order, *none)],
            "n_samples": [*counts[order].tolist(), *(int(np.sum(codes == code)) for code in none)],
            "colour": [styles[code].colour for code in (*order, *none)],
        }
    )


def draw_distribution(table: pd.DataFrame, *, width: Width = "single") -> Figure:
    """Draw the table of `distribution_table`: a bar a class, its count beside it.

    Parameters
    ----------
    table
        With the columns of ``DISTRIBUTION_COLUMNS``.
    width
        ``single`` (88 mm) or ``double`` (181 mm).

    Returns
    -------
    matplotlib.figure.Figure
        As high as the number of classes asks for.
    """
    total = width_in_mm(width)
    rows = _Rows([wrapped(class_label(name), NAME_SHARE * total) for name in table["class_name"]])
    left = MARGIN_MM + NAME_GAP_MM + max(text_width_mm(line) for name in rows.names for line in name.split("\n"))
    height, length = sum(rows.heights), total - left - MARGIN_MM
    with print_style():
        figure = new_figure(total, MARGIN_MM + height + BELOW_MM)
        axes = add_axes_mm(figure, left, MARGIN_MM, length, height)
        _draw_bars(axes, table, rows)
        _scale(axes, table, length)
        axes.set(ylim=(height, 0.0), xlabel="Samples (logarithmic)")
        for name, middle in zip(rows.names, rows.middles, strict=True):
            place = {"ha": "right", "va": "center", "linespacing": 1.0}
            text_mm(figure, left - NAME_GAP_MM, MARGIN_MM + middle, name, **place)
    return figure


def distribution_panel(
    labels: ArrayLike,
    class_names: Sequence[str],
    *,
    data: str,
    settings: str = "",
    width: Width = "single",
    colours: Mapping[str, str] | None = None,
) -> Panel:
    """Count, draw and describe the samples of each class.

    Parameters
    ----------
    labels, class_names, colours
        See `distribution_table`.
    data
        What the samples are, for the caption.
    settings
        What else is to be said of them, such as how they were thinned, for the caption; no full stop at the end.
    width
        See `draw_distribution`.

    Returns
    -------
    Panel
        Table, figure and caption.

    Raises
    ------
    AliError
        See `distribution_table`.
    """
    table = distribution_table(labels, class_names, colours)
    return Panel(
        figure=draw_distribution(table, width=width),
        table=table,
        caption=_caption(table, data, settings, order_words(class_names)),
    )


def _draw_bars(axes: Axes, table: pd.DataFrame, rows: _Rows) -> None:
    counts = table["n_samples"].to_numpy(dtype=np.float64)
    beside = (COUNT_GAP_MM / points_to_mm(1.0), 0)
    place: dict[str, Any] = {"xytext": beside, "textcoords": "offset points", "ha": "left", "va": "center_baseline"}
    axes.barh(
        rows.middles, np.maximum(counts - FROM, 0.0), left=FROM, height=LINE_MM - 0.4, color=list(table["colour"])
    )
    for count, middle in zip(counts, rows.middles, strict=True):
        axes.annotate(f"{count:,.0f}", (max(count, FROM), middle), **place)


def _scale(axes: Axes, table: pd.DataFrame, length_mm: float) -> None:
    """Make the axis long enough for the longest bar and the number beside it."""
    largest = max(float(table["n_samples"].max()), 1.0)
    taken = COUNT_GAP_MM + text_width_mm(f"{largest:,.0f}") + 0.5
    decades = np.log10(largest / FROM) * length_mm / (length_mm - taken)
    axes.set_xscale("log")
    axes.set_xlim(FROM, FROM * 10.0**decades)
    axes.xaxis.set_major_locator(LogLocator(base=10.0, numticks=12))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_yticks([])
    axes.spines[["top", "right"]].set_visible(False)


def _caption(table: pd.DataFrame, data: str, settings: str, order: str) -> str:
    counts = table["n_samples"]
    has_some = counts[counts > 0]
    sentences = [
        f"Samples per class of {data}: {counts.sum():,} samples of {len(table)} classes.",
        f"{settings}." if settings else "",
        f"The axis is logarithmic and begins at {FROM:g}; the numbers are the counts.",
        f"The largest class has {has_some.max() / has_some.min():,.3g} times as many samples as the smallest."
        if len(has_some) > 1
        else "",
        order,
        "Nothing but the labels is shown.",
    ]
    return " ".join(sentence for sentence in sentences if sentence) + "\n"
