"""The 2-D layouts that there are, one entry each.

To add a layout, add its name to ``View`` and its entry to ``LAYOUTS``. A linear layout needs no more than that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ali_core.projection.linear import PlaneFrame, discriminant_plane, first_dimensions, principal_plane

__all__ = ["LAYOUTS", "VIEWS", "VIEW_WORDS", "LayoutSpec", "View", "is_map", "uses_labels"]

View = Literal["dims", "pca", "discriminant", "tsne", "parametric", "supervised_tsne", "shuffled_tsne"]
"""Name of a layout."""

PlaneOf = Callable[[NDArray[np.floating], NDArray[np.int64]], PlaneFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutSpec:
    """What a 2-D layout is.

    Attributes
    ----------
    title
        Its name in the app.
    print_title
        Its name in print figures, which stand without the app's help and badge.
    help
        One sentence that says what it is.
    axis
        Name of its axes, without their number.
    plane
        For a linear layout: finds the plane from the vectors (N, D) of the first state and, where labels are used,
        the class codes (N,). None for the others.
    network
        Whether it is the map of a network that is fitted to the first state.
    labels
        Which labels take part in placing the samples.
    badge, note
        What must be said in the app and in a caption where labels take part; else empty.
    """

    title: str
    print_title: str
    help: str
    axis: str
    plane: PlaneOf | None = None
    network: bool = False
    labels: Literal["none", "true", "shuffled"] = "none"
    badge: str = ""
    note: str = ""

    @property
    def linear(self) -> bool:
        """Whether positions are linear in the vectors, so that the axes have a unit."""
        return self.plane is not None

    @property
    def is_map(self) -> bool:
        """Whether each vector is placed by itself, so that any vector has a place."""
        return self.linear or self.network

    @property
    def slow(self) -> bool:
        """Whether it takes seconds rather than milliseconds."""
        return not self.linear

    @property
    def uses_labels(self) -> bool:
        """Whether labels, true or shuffled, take part in placing the samples; this proves no separation."""
        return self.labels != "none"


LAYOUTS: dict[View, LayoutSpec] = {
    "dims": LayoutSpec(
        title="First two dimensions",
        print_title="First two dimensions",
        help="The first two dimensions of the embedding.",
        axis="Dimension",
        plane=lambda vectors, _: first_dimensions(vectors.shape[1]),
    ),
    "pca": LayoutSpec(
        title="PCA",
        print_title="PCA of the first state",
        help="The first two principal components of the untouched embedding, the same plane for all states.",
        axis="Component",
        plane=lambda vectors, _: principal_plane(vectors),
    ),
    "discriminant": LayoutSpec(
        title="Discriminant",
        print_title="Discriminant plane of the first state (uses labels)",
        help=(
            "The plane of the untouched embedding that separates the classes best (linear discriminant analysis), the "
            "same for all states; it is found with the labels, so the separation proves nothing."
        ),
        axis="Discriminant",
        plane=discriminant_plane,
        labels="true",
        badge="uses labels: never score it",
        note=(
            "The discriminant plane was found with the help of the class labels: "
            "the separation that it shows proves nothing."
        ),
    ),
    "tsne": LayoutSpec(
        title="t-SNE",
        print_title="t-SNE",
        help="t-SNE; each state starts from the one before, and what did not change stays.",
        axis="t-SNE",
    ),
    "parametric": LayoutSpec(
        title="Parametric t-SNE",
        print_title="Parametric t-SNE of the first state",
        help=(
            "Parametric t-SNE: a network fitted to the untouched embedding, one map for all states, in which classes "
            "can be dragged. It is fitted again, from where it was, after training."
        ),
        axis="Parametric t-SNE",
        network=True,
    ),
    "supervised_tsne": LayoutSpec(
        title="Supervised t-SNE",
        print_title="Supervised t-SNE (uses labels)",
        help=(
            "t-SNE whose affinities between classes are weakened: the labels place the points, so the separation "
            "proves nothing and must never be scored."
        ),
        axis="Supervised t-SNE",
        labels="true",
        badge="uses labels: never score it",
        note=(
            "Supervised t-SNE places the samples with the help of their class labels: "
            "the separation that it shows proves nothing."
        ),
    ),
    "shuffled_tsne": LayoutSpec(
        title="Supervised t-SNE, shuffled labels",
        print_title="Supervised t-SNE, shuffled labels (control)",
        help=(
            "The control of supervised t-SNE: the same with shuffled labels. "
            "Whatever separation of the true classes it shows is made by the method."
        ),
        axis="Shuffled t-SNE",
        labels="shuffled",
        badge="uses shuffled labels: what is separate here is made by the method, not by the cells",
        note="In the control the labels that place the samples are shuffled; the colours show the true ones.",
    ),
}
"""How each layout is made, what it is called, and what it is allowed to see."""
VIEWS: tuple[View, ...] = get_args(View)
"""Names of all layouts, in the order of the bar."""
VIEW_WORDS: dict[View, str] = {name: spec.help for name, spec in LAYOUTS.items()}
"""What each layout shows, in a sentence."""


def is_map(view: View) -> bool:
    """Tell whether the layout ``view`` places each vector by itself, so that any vector has a place in it."""
    return LAYOUTS[view].is_map


def uses_labels(view: View) -> bool:
    """Tell whether labels, true or shuffled, take part in the layout ``view``; such a picture proves no separation."""
    return LAYOUTS[view].uses_labels
