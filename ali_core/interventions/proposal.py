"""What Ω would do next, explained."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ali_core.interventions.state import InterventionState
from ali_core.interventions.steps import InterventionStep

__all__ = ["Proposal"]


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
