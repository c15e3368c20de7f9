"""What a picture shows at one moment: frozen values, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ali_core.projection import Places
from ali_viz.limits import Limits
from ali_viz.picture.colours import Colouring

__all__ = ["Arrow", "Pane", "PictureScene"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """From where to where a class went, in data; thinner when it is only planned."""

    code: int
    tail: tuple[float, float]
    head: tuple[float, float]
    planned: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Pane:
    """One state of the samples.

    Attributes
    ----------
    title
        Above the points.
    places
        Where all drawn samples are.
    old, old_codes
        Where samples of these classes were: pale and hollow.
    planned, planned_codes
        Where the next step would put samples of these classes: hollow.
    arrows
        Over the points.
    rings
        By which classes can be dragged: where each is, by class code.
    """

    title: str
    places: Places
    old: Places | None = None
    old_codes: tuple[int, ...] = ()
    planned: Places | None = None
    planned_codes: tuple[int, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    rings: Mapping[int, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureScene:
    """All that a picture shows.

    Attributes
    ----------
    rows, labels
        Which samples are drawn (n,), and their class codes (n,); -1 for those without a class.
    panes
        One to three, from left to right, all of the same samples.
    limits
        What every pane shows at least, while nobody has zoomed.
    equal_units
        Whether both axes have the same units.
    axis_names
        What the axes are; None where one means nothing and gets no numbers.
    selected
        Codes of classes that stand out; the others fade. With none, all look alike.
    lassoed
        Rows of samples that stand out instead; the others fade.
    marked
        Row of the sample with a ring around it.
    names
        Whether the names of the classes stand beside their means.
    colouring
        Colours by a column of the metadata; None for the colours of the classes.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    panes: tuple[Pane, ...]
    limits: Limits
    equal_units: bool = True
    axis_names: tuple[str | None, str | None] = (None, None)
    selected: frozenset[int] = frozenset()
    lassoed: NDArray[np.int64] | None = None
    marked: int | None = None
    names: bool = True
    colouring: Colouring | None = None
