"""The tab Step: what Ω says, or what moves by hand; strengths, and how Ω chooses."""

import difflib
import re
from collections.abc import Mapping, Sequence
from html import escape

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.interventions import CRITERIA, PRESETS, InterventionSettings, Proposal, preset
from ali_core.interventions.criteria import CRITERIA_HELP
from ali_core.interventions.settings import STRENGTHS
from ali_viz.app.actions import Actions
from ali_viz.app.state import Scene
from ali_viz.theme import ClassStyle, class_label
from ali_viz.views.controls import Control, box, button, dot, dropdown, heading, html, number, put, row, slider

__all__ = ["CUSTOM", "StepView", "preset_of", "scores_table"]

CUSTOM = "custom"
NEIGHBOURS_HELP = "How many nearest classes a class moves away from"
PRESET_HELP = """Strengths, n and number of steps of the paper's Table I, for this dimension
c: contract
c,s: contract, and shift straight away from the neighbours
c,r: contract and rotate
c,s,os: contract, and shift partly at right angles to the neighbours (ortho-shift)
c,s,r: contract, shift straight and rotate
all: contract, shift, ortho-shift and rotate
custom: what the sliders say, when that is none of these"""
PRESET_FIELDS = (*STRENGTHS, "n_neighbours")
CRITERION_HELP = "\n".join(
    [
        "Ω: which class moves next, the one with the largest score",
        *(f"{name}: {text}" for name, text in CRITERIA_HELP.items()),
    ]
)
SELECTION_HELP = """How the scores decide
deterministic: the class with the largest score moves
probabilistic: the class is drawn with the probabilities in the table"""
RULE = (
    "A lasso selects samples. A class follows when at least half of its drawn points are inside, or else the one "
    "with most of them. Steps move whole classes; the tab Cells lists the samples."
)
COLUMNS = (
    ("", "Ω would move ▶; 1, 2, … are its neighbours, nearest first", ""),
    ("class", "", "ali-name"),
    ("m-std", "mean-std: spread of the class / distance to its nearest neighbour", ""),
    ("m-all", "mean-all: 1 / mean distance to all other classes", ""),
    ("P", "probability: the normalised score", ""),
)
MANY = 20


