"""One intervention explained (Fig. 3 of the paper): who is chosen, where it is pushed, where it ends.

Synopsis::

    step_panel(session, 1, data="emb.npz").save("figures", "fig3")
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from ali_core.interventions import Session
from ali_viz.limits import shared_limits
from ali_viz.panels.captions import step_caption
from ali_viz.panels.class_scatter import (
    RASTER_ABOVE,
    class_handle,
    draw_samples,
    marker_area,
    place_legend,
)
from ali_viz.panels.panel import Panel
from ali_viz.panels.print_style import (
    INK,
    Width,
    add_axes_mm,
    new_figure,
    panel_letter,
    print_style,
    text_mm,
    width_in_mm,
)
from ali_viz.panels.step_table import step_geometry, step_table
from ali_viz.theme import class_label

__all__ = ["draw_step", "step_panel"]

LINES: dict[str, tuple[str, dict[str, Any]]] = {
    "neighbour": ("To nearest neighbours", {"color": INK, "lw": 0.6, "ls": (0, (3, 2))}),
    "between": ("Line of the neighbours", {"color": INK, "lw": 0.6, "ls": (0, (6, 2))}),
    "spread_before": ("Spread before", {"color": INK, "lw": 0.6, "ls": (0, (1, 1.5))}),
    "spread_after": ("Spread after contraction", {"color": INK, "lw": 0.6, "ls": "-"}),
    "rotation": ("Rotation of the center", {"color": "#7c7903", "lw": 0.8, "ls": "-"}),
    "v_shift": ("Part away from neighbours", {"color": "#8f2b0d", "lw": 0.8, "ls": "-"}),
    "v_ortho": ("Part off their lines", {"color": "#225c62", "lw": 0.8, "ls": "-"}),
    "shift": ("Shift of the class", {"color": INK, "lw": 1.8, "ls": "-"}),
    "motion": (
        "Motion of the center",
        {"color": "white", "lw": 1.0, "ls": "-", "path_effects": [withStroke(linewidth=2.4, foreground=INK)]},
    ),
}
"""Legend text and look of each kind of line; those from rotation on are arrows, the motion a hollow one."""
ARROWS = ("rotation", "v_shift", "v_ortho", "shift", "motion")
HOLLOW: dict[str, Any] = {
    "arrowstyle": "simple,head_length=0.7,head_width=0.9,tail_width=0.3",
    "fc": "white",
    "ec": INK,
    "lw": 0.7,
    "path_effects": [withStroke(linewidth=1.8, foreground="white")],
}
"""The motion as an arrow: to be seen on the mark of a center and on dark samples."""


def draw_line(axes: Axes, kind: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw one line of the table: a stroke, an arrow, or a circle with it as radius."""
    if kind not in LINES:
        return
    look = LINES[kind][1]
    if kind.startswith("spread"):
        radius = float(np.hypot(end[0] - start[0], end[1] - start[1]))
        axes.add_patch(Circle(start, radius, fill=False, zorder=4, **look))
    elif kind in ARROWS:
        length = float(np.hypot(end[0] - start[0], end[1] - start[1])) * _points_per_unit(axes)
        arrow = {
            "arrowstyle": "-|>",
            "mutation_scale": float(np.clip(0.7 * length, 1.0, 6.0)),
            "shrinkA": 0.0,
            "shrinkB": 0.0,
        }
        arrow |= HOLLOW if kind == "motion" else look
        axes.annotate("", xy=end, xytext=start, arrowprops=arrow, zorder=7 if kind.startswith("v_") else 6)
    else:
        axes.plot(*zip(start, end, strict=True), zorder=4, **look)


def _points_per_unit(axes: Axes) -> float:
    (left, right), figure = axes.get_xlim(), axes.get_figure(root=True)
    inches = axes.get_position().width * (figure.get_size_inches()[0] if figure is not None else 1.0)
    return float(72.0 * inches / (right - left))


