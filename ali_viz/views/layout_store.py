"""What is known of the layouts: positions by view and state, what failed, what a person declined."""

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from ali_core.interventions import InterventionState
from ali_core.projection import Layout, View

__all__ = ["LayoutStore"]

NO_VECTORS = np.empty((0, 0))


class LayoutStore:
    """Layouts without their vectors, by view and by the identity of the state; a state that is dropped is forgotten.

    Attributes
    ----------
    lock
        Protects all that is kept here; held for look-ups only, never while something is computed or told.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._known: dict[View, WeakKeyDictionary[InterventionState, Layout]] = defaultdict(WeakKeyDictionary)
        self._failed: dict[View, WeakKeyDictionary[InterventionState, str]] = defaultdict(WeakKeyDictionary)
        self._declined: dict[View, WeakSet[InterventionState]] = defaultdict(WeakSet)

    def found(self, view: View, state: InterventionState) -> Layout | None:
        """Return the layout of ``state``, its vectors left out; None when it is not known."""
        with self.lock:
            return self._known[view].get(state)

    def keep(self, state: InterventionState, made: Layout) -> Layout:
        """Keep ``made``, unless ``state`` has a layout already, and return what is kept; nobody can write to it."""
        positions = made.positions.view()
        positions.flags.writeable = False
        with self.lock:
            return self._known[made.view].setdefault(state, replace(made, positions=positions, vectors=NO_VECTORS))

    def fail(self, view: View, state: InterventionState, words: str) -> None:
        """Remember why ``state`` has no layout."""
        with self.lock:
            self._failed[view][state] = words

    def trouble(self, view: View, states: Iterable[InterventionState]) -> str:
        """Return why one of ``states`` has no layout; empty when none has failed."""
        with self.lock:
            failed = self._failed[view]
            return next((failed[state] for state in states if state in failed), "")

    def decline(self, view: View, state: InterventionState) -> None:
        """Remember that a person does not want this layout."""
        with self.lock:
            self._declined[view].add(state)

    def declined(self, view: View, state: InterventionState) -> bool:
        """Tell whether a person did not want this layout."""
        with self.lock:
            return state in self._declined[view]

    def resume(self) -> None:
        """Forget what was declined."""
        with self.lock:
            self._declined.clear()
