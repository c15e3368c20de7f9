"""What is said about the figure of a dry run."""

import pandas as pd

from ali_viz.panels.combinations import COMBINATION_NOTE

__all__ = ["dry_run_caption"]

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
