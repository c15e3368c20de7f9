"""The Ω loop: choose a class, move it, restore the norm, n times, from class statistics alone."""

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from ali_core.interventions.class_transforms import ClassTransforms
from ali_core.interventions.criteria import Criterion
from ali_core.interventions.settings import InterventionSettings
from ali_core.interventions.state import InterventionState
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.steps import InterventionStep, automatic_steps

__all__ = ["Plan", "plan"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Plan:
    """What n automatic interventions do: the steps in order and the state they lead to."""

    steps: tuple[InterventionStep, ...]
    state: InterventionState

    def __repr__(self) -> str:
        """Three lines: how many steps, on what, and how far the classes go."""
        statistics, offsets = self.state.statistics, np.linalg.norm(self.state.offsets, axis=1)
        moved = len({code for step in self.steps for code in step.classes})
        return (
            f"Plan of {len(self.steps)} steps, {moved} of {int(statistics.present.sum())} classes chosen\n"
            f"  {int(statistics.counts.sum()):,} samples, {statistics.dim} dimensions\n"
            f"  scales {self.state.scales.min():.3g} to {self.state.scales.max():.3g}, "
            f"offsets up to {offsets.max(initial=0.0):.3g} long"
        )

    @cached_property
    def transforms(self) -> ClassTransforms:
        """θ of each class after all steps."""
        return self.state.transforms


def plan(
    statistics: ClassStatistics,
    settings: InterventionSettings,
    *,
    criterion: Criterion | None = None,
) -> Plan:
    r"""Plan ``settings.n_iterations`` automatic interventions in a row.

    :math:`\theta_c = \theta_c^{n-1}\circ\ldots\circ\theta_c^0` (Sec. III-A of the paper).

    Parameters
    ----------
    statistics
        Of the embedding to be moved.
    settings
        Strengths and choices.
    criterion
        Your own criterion instead of the one that ``settings`` names.

    Notes
    -----
    Costs O(n (C² D + k² D)) for k neighbours, plus O(k D²) an iteration when classes are rotated; the number of
    samples does not enter.

    Examples
    --------
    >>> import numpy as np
    >>> from ali_core.interventions import ClassStatistics, preset
    >>> vectors, labels = np.random.default_rng(0).normal(size=(60, 8)), np.arange(60) % 3
    >>> planned = plan(ClassStatistics.from_samples(vectors, labels, n_classes=3), preset("c", dim=8))
    >>> len(planned.steps), planned.transforms.apply(vectors, labels).shape
    (33, (60, 8))
    """
    state, steps = InterventionState.untouched(statistics), []
    for reached, step in islice(automatic_steps(state, settings, criterion), settings.n_iterations):
        state = reached
        steps.append(step)
    return Plan(steps=tuple(steps), state=state)
