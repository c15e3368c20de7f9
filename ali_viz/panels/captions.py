"""What is said about the print figures: titles, notes and captions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ali_core.embedding import LabelledEmbedding
from ali_core.interventions import InterventionStep
from ali_core.interventions.settings import TRANSFORMS
from ali_core.interventions.step_table import named_notes
from ali_core.projection import LAYOUTS
from ali_core.projection.supervision import DEFAULT_SUPERVISION
from ali_viz.panels.class_numbers import class_numbers
from ali_viz.panels.class_scatter import RASTER_ABOVE
from ali_viz.panels.crowding import in_view
from ali_viz.panels.step_table import StepGeometry
from ali_viz.theme import class_label

__all__ = [
    "count_interventions",
    "label_notes",
    "page_caption",
    "source_name",
    "state_caption",
    "step_caption",
]


def label_notes(views: Sequence[str]) -> list[str]:
    """Return what must be said about layouts that labels took part in."""
    return [spec.note for name, spec in LAYOUTS.items() if name in views and spec.note]


def source_name(embedding: LabelledEmbedding) -> str:
    """Say what the samples come from."""
    return embedding.description or (embedding.source.name if embedding.source else "an embedding in memory")


def count_interventions(steps: Sequence[InterventionStep]) -> str:
    """Say how many of ``steps`` act, and how many are skipped, such as ``12 interventions, 1 skipped``."""
    n_skipped = sum(step.skipped for step in steps)
    acting = len(steps) - n_skipped
    return f"{acting} intervention{'s' * (acting != 1)}" + (f", {n_skipped} skipped" if n_skipped else "")


def state_caption(table: pd.DataFrame, **about: Any) -> str:  # noqa: ANN401
    """Describe the figure of `state_panel`, what only print has included; ``about`` as for `page_caption`."""
    views = ", ".join(LAYOUTS[view].print_title for view in table["view"].unique())
    sentences = [page_caption(table, **about).strip(), f"Rows: {views}.", "The legend counts the samples drawn."]
    if numbers := class_numbers(table):
        sentences.append(f"Numbers 1 to {len(numbers)} mark the median of each class.")
    if any((in_view(rows) != rows[["x", "y"]].to_numpy()).any() for _, rows in table.groupby("view")):
        sentences.append(
            "An axis that a few far points would have stretched by more than a quarter is cut; how many lie outside "
            "is written beneath each panel."
        )
    if table["id"].nunique() > RASTER_ABOVE:
        sentences.append("Points are an image of 600 dpi within the vector file.")
    return " ".join(sentences) + "\n"


def page_caption(
    table: pd.DataFrame,
    *,
    data: str,
    n_samples: int | None = None,
    settings: str = "",
    perplexity: float = 30.0,
    seed: int = 0,
    start: str = "the one to its left",
    coloured_by: str = "",
) -> str:
    """Describe the states of an embedding: data, settings, alignment, and whether labels placed the points.

    Parameters
    ----------
    table
        What is drawn, with the columns of ``STATE_COLUMNS``, and perhaps ``selected``.
    data
        What was embedded.
    n_samples
        Samples that it has; None where all are drawn.
    settings
        What was done to it.
    perplexity, seed
        Of t-SNE.
    start
        Which layout a t-SNE starts from.
    coloured_by
        The column whose colours the points have, if these are not those of the classes.
    """
    views, states = list(table["view"].unique()), list(table["state"].unique())
    n_drawn = table["id"].nunique()
    n_samples, tsne_settings = n_samples or n_drawn, f"perplexity {perplexity:g}, seed {seed}"
    sentences = [
        f"Embedding of {data}: {_samples(n_drawn, n_samples, table['class_name'].nunique())}.",
        f"Columns: {', '.join(f'“{state}”' for state in states)}.",
        f"{settings}." if settings else "",
        "In each view all states are drawn on the same axes.",
    ]
    specs = [LAYOUTS[view] for view in views]
    if any(not spec.is_map for spec in specs):
        sentences.append(
            f"t-SNE: openTSNE, {tsne_settings}; every layout starts from {start} and is aligned to it by a rigid "
            "motion on the samples that did not move, or on all where fewer than three stayed."
        )
    if "parametric" in views:
        sentences.append(
            f"Parametric t-SNE: a network fitted to the first state, {tsne_settings}; one map for all states."
        )
    sentences += label_notes(views)
    if any(spec.uses_labels and not spec.is_map for spec in specs):
        sentences.append(f"Affinities between classes were multiplied by {1 - DEFAULT_SUPERVISION:.2g}.")
    if not any(spec.uses_labels for spec in specs):
        what = "Labels did not place the points" if coloured_by else "Labels colour the points; they did not place them"
        sentences.append(f"{what}.")
    if coloured_by:
        sentences.append(f"Colours show {coloured_by}, shapes the classes.")
    if "selected" in table:
        sentences.append("Samples that are not selected are faint.")
    sentences.append(f"Interventions themselves use the labels of all {n_samples:,} samples.")
    return " ".join(sentence for sentence in sentences if sentence) + "\n"


def _samples(n_drawn: int, n_samples: int, n_classes: int) -> str:
    """Say how many samples there are, and how many of them are drawn where not all are."""
    part = "" if n_drawn == n_samples else f", {n_drawn:,} of them drawn"
    return f"{n_samples:,} samples of {n_classes} classes{part}"


def step_caption(geometry: StepGeometry, *, data: str, n_samples: int, number: int) -> str:
    """Describe the figure of `step_panel`: data, choice, strengths, the plane, and what its arrows are."""
    n_drawn, n_classes = len(geometry.before.labels), len(geometry.before.class_names)
    motion = float(np.linalg.norm(geometry.centers_after[geometry.chosen] - geometry.centers[geometry.chosen]))
    step, names = geometry.step, geometry.before.class_names
    nearest = [class_label(names[code]) for code in geometry.neighbours[:2]]
    who = "Ω" if step.source == "automatic" else "a person"
    strengths = (
        f"{', '.join(f'{name} {getattr(step, name):g}' for name in TRANSFORMS)}, "
        f"shift mix {step.shift_mix:g}, {len(geometry.neighbours)} neighbours"
    )
    sentences = [
        f"Intervention {number} on the embedding of {data}: {_samples(n_drawn, n_samples, n_classes)}; "
        f"{geometry.before.dim:,} dimensions.",
        f"{class_label(names[geometry.chosen])} was chosen by {who}; {strengths}.",
        _plane_sentence(geometry, nearest),
        "a, the chosen class (outlined) and its two nearest neighbours (filled, hollow); the bar is a length in "
        "embedding space.",
        "b, spread (radius of the circles) before and after contraction and the shift with its parts, at true scale; "
        "a close-up of the frame in a where they are short.",
        f"c, samples after the step and, pale, the chosen class before it; the arrow is the motion of its "
        f"center, {motion:.3g} long, the restored norm included (factor {step.norm_factor:.3f}).",
        *(f"Note: {note}." for note in named_notes(step, [class_label(name) for name in names])),
        f"Labels did not place the points; the intervention itself uses the labels of all {n_samples:,} samples.",
    ]
    if n_drawn > RASTER_ABOVE:
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