class StepView:
    """What the next step does.

    Parameters
    ----------
    actions
        What the controls do.
    embedding
        Names and counts of the classes, and the dimension.
    styles
        Of each class, by code.
    order
        Codes of the classes with samples, in the order in which they are listed.
    """

    name = "Step"

    def __init__(
        self, actions: Actions, embedding: LabelledEmbedding, styles: Sequence[ClassStyle], order: Sequence[int]
    ) -> None:
        self._actions, self._styles, self._order = actions, styles, order
        self._presets = {name: preset(name, embedding.dim) for name in PRESETS}
        self._labels = distinct([(class_label(embedding.class_names[code]), code) for code in order])
        change = actions.change_settings.click
        # Automatic
        self.table = html(name="ali-scroll")
        self.criterion = dropdown("criterion Ω", list(CRITERIA), CRITERION_HELP, lambda value: change(criterion=value))
        self.selection = dropdown(
            "choice", ["deterministic", "probabilistic"], SELECTION_HELP, lambda value: change(selection=value)
        )
        # By hand
        self.moving = html()
        self.by_name = widgets.Combobox(
            options=[label for label, _ in self._labels],
            placeholder="add/remove by name",
            tooltip="Type a class and press Enter; a selected class is taken out again",
            continuous_update=False,
            layout={"width": "auto", "min_width": "0", "flex": "1 1 0%"},
        )
        self.by_name.observe(lambda _: self._named(), "value")
        self.clear = button(
            "Clear selection",
            "Select no class; Escape, or a double click in the picture, does the same",
            actions.clear.click,
        )
        self.away = dropdown(
            "away from",
            [("its n nearest neighbours", "nearest"), ("classes chosen below", "chosen")],
            "What the selected classes are rotated and shifted away from",
            lambda value: actions.lead_away_from.click(None if value == "nearest" else ()),
        )
        self.away_from = Control(
            widgets.SelectMultiple(
                options=self._labels,
                rows=4,
                description="classes",
                tooltip="Classes to move away from; Ctrl or Shift adds",
                style={"description_width": "82px"},
                layout={"width": "auto"},
            ),
            actions.lead_away_from.click,
        )
        self.x, self.y = (self._place(axis) for axis in ("x", "y"))
        self.undrag = button(
            "Undrag", "Forget where the class was dragged; the strengths below move it again", actions.undrag.click
        )
        self.place = row(self.x.widget, self.y.widget, self.undrag)
        # Both
        self.preset = dropdown("preset", [*PRESETS, CUSTOM], PRESET_HELP, self._preset_chosen)
        self.sliders = {
            name: slider(
                f"{spec.title} {_subscript(spec.symbol)}",
                spec.most,
                spec.step,
                f"{spec.symbol}: {spec.help}",
                lambda value, name=name: change(**{name: value}),
            )
            for name, spec in STRENGTHS.items()
        }
        self.sliders["n_neighbours"] = slider(
            "nearest n", max(len(order) - 1, 1), 1, NEIGHBOURS_HELP, lambda value: change(n_neighbours=value)
        )
        strengths = [self.preset.widget, *(one.widget for one in self.sliders.values())]
        self.automatic = box(self.table)
        self.choice = box(heading("Ω"), self.criterion.widget, self.selection.widget)
        self.manual = box(
            self.moving,
            self.away.widget,
            self.away_from.widget,
            self.place,
            html(f'<div class="ali-muted ali-small">{RULE}</div>'),
        )
        self.widget = box(
            self.automatic,
            self.manual,
            heading("Strengths"),
            *strengths,
            html(f'<div class="ali-muted ali-small">{_units()}</div>'),
            self.choice,
            heading("Selected classes"),
            row(self.by_name, self.clear),
        )

    def update(self, scene: Scene) -> None:
        """Show what would move, and how."""
        state, settings, busy = scene.state, scene.session.settings, bool(scene.busy)
        manual = state.mode == "manual"
        for part, shown in ((self.automatic, not manual), (self.choice, not manual), (self.manual, manual)):
            put(part.layout, display="" if shown else "none")
        if manual:
            self._show_manual(scene)
        elif scene.proposal is None:
            put(self.table, value=f'<div class="ali-muted">Ω cannot choose here: {escape(scene.undecided)}</div>')
        else:
            put(self.table, value=scores_table(scene.proposal, self._styles, self._order, scene.session.contractions))
        self.preset.show(preset_of(settings, self._presets), disabled=busy)
        for name, control in self.sliders.items():
            value = getattr(settings, name)
            if name == "n_neighbours":
                value = min(value, control.widget.max)
            control.show(value, max=max(control.widget.max, value), disabled=busy)
        criteria = tuple(dict.fromkeys([*CRITERIA, settings.criterion]))
        self.criterion.show(settings.criterion, options=criteria, disabled=busy)
        self.selection.show(settings.selection, disabled=busy)
        put(self.clear, disabled=not state.selected and state.lassoed is None and state.marked is None)

    def _show_manual(self, scene: Scene) -> None:
        state, dragged = scene.state, scene.state.displacement is not None
        names = ", ".join(
            f"{dot(self._styles[code].colour)}<b>{escape(self._styles[code].label)}</b>" for code in state.selected
        )
        text = f"moves {names}" if names else "select classes: lasso, click, legend, or by name below"
        if dragged:
            text += " to where it was dragged; rotate and shift are left out"
        put(self.moving, value=f'<div class="ali-muted">{text}</div>')
        chosen = state.away_from is not None
        self.away.show("chosen" if chosen else "nearest")
        put(self.away_from.widget.layout, display="" if chosen else "none")
        self.away_from.show(state.away_from or ())
        place = _place_of(scene)
        put(self.place.layout, display="none" if place is None else "")
        put(self.undrag, disabled=not dragged)
        if place is not None:
            for field, value in zip((self.x, self.y), place, strict=True):
                field.show(float(f"{value:.4g}"))

    def _place(self, axis: str) -> Control:
        words = f"Where the center of the class goes, {axis} of the picture; or drag its ring in the picture"
        made = number(axis, words, lambda _: self._actions.drag.click(None, (self.x.value, self.y.value)), width="92px")
        put(made.widget, continuous_update=False)
        return made

    def _preset_chosen(self, name: str) -> None:
        if name != CUSTOM:
            known = self._presets[name]
            self._actions.change_settings.click(
                **{field: getattr(known, field) for field in (*PRESET_FIELDS, "n_iterations")}
            )

    def _named(self) -> None:
        """Add or remove the class that was typed; JupyterLab keeps arrow keys from lists, but not keys from texts."""
        typed = self.by_name.value.strip()
        if not typed:
            return
        self.by_name.value = ""
        codes = dict(self._labels)
        plain = {_plain(label): code for label, code in self._labels}
        code = codes.get(typed, plain.get(_plain(typed)))
        if code is None:
            near = difflib.get_close_matches(_plain(typed), plain)
            labels = {code: label for label, code in self._labels}
            remedy = (
                f"did you mean {' or '.join(labels[plain[name]] for name in near)}?" if near else "look at the legend"
            )
            self._actions.refuse.click(f"no class here is called {typed!r}; {remedy}")
        else:
            self._actions.select_also.click(code)


