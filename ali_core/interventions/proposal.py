"""What Ω would do next, explained."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ali_core.interventions.criteria import Criterion, class_probabilities, mean_all, mean_std
from ali_core.interventions.settings import InterventionSettings
from ali_core.interventions.state import InterventionState
from ali_core.interventions.steps import InterventionStep, automatic_steps

__all__ = ["Proposal", "propose"]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What Ω would do next, and why.

    Parameters
    ----------
    step
        The step as decided, with the outcome it would have.
    mean_std, mean_all, scores, probabilities
        The two terms of the paper, the score that decides and its normalised form, each of shape (C,); NaN where a
        class cannot be chosen (probability 0 there).
    state
        Where all classes would be.
    """

    step: InterventionStep
    mean_std: NDArray[np.float64]
    mean_all: NDArray[np.float64]
    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    state: InterventionState


def propose(
    state: InterventionState, settings: InterventionSettings, index: int, criterion: Criterion | None = None
) -> Proposal:
    """Return what Ω would do as step ``index`` (from 0) on ``state``, and why."""
    after, step = next(automatic_steps(state, settings, criterion, start=index))
    scores = np.asarray(step.scores, dtype=np.float64)
    return Proposal(
        step=step,
        mean_std=mean_std(state.statistics),
        mean_all=mean_all(state.statistics),
        scores=scores,
        probabilities=class_probabilities(scores),
        state=after,
    )
