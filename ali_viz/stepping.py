"""Runs of automatic steps that can be watched and stopped."""

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ali_core.errors import AliError
from ali_core.interventions import Session, crowding
from ali_viz.background import Background, Stopped
from ali_viz.views.automatic import GOALS

if TYPE_CHECKING:
    from ali_viz.views.showing import Showing

__all__ = ["MOST_STEPS", "Stepping"]

MOST_STEPS = 1000
SHOWN_EVERY = 0.25
"""Seconds between two pictures of a run."""

Score = Callable[[Session], float]


class Stepping:
    """Takes automatic steps in the background.

    Parameters
    ----------
    showing
        Whose session takes the steps, under its lock.
    background
        The thread.
    score
        Transfer macro F1 of a session; slow.
    """

    def __init__(self, showing: "Showing", background: Background, score: Score) -> None:
        self._showing, self._background, self._score = showing, background, score

    def run(self, n_iterations: int) -> None:
        """Begin a run of ``n_iterations`` steps."""
        self._background.start(f"a run of {n_iterations} steps", lambda stopped: self._run(n_iterations, stopped))

    def run_until(self, goal: str, value: float, most: int = MOST_STEPS) -> None:
        """Begin to take steps until ``goal`` is reached, ``most`` at the most; AliError for what cannot be a goal."""
        if goal not in GOALS:
            raise AliError(f"goal must be one of {', '.join(GOALS)}; got {goal!r}")
        if not math.isfinite(value):
            raise AliError(f"value must be a finite number for {goal} to reach; got {value}")
        if most < 0:
            raise AliError(f"most must be at least 0, the steps that are taken at most; got {most}")
        label = f"{GOALS[goal][0]} {value:g}"
        self._background.start(f"a run until {label}", lambda stopped: self._until(goal, value, most, stopped, label))

    def _run(self, n_iterations: int, stopped: Stopped) -> None:
        """Take steps in pieces of about ``SHOWN_EVERY`` seconds, each of which is one change of the session."""
        piece = 1
        while n_iterations > 0 and not stopped():
            piece = min(piece, n_iterations)
            begin = time.perf_counter()
            with self._showing.lock:
                self._showing.session.run(piece)
            seconds = (time.perf_counter() - begin) / piece
            n_iterations -= piece
            piece = max(1, int(SHOWN_EVERY / max(seconds, 1e-4)))

    def _until(self, goal: str, value: float, most: int, stopped: Stopped, label: str) -> None:
        for taken in range(most + 1):
            now = self._value(goal)
            reached = now <= value if goal == "crowding" else now >= value
            if reached or stopped() or taken == most:
                end = "reached" if reached else "stopped" if stopped() else f"not reached in {most} steps"
                self._showing.say(f"{label} {end} after {taken} steps: {now:.3f}")
                return
            with self._showing.lock:
                self._showing.session.step()

    def _value(self, goal: str) -> float:
        session = self._showing.session
        return crowding(session.statistics) if goal == "crowding" else self._score(session)
