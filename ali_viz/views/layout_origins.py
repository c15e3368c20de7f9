"""From what the untouched state of each session is laid out: training goes on from session to session."""

from dataclasses import dataclass, field
from weakref import ReferenceType, WeakKeyDictionary, ref

from ali_core.interventions import InterventionState
from ali_core.projection import Layout, PlaneFrame, View

__all__ = ["Origin", "Origins"]


@dataclass(kw_only=True, eq=False)
class Origin:
    """What is known of the untouched state of one session, and of those that came before it.

    Attributes
    ----------
    state
        The untouched state.
    previous
        That of the session that this one follows.
    frames
        The planes of linear layouts, those of the first session.
    layouts
        Slow layouts of the untouched state, with their vectors. A session that follows takes over what it has made
        anew, so that a long training keeps one layout a view.
    """

    state: ReferenceType[InterventionState]
    previous: "Origin | None" = None
    frames: dict[View, PlaneFrame] = field(default_factory=dict)
    layouts: dict[View, Layout] = field(default_factory=dict)

    def start(self, view: View) -> Layout | None:
        """Return the layout from which that of the untouched state goes on: the nearest session before that has one."""
        older = self.previous
        while older is not None and view not in older.layouts:
            older = older.previous
        return None if older is None else older.layouts[view]

    def keep(self, made: Layout) -> None:
        """Keep the layout of the untouched state for those that follow, instead of older ones."""
        self.layouts[made.view] = made
        older = self.previous
        while older is not None:
            older.layouts.pop(made.view, None)
            older = older.previous

    def before(self) -> list[InterventionState]:
        """Return the untouched states of the sessions before that are still in use."""
        found, older = [], self.previous
        while older is not None:
            found.append(older.state())
            older = older.previous
        return [state for state in found if state is not None]


class Origins:
    """The origins of all sessions that are still in use."""

    def __init__(self) -> None:
        self._of: WeakKeyDictionary[InterventionState, Origin] = WeakKeyDictionary()

    def known(self, untouched: InterventionState) -> bool:
        """Tell whether somebody has asked for the origin of this session."""
        return untouched in self._of

    def at(self, untouched: InterventionState) -> Origin:
        """Return the origin of a session by its ``untouched`` state; a new one when nobody has asked for it."""
        if untouched not in self._of:
            self._of[untouched] = Origin(state=ref(untouched))
        return self._of[untouched]

    def follow(self, untouched: InterventionState, previous: InterventionState) -> None:
        """Let the session of ``untouched`` go on from that of ``previous``, both untouched states."""
        older = self.at(previous)
        self._of[untouched] = Origin(state=ref(untouched), previous=older, frames=dict(older.frames))
