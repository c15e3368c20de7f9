"""What the steps promise for each class, and what happened; the scores before, after, and at best."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ali_viz.app.actions import Actions
from ali_viz.app.state import Scene
from ali_viz.theme import ClassStyle
from ali_viz.views.controls import box, button, difference, dot, html, put, row, switch

if TYPE_CHECKING:
    from ali_core.experiments.session_scorer import SessionScores

__all__ = ["EffectView", "change_words", "effect_html", "scores_html"]

Units = Literal["absolute", "relative"]
Measure = Literal["overlap", "spread", "distance"]

MEASURES: dict[tuple[Measure, Units], str] = {
    ("overlap", "absolute"): "overlap",
    ("overlap", "relative"): "overlap",
    ("spread", "absolute"): "spread",
    ("spread", "relative"): "relative_spread",
    ("distance", "absolute"): "distance",
    ("distance", "relative"): "relative_distance",
}
NAMES = {
    "spread": ("spread", "root mean square distance to the center of the class, per axis"),
    "distance": ("distance to nearest", "from the center of the class to the nearest other center"),
    "overlap": ("overlap", "spread / distance, the mean-std term of Ω: smaller is better"),
    "relative_spread": ("spread / mean distance", "spread, in units of the mean distance of all centers"),
    "relative_distance": ("distance / mean distance", "to the nearest center, in units of the mean distance of all"),
}
STATES = {"before": "before", "predicted": "promised", "happened": "happened"}
SMALLER_IS_BETTER = {"spread", "overlap", "relative_spread"}
KEPT = "how much of the promised change of the overlap came about; 100 %: all of it, below 0: the other way"
NORM_WORDS = (
    "Steps keep the norm of the embedding, training does not: compare with what happened in units of the mean distance."
)
EPOCH_WORDS = "The F1 after the epoch is that of the training's own validation samples, not of these."


def change_words(before: float, now: float) -> str:
    """Return a change as an arrow, a sign and percent, such as ``▼ −23 %``; nothing where there is none to tell."""
    if not np.isfinite(before) or not np.isfinite(now) or before == 0.0:
        return ""
    percent = round(100.0 * (now / before - 1.0))
    if percent == 0:
        return "= 0 %"
    return f"▲ +{percent} %" if percent > 0 else f"▼ −{-percent} %"


def effect_html(
    table: pd.DataFrame, styles: Sequence[ClassStyle], codes: Sequence[int], measure: Measure, units: Units
) -> str:
    """Return the effect of steps on one measure as an HTML table.

    Parameters
    ----------
    table
        From :func:`~ali_core.interventions.class_distances.effect_table`.
    styles
        Of each class, by code.
    codes
        Classes to list, in this order; those that are not in ``table`` are left out.
    measure
        Which one.
    units
        ``absolute``, or ``relative`` to the mean distance of all centers.
    """
    rows = {(row["class"], row["measure"]): row for row in table.to_dict("records")}
    happened, column = bool(table["happened"].notna().any()), MEASURES[measure, units]
    states = [state for state in STATES if happened or state != "happened"]
    head = "".join(f'<th scope="col">{STATES[state]}</th>' for state in states)
    kept = f'<th scope="col" title="{KEPT}">kept</th>' if happened else ""
    body = "".join(
        f'<tr><th class="ali-name" scope="row" title="{escape(styles[code].label)}">{_dotted(styles[code])}</th>'
        + _cells(rows[code, column], column, states)
        + (f"<td>{_percent(rows[code, 'overlap']['kept'])}</td>" if happened else "")
        + "</tr>"
        for code in codes
        if (code, column) in rows
    )
    name, tip = NAMES[column]
    return (
        f'<table class="ali-effect"><caption title="{escape(tip)}">{name}</caption><thead>'
        f'<tr><th class="ali-name" scope="col">class</th>{head}{kept}</tr></thead><tbody>{body}</tbody></table>'
    )


def _cells(row: Mapping[Any, Any], measure: str, states: Sequence[str]) -> str:
    """Return a value before, promised and happened; a change for the better is bold and says so."""
    cells = [f"<td>{_number(row['before'])}</td>"]
    for state in states[1:]:
        words = change_words(row["before"], row[state])
        better = (row[state] < row["before"]) == (measure in SMALLER_IS_BETTER)
        kind, tip = (' class="ali-better"', "better") if better else ("", "worse")
        told = f'{kind} title="{tip} than before"' if words and words[0] in "▲▼" else ""
        cells.append(f"<td{told}>{_number(row[state])} {words}</td>")
    return "".join(cells)


def _dotted(style: ClassStyle) -> str:
    return dot(style.colour) + escape(style.label)


def _number(value: float) -> str:
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞"
    return f"{value:#.3g}".rstrip(".") if abs(value) < 1000.0 else f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{round(100.0 * value)} %".replace("-", "−") if np.isfinite(value) else "–"


def scores_html(scores: "SessionScores | None", epoch_f1: float | None = None) -> str:
    """Return the macro F1 of the untouched state, the prediction, the bound, and after an epoch, as HTML."""
    if scores is None:
        known = "" if epoch_f1 is None else f" After the epoch (validation of the training): <b>{epoch_f1:.3f}</b>."
        return f'<div class="ali-figures ali-muted">This state has not been scored.{known}</div>'
    from ali_core.experiments.session_scorer import BOUND_WORDS  # noqa: PLC0415  # scikit-learn is slow to import

    start, now = scores.untouched.macro_f1, scores.transfer.macro_f1
    steps = f"{scores.n_steps} step{'' if scores.n_steps == 1 else 's'}"
    parts = [
        f"untouched <b>{start:.3f}</b>",
        f"predicted after {steps} <b>{now:.3f}</b> ({difference(now - start, 3)})",
        f'bound <b>{scores.oracle.macro_f1:.3f}</b> <span class="ali-badge">{BOUND_WORDS}</span>',
    ]
    whose, epoch = "held-out samples", ""
    if epoch_f1 is not None:
        whose = "samples of the training fold, which the network has learnt"
        epoch = f"<div>Validation samples of the training, after the epoch: <b>{epoch_f1:.3f}</b></div>"
    notes = [*scores.words, *([] if epoch_f1 is None else [EPOCH_WORDS])]
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<div class="ali-figures">Macro F1 of {scores.n_validation:,} {whose}: {" · ".join(parts)}{epoch}'
        f"<details><summary>What these numbers are</summary><ul>{listed}</ul></details></div>"
    )


class EffectView:
    """The effect of the steps for each class, and the scores.

    Parameters
    ----------
    actions
        What the button does.
    styles
        Of each class, by code.
    codes
        Classes to list, in this order.
    """

    name = "Effect"

    def __init__(self, actions: Actions, styles: Sequence[ClassStyle], codes: Sequence[int]) -> None:
        self._styles, self._codes = styles, codes
        self._shown: pd.DataFrame | None = None
        self.score = button(
            "Score this state",
            "Predict the macro F1 on held-out samples; takes seconds the first time, then less",
            actions.score.click,
        )
        self.measure = switch(
            [("overlap", "overlap"), ("spread", "spread"), ("distance", "distance")],
            [NAMES[measure][1] for measure in ("overlap", "spread", "distance")],
            lambda _: self._draw(),
        )
        self.units = switch(
            [("as they are", "absolute"), ("/ mean distance", "relative")],
            ["Spread and distance in the units of the embedding", NORM_WORDS],
            lambda _: self._draw(),
        )
        self.scores, self.table = html(), html(name="ali-scroll")
        self.widget = box(row(self.score), self.scores, row(self.measure.widget, self.units.widget), self.table)

    def update(self, scene: Scene) -> None:
        """Show the effect, and what is known of the scores."""
        put(self.scores, value=scores_html(scene.scores, scene.epoch_f1))
        put(self.score, disabled=scene.training is not None and scene.training.running)
        self._shown = scene.effect
        self._draw()

    def _draw(self) -> None:
        if self._shown is None:
            return
        happened = bool(self._shown["happened"].notna().any())
        units: Units = self.units.value
        note = f'<div class="ali-muted">{NORM_WORDS}</div>' if happened and units == "absolute" else ""
        put(self.table, value=note + effect_html(self._shown, self._styles, self._codes, self.measure.value, units))
