"""What is said about the print figures: titles, notes and captions."""

from collections.abc import Sequence

import pandas as pd

from ali_core.projection import uses_labels
from ali_core.projection.supervision import DEFAULT_SUPERVISION
from ali_viz.panels.class_numbers import class_numbers
from ali_viz.panels.class_scatter import RASTER_ABOVE
from ali_viz.panels.combinations import COMBINATION_NOTE
from ali_viz.panels.crowding import in_view
from ali_viz.panels.step_table import StepGeometry
from ali_viz.theme import class_label

__all__ = ["AXIS_NAMES", "LABEL_NOTE", "VIEW_TITLES", "dry_run_caption", "label_notes", "state_caption", "step_caption"]

VIEW_TITLES: dict[str, str] = {
    "dims": "First two dimensions",
    "pca": "PCA of the first state",
    "tsne": "t-SNE",
    "supervised_tsne": "Supervised t-SNE (uses labels)",
    "shuffled_tsne": "Supervised t-SNE, shuffled labels (control)",
    "parametric": "Parametric t-SNE of the first state",
}
AXIS_NAMES: dict[str, str] = {
    "dims": "Dimension",
    "pca": "Component",
    "tsne": "t-SNE",
    "supervised_tsne": "Supervised t-SNE",
    "shuffled_tsne": "Shuffled t-SNE",
    "parametric": "Parametric t-SNE",
}
LABEL_NOTE = (
    "Supervised t-SNE places the samples with the help of their class labels: "
    "the separation that it shows proves nothing."
)
CONTROL_NOTE = "In the control the labels that place the samples are shuffled; the colours show the true ones."


def label_notes(views: Sequence[str]) -> list[str]:
    """Return what must be said about views that labels took part in."""
    return [LABEL_NOTE] * ("supervised_tsne" in views) + [CONTROL_NOTE] * ("shuffled_tsne" in views)


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
    if "parametric" in views:
        sentences.append(
            f"Parametric t-SNE: a network fitted to the first state, {tsne_settings}; one map for all states."
        )
    if any(uses_labels(view) for view in views):
        sentences += label_notes(views)
        sentences.append(f"Affinities between classes were multiplied by {1 - DEFAULT_SUPERVISION:.2g}.")
    else:
        sentences.append("Labels colour the points; they did not place them.")
    if numbers := class_numbers(table):
        sentences.append(f"Numbers 1 to {len(numbers)} mark the median of each class.")
    if any((in_view(rows) != rows[["x", "y"]].to_numpy()).any() for _, rows in table.groupby("view")):
        sentences.append(
            "An axis that a few far points would have stretched by more than a quarter is cut; how many lie outside "
            "is written beneath each panel."
        )
    sentences.append("Interventions themselves use the labels of all samples shown.")
    if n_samples > RASTER_ABOVE:
        sentences.append("Points are an image of 600 dpi within the vector file.")
    return " ".join(sentence for sentence in sentences if sentence) + "\n"


SCORE_NOTES = {
    "oracle": (
        "Oracle F1: validation samples are moved by the map of their true class, so the score uses their labels, "
        "rises to 1 whatever the embedding is worth, and says nothing about new samples."
    ),
    "transfer": (
        "Transfer F1: validation samples are moved by a map that was learned on the training samples, without their "
        "labels. A curve ends where its first fold was no longer followed."
    ),
}


def dry_run_caption(
    table: pd.DataFrame,
    *,
    data: str,
    settings: str,
    n_folds: int,
    hold: int | None,
    left_out: tuple[int, int],
    raster_above: int,
) -> str:
    """Describe the figure of `dry_run_panel`: data, folds, what the scores mean, strength, what is not drawn."""
    sizes = table.groupby(["score", "space", "combination"], observed=True)["configuration"].nunique()
    neighbours = " or ".join(f"{number:g}" for number in sorted(table["n_neighbours"].unique()))
    sentences = [
        f"Dry run on the embedding of {data}: macro F1 of the validation fold over the number of interventions, mean "
        f"over {n_folds} folds.",
        f"One line a configuration, {sizes.min()} to {sizes.max()} a plot; {neighbours} neighbours.",
        f"{settings}." if settings else "",
        f"{COMBINATION_NOTE} Interventions use the labels of the training samples.",
        *_score_sentences(table, hold),
        "The paler a line, the weaker its strengths: the mean rank of the λ's that vary, each within its grid.",
        "Thin horizontal line: the untouched embedding.",
        _star_sentence(table),
    ]
    if left_out[0]:
        sentences.append(
            f"{left_out[0]} of {left_out[1]} configurations were not followed in all folds, because they could "
            "no longer become the best or the run is not finished, and are not drawn."
        )
    if sizes.max() > raster_above:
        sentences.append("Lines are an image of 600 dpi within the vector file where there are many.")
    return " ".join(sentence for sentence in sentences if sentence) + "\n"


def _score_sentences(table: pd.DataFrame, hold: int | None) -> list[str]:
    """Say how the two dimensions came about, what the scores are, and what counts as 1."""
    held = hold is not None and "oracle" in set(table["score"])
    return [
        "2-D is a parametric t-SNE, fitted to the training samples without labels."
        if "2d" in set(table["space"])
        else "",
        *(SCORE_NOTES[score] for score in table["score"].unique()),
        f"A fold whose oracle score was 1 for {hold} numbers in a row was followed no further and counts as 1 from "
        "there on."
        if held
        else "",
    ]


def _star_sentence(table: pd.DataFrame) -> str:
    """Say what star and thick line mark, and where there is no star."""
    plots = table.groupby(["score", "space", "combination"], observed=True)["is_star"].any()
    sentences = [
        "Thick line and star: the configuration whose oracle score has the highest maximum, then the fewest "
        "interventions to reach it, then the best transfer score there, in all rows the same; the star is at this "
        "number of interventions, and above the plot stand F1 and number.",
        "There is no star where some fold was not followed so far." if not plots.all() else "",
    ]
    return " ".join(filter(None, sentences))


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
        "a, the chosen class (outlined) and its two nearest neighbours (filled, hollow); the bar is a length in "
        "embedding space.",
        "b, spread before and after contraction and the parts of the shift, at true scale; a close-up of the frame in "
        "a where they are short.",
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
