"""The Ω loop: choose, move, restore the norm, n times over, without looking at a sample."""

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from ali_core.interventions.class_transforms import ClassTransforms
from ali_core.interventions.criteria import Criterion
from ali_core.interventions.settings import InterventionSettings
from ali_core.interventions.state import InterventionState
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.steps import InterventionStep, automatic_steps

__all__ = ["Plan", "plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What n automatic interventions do: the steps in order and the state they lead to."""

    steps: tuple[InterventionStep, ...]
    state: InterventionState

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

    :math:`\theta_c = \theta_c^{n-1}\circ\dots\circ\theta_c^0` (Sec. III-A of the paper).

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
    """
    state, steps = InterventionState.untouched(statistics), []
    for reached, step in islice(automatic_steps(state, settings, criterion), settings.n_iterations):
        state = reached
        steps.append(step)
    return Plan(steps=tuple(steps), state=state)
