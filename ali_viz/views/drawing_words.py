"""What views, states and comparisons are called in the app."""

from typing import Literal

from ali_core.embedding import LabelledEmbedding
from ali_core.interventions import Session
from ali_core.projection import View
from ali_viz.views.words import count_words

__all__ = ["COMPARISONS", "VIEW_NAMES", "Comparison", "axis_names", "note_on", "state_name"]

Comparison = Literal["start", "previous", "epoch"]
COMPARISONS: dict[Comparison, str] = {"start": "start", "previous": "previous step", "epoch": "last epoch"}
VIEW_NAMES: dict[View, str] = {
    "dims": "First two dimensions",
    "pca": "PCA",
    "tsne": "t-SNE",
    "supervised_tsne": "Supervised t-SNE",
    "shuffled_tsne": "Supervised t-SNE, shuffled labels",
    "parametric": "Parametric t-SNE",
}
AXIS_NAMES: dict[View, str] = {"dims": "dimension", "pca": "principal component"}


def axis_names(view: View, dim: int) -> tuple[str | None, str | None]:
    """Return what the two axes are; None where one means nothing."""
    name = AXIS_NAMES.get(view)
    return (None if name is None else f"{name} 1", None if name is None or dim == 1 else f"{name} 2")


def state_name(session: Session, cursor: int) -> str:
    """Return in words the state of ``session`` after its first ``cursor`` steps."""
    return count_words((*session.steps, *session.undone)[:cursor]) if cursor else "the start"


def note_on(drawn: int, embedding: LabelledEmbedding) -> str:
    """Say what is drawn, and how much of it."""
    total = len(embedding)
    count = f"all {total:,} points" if drawn == total else f"{drawn:,} of {total:,} points"
    text = f"{count} drawn" + ("" if drawn == total else ", some of every class")
    return f"{embedding.description}: {text}" if embedding.description else text
