"""The app: see an embedding before and after interventions, step by Ω or by hand, go back, export.

Synopsis::

    studio = Studio("runs/demo")     # a folder, an embedding or session file, a LabelledEmbedding, a Session
    studio                           # in a notebook cell: the app
    studio.run(5); studio.undo()     # every control is a method as well
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from ali_core.errors import AliError
from ali_core.interventions import InterventionStep, ManualStep, Proposal, Session, SessionEvent
from ali_core.projection import VIEWS, View
from ali_viz.views.desk import Desk, Scene
from ali_viz.views.drawing import COMPARISONS, Comparison, Drawing, draw
from ali_viz.views.layouts import Layouts
from ali_viz.views.sources import Source, open_source
from ali_viz.views.work import Work, close_all, resting

__all__ = ["Mode", "Studio"]

Mode = Literal["automatic", "manual"]
log = logging.getLogger(__name__)


class Studio:
    """An app on one session, shown by the notebook cell that ends with it.

    Parameters
    ----------
    source
        A session, an embedding, an embedding file, a session file beside its embedding, or a folder with
        ``embedding.npz`` and perhaps ``session.json``.
    view
        ``dims``, ``pca``, ``tsne`` or ``supervised_tsne``; by default ``dims`` for two dimensions, else ``pca``.
    max_points, max_tsne_points
        Most samples drawn, in linear views and in t-SNE views; the app says when it draws fewer than there are.
        Interventions always act on all of them.
    seed
        Of the choice of drawn samples and of t-SNE.

    Raises
    ------
    AliError
        When ``source`` cannot be read; methods raise it when something cannot be done. A click that cannot be done
        is answered in the app instead.

    Notes
    -----
    The work is in :attr:`session` alone. The Studio hears every change of it, whoever makes it, and shows the
    session anew; it keeps only what a person looks at: view, mode, comparison and selection. JupyterLab may handle
    clicks in another thread than cells, so what is shown changes under a lock.
    """

    def __init__(
        self,
        source: Source,
        *,
        view: View | None = None,
        max_points: int = 5000,
        max_tsne_points: int = 1500,
        seed: int = 0,
    ) -> None:
        self.session: Session = open_source(source)
        self._view: View = _checked(view or ("dims" if self.session.embedding.dim <= 2 else "pca"), VIEWS, "view")
        self._mode: Mode = "automatic"
        self._comparison: Comparison = "start"
        self._selected: tuple[int, ...] = ()
        self._drawn: tuple[object, Drawing] | None = None
        self._proposal: Proposal | None = None
        self._lock = threading.RLock()
        self._desk = Desk(self.session, self)
        self._work = Work(self._desk, self.session)
        self._layouts = Layouts(
            self.session, max_points=max_points, max_tsne_points=max_tsne_points, seed=seed, progress=self._work
        )
        self._refresh(session_changed=True)
        embedding = self.session.embedding
        self._say(f"{len(embedding):,} samples, {embedding.dim:,} dimensions, {embedding.n_classes} classes")
        self._unsubscribe = self.session.subscribe(self._heard)

    # What can be done ----------------------------------------------------------------------------------------------

    def step(self) -> InterventionStep:
        """Let Ω choose and carry out one intervention."""
        return self.session.step()

    def run(self, n_iterations: int | None = None) -> tuple[InterventionStep, ...]:
        """Carry out several automatic interventions, by default as many as the settings say."""
        return self.session.run(n_iterations)

    def undo(self) -> InterventionStep:
        """Take back the last step."""
        return self.session.undo()

    def redo(self) -> InterventionStep:
        """Bring back the step undone last."""
        return self.session.redo()

    def reset(self) -> None:
        """Go back to the untouched embedding; redo still brings the steps back."""
        self.session.reset()

    def apply_selection(self, away_from: Iterable[str] | None = None, **strengths: float) -> InterventionStep:
        """Move the selected classes by hand.

        Parameters
        ----------
        away_from
            Names of the classes to move away from; by default the nearest neighbours of each.
        **strengths
            ``contract``, ``rotate``, ``shift``, ``shift_mix``; what is not given is as the sliders stand.
        """
        if not self._selected:
            raise AliError("no class is selected; use the lasso, the legend or the list of classes")
        others = None if away_from is None else tuple(away_from)
        if others == ():
            raise AliError("no class to move away from is chosen; choose some in the list, or the nearest neighbours")
        settings = self.session.settings
        standing = {name: getattr(settings, name) for name in ("contract", "rotate", "shift", "shift_mix")}
        manual = ManualStep(
            classes=self.selected, away_from=others, n_neighbours=settings.n_neighbours, **(standing | strengths)
        )
        return self.session.apply(manual)

    @property
    def selected(self) -> tuple[str, ...]:
        """Names of the selected classes."""
        return tuple(self.session.embedding.class_names[code] for code in self._selected)

    def select(self, names: Iterable[str]) -> None:
        """Select the classes called ``names`` and no others; none clears the selection."""
        embedding = self.session.embedding
        codes = tuple(embedding.class_index(name) for name in ([names] if isinstance(names, str) else names))
        empty = [embedding.class_names[code] for code in codes if not embedding.counts[code]]
        if empty:
            raise AliError(f"class {empty[0]!r} has no sample in this embedding and cannot be selected")
        self._select(codes)

    @property
    def view(self) -> View:
        """How the samples are laid out now."""
        return self._view

    def set_view(self, view: View) -> None:
        """Lay the samples out anew: ``dims``, ``pca``, ``tsne`` or ``supervised_tsne``."""
        self._look(view=_checked(view, VIEWS, "view"))

    @property
    def comparison(self) -> Comparison:
        """Which state stands on the left."""
        return self._comparison

    def compare_with(self, comparison: Comparison) -> None:
        """Put the ``start`` or the ``previous`` state on the left."""
        self._look(comparison=_checked(comparison, tuple(COMPARISONS), "comparison"))

    @property
    def mode(self) -> Mode:
        """Who chooses the classes: ``automatic`` or ``manual``."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Show the controls of the ``automatic`` or the ``manual`` mode; both add to the same list of steps."""
        self._mode = _checked(mode, get_args(Mode), "mode")
        self._refresh()

    def export(self, folder: str | Path) -> list[Path]:
        """Write panels, their numbers, scores, session and embedding into ``folder`` and return the files."""
        if not str(folder).strip():
            raise AliError("the name of the export folder is empty; type one")
        from ali_viz.export import export_session  # noqa: PLC0415  # draws with matplotlib, which is slow to import

        self._desk.messages.status(f"Writing files to {Path(folder).expanduser().absolute()} …")
        with resting(self._desk, self.session):
            files = list(export_session(self.session, Path(folder).expanduser()))
        where = Path(folder).expanduser().absolute()
        self._desk.messages.status(f"Wrote {len(files)} files to {where}: {', '.join(path.name for path in files)}")
        return files

    def close(self) -> None:
        """End the app and free its figure; the session stays as it is."""
        self._unsubscribe()
        close_all(self._desk.widget)

    def _repr_mimebundle_(self, **arguments: Any) -> Any:  # noqa: ANN401
        self._desk.scatter.widget.sync()
        return self._desk.widget._repr_mimebundle_(**arguments)

    # What the views tell -------------------------------------------------------------------------------------------

    def clicked(self, action: str, *arguments: Any) -> None:  # noqa: ANN401
        """Carry out what a control stands for; what cannot be done is said in the app, and nothing changes."""
        with self._lock:
            self._desk.messages.error("")
            try:
                getattr(self, action)(*arguments)
            except AliError as error:
                self._desk.messages.error(str(error))
                self._refresh()
            except Exception as error:
                log.exception("the Studio could not carry out %s", action)
                self._desk.messages.error(f"{action.strip('_')} failed unexpectedly ({type(error).__name__}: {error})")

    def _change(self, values: dict[str, Any]) -> None:
        self.session.settings = self.session.settings.changed(**values)

    def _select(self, codes: Sequence[int]) -> None:
        self._selected = tuple(dict.fromkeys(codes))
        self._refresh()

    def _toggle(self, code: int) -> None:
        kept = tuple(other for other in self._selected if other != code)
        self._select(kept if code in self._selected else (*self._selected, code))

    def _lasso(self, codes: Sequence[int], n_points: int) -> None:
        self._select(codes)

    def _apply(self, away_from: tuple[int, ...] | None) -> None:
        names = self.session.embedding.class_names
        self.apply_selection(None if away_from is None else [names[code] for code in away_from])

    # What is shown -------------------------------------------------------------------------------------------------

    def _heard(self, event: SessionEvent) -> None:
        """Show the session anew after any change of it; a picture that cannot be drawn must not stop the session."""
        try:
            self._refresh(session_changed=True)
        except AliError as error:
            self._desk.messages.error(str(error))
            return
        if event.kind != "settings":
            self._say(_told(event.kind, self.session))

    def _say(self, text: str) -> None:
        """Put ``text`` and what slow work took, if there was any, into the status line."""
        took, self._work.summary = self._work.summary, ""
        self._desk.messages.status(f"{text}. {took}" if took else text)

    def _look(self, *, view: View | None = None, comparison: Comparison | None = None) -> None:
        before = self._view, self._comparison
        self._view, self._comparison = view or self._view, comparison or self._comparison
        try:
            self._refresh()
        except AliError:
            self._view, self._comparison = before
            raise

    def _refresh(self, *, session_changed: bool = False) -> None:
        with self._lock:
            if session_changed:
                self._proposal = self._proposed()
            self._desk.update(
                Scene(
                    drawing=self._drawing(),
                    settings=self.session.settings,
                    proposal=self._proposal,
                    session=self.session,
                    selected=self._selected,
                    mode=self._mode,
                    comparison=self._comparison,
                )
            )

    def _drawing(self) -> Drawing:
        session = self.session
        key = (session.state_at(session.cursor), session.cursor, self._view, self._comparison)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, draw(session, self._layouts, self._view, self._comparison))
        return self._drawn[1]

    def _proposed(self) -> Proposal | None:
        try:
            return self.session.propose()
        except AliError as error:
            self._desk.messages.error(str(error))
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