def scale_bar(axes: Axes) -> None:
    """Draw a bar of a round length: distances in the plane are those of the embedding space."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    raw = (right - left) / 5
    power = 10.0 ** np.floor(np.log10(raw))
    length = float(max(step for step in (1, 2, 5) if step * power <= raw) * power)
    x, y = left + 0.04 * (right - left), bottom + 0.05 * (top - bottom)
    halo = [withStroke(linewidth=2.5, foreground="white")]
    axes.plot([x, x + length], [y, y], color=INK, lw=1.0, solid_capstyle="butt", zorder=7, path_effects=halo)
    label_y = y + 0.015 * (top - bottom)
    axes.text(x + length / 2, label_y, f"{length:g}", ha="center", va="bottom", zorder=7, path_effects=halo)


TITLES = {"a": "Chosen class and neighbours", "b": "Direction", "c": "Result"}
MARGIN_MM, GAP_MM, HEAD_MM, LEGEND_GAP_MM, LEGEND_ROW_MM = 1.5, 2.5, 5.5, 2.5, 3.0
PALE = "#dedede"
Limits = tuple[tuple[float, float], tuple[float, float]]
CLOSE_UP_BELOW = 0.25
"""b is a close-up where its vectors take a smaller share of the width or height than this."""


def draw_step(table: pd.DataFrame, *, width: Width = "double", remark: str = "") -> Figure:
    """Draw the table of `step_table`: before, the vectors, after; all with the same axes unless b is a close-up.

    Parameters
    ----------
    table
        With the columns of ``STEP_COLUMNS``.
    width
        ``single`` (88 mm, panels above one another) or ``double`` (181 mm, side by side).
    remark
        What the samples are, written in the upper right corner.

    Returns
    -------
    matplotlib.figure.Figure
        With panel letters and a legend of classes and arrows beneath.

    Notes
    -----
    Classes keep the colour of the theme; what they are in the step shows without it: the chosen class is outlined,
    the nearest neighbour filled, the second one hollow, and both are numbered. Where the vectors are so short that
    they would hide under the mark of their class, b is a close-up of the frame in a, with a scale bar of its own.
    """
    table = _by_role(table)
    total, n_columns = width_in_mm(width), 3 if width == "double" else 1
    panel_width = (total - 2 * MARGIN_MM - (n_columns - 1) * GAP_MM) / n_columns
    limits = _limits(table, aspect := 0.9 if width == "double" else 0.6)
    is_close_up = limits["b"] != limits["a"]
    table = _close_up(table) if is_close_up else table
    handles = _handles(table)
    height = panel_width * aspect + HEAD_MM
    legend_columns = 4 if width == "double" else 2
    legend_mm = LEGEND_ROW_MM * -(-len(handles) // legend_columns)
    rows = 3 // n_columns
    with print_style():
        figure = new_figure(total, MARGIN_MM + rows * height + LEGEND_GAP_MM + legend_mm + MARGIN_MM)
        text_mm(figure, total - MARGIN_MM, MARGIN_MM + 0.3, remark, ha="right", style="italic")
        for position, (letter, title) in enumerate(TITLES.items()):
            row, column = divmod(position, n_columns)
            left, top = MARGIN_MM + column * (panel_width + GAP_MM), MARGIN_MM + row * height
            panel_letter(figure, left, top, letter)
            text_mm(figure, left + 3.5, top + 0.3, title + ", close-up" * (is_close_up and letter == "b"))
            axes = add_axes_mm(figure, left, top + HEAD_MM - 1.5, panel_width, panel_width * aspect)
            axes.set(xlim=limits[letter][0], ylim=limits[letter][1], aspect="equal", xticks=[], yticks=[])
            _draw_panel(axes, table[table["panel"] == letter], panel_width)
        scale_bar(figure.axes[0])
        if is_close_up:
            scale_bar(figure.axes[1])
            _frame(figure.axes[0], *limits["b"])
        place_legend(figure, handles, n_columns=legend_columns, left_mm=MARGIN_MM, bottom_mm=MARGIN_MM)
    return figure


def step_panel(
    session: Session,
    number: int,
    *,
    data: str,
    moved: int = 0,
    rows: ArrayLike | None = None,
    width: Width = "double",
) -> Panel:
    """Compute, draw and describe one step of a session.

    Parameters
    ----------
    session, number, moved, rows
        See `step_geometry`.
    data
        What was embedded, for the caption.
    width
        See `draw_step`.

    Returns
    -------
    Panel
        Table, figure and caption.
    """
    geometry = step_geometry(session, number, moved=moved, rows=rows)
    table = step_table(geometry)
    caption = step_caption(geometry, data=data, n_samples=len(session.embedding), number=number)
    return Panel(
        figure=draw_step(table, width=width, remark=session.embedding.description), table=table, caption=caption
    )


def _by_role(table: pd.DataFrame) -> pd.DataFrame:
    """Let the markers of the classes involved say what they are, and note the rank of the neighbours."""
    nearest = list(table.loc[table["kind"] == "neighbour", "class_code"])
    ranks = {code: rank for rank, code in enumerate(nearest, start=1)}
    rank = table["class_code"].map(ranks).fillna(0).astype(int)
    shape = table["symbol"].str.removesuffix("-open")
    return table.assign(rank=rank, symbol=shape.where(rank < 2, shape + "-open"))


def _limits(table: pd.DataFrame, aspect: float) -> dict[str, Limits]:
    """Choose what each panel shows: all of them the same, or b the vectors alone where those are short."""
    whole = shared_limits(_focus(table), aspect)
    kinds = {*LINES} - {"between"}
    lines = table[(table["panel"] == "b") & table["kind"].isin(kinds)]
    starts, ends = lines[["x", "y"]].to_numpy(), lines[["x_end", "y_end"]].to_numpy()
    radii = np.where(lines["kind"].str.startswith("spread"), np.hypot(*(ends - starts).T), 0.0)[:, None]
    points = np.concatenate([starts - radii, starts + radii, ends])
    middle, extent = (points.min(axis=0) + points.max(axis=0)) / 2, np.ptp(points, axis=0)
    share = extent / np.ptp(np.array(whole), axis=1)
    if not 0 < share.max() < CLOSE_UP_BELOW:
        return dict.fromkeys(TITLES, whole)
    close = shared_limits(np.stack([middle - 0.7 * extent, middle + 0.7 * extent]), aspect)
    return {"a": whole, "b": close, "c": whole}


def _close_up(table: pd.DataFrame) -> pd.DataFrame:
    """Show in b where the neighbours are that are out of sight there, instead of the line between them."""
    directions = table[table["kind"] == "neighbour"].assign(panel="b")
    return pd.concat([table[table["kind"] != "between"], directions], ignore_index=True)


def _frame(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    corner, width, height = (x[0], y[0]), x[1] - x[0], y[1] - y[0]
    axes.add_patch(Rectangle(corner, width, height, fill=False, ec=INK, lw=0.6, zorder=8))


def _focus(table: pd.DataFrame) -> NDArray[np.float64]:
    """Points that must be visible: the middle 98 % of the classes involved, and all lines."""
    involved = table[(table["role"] != "other") & table["kind"].isin(["sample", "ghost"])]
    corners = [
        np.nanpercentile(rows[["x", "y"]].to_numpy(), [1, 99], axis=0)
        for _, rows in involved.groupby(["class_code", "panel", "kind"])
    ]
    lines = table[table["x_end"].notna()]
    ends = [lines[["x", "y"]].to_numpy(), lines[["x_end", "y_end"]].to_numpy()]
    return np.concatenate(corners + ends)


def _draw_panel(axes: Axes, rows: pd.DataFrame, panel_width: float) -> None:
    samples = rows[rows["kind"] == "sample"]
    area, raster = marker_area(len(samples), panel_width), len(samples) > RASTER_ABOVE
    chosen, neighbours, others = (samples[samples["role"] == role] for role in ("chosen", "neighbour", "other"))
    axes.scatter(others["x"], others["y"], s=0.5 * area, c=PALE, lw=0, zorder=1, rasterized=raster)
    alpha, edge = (0.22, "none") if rows["panel"].iloc[0] == "b" else (0.9, INK)
    draw_samples(axes, rows[rows["kind"] == "ghost"], area=area, alpha=0.22, raster=raster)
    draw_samples(axes, neighbours, area=area, alpha=alpha, raster=raster)
    draw_samples(axes, chosen, area=area, alpha=alpha, raster=raster, edge=edge)
    lines = rows[rows["x_end"].notna()]
    ends = lines[["x", "y", "x_end", "y_end"]].to_numpy(dtype=np.float64)
    for kind, (x, y, x_end, y_end) in zip(lines["kind"], ends, strict=True):
        draw_line(axes, kind, (x, y), (x_end, y_end))
    _draw_centers(axes, rows[rows["kind"] == "center"])


def _draw_centers(axes: Axes, centers: pd.DataFrame) -> None:
    """Mark the centers that are in view, and number the neighbours on the side away from the chosen class."""
    places = centers[["x", "y"]].to_numpy(dtype=np.float64)
    origin = places[(centers["rank"] == 0).to_numpy()].mean(axis=0)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    halo = [withStroke(linewidth=2.2, foreground="white")]
    for colour, symbol, rank, place in zip(centers["colour"], centers["symbol"], centers["rank"], places, strict=True):
        x, y = place
        if not (left <= x <= right and bottom <= y <= top):
            continue
        mark = class_handle("", colour, symbol, size=6.0, edge=INK)
        mark.set_data([x], [y])
        mark.set(zorder=5, clip_on=False, path_effects=halo)
        if symbol.endswith("-open"):
            mark.set(markerfacecolor="white", markeredgewidth=1.2)
        axes.add_line(mark)
        if rank:
            x_aside, y_aside = 6.5 * (place - origin) / max(float(np.linalg.norm(place - origin)), 1e-12)
            axes.annotate(
                str(rank),
                (x, y),
                (x_aside, y_aside),
                textcoords="offset points",
                ha="center",
                va="center",
                fontweight="bold",
                path_effects=halo,
                zorder=9,
            )


def _handles(table: pd.DataFrame) -> list[Line2D]:
    involved = table[table["role"] != "other"].drop_duplicates("class_name").sort_values("rank", kind="stable")
    looks = (involved[column] for column in ("class_name", "role", "rank", "colour", "symbol"))
    handles = []
    for name, role, rank, colour, symbol in zip(*looks, strict=True):
        edge = "none" if rank else INK
        text = f"{class_label(name)} ({role}{f' {rank}' if rank else ''})"
        handles.append(class_handle(text, colour, symbol, size=4.2, edge=edge))
    if (table["role"] == "other").any():
        handles.append(class_handle("Other classes", PALE, "circle", size=2.5))
    handles.append(class_handle("Class center", "#ffffff", "circle", size=4.5, edge=INK))
    kinds = set(table["kind"])
    for kind, (label, look) in LINES.items():
        if kind in kinds:
            arrow = {"marker": ">", "markersize": 2.0 + 1.5 * look["lw"], "markevery": [1]} if kind in ARROWS else {}
            handles.append(Line2D([0, 1], [0, 0], label=label, **(look | arrow)))
    return handles