def _place_of(scene: Scene) -> tuple[float, float] | None:
    """Return where the first selected class would be, where it can be dragged."""
    if not scene.state.selected or not scene.drawing.draggable:
        return None
    code, places = scene.state.selected[0], scene.drawing.places[1]
    if scene.state.displacement is not None and scene.planned is not None and code in scene.planned.codes:
        places = scene.planned.places
    x, y = places.centers[code]
    return None if np.isnan(x) else (float(x), float(y))


def preset_of(settings: InterventionSettings, presets: Mapping[str, InterventionSettings]) -> str:
    """Return the name of the one of ``presets`` with the same strengths and neighbours, or ``custom``."""
    for name, known in presets.items():
        if all(getattr(settings, field) == getattr(known, field) for field in PRESET_FIELDS):
            return name
    return CUSTOM


def scores_table(
    proposal: Proposal, styles: Sequence[ClassStyle], codes: Sequence[int], contractions: NDArray[np.int64]
) -> str:
    """Return the scores as an HTML table.

    Parameters
    ----------
    proposal
        What Ω would do.
    styles
        Of each class, by code.
    codes
        Classes to list, in this order; more than 20 by score, the chosen one first.
    contractions
        How often each class was contracted, shape (C,).
    """
    chosen, neighbours = proposal.step.classes[0], proposal.step.neighbours[0]
    if len(codes) > MANY:
        codes = sorted(codes, key=lambda code: (code != chosen, -np.nan_to_num(proposal.scores[code])))
    ranks = {code: rank for rank, code in enumerate(neighbours, start=1)}
    head = "".join(f'<th class="{kind}" title="{escape(tip)}">{name}</th>' for name, tip, kind in COLUMNS)
    rows = "".join(_row(proposal, styles[code], code, ranks.get(code), int(contractions[code])) for code in codes)
    away = ", ".join(escape(styles[code].label) for code in neighbours)
    lead = f"Next: {dot(styles[chosen].colour)}<b>{escape(styles[chosen].label)}</b>" + (
        f" away from {away}" if away else ""
    )
    return (
        f'<div class="ali-lead">{lead}</div>'
        f'<table class="ali-scores"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(proposal: Proposal, style: ClassStyle, code: int, rank: int | None, contracted: int) -> str:
    chosen = code == proposal.step.classes[0]
    kind = ' class="ali-chosen"' if chosen else ' class="ali-neighbour"' if rank else ""
    mark = "▶" if chosen else str(rank or "")
    share, top = float(proposal.probabilities[code]), float(np.max(proposal.probabilities))
    numbers = "".join(f"<td>{_number(values[code])}</td>" for values in (proposal.mean_std, proposal.mean_all))
    times = f", contracted {contracted} time{'s' * (contracted != 1)} so far" if contracted else ""
    tip = escape(f"{style.label}: score {_number(proposal.scores[code])}{times}")
    return (
        f'<tr{kind} title="{tip}"><td>{mark}</td>'
        f'<td class="ali-name">{dot(style.colour)}{escape(style.label)}</td>'
        f'{numbers}<td class="ali-share" style="--share:{100 * share / top:.0f}%">{share:.3f}</td></tr>'
    )


def _subscript(symbol: str) -> str:
    """Return a symbol such as λ_c as HTML."""
    return re.sub(r"_(\w)", r"<sub>\1</sub>", symbol)


def _units() -> str:
    """Return what the strengths are numbers of, those of one unit together."""
    units: dict[str, list[str]] = {}
    for spec in STRENGTHS.values():
        units.setdefault(spec.unit, []).append(_subscript(spec.symbol))
    return "; ".join(f"{', '.join(symbols)}: {unit}" for unit, symbols in units.items())


def _number(value: float) -> str:
    if np.isnan(value):
        return "–"
    return "∞" if np.isinf(value) else f"{value:.2g}"


def distinct(options: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Tell options of equal label apart by their number; a list widget mistakes one for the other."""
    labels = [label for label, _ in options]
    return [(label if labels.count(label) == 1 else f"{label} [{code}]", code) for label, code in options]


def _plain(label: str) -> str:
    """Return a class name as people type it: without its count, in small letters, underscores as spaces."""
    return label.rsplit(" (", 1)[0].strip().lower().replace("_", " ")
