"""The views there are, and what each of them is in words."""

from typing import Literal, get_args

__all__ = ["VIEWS", "VIEW_WORDS", "View", "is_map", "uses_labels"]

View = Literal["dims", "pca", "tsne", "supervised_tsne", "shuffled_tsne", "parametric"]
VIEWS: tuple[View, ...] = get_args(View)
VIEW_WORDS: dict[View, str] = {
    "dims": "The first two dimensions of the embedding.",
    "pca": "The first two principal components of the untouched embedding, the same plane for all states.",
    "tsne": "t-SNE; each state starts from the one before, and what did not change stays.",
    "supervised_tsne": (
        "t-SNE whose affinities between classes are weakened: the labels place the points, so the separation proves "
        "nothing and must never be scored."
    ),
    "shuffled_tsne": (
        "The control of supervised t-SNE: the same with shuffled labels. Whatever separation it shows by these labels "
        "is made by the method."
    ),
    "parametric": (
        "Parametric t-SNE: a network fitted to the untouched embedding, one fixed map for all its states. It is "
        "fitted anew, from where it was, after training."
    ),
}


def is_map(view: View) -> bool:
    """Tell whether ``view`` places each vector by itself, so that any vector has a place in it."""
    return view in {"dims", "pca", "parametric"}


def uses_labels(view: View) -> bool:
    """Tell whether labels, true or shuffled, moved the points of ``view``; such a picture proves no separation."""
    return view in {"supervised_tsne", "shuffled_tsne"}
