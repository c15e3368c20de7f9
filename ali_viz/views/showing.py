"""What a person looks at: view, mode, comparison and selection, and the views kept in step with the session."""

import threading
from collections.abc import Sequence
from typing import Any, Literal, get_args

from ali_core.errors import AliError
from ali_core.interventions import Proposal, Session, SessionEvent
from ali_core.projection import VIEWS, View
from ali_viz.views.desk import Desk, Scene, Told
from ali_viz.views.drawing import COMPARISONS, Comparison, Drawing, draw
from ali_viz.views.layouts import Layouts
from ali_viz.views.work import Work

__all__ = ["Mode", "Showing"]

Mode = Literal["automatic", "manual"]


class Showing:
    """The views of one Studio, shown anew after every change of the session or of what is looked at.

    Parameters
    ----------
    session
        What is shown; only read.
    told
        Whom the views tell of clicks.
    view
        The first one.
    max_points, max_tsne_points, seed
        See :class:`~ali_viz.views.layouts.Layouts`.

    Notes
    -----
    JupyterLab may handle clicks in another thread than cells, so what is shown changes under :attr:`lock`.
    """

    def __init__(
        self, session: Session, told: Told, *, view: View, max_points: int, max_tsne_points: int, seed: int
    ) -> None:
        self.lock = threading.RLock()
        self.view: View = _checked(view, VIEWS, "view")
        self.mode: Mode = "automatic"
        self.comparison: Comparison = "start"
        self.selected: tuple[int, ...] = ()
        self.desk = Desk(session, told)
        self._session = session
        self._work = Work(self.desk, session)
        self._layouts = Layouts(
            session, max_points=max_points, max_tsne_points=max_tsne_points, seed=seed, progress=self._work
        )
        self._drawn: tuple[object, Drawing] | None = None
        self._proposal: Proposal | None = None
        self.refresh(session_changed=True)
        embedding = session.embedding
        self.say(f"{len(embedding):,} samples, {embedding.dim:,} dimensions, {embedding.n_classes} classes")

    def heard(self, event: SessionEvent) -> None:
        """Show the session after a change of it; a picture that cannot be drawn must not stop the session."""
        try:
            self.refresh(session_changed=True)
        except AliError as error:
            self.desk.messages.error(str(error))
            return
        if event.kind != "settings":
            self.say(_told(event.kind, self._session))

    def select(self, codes: Sequence[int]) -> None:
        """Select the classes with these codes and no others."""
        self.selected = tuple(dict.fromkeys(codes))
        self.refresh()

    def set_mode(self, mode: Mode) -> None:
        """Show the controls of another mode."""
        self.mode = _checked(mode, get_args(Mode), "mode")
        self.refresh()

    def look(self, *, view: View | None = None, comparison: Comparison | None = None) -> None:
        """Change view or comparison; when that cannot be drawn, all stays as it is and AliError says why."""
        before = self.view, self.comparison
        if view is not None:
            self.view = _checked(view, VIEWS, "view")
        if comparison is not None:
            self.comparison = _checked(comparison, tuple(COMPARISONS), "comparison")
        try:
            self.refresh()
        except AliError:
            self.view, self.comparison = before
            raise
        if self._work.summary:
            self.say("")

    def say(self, text: str) -> None:
        """Put ``text``, and what slow work took if there was any, into the status line."""
        took, self._work.summary = self._work.summary, ""
        self.desk.messages.status(". ".join(filter(None, [text, took])))

    def refresh(self, *, session_changed: bool = False) -> None:
        """Show everything as it is now; views send only what differs."""
        with self.lock:
            if session_changed:
                self._proposal = self._proposed()
            self.desk.update(
                Scene(
                    drawing=self._drawing(),
                    settings=self._session.settings,
                    proposal=self._proposal,
                    session=self._session,
                    selected=self.selected,
                    mode=self.mode,
                    comparison=self.comparison,
                )
            )

    def _drawing(self) -> Drawing:
        session = self._session
        key = (session.state_at(session.cursor), session.cursor, self.view, self.comparison)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, draw(session, self._layouts, self.view, self.comparison))
        return self._drawn[1]

    def _proposed(self) -> Proposal | None:
        try:
            return self._session.propose()
        except AliError as error:
            self.desk.messages.error(str(error))
            return None


def _told(kind: str, session: Session) -> str:
    """Say what happened and where the session stands."""
    where = f"{session.cursor} of {session.cursor + len(session.undone)} steps in force"
    if kind == "step":
        return f"Step {session.cursor}: {session.describe(session.steps[-1])}"
    return {"undo": "Undone: ", "redo": "Redone: ", "reset": "Reset: "}[kind] + where


def _checked(value: Any, allowed: Sequence[Any], name: str) -> Any:  # noqa: ANN401
    if value not in allowed:
        raise AliError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return value
