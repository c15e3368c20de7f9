"""How far apart classes are: before steps, as steps promise, and as found after training.

Synopsis::

    class_distances(session.statistics)                          # one row a class
    effect_table(start, session.statistics, after_the_epoch)     # one row a class and measure
"""

import numpy as np
import pandas as pd

from ali_core.errors import AliError
from ali_core.interventions.criteria import mean_std
from ali_core.interventions.statistics import ClassStatistics

__all__ = ["MEASURES", "class_distances", "effect_table"]

MEASURES = {
    "spread": "spread of the class",
    "distance": "distance of its center to the nearest other center",
    "overlap": "spread / distance, the mean-std term of Ω; smaller is better",
    "relative_spread": "spread / mean distance of all centers",
    "relative_distance": "distance to the nearest center / mean distance of all centers",
}
"""What is measured of every class."""

NOTHING = 1e-9
"""Changes below this share of the value before are rounding."""


def class_distances(statistics: ClassStatistics) -> pd.DataFrame:
    """Measure how each class lies to its nearest neighbour.

    Parameters
    ----------
    statistics
        Of an embedding in any state.

    Returns
    -------
    pandas.DataFrame
        One row a class with samples, by code: ``class`` (code), ``n`` (samples), ``nearest`` (code of the class with
        the nearest center; -1 when there is no other), and the measures of ``MEASURES``. ``distance`` is infinite
        without another class; ``overlap`` is infinite for a class with a spread on another's center. The relative
        measures are NaN where all centers coincide.

    Notes
    -----
    ``overlap`` is the paper's mean-std term (Sec. III-B). The relative measures do not change when the whole embedding
    is scaled, so they compare states of different norm.
    """
    present = np.flatnonzero(statistics.present)
    distances = statistics.distances[present]
    nearest = distances.argmin(axis=1) if len(present) > 1 else np.full(len(present), -1)
    finite = distances[np.isfinite(distances)]
    mean = float(finite.mean()) if len(finite) else 0.0
    unit = mean if mean > 0.0 else np.nan
    closest = distances.min(axis=1)
    return pd.DataFrame(
        {
            "class": present,
            "n": statistics.counts[present],
            "nearest": nearest,
            "spread": statistics.spreads[present],
            "distance": closest,
            "overlap": mean_std(statistics)[present],
            "relative_spread": statistics.spreads[present] / unit,
            "relative_distance": closest / unit,
        }
    )


def effect_table(
    before: ClassStatistics, predicted: ClassStatistics, happened: ClassStatistics | None = None
) -> pd.DataFrame:
    """Compare what steps promise with what training made of it.

    Parameters
    ----------
    before
        Of the embedding before the steps.
    predicted
        Of the embedding moved by the steps.
    happened
        Of the embedding of the same samples after the next epoch; None while there is none.

    Returns
    -------
    pandas.DataFrame
        One row a class with samples and measure of ``MEASURES``: ``class`` (code), ``measure``, ``before``,
        ``predicted``, ``happened``, ``predicted_change`` and ``happened_change`` (minus ``before``), ``missed``
        (``happened`` minus ``predicted``), and ``kept``, the share ``happened_change / predicted_change`` (1: as
        promised; below 0: the other way), NaN where no change was promised. What has not happened is NaN.

    Raises
    ------
    AliError
        When the states differ in their classes or in how spread is measured.

    Notes
    -----
    The steps keep the norm of the embedding and a network does not: after an epoch ``spread`` and ``distance`` may
    have grown or shrunk altogether. ``overlap`` and the relative measures are free of this.
    """
    states = {"before": before, "predicted": predicted} | ({} if happened is None else {"happened": happened})
    for name, state in states.items():
        _check_same_classes(before, state, name)
    table = _measured(before).rename("before").to_frame()
    for name in ("predicted", "happened"):
        table[name] = _measured(states[name]) if name in states else np.nan
    with np.errstate(invalid="ignore"):  # infinite before and after
        for name in ("predicted", "happened"):
            table[f"{name}_change"] = table[name] - table["before"]
        table["missed"] = table["happened"] - table["predicted"]
        promised = table["predicted_change"].where(table["predicted_change"].abs() > NOTHING * table["before"].abs())
        table["kept"] = table["happened_change"] / promised
    return table.reset_index()


def _measured(statistics: ClassStatistics) -> "pd.Series[float]":
    """Return the measures by class and name, the measures of one class together."""
    table = class_distances(statistics)
    index = pd.MultiIndex.from_product([table["class"], MEASURES], names=["class", "measure"])
    return pd.Series(table[list(MEASURES)].to_numpy().ravel(), index=index)


def _check_same_classes(before: ClassStatistics, other: ClassStatistics, name: str) -> None:
    if before.n_classes != other.n_classes or not np.array_equal(before.present, other.present):
        raise AliError(
            f"{name} must have the same classes with samples as before; got {int(other.present.sum())} of "
            f"{other.n_classes} against {int(before.present.sum())} of {before.n_classes}"
        )
    if before.spread != other.spread:
        raise AliError(f"{name} must measure spread as before does, {before.spread!r}; got {other.spread!r}")
