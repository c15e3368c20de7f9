"""What the app is looking at, and what the views are shown of it: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ali_core.interventions import InterventionState, Proposal, Session
from ali_core.projection import Places, View
from ali_viz.picture import Colouring

if TYPE_CHECKING:
    import pandas as pd

    from ali_core.experiments.session_scorer import SessionScores
    from ali_core.training import LiveTraining

__all__ = ["COMPARISONS", "LAYERS", "AppState", "Cells", "Comparison", "Drawing", "Layer", "Mode", "Planned", "Scene"]

Mode = Literal["automatic", "manual"]
"""Who chooses the classes."""

Comparison = Literal["start", "previous", "epoch"]
COMPARISONS: dict[Comparison, str] = {"start": "start", "previous": "previous step", "epoch": "last epoch"}
"""What stands beside the present state, in the words of the app."""

Layer = Literal["names", "old", "arrows", "preview"]
LAYERS: dict[Layer, tuple[str, str]] = {
    "names": ("names", "Write the names of the classes into the picture"),
    "old": ("old places", "Pale points: where the classes that have moved were before"),
    "arrows": ("arrows", "Arrows lead from the old to the new center of each class that has moved"),
    "preview": ("next step", "Hollow points: where the next step would move its class"),
}
"""What can lie over the picture: label and help of each."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AppState:
    """What a person looks at; none of it is part of the work.

    Attributes
    ----------
    view, mode, comparison
        As the switches on top stand.
    layers
        Which of :data:`LAYERS` are shown.
    colouring
        Colours by a column; None for those of the classes.
    selected
        Codes of the selected classes, in the order in which they were chosen.
    lassoed
        Rows of the samples in the last lasso, while the selection is what it chose; else None.
    marked, hovered
        Row of the sample with a ring, let go with the selection, and of the one under the mouse; or None.
    away_from
        Codes of the classes that a step by hand leads away from; None for the nearest of each.
    displacement
        Where the selected classes were dragged, as a vector (D,) of the embedding; None when they were not.
    tab
        Name of the open tab.
    listed
        Which cells are listed: those ``selected``, or those that ``changed`` neighbours most.
    said, wrong, progress
        What the app says: what it did, what went wrong, how far a layout is. At most one of the first two.
    """

    view: View
    mode: Mode = "automatic"
    comparison: Comparison = "start"
    layers: frozenset[Layer] = frozenset({"names", "old", "preview"})
    colouring: Colouring | None = None
    selected: tuple[int, ...] = ()
    lassoed: NDArray[np.int64] | None = None
    marked: int | None = None
    hovered: int | None = None
    away_from: tuple[int, ...] | None = None
    displacement: tuple[float, ...] | None = None
    tab: str = "Step"
    listed: Literal["selected", "changed"] = "selected"
    said: str = ""
    wrong: str = ""
    progress: str = ""

    def selected_rows(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of the selected samples: those of the last lasso, or all of the selected classes."""
        if self.lassoed is not None:
            return self.lassoed
        return np.flatnonzero(np.isin(labels, np.array(self.selected, dtype=np.int64)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """One picture: two or three states of the same samples in one layout, from left to right.

    Attributes
    ----------
    view
        How the samples were laid out.
    rows, labels
        Which samples are drawn (n,), and their class codes (n,); -1 for those without a class.
    titles, places
        Of each state: before and after; for an epoch before, after the interventions, after the epoch.
    moved
        Codes of the classes that steps between the first two states moved, and whose center is elsewhere now.
        What t-SNE or the keeping of the norm displaced besides is not among them.
    corners
        Places (k, 2) between which all states lie.
    equal_units
        Whether both axes have the same units.
    axis_names
        What the two axes are; None where one means nothing.
    draggable
        Whether a class can be dragged.
    waiting
        Whether one shows another state than its title names first, or none, because its layout is not there yet.
    """

    view: View
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    titles: tuple[str, ...]
    places: tuple[Places, ...]
    moved: tuple[int, ...]
    corners: NDArray[np.float64]
    equal_units: bool
    axis_names: tuple[str | None, str | None]
    draggable: bool
    waiting: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Planned:
    """Where a step would put the classes that it moves: ``codes``, in ``places``."""

    codes: tuple[int, ...]
    places: Places


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """The cells to list: ids in order, why, the share of changed neighbours by id where it is known."""

    ids: NDArray[np.str_]
    why: Literal["selected", "changed"]
    shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """All that the views are shown at one moment; what only a closed tab would show is None.

    Attributes
    ----------
    state, session, last
        What is looked at, what is shown, and the interventions that the last epoch followed, if there was one.
    drawing, planned
        The picture, and the next step in it.
    proposal, undecided
        What Ω would do; or None, and why it cannot choose.
    busy
        What is under way, in words, and the controls of steps rest for; empty when nothing is.
    stoppable
        Whether it can be stopped.
    training
        What is trained, if anything is.
    scores, effect, epoch_f1, cells
        Of the steps in force, for the tabs that explain.
    """

    state: AppState
    session: Session
    last: Session | None
    drawing: Drawing
    planned: Planned | None
    proposal: Proposal | None
    undecided: str = ""
    busy: str = ""
    stoppable: bool = False
    training: "LiveTraining | None" = None
    scores: "SessionScores | None" = None
    effect: "pd.DataFrame | None" = None
    epoch_f1: float | None = None
    cells: Cells | None = None

    @property
    def now(self) -> InterventionState:
        """Where all classes are."""
        return self.session.state_at(self.session.cursor)
