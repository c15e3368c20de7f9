"""The app: see an embedding before and after interventions, step by Ω or by hand, go back, export.

Synopsis::

    studio = Studio("runs/demo")     # a folder, an embedding or session file, a LabelledEmbedding, a Session
    studio                           # in a notebook cell: the app
    studio.run(5); studio.undo()     # every control is a method as well
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ali_core.errors import AliError
from ali_core.interventions import InterventionStep, ManualStep, Session
from ali_core.projection import View
from ali_viz.views.drawing import Comparison
from ali_viz.views.showing import Mode, Showing
from ali_viz.views.sources import Source, open_session
from ali_viz.views.work import close_all, resting

__all__ = ["Mode", "Studio"]

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
        self.session: Session = open_session(source)
        self._showing = Showing(
            self.session,
            self,
            view=view or ("dims" if self.session.embedding.dim <= 2 else "pca"),
            max_points=max_points,
            max_tsne_points=max_tsne_points,
            seed=seed,
        )
        self._unsubscribe = self.session.subscribe(self._showing.heard)

    # What can be done ----------------------------------------------------------------------------------------------

    def step(self) -> InterventionStep:
        """Let Ω choose and carry out one intervention."""
        with self._showing.lock:
            return self.session.step()

    def run(self, n_iterations: int | None = None) -> tuple[InterventionStep, ...]:
        """Carry out several automatic interventions, by default as many as the settings say."""
        with self._showing.lock:
            return self.session.run(n_iterations)

    def undo(self) -> InterventionStep:
        """Take back the last step."""
        with self._showing.lock:
            return self.session.undo()

    def redo(self) -> InterventionStep:
        """Bring back the step undone last."""
        with self._showing.lock:
            return self.session.redo()

    def reset(self) -> None:
        """Go back to the untouched embedding; redo still brings the steps back."""
        with self._showing.lock:
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
        if not self._showing.selected:
            raise AliError("no class is selected; use the lasso, the legend or the list of classes")
        others = None if away_from is None else tuple(away_from)
        if others == ():
            raise AliError("no class to move away from is chosen; choose some in the list, or the nearest neighbours")
        settings = self.session.settings
        standing = {name: getattr(settings, name) for name in ("contract", "rotate", "shift", "shift_mix")}
        manual = ManualStep(
            classes=self.selected, away_from=others, n_neighbours=settings.n_neighbours, **(standing | strengths)
        )
        with self._showing.lock:
            return self.session.apply(manual)

    @property
    def selected(self) -> tuple[str, ...]:
        """Names of the selected classes."""
        return tuple(self.session.embedding.class_names[code] for code in self._showing.selected)

    def select(self, names: Iterable[str]) -> None:
        """Select the classes called ``names`` and no others; none clears the selection."""
        embedding = self.session.embedding
        codes = tuple(embedding.class_index(name) for name in ([names] if isinstance(names, str) else names))
        empty = [embedding.class_names[code] for code in codes if not embedding.counts[code]]
        if empty:
            raise AliError(f"class {empty[0]!r} has no sample in this embedding and cannot be selected")
        self._showing.select(codes)

    @property
    def view(self) -> View:
        """How the samples are laid out now."""
        return self._showing.view

    def set_view(self, view: View) -> None:
        """Lay the samples out anew: ``dims``, ``pca``, ``tsne`` or ``supervised_tsne``."""
        self._showing.look(view=view)

    @property
    def comparison(self) -> Comparison:
        """Which state stands on the left."""
        return self._showing.comparison

    def compare_with(self, comparison: Comparison) -> None:
        """Put the ``start`` or the ``previous`` state on the left."""
        self._showing.look(comparison=comparison)

    @property
    def mode(self) -> Mode:
        """Who chooses the classes: ``automatic`` or ``manual``."""
        return self._showing.mode

    def set_mode(self, mode: Mode) -> None:
        """Show the controls of the ``automatic`` or the ``manual`` mode; both add to the same list of steps."""
        self._showing.set_mode(mode)

    def export(self, folder: str | Path) -> list[Path]:
        """Write panels, their numbers, scores, session and embedding into ``folder`` and return the files."""
        if not str(folder).strip():
            raise AliError("the name of the export folder is empty; type one")
        from ali_viz.export import export_session  # noqa: PLC0415  # draws with matplotlib, which is slow to import

        desk, where = self._showing.desk, Path(folder).expanduser().absolute()
        desk.messages.status(f"Writing files to {where} …")
        with resting(desk, self.session):
            try:
                files = list(export_session(self.session, where, report=desk.messages.status))
            except OSError as error:
                desk.messages.status("")
                raise AliError(f"cannot write to {where} ({error.strerror}); choose another folder") from None
        desk.messages.status(f"Wrote {len(files)} files to {where}: {', '.join(path.name for path in files)}")
        return files

    def close(self) -> None:
        """End the app and free its figure; the session stays as it is."""
        self._unsubscribe()
        close_all(self._showing.desk.widget)

    def _repr_mimebundle_(self, **arguments: Any) -> Any:  # noqa: ANN401
        self._showing.desk.scatter.widget.sync()
        return self._showing.desk.widget._repr_mimebundle_(**arguments)

    # What the views tell -------------------------------------------------------------------------------------------

    def clicked(self, action: str, *arguments: Any) -> None:  # noqa: ANN401
        """Carry out what a control stands for; what cannot be done is said in the app, and nothing changes."""
        showing = self._showing
        with showing.lock:
            showing.desk.messages.error("")
            try:
                getattr(self, action)(*arguments)
            except AliError as error:
                showing.desk.messages.error(str(error))
                showing.refresh()
            except Exception as error:
                log.exception("the Studio could not carry out %s", action)
                showing.desk.messages.error(f"{action.strip('_')} failed ({type(error).__name__}: {error})")

    def _change(self, values: dict[str, Any]) -> None:
        self.session.settings = self.session.settings.changed(**values)

    def _select(self, codes: Sequence[int]) -> None:
        self._showing.select(codes)

    def _toggle(self, code: int) -> None:
        selected = self._showing.selected
        kept = tuple(other for other in selected if other != code)
        self._showing.select(kept if code in selected else (*selected, code))

    def _lasso(self, codes: Sequence[int], n_points: int) -> None:
        self._showing.select(codes)
        what = ", ".join(self.selected) if len(codes) <= 3 else f"{len(codes)} classes"
        self._showing.say(f"{what} selected by a lasso of {n_points:,} points")

    def _apply(self, away_from: tuple[int, ...] | None) -> None:
        names = self.session.embedding.class_names
        self.apply_selection(None if away_from is None else [names[code] for code in away_from])
