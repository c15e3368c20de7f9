"""How the figure looks before anything is drawn: sides, axes, and a trace for everything that will be."""

from typing import Any

import plotly.graph_objects as go

from ali_viz.theme import ClassStyle
from ali_viz.views.figure import StudioFigure
from ali_viz.views.figure_style import FRAME, GRID, INK, MUTED

__all__ = ["HEIGHT", "MARGIN", "domains", "empty_figure"]

HEIGHT = 412
MARGIN = {"l": 48, "r": 8, "t": 28, "b": 40}
GAP = 0.02


def domains(n_sides: int) -> list[tuple[float, float]]:
    """Return from where to where each of ``n_sides`` equal pictures reaches, as parts of the width."""
    width = (1 - GAP * (n_sides - 1)) / n_sides
    return [(side * (width + GAP), side * (width + GAP) + width) for side in range(n_sides)]


def empty_figure(styles: list[ClassStyle], draw_order: list[int], n_sides: int) -> StudioFigure:
    """Return the figure without points: traces for each side and a legend entry per class.

    Parameters
    ----------
    styles
        Of each class.
    draw_order
        Codes in the order in which they are drawn; later ones lie on top.
    n_sides
        How many pictures there can be beside each other.

    Notes
    -----
    Traces in this order: old places (side 2); all classes in ``draw_order`` on side 1, then on side 2, and so on; the
    preview (side 2); the marked sample on each side; legend entries of all classes.
    """
    axes = ["", *map(str, range(2, n_sides + 1))]
    figure = StudioFigure(
        data=[
            _ghosts("old places", {"color": MUTED, "opacity": 0.18}),
            *(_points(styles[code], axis) for axis in axes for code in draw_order),
            _ghosts("preview", {"opacity": 0.8}),
            *(_mark(axis) for axis in axes),
            *(_legend_entry(styles[code]) for code in draw_order),
        ],
        layout={"template": "none"},  # given at once: setting it later checks plotly's own first, ten times slower
    )
    figure.update_layout(
        height=HEIGHT,
        autosize=True,
        dragmode="lasso",
        hovermode="closest",
        margin=MARGIN,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12, "color": INK},
        legend={
            "x": 1.01,
            "y": 1.0,
            "yanchor": "top",
            "itemclick": "toggle",
            "itemdoubleclick": False,
            "itemsizing": "constant",
            "font": {"size": 11},
            "tracegroupgap": 0,
        },
        newselection={"line": {"color": INK, "width": 1.5, "dash": "dot"}},
        xaxis=_axis(),
        yaxis=_axis(scaleanchor="x", scaleratio=1),
        **{f"xaxis{axis}": _axis(matches="x") for axis in axes[1:]},
        **{f"yaxis{axis}": _axis(anchor=f"x{axis}", matches="y", showticklabels=False) for axis in axes[1:]},
    )
    return figure


def _axis(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    plain = {
        "showline": True,
        "mirror": True,
        "linecolor": FRAME,
        "gridcolor": GRID,
        "zeroline": False,
        "ticks": "",
        "title": {"standoff": 4, "font": {"size": 12}},
        "tickfont": {"size": 10, "color": MUTED},
    }
    return plain | more


def _points(style: ClassStyle, axis: str) -> go.Scattergl:
    return go.Scattergl(
        x=[],
        y=[],
        text=[],
        name=style.label,
        mode="markers",
        xaxis=f"x{axis}",
        yaxis=f"y{axis}",
        showlegend=False,
        marker={"color": style.colour, "symbol": style.symbol, "size": 6, "opacity": 0.8},
        hovertemplate=f"<b>{style.label}</b><br>%{{text}}<extra></extra>",
    )


def _ghosts(name: str, marker: dict[str, Any]) -> go.Scattergl:
    return _unheard(name, "2", {"symbol": "circle-open", "size": 6} | marker)


def _mark(axis: str) -> go.Scattergl:
    return _unheard("marked", axis, {"symbol": "circle-open", "size": 17, "color": "#e07b00", "line": {"width": 3}})


def _unheard(name: str, axis: str, marker: dict[str, Any]) -> go.Scattergl:
    return go.Scattergl(
        x=[],
        y=[],
        name=name,
        mode="markers",
        xaxis=f"x{axis}",
        yaxis=f"y{axis}",
        showlegend=False,
        hoverinfo="skip",
        marker=marker,
    )


def _legend_entry(style: ClassStyle) -> go.Scatter:
    return go.Scatter(
        x=[None],
        y=[None],
        name=style.label,
        mode="markers",
        marker={"color": style.colour, "symbol": style.symbol, "size": 9},
        legendrank=style.order + 1,
        hoverinfo="skip",
    )
