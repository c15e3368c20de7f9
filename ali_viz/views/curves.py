"""How a training goes, epoch by epoch: small multiples of its history as one inline SVG in the colours of the theme."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

import ipywidgets as widgets

__all__ = ["CONTROL", "CurvesView", "Rows", "curves_svg"]

CONTROL = "equal-budget control"
WIDTH, HEIGHT = 252, 136
LEFT, RIGHT, TOP, BOTTOM = 34, 80, 20, 26
"""Of one panel, in px: its size, and the margins around the plotting area; labels of the lines stand on the right."""
LABEL_STEP = 11
"""Least distance of two labels, in px."""
BLUE, ORANGE, TEXT, FAINT = (
    "var(--jp-brand-color1, #1976d2)",
    "var(--jp-warn-color0, #e65100)",
    "var(--jp-ui-font-color1, #1f2430)",
    "var(--jp-border-color2, #bdbdbd)",
)


class Rows(Protocol):
    """What is drawn of a history: ``rows``, one for each epoch, with the columns of ``epochs.csv``."""

    @property
    def rows(self) -> Sequence[dict[str, Any]]:
        """Values by column; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One series: a column of a history."""

    column: str
    label: str
    colour: str
    dashed: bool
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """From epochs and values to px within a panel."""

    epochs: int
    low: float
    high: float

    def x(self, epoch: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * epoch / max(self.epochs, 1)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - self.low) / (self.high - self.low)


PANELS: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Loss",
        "per batch",
        (("base_loss", "base", BLUE), ("intervention_loss", "interventions", ORANGE)),
    ),
    ("Active triplets", "share of all", (("active_fraction", "active", BLUE),)),
    ("Validation F1", "macro", (("validation_f1", "training", BLUE),)),
)
"""Title, unit, and the lines of each panel: column, label, colour."""


class CurvesView:
    """The curves as a widget.

    Notes
    -----
    The F1 of the test fold is never drawn: it chooses nothing, and a person who sees it while training chooses by it.
    """

    def __init__(self) -> None:
        self.widget = widgets.HTML(layout={"width": "auto", "margin": "2px 0"})

    def update(self, history: Rows, control: Rows | None = None, *, at: int | None = None) -> None:
        """Draw ``history``, and ``control`` dashed; ``at`` is the epoch that is marked, by default the last."""
        drawn = curves_svg(history, control, at=at, columns=1)
        if drawn != self.widget.value:
            self.widget.value = drawn


def curves_svg(history: Rows, control: Rows | None = None, *, at: int | None = None, columns: int = 3) -> str:
    """Return losses, active triplets and validation F1 by epoch as an SVG, one panel each that has values.

    Parameters
    ----------
    history
        A row for each epoch.
    control
        Of the run without interventions that has as many epochs; drawn dashed.
    at
        The epoch that is marked, by default the last.
    columns
        How many panels stand beside each other.

    Returns
    -------
    str
        An ``svg`` element. Each line carries its numbers: ``data-column``, ``data-epochs`` and ``data-values``.
    """
    last = max((row["epoch"] for row in history.rows), default=0)
    at = last if at is None else at
    panels: list[str] = []
    told: list[str] = []
    for title, unit, series in PANELS:
        lines = [line for one in series for line in _lines(one, history, control)]
        if last and not lines:  # such as the triplets of cross entropy
            continue
        panels.append(_panel(divmod(len(panels), columns), title, unit, lines, epochs=max(last, 1), at=at))
        told += [_in_words(title, line) for line in lines]
    width, height = WIDTH * columns, HEIGHT * -(-len(panels) // columns)
    what = "; ".join(told) or "no epoch is finished yet"
    return (
        f'<svg class="ali-curves" role="img" viewBox="0 0 {width} {height}" width="100%" '
        f'style="max-width:{1.25 * width:.0f}px;font:10px sans-serif;fill:{TEXT}">'
        f"<title>Training after epoch {last}</title><desc>{escape(what)}</desc>{''.join(panels)}</svg>"
    )


def _lines(column: tuple[str, str, str], history: Rows, control: Rows | None) -> Iterable[_Line]:
    name, label, colour = column
    for rows, dashed in ((history, False), (control, True)):
        points = () if rows is None else _points(rows, name)
        if points:
            yield _Line(column=name, label="control" if dashed else label, colour=colour, dashed=dashed, points=points)


def _points(history: Rows, column: str) -> tuple[tuple[int, float], ...]:
    return tuple((row["epoch"], row[column]) for row in history.rows if row.get(column) is not None)


def _panel(place: tuple[int, int], title: str, unit: str, lines: Sequence[_Line], *, epochs: int, at: int) -> str:
    low, high, ticks = _scale([value for line in lines for _, value in line.points])
    frame = _Frame(epochs=epochs, low=low, high=high)
    left, right, bottom = frame.x(0), frame.x(epochs), HEIGHT - BOTTOM
    parts = [
        f'<text x="{LEFT - 28}" y="11" font-weight="600">{title} <tspan font-weight="400">({unit})</tspan></text>',
        *(_value_tick(value, frame, left, right) for value in ticks),
        f'<path d="M{left} {TOP}V{bottom}H{right}" fill="none" style="stroke:{TEXT}"/>',
        *(_epoch_tick(epoch, frame, bottom) for epoch in _epoch_ticks(epochs)),
        f'<text x="{(left + right) / 2}" y="{HEIGHT - 2}" text-anchor="middle">epochs</text>',
        f'<line class="ali-now" data-epoch="{at}" x1="{frame.x(at):.2f}" x2="{frame.x(at):.2f}" y1="{TOP}" '
        f'y2="{bottom}" stroke-dasharray="1 3" style="stroke:{TEXT}"><title>epoch {at}</title></line>',
    ]
    if not lines:
        parts.append(f'<text x="{left + 6}" y="{(TOP + bottom) / 2}">none yet</text>')
    for line, y in zip(lines, _apart([frame.y(line.points[-1][1]) for line in lines]), strict=True):
        parts.append(_drawn(line, frame, label_y=y))
    return f'<g transform="translate({WIDTH * place[1]} {HEIGHT * place[0]})" data-panel="{title}">{"".join(parts)}</g>'


def _drawn(line: _Line, frame: _Frame, *, label_y: float) -> str:
    places = [(frame.x(epoch), frame.y(value)) for epoch, value in line.points]
    dash = 'stroke-dasharray="4 3" ' if line.dashed else ""
    name = f"{line.label}: {CONTROL}" if line.dashed else line.label
    path = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="1.8" style="fill:{line.colour}"/>' for x, y in places[-1:])
    return (
        f'<polyline points="{path}" data-column="{line.column}" data-control="{str(line.dashed).lower()}" '
        f'data-epochs="{" ".join(str(epoch) for epoch, _ in line.points)}" '
        f'data-values="{" ".join(repr(float(value)) for _, value in line.points)}" fill="none" stroke-width="1.6" '
        f'{dash}style="stroke:{line.colour}"><title>{name}</title></polyline>{dots}'
        f'<text x="{places[-1][0] + 5:.2f}" y="{label_y + 3:.2f}">'
        f'<tspan style="fill:{line.colour}">{"╌" if line.dashed else "●"}</tspan> {line.label}</text>'
    )


def _value_tick(value: float, frame: _Frame, left: float, right: float) -> str:
    y = frame.y(value)
    return (
        f'<line x1="{left}" x2="{right}" y1="{y:.2f}" y2="{y:.2f}" style="stroke:{FAINT}" stroke-width="0.6"/>'
        f'<text class="ali-value" data-value="{value!r}" x="{left - 4}" y="{y + 3:.2f}" text-anchor="end">'
        f"{value:g}</text>"
    )


def _epoch_tick(epoch: int, frame: _Frame, bottom: float) -> str:
    x = frame.x(epoch)
    at = f'x="{x:.2f}" y="{bottom + 11}" text-anchor="middle"'
    return f'<text class="ali-epoch" data-epoch="{epoch}" {at}>{epoch}</text>'


def _scale(values: Sequence[float]) -> tuple[float, float, list[float]]:
    """Return the lower and upper end of an axis and its ticks, round numbers that hold all ``values``."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    spread = (high - low) or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(spread / 2))
    step *= next(times for times in (1, 2, 5, 10) if spread / (times * step) <= 4)
    first, end = math.floor(low / step), math.ceil(high / step)
    end += end == first
    ticks = [round(number * step, 12) for number in range(first, end + 1)]
    return ticks[0], ticks[-1], ticks


def _epoch_ticks(epochs: int) -> list[int]:
    step = next(step for power in range(12) for step in (10**power, 2 * 10**power, 5 * 10**power) if epochs <= 4 * step)
    return list(range(0, epochs + 1, step))


def _apart(places: Sequence[float]) -> list[float]:
    """Move heights of labels down until they are apart; their order stays."""
    moved = list(places)
    previous = -math.inf
    for number in sorted(range(len(moved)), key=lambda number: moved[number]):
        previous = moved[number] = max(moved[number], previous + LABEL_STEP)
    return moved


def _in_words(title: str, line: _Line) -> str:
    (first_epoch, first), (epoch, value) = line.points[0], line.points[-1]
    who = f"{title.lower()}, {CONTROL}" if line.dashed else f"{title.lower()}, {line.label}"
    return f"{who}: {first:.4g} in epoch {first_epoch}, {value:.4g} in epoch {epoch}"
