"""The criterion Ω: which class is to be moved next (Sec. III-B of the paper).

A criterion is a function from class statistics to one score a class; NaN marks a class that cannot be chosen. Any
function of that form can stand in for the ones here.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.interventions.statistics import ClassStatistics

__all__ = [
    "CRITERIA",
    "CRITERIA_HELP",
    "Criterion",
    "Selection",
    "choose_class",
    "class_probabilities",
    "closest",
    "criterion_name",
    "crowding",
    "mean_all",
    "mean_std",
    "own_criterion",
    "product",
]

Criterion = Callable[[ClassStatistics], NDArray[np.float64]]
"""A function from class statistics to scores of shape (C,); NaN marks a class that cannot be chosen."""
Selection = Literal["deterministic", "probabilistic"]


def mean_std(statistics: ClassStatistics) -> NDArray[np.float64]:
    r"""Score :math:`s_i / \min_j d_{ij}`: wide classes with a near neighbour come first; shape (C,).

    Notes
    -----
    With a coincident neighbour the score is infinite, or 0 when the class has no spread either.
    """
    return _ratio(statistics.spreads, statistics.nearest, statistics.present)


def mean_all(statistics: ClassStatistics) -> NDArray[np.float64]:
    r"""Score :math:`1 / \mathrm{mean}_{j \ne i}\, d_{ij}`: central classes come first; shape (C,)."""
    return _ratio(np.ones(statistics.n_classes), statistics.mean_distances, statistics.present)


def product(statistics: ClassStatistics) -> NDArray[np.float64]:
    """Score mean-std times mean-all, the paper's choice in D > 2 dimensions; shape (C,)."""
    first, second = mean_std(statistics), mean_all(statistics)
    with np.errstate(invalid="ignore"):
        scores: NDArray[np.float64] = np.where((first == 0.0) | (second == 0.0), 0.0, first * second)
    return np.where(statistics.present, scores, np.nan)


def closest(statistics: ClassStatistics) -> NDArray[np.float64]:
    """Score mean-std for the two classes whose centers are nearest to each other, NaN for all others; shape (C,).

    Notes
    -----
    The paper names the pair but not which of the two is moved; the larger mean-std score decides.
    """
    first = int(statistics.nearest.argmin())
    pair = [first, int(statistics.distances_from(first).argmin())]
    scores = np.full(statistics.n_classes, np.nan)
    scores[pair] = mean_std(statistics)[pair]
    return scores


_TABLE: dict[str, tuple[Criterion, str]] = {
    "closest": (closest, "of the two classes nearest to each other, the one with the larger mean-std"),
    "mean-std": (mean_std, "wide with a near neighbour; spread / distance to the nearest center"),
    "mean-all": (mean_all, "central; 1 / mean distance to all other centers"),
    "product": (product, "both; mean-std times mean-all"),
}
CRITERIA: dict[str, Criterion] = {name: criterion for name, (criterion, _) in _TABLE.items()}
"""The criteria of the paper by name."""
CRITERIA_HELP: dict[str, str] = {name: words for name, (_, words) in _TABLE.items()}
"""What each of them looks for, in a few words."""


def crowding(statistics: ClassStatistics) -> float:
    r"""Return :math:`\max_i s_i / \min_j d_{ij}`: how crowded the most crowded class is.

    The largest mean-std term of the classes with samples. Below 1 every class is narrower than the way to its nearest
    neighbour; infinite where two centers coincide; 0 when there is one class. ``session.run_until(lambda now:
    crowding(now) <= 0.5)`` runs until all classes stand apart.

    Examples
    --------
    >>> import numpy as np
    >>> from ali_core.interventions import ClassStatistics
    >>> vectors = np.array([[0.0], [2.0], [10.0], [12.0]])
    >>> crowding(ClassStatistics.from_samples(vectors, np.array([0, 0, 1, 1]), n_classes=2))  # spread 1, distance 10
    0.1
    """
    return float(np.nanmax(mean_std(statistics), initial=0.0))


def criterion_name(criterion: Criterion) -> str:
    """Return the name under which settings and steps know a criterion function; AliError when it is none."""
    if not callable(criterion):
        raise AliError(
            f"criterion is {criterion!r}, but must be a function of the class statistics; one that is known by name "
            "belongs into the settings: settings.changed(criterion=…)"
        )
    return next((name for name, known in CRITERIA.items() if known is criterion), getattr(criterion, "__name__", "own"))


def own_criterion(criterion: Criterion | None, name: str) -> Criterion | None:
    """Return a user's ``criterion`` as long as settings name it, and None where they name another one."""
    return criterion if criterion is not None and criterion_name(criterion) == name else None


def class_probabilities(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normalise scores (C,) to probabilities (C,); classes of infinite score share everything.

    Notes
    -----
    The paper calls the scores logits, yet multiplies and normalises them; there is no softmax.

    Examples
    --------
    >>> import numpy as np
    >>> class_probabilities(np.array([1.0, 3.0, np.nan])).tolist()
    [0.25, 0.75, 0.0]
    """
    eligible = ~np.isnan(scores)
    if not eligible.any() or np.any(scores[eligible] < 0):
        raise AliError("a criterion must give scores of at least 0 and leave one class that is not NaN")
    infinite = np.isposinf(scores)
    weights = infinite.astype(np.float64) if infinite.any() else np.where(eligible, scores, 0.0)
    if weights.sum() == 0.0:
        weights = eligible.astype(np.float64)
    weights = weights / weights.max()
    probabilities: NDArray[np.float64] = weights / weights.sum()
    return probabilities


def choose_class(scores: NDArray[np.float64], selection: Selection, rng: np.random.Generator) -> int:
    """Return the class of the largest score, or draw one with :func:`class_probabilities`.

    Parameters
    ----------
    scores
        Shape (C,); NaN is never chosen. Equal scores: the lowest class code.
    selection
        ``deterministic`` or ``probabilistic``.
    rng
        Used by ``probabilistic`` only.
    """
    probabilities = class_probabilities(scores)
    if selection == "probabilistic":
        return int(rng.choice(len(scores), p=probabilities))
    return int(np.argmax(np.where(np.isnan(scores), -1.0, scores)))


def _ratio(
    numerator: NDArray[np.float64], distance: NDArray[np.float64], present: NDArray[np.bool_]
) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        scores: NDArray[np.float64] = np.where(numerator == 0.0, 0.0, numerator / distance)
    return np.where(present, scores, np.nan)
