"""What is said about the print figures: titles, notes and captions."""

import pandas as pd

from ali_core.projection import uses_labels
from ali_core.projection.supervision import DEFAULT_SUPERVISION
from ali_viz.panels.class_scatter import RASTER_ABOVE
from ali_viz.panels.step_table import StepGeometry
from ali_viz.theme import class_label

__all__ = ["AXIS_NAMES", "LABEL_NOTE", "VIEW_TITLES", "state_caption", "step_caption"]

VIEW_TITLES: dict[str, str] = {
    "dims": "First two dimensions",
    "pca": "PCA of the first state",
    "tsne": "t-SNE",
    "supervised_tsne": "Supervised t-SNE (uses labels)",
}
AXIS_NAMES: dict[str, str] = {
    "dims": "Dimension",
    "pca": "Component",
    "tsne": "t-SNE",
    "supervised_tsne": "Supervised t-SNE",
}
LABEL_NOTE = (
    "Supervised t-SNE places the samples with the help of their class labels: "
    "the separation that it shows proves nothing."
)


def state_caption(table: pd.DataFrame, *, data: str, settings: str, tsne_settings: str) -> str:
    """Describe the figure of `state_panel`: data, settings, alignment, and whether labels placed the points."""
    views, states = list(table["view"].unique()), list(table["state"].unique())
    n_samples, n_classes = table["id"].nunique(), table["class_name"].nunique()
    sentences = [
        f"Embedding of {data}: {n_samples} samples of {n_classes} classes.",
        f"Columns: {', '.join(states)}. Rows: {', '.join(VIEW_TITLES[view] for view in views)}.",
        f"{settings}." if settings else "",
        "Axes are the same along a row; every layout starts from the one to its left and is aligned to "
        "it by a rigid motion on the samples that did not move, or on all where fewer than three stayed.",
    ]
    if any("tsne" in view for view in views):
        sentences.append(f"t-SNE: openTSNE, {tsne_settings}.")
    if any(uses_labels(view) for view in views):
        sentences.append(f"{LABEL_NOTE} Affinities between classes were multiplied by {1 - DEFAULT_SUPERVISION:.2g}.")
    else:
        sentences.append("Labels colour the points; they did not place them.")
    sentences.append("Interventions themselves use the labels of all samples shown.")
    if n_samples > RASTER_ABOVE:
        sentences.append("Points are an image of 600 dpi within the vector file.")
    return " ".join(sentence for sentence in sentences if sentence) + "\n"


def step_caption(geometry: StepGeometry, *, data: str, number: int) -> str:
    """Describe the figure of `step_panel`: data, choice, strengths, the plane, and what its arrows are."""
    step, names = geometry.step, geometry.before.class_names
    nearest = [class_label(names[code]) for code in geometry.neighbours[:2]]
    who = "Ω" if step.source == "automatic" else "a person"
    strengths = (
        f"contract {step.contract:g}, rotate {step.rotate:g}, shift {step.shift:g}, "
        f"shift mix {step.shift_mix:g}, {len(geometry.neighbours)} neighbours"
    )
    sentences = [
        f"Intervention {number} on the embedding of {data}: {len(geometry.before.labels)} samples, "
        f"{geometry.before.dim} dimensions, {len(names)} classes.",
        f"{class_label(names[geometry.chosen])} was chosen by {who}; {strengths}.",
        _plane_sentence(geometry, nearest),
        "a, the chosen class and its nearest neighbours; the bar is a length in embedding space.",
        "b, spread before and after contraction and the parts of the shift, at true scale.",
        f"c, samples after the step and, pale, the chosen class before it; the arrow is the motion of its "
        f"center, the restored norm included (factor {step.norm_factor:.3f}).",
        *(f"Note: {note}." for note in step.notes),
        "Labels did not place the points; the intervention itself uses the labels of all samples.",
    ]
    if len(geometry.before.labels) > RASTER_ABOVE:
        sentences.append("Points are an image of 600 dpi within the vector file.")
    return " ".join(sentences) + "\n"


def _plane_sentence(geometry: StepGeometry, nearest: list[str]) -> str:
    if geometry.before.dim <= 2:
        return "All dimensions are shown."
    if len(nearest) < 2:
        return (
            f"Shown is the orthogonal projection onto a plane through the centers of the class and of "
            f"{nearest[0]}; {geometry.in_plane:.0%} of the length of the motion lies in it."
        )
    return (
        f"Shown is the orthogonal projection onto the plane through the centers of the class, of "
        f"{nearest[0]} and of {nearest[1]}: distances between these centers are exact, and "
        f"{geometry.in_plane:.0%} of the length of the motion lies in the plane."
    )
