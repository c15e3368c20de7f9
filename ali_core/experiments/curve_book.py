"""The curves of a dry run, by configuration and fold, and how configurations compare.

A configuration is better if the mean oracle score over the folds is higher at its maximum; then, if that maximum is
reached after fewer interventions; then, if the transfer score is higher there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.experiments.sweep_grid import configuration_name
from ali_core.interventions import InterventionSettings
from ali_core.interventions.settings import STRENGTHS

__all__ = ["CurveBook", "Outcome"]


class Outcome(NamedTuple):
    """How good a configuration is; larger is better, as tuples are compared.

    Parameters
    ----------
    oracle_f1
        The highest mean over the folds.
    fewer
        Minus the number of interventions after which it is reached first.
    transfer_f1
        The mean transfer score after as many; NaN where some fold was not followed so far.
    """

    oracle_f1: float
    fewer: int
    transfer_f1: float

    @property
    def n_interventions(self) -> int:
        """How many interventions it took."""
        return -self.fewer


@dataclass(eq=False)
class CurveBook:
    """Curves by configuration and fold; grows while a dry run goes on.

    Parameters
    ----------
    n_folds
        How many folds a configuration needs to be complete.
    hold
        A curve whose last so many oracle scores are 1 is taken to stay there; see :meth:`FoldScorer.curves`.
    """

    n_folds: int
    hold: int | None = 1
    settings: dict[str, InterventionSettings] = field(default_factory=dict)
    curves: dict[str, dict[int, pd.DataFrame]] = field(default_factory=dict)

    def add(self, settings: InterventionSettings, fold: int, curve: pd.DataFrame) -> None:
        """Enter the curve of one configuration in one fold, in place of an older one."""
        name = configuration_name(settings)
        self.settings[name] = settings
        self.curves.setdefault(name, {})[fold] = curve

    def is_complete(self, name: str) -> bool:
        """Whether all folds are there."""
        return len(self.curves.get(name, {})) == self.n_folds

    def mean(self, name: str, score: str) -> NDArray[np.float64]:
        """Return the mean of a score over the folds that are there, after 0, 1, 2, … interventions.

        An oracle score that ended at 1 stays there; the mean ends where a curve was left. That of the transfer score,
        which goes on changing, ends with the shortest curve.
        """
        curves = [curve for _, curve in sorted(self.curves[name].items())]
        if score != "oracle_f1":
            length = min(map(len, curves))
            return _mean([curve[score].to_numpy(dtype=np.float64)[:length] for curve in curves])
        left = [len(curve) for curve in curves if self._held(curve) is None]
        length = min(left) if left else max(map(len, curves))
        return _mean([self._oracle(curve, length) for curve in curves])

    def outcome(self, name: str) -> Outcome:
        """Return how good a complete configuration is."""
        oracle = self.mean(name, "oracle_f1").round(12)
        first = int(oracle.argmax())
        transfer = self.mean(name, "transfer_f1")
        return Outcome(float(oracle[first]), -first, float(transfer[first]) if first < len(transfer) else np.nan)

    def reaches(self, name: str, fold: int, longest: int) -> bool:
        """Whether the curve of one fold is known for ``longest`` interventions."""
        curve = self.curves.get(name, {}).get(fold)
        return curve is not None and (len(curve) > longest or self._held(curve) is not None)

    def bound(self, name: str, longest: int) -> tuple[float, int]:
        """Return the best that oracle score and (minus) number of interventions can become up to ``longest``.

        Whatever is not known, folds and the rest of curves that were left, counts as 1.
        """
        rows = np.ones((self.n_folds, longest + 1))
        for row, curve in zip(rows, self.curves.get(name, {}).values(), strict=False):
            row[:] = self._oracle(curve, longest + 1)
        best = _mean(rows).round(12)
        return float(best.max()), -int(best.argmax())

    def ranked(self, names: Iterable[str]) -> list[tuple[str, Outcome]]:
        """Return the complete ones of ``names`` with their outcomes, best first; of equals, in the order given."""
        found = [(name, self.outcome(name)) for name in names if self.is_complete(name)]
        return sorted(found, key=lambda pair: (pair[1][:2], np.nan_to_num(pair[1].transfer_f1, nan=-1.0)), reverse=True)

    def table(self, names: Iterable[str]) -> pd.DataFrame:
        """Return the curves of ``names`` in long form, by configuration and fold."""
        parts = []
        for name in names:
            chosen = self.settings[name].model_dump(include=set(SETTINGS))
            for fold, curve in sorted(self.curves[name].items()):
                parts.append(curve.assign(configuration=name, fold=fold, **chosen))
        return pd.concat(parts, ignore_index=True)

    def _held(self, curve: pd.DataFrame) -> int | None:
        """Return how many interventions it took until the oracle score had been 1 ``hold`` times in a row, or None."""
        if self.hold is None:
            return None
        ones = (curve["oracle_f1"].to_numpy() >= 1.0).astype(np.int64)
        runs = np.convolve(ones, np.ones(self.hold, dtype=np.int64), "valid") if len(ones) >= self.hold else np.empty(0)
        found = np.flatnonzero(runs == self.hold)
        return int(found[0]) + self.hold - 1 if len(found) else None

    def _oracle(self, curve: pd.DataFrame, length: int) -> NDArray[np.float64]:
        """Return the oracle scores of the first ``length`` numbers of interventions, 1 from where they were held."""
        values, held = np.ones(length), self._held(curve)
        known = curve["oracle_f1"].to_numpy(dtype=np.float64)[: length if held is None else held]
        values[: len(known)] = known[:length]
        return values


def _mean(rows: Sequence[NDArray[np.float64]] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over folds, to the last digit independent of their order, so that a bound can be met exactly."""
    return np.asarray(np.sort(rows, axis=0).mean(axis=0))


SETTINGS = (*STRENGTHS, "criterion", "selection", "n_neighbours")
"""The columns that describe a configuration."""
