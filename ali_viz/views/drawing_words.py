"""What views, states and comparisons are called in the app."""

from typing import Literal

from ali_core.embedding import LabelledEmbedding
from ali_core.interventions import Session
from ali_core.projection import LAYOUTS, View
from ali_viz.views.words import count_words

__all__ = ["COMPARISONS", "Comparison", "axis_names", "note_on", "state_name"]

Comparison = Literal["start", "previous", "epoch"]
COMPARISONS: dict[Comparison, str] = {"start": "start", "previous": "previous step", "epoch": "last epoch"}


def axis_names(view: View, dim: int) -> tuple[str | None, str | None]:
    """Return what the two axes are; None where one means nothing."""
    spec = LAYOUTS[view]
    return (f"{spec.axis} 1" if spec.linear else None, f"{spec.axis} 2" if spec.linear and dim > 1 else None)


def state_name(session: Session, cursor: int) -> str:
    """Return in words the state of ``session`` after its first ``cursor`` steps."""
    return count_words((*session.steps, *session.undone)[:cursor]) if cursor else "the start"


def note_on(drawn: int, embedding: LabelledEmbedding) -> str:
    """Say what is drawn, and how much of it."""
    total = len(embedding)
    count = f"all {total:,} points" if drawn == total else f"{drawn:,} of {total:,} points"
    text = f"{count} drawn" + ("" if drawn == total else ", some of every class")
    return f"{embedding.description}: {text}" if embedding.description else text
