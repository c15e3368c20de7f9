"""Which classes are taken for which, before and after the steps, and the F1 of each."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ali_viz.app.actions import Actions
from ali_viz.app.state import Scene
from ali_viz.theme import ClassStyle
from ali_viz.views.controls import box, button, difference, html, put, row, switch

if TYPE_CHECKING:
    from ali_core.experiments.session_scorer import SessionScores

__all__ = ["ConfusionView", "f1_html", "matrix_html"]

FAINTEST, STRONGEST = 0.08, 0.62
"""Opacity of a cell with almost none and with all samples of its row; text stays legible on both."""

NOT_SCORED = '<div class="ali-muted">This state has not been scored.</div>'
READING = "Shade: share of the row. Outlined: recognised. The numbers are those of the table."


def matrix_html(confusion: NDArray[np.int64], styles: Sequence[ClassStyle], codes: Sequence[int], title: str) -> str:
    """Return a confusion matrix as an HTML table, with counts, shaded by the share of the row.

    Parameters
    ----------
    confusion
        Samples by true (rows) and predicted (columns) code, shape (C, C).
    styles
        Of each class, by code.
    codes
        Classes in the order of rows and columns; the first is number 1.
    title
        Caption of the table; safe for HTML.
    """
    labels = {code: escape(styles[code].label) for code in codes}
    head = "".join(
        f'<th scope="col" title="predicted: {labels[code]}">{number}</th>' for number, code in enumerate(codes, start=1)
    )
    rows = []
    for number, true in enumerate(codes, start=1):
        total = int(confusion[true].sum())
        cells = "".join(
            _cell(int(confusion[true, code]), total, labels[true], None if code == true else labels[code])
            for code in codes
        )
        side = f'<th rowspan="{len(codes)}" class="ali-turned">true class</th>' if number == 1 else ""
        rows.append(f'<tr>{side}<th scope="row" title="true: {labels[true]}">{number}</th>{cells}</tr>')
    return (
        f'<table class="ali-matrix"><caption>{title}</caption>'
        f'<thead><tr><td colspan="2"></td><th colspan="{len(codes)}">predicted class</th></tr>'
        f'<tr><td colspan="2"></td>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _cell(count: int, total: int, true: str, mistaken_for: str | None) -> str:
    kind = "ali-right" if mistaken_for is None else "ali-wrong"
    if count == 0:
        return '<td class="ali-right" style="--share:0"></td>' if mistaken_for is None else "<td></td>"
    share = count / total
    what = "recognised" if mistaken_for is None else f"taken for {mistaken_for}"
    tip = f"{true}: {count} of {total} ({100 * share:.0f} %) {what}"
    opacity = FAINTEST + (STRONGEST - FAINTEST) * share
    return f'<td class="{kind}" style="--share:{opacity:.2f}" title="{tip}">{count}</td>'


def f1_html(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    counts: NDArray[np.int64],
    styles: Sequence[ClassStyle],
    codes: Sequence[int],
) -> str:
    """Return the key of the numbers together with the F1 of each class before and after, as an HTML table.

    Parameters
    ----------
    before, after
        F1 of each class, shape (C,), NaN where there is none.
    counts
        Scored samples of each class, shape (C,).
    styles, codes
        As in :func:`matrix_html`.
    """
    rows = "".join(
        f'<tr><td>{number}</td><th class="ali-name" scope="row">'
        f'<span class="ali-dot" style="background:{styles[code].colour}"></span>'
        f"{escape(styles[code].label)}</th><td>{counts[code]:,}</td>"
        f"<td>{_f1(before[code])} → {_f1(after[code])}</td><td>{difference(after[code] - before[code], 2)}</td></tr>"
        for number, code in enumerate(codes, start=1)
    )
    head = (
        '<tr><th scope="col">no.</th><th class="ali-name" scope="col">class</th><th scope="col">n</th>'
        '<th scope="col">F1</th><th scope="col">change</th></tr>'
    )
    return f'<table class="ali-f1"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def _f1(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"


class ConfusionView:
    """Two confusion matrices, untouched and after the steps, with a key that tells the F1 of each class.

    Parameters
    ----------
    actions
        What the button does.
    styles
        Of each class, by code.
    codes
        Classes in their order; the first is number 1.
    """

    name = "Confusion"

    def __init__(self, actions: Actions, styles: Sequence[ClassStyle], codes: Sequence[int]) -> None:
        self._styles, self._codes = styles, codes
        self._scores: SessionScores | None = None
        self.score = button("Score held-out samples", "Predict their classes; takes seconds", actions.score.click)
        self.after = switch(
            [("predicted", "transfer"), ("bound", "oracle")],
            ["Samples moved without their labels", "Samples moved with their labels: an upper bound only"],
            lambda _: self._draw(),
        )
        self.picture = html()
        self.widget = box(row(self.score), self.after.widget, self.picture)
        self._draw()

    def update(self, scene: Scene) -> None:
        """Show the matrices of what was scored, or that nothing was, and what scores it."""
        put(self.score, disabled=scene.training is not None and scene.training.running)
        if scene.scores is not self._scores:
            self._scores = scene.scores
            self._draw()

    def _draw(self) -> None:
        scored = self._scores is not None
        put(self.score.layout, display="none" if scored else "")
        put(self.after.widget.layout, display="" if scored else "none")
        put(self.picture, value=NOT_SCORED if self._scores is None else self._html(self._scores))

    def _html(self, scores: "SessionScores") -> str:
        from ali_core.experiments.session_scorer import BOUND_WORDS  # noqa: PLC0415  # scikit-learn is slow to import

        styles, codes = self._styles, self._codes
        bound = self.after.value == "oracle"
        before, after = scores.untouched, scores.oracle if bound else scores.transfer
        badge = f' <span class="ali-badge">{BOUND_WORDS}</span>' if bound else ""
        name = f"{'Bound' if bound else 'Predicted'} after {scores.n_steps} step{'' if scores.n_steps == 1 else 's'}"
        parts = (
            matrix_html(before.confusion, styles, codes, f"Untouched, macro F1 {before.macro_f1:.3f}"),
            matrix_html(after.confusion, styles, codes, f"{name}, macro F1 {after.macro_f1:.3f}{badge}"),
            f1_html(before.class_f1, after.class_f1, before.confusion.sum(axis=1), styles, codes),
        )
        notes = "".join(f"<li>{escape(note)}</li>" for note in scores.words)
        return (
            f'<div class="ali-beside">{"".join(f"<div tabindex=0>{part}</div>" for part in parts)}</div>'
            f'<div class="ali-muted">{READING}</div>'
            f'<details class="ali-muted"><summary>What these numbers are</summary><ul>{notes}</ul></details>'
        )
