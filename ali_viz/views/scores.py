"""What Ω says: terms, score and probability of each class, the chosen one and its neighbours marked."""

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ali_core.interventions import Proposal
from ali_viz.theme import ClassStyle
from ali_viz.views.appearance import wide

__all__ = ["ScoresView", "scores_table"]

COLUMNS = (
    ("", "Ω would move ▶; 1, 2, … are its neighbours, nearest first", ""),
    ("class", "", "ali-name"),
    ("mean-std", "spread of the class / distance to its nearest neighbour", ""),
    ("mean-all", "1 / mean distance to all other classes", ""),
    ("score", "what the criterion makes of them", ""),
    ("times", "how often the steps in force have contracted this class", ""),
    ("probability", "the normalised score", "ali-name"),
)
BAR = 70
MANY = 20


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
    chosen = proposal.step.classes[0]
    if len(codes) > MANY:
        codes = sorted(codes, key=lambda code: (code != chosen, -np.nan_to_num(proposal.scores[code])))
    ranks = {code: rank for rank, code in enumerate(proposal.step.neighbours[0], start=1)}
    head = "".join(f'<th class="{kind}" title="{escape(tip)}">{name}</th>' for name, tip, kind in COLUMNS)
    rows = "".join(_row(proposal, styles[code], code, ranks.get(code), int(contractions[code])) for code in codes)
    return f'<table class="ali-scores"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(proposal: Proposal, style: ClassStyle, code: int, rank: int | None, contracted: int) -> str:
    chosen = code == proposal.step.classes[0]
    kind = "ali-chosen" if chosen else "ali-neighbour" if rank else ""
    mark = "▶" if chosen else str(rank or "")
    share = float(proposal.probabilities[code])
    numbers = "".join(
        f"<td>{_number(values[code])}</td>" for values in (proposal.mean_std, proposal.mean_all, proposal.scores)
    )
    dot = f'<span class="ali-dot" style="background:{style.colour}"></span>'
    top = float(np.max(proposal.probabilities))
    bar = f'<span class="ali-bar" style="width:{BAR * share / top:.0f}px"></span>'
    return (
        f'<tr class="{kind}"><td>{mark}</td><td class="ali-name">{dot}{style.label}</td>{numbers}'
        f'<td>{contracted or ""}</td><td class="ali-name">{bar} {share:.3f}</td></tr>'
    )


def _number(value: float) -> str:
    if np.isnan(value):
        return "–"
    return "∞" if np.isinf(value) else f"{value:.3g}"


class ScoresView:
    """The table of scores.

    Parameters
    ----------
    styles
        Of each class, by code; labels are safe for HTML.
    codes
        Classes to list, in this order.
    """

    def __init__(self, styles: Sequence[ClassStyle], codes: Sequence[int]) -> None:
        self._styles, self._codes = styles, codes
        self.table = widgets.HTML(layout=wide())
        self.widget = widgets.VBox([self.table], layout={"max_height": "322px", "overflow": "auto", "display": "block"})

    def update(self, proposal: Proposal | None, contractions: NDArray[np.int64]) -> None:
        """Show what Ω would do, or that it cannot."""
        if proposal is None:
            self.table.value = '<div class="ali-muted">Ω cannot choose here</div>'
        else:
            self.table.value = scores_table(proposal, self._styles, self._codes, contractions)
