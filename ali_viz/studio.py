"""The app: see an embedding before and after interventions, step by Ω or by hand, go back, train live, export.

Synopsis::

    studio = Studio("runs/demo")     # a folder, an embedding or session file, an embedding, a Session, a Training
    studio                           # in a notebook cell: the app
    studio.run(5); studio.undo()     # every control is a method as well
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.interventions import InterventionStep, Session
from ali_core.projection import View
from ali_viz.background import Background
from ali_viz.clicks import Clicks
from ali_viz.insight import Insight
from ali_viz.live_link import LiveLink
from ali_viz.stepping import MOST_STEPS, Stepping
from ali_viz.views.drawing import Comparison
from ali_viz.views.showing import Mode, make_showing
from ali_viz.views.sources import Images, Source, open_source
from ali_viz.views.work import resting

if TYPE_CHECKING:
    from ali_core.experiments import SessionScores
    from ali_core.training import LiveTraining, Training

__all__ = ["Mode", "Studio"]


class Studio:
    """An app on one session or one training, shown by the notebook cell that ends with it.

    Parameters
    ----------
    source
        A session, an embedding, an embedding file, a session file beside its embedding, a folder with
        ``embedding.npz`` and perhaps ``session.json``; or a training (:func:`ali_core.training.epochs`), which is then
        trained from the app.
    images
        Pictures of the samples, matched by id: :class:`~ali_core.data.CellImages`, or a path that
        :func:`~ali_core.data.open_images` reads.
    control
        A second training with ``control=True``, which gets as many epochs; its validation F1 stands beside.
    view
        ``dims``, ``pca``, ``tsne``, ``parametric``, ``supervised_tsne`` or ``shuffled_tsne``; by default ``dims`` for
        two dimensions, else ``pca``.
    max_points, max_tsne_points
        Most samples drawn, in linear views and in t-SNE views; the app says when it draws fewer than there are.
        Interventions always act on all of them.
    seed
        Of the choice of drawn samples, of t-SNE, and of the split for scores.

    Raises
    ------
    AliError
        When ``source`` cannot be read; methods raise it when something cannot be done. A click that cannot be done
        is answered in the app instead.

    Notes
    -----
    The work is in :attr:`session` alone. The Studio hears every change of it, whoever makes it, and shows the
    session anew; it keeps only what a person looks at. Layouts by t-SNE, long runs and scores come from threads of
    their own: :meth:`wait` waits for them.
    """

    def __init__(
        self,
        source: "Source",
        *,
        images: Images | None = None,
        control: "Training | None" = None,
        view: View | None = None,
        max_points: int = 5000,
        max_tsne_points: int = 1500,
        seed: int = 0,
    ) -> None:
        session, training = open_source(source, control)
        self._training = training
        self._clicks = Clicks(self)
        self._showing = make_showing(
            session,
            self._clicks,
            live=training is not None,
            images=images,
            view=view,
            max_points=max_points,
            max_tsne_points=max_tsne_points,
            seed=seed,
        )
        self._background = Background(on_start=self._started, on_end=self._ended)
        self._insight = Insight(self._showing, self._background, training, seed=seed)
        self._work = Stepping(self._showing, self._background, lambda now: self._insight.score(now).transfer.macro_f1)
        self._showing.shown = self._insight.opened
        self._showing.start()
        self._link = None if training is None else LiveLink(training, self._showing)

    @property
    def session(self) -> Session:
        """The session that is shown; with a training, the interventions that the next epoch follows."""
        return self._showing.session

    @property
    def training(self) -> "LiveTraining":
        """The training that is attached: ``go``, ``pause``, ``skip``, ``rewind``; AliError when there is none."""
        if self._training is None:
            raise AliError("no training is attached; open one with Studio(epochs(data, settings, out=...))")
        return self._training

    # Steps ---------------------------------------------------------------------------------------------------------

    def step(self) -> InterventionStep:
        """Let Ω choose and carry out one intervention."""
        with self._showing.lock:
            return self.session.step()

    def run(self, n_iterations: int | None = None) -> tuple[InterventionStep, ...]:
        """Carry out several automatic interventions, by default as many as the settings say."""
        with self._showing.lock:
            return self.session.run(n_iterations)

    def run_until(self, goal: str, value: float, *, most: int = MOST_STEPS) -> int:
        """Carry out automatic interventions until a goal is reached, and return how many that were.

        Parameters
        ----------
        goal
            ``crowding``: largest spread / distance to the nearest neighbour of any class, at most ``value``.
            ``transfer_f1``: macro F1 of held-out samples that are moved without their labels, at least ``value``.
        value
            What is to be reached.
        most
            Most interventions.
        """
        before = self.session.cursor
        self._work.run_until(goal, value, most)
        self._finished()
        return self.session.cursor - before

    def stop(self) -> None:
        """Stop a run or a scoring in the background at its next safe point."""
        self._background.stop()

    def apply_selection(self, away_from: Iterable[str] | None = None, **strengths: float) -> InterventionStep:
        """Move the selected classes by hand.

        Parameters
        ----------
        away_from
            Names of the classes to move away from; by default the nearest neighbours of each.
        **strengths
            ``contract``, ``rotate``, ``shift``, ``shift_mix``; what is not given is as the sliders stand.
        """
        others = None if away_from is None else tuple(away_from)
        with self._showing.lock:
            manual = self._showing.manual_step(others, **strengths)
            if others == ():
                raise AliError("no class to move away from is chosen; choose some, or the nearest neighbours")
            return self.session.apply(manual)

    def drag(self, name: str, place: tuple[float, float]) -> None:
        """Select the class called ``name`` and drag its center to ``place`` in the picture; Apply moves it there.

        This is a gesture of the manual mode, which it switches to.
        """
        self.set_mode("manual")
        self.select([name])
        self._drag(self.session.embedding.class_index(name), place)

    def change_settings(self, **values: Any) -> None:  # noqa: ANN401  # fields of InterventionSettings
        """Change settings of the next steps; those of coming epochs are :attr:`LiveTraining.settings`."""
        with self._showing.lock:
            self.session.settings = self.session.settings.changed(**values)

    # Back and forth ------------------------------------------------------------------------------------------------

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

    def go_to(self, number: int) -> None:
        """Undo or redo up to step ``number``; 0 is the untouched embedding."""
        with self._showing.lock:
            self.session.go_to(number)

    def toggle(self, number: int) -> InterventionStep:
        """Leave step ``number`` out, or use it again; the later ones are carried out again."""
        with self._showing.lock:
            return self.session.toggle(number)

    def switch(self, branch: str) -> None:
        """Show another branch of steps."""
        with self._showing.lock:
            self.session.switch(branch)

    def rename_branch(self, name: str) -> None:
        """Rename the branch that is shown."""
        with self._showing.lock:
            self.session.rename_branch(name)
            self._showing.refresh()

    # Looking -------------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> tuple[str, ...]:
        """Names of the selected classes."""
        return tuple(self.session.embedding.class_names[code] for code in self._showing.looking.selected)

    @property
    def selected_ids(self) -> NDArray[np.str_]:
        """Ids of the selected samples: those in the last lasso, or else all of the selected classes."""
        return self.session.embedding.ids[self._insight.selected_rows()]

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
        return self._showing.looking.view

    def set_view(self, view: View) -> None:
        """Lay the samples out anew; t-SNE is computed in the background, see :meth:`wait`."""
        self._showing.look(view=view)

    @property
    def comparison(self) -> Comparison:
        """Which states are side by side."""
        return self._showing.looking.comparison

    def compare_with(self, comparison: Comparison) -> None:
        """Put the ``start`` or the ``previous`` state on the left, or show what the last ``epoch`` did."""
        self._showing.look(comparison=comparison)

    @property
    def mode(self) -> Mode:
        """Who chooses the classes: ``automatic`` or ``manual``."""
        return self._showing.looking.mode

    def set_mode(self, mode: Mode) -> None:
        """Show the controls of the ``automatic`` or the ``manual`` mode; both add to the same list of steps."""
        self._showing.look(mode=mode)

    def find(self, name: str) -> None:
        """Mark the sample with the id ``name`` in the picture, and select its class."""
        self._showing.mark(self._insight.row_of(name))

    def score(self) -> "SessionScores":
        """Score the steps in force on held-out samples, and show the scores."""
        self._insight.start_scoring()
        self._finished()
        assert self._insight.scores is not None  # noqa: S101  # else it would have been trouble
        return self._insight.scores

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for layouts, runs, scores and epochs under way; return False when ``timeout`` seconds were not enough.

        An interrupt stops the run in the background; a training stops after its epoch.
        """
        try:
            rested = self._background.wait(timeout) and self._showing.layouts.wait(timeout)
            return rested and (self._training is None or self._training.wait(timeout))
        except KeyboardInterrupt:
            self._background.stop()
            raise

    # Files ---------------------------------------------------------------------------------------------------------

    def as_code(self) -> str:
        """Return Python that carries out the same steps."""
        return self.session.as_code()

    def save(self, folder: str | Path) -> Path:
        """Write ``session.json`` into ``folder``: the steps, and which embedding they belong to, by its hash."""
        where = _folder(folder)
        try:
            where.mkdir(parents=True, exist_ok=True)
            path = self.session.save(where / "session.json")
        except OSError as error:
            raise AliError(f"cannot write to {where} ({error.strerror}); choose another folder") from None
        self._showing.say(f"Saved {len(self.session.steps)} steps to {path}")
        return path

    def open(self, path: str | Path) -> None:
        """Carry out the steps of a saved session (a file, or ``session.json`` in a folder) on this embedding."""
        self._showing.open(Path(path).expanduser())

    def export(self, folder: str | Path) -> list[Path]:
        """Write what is on screen, panels, numbers, scores, session and embedding into ``folder``; return the files."""
        from ali_viz.screen_export import export_screen  # noqa: PLC0415  # draws with matplotlib, which is slow to import

        where, showing = _folder(folder), self._showing
        showing.say(f"Writing files to {where} …")
        with resting(showing.desk, self.session):
            try:
                rows = self._insight.selected_rows()
                files = export_screen(self.session, showing.drawing(), rows, where)
            except OSError as error:
                showing.say("")
                raise AliError(f"cannot write to {where} ({error.strerror}); choose another folder") from None
        showing.say(f"Wrote {len(files)} files to {where}: {', '.join(path.name for path in files)}")
        return files

    def close(self) -> None:
        """End the app and free its figure; the session stays as it is, and a training rests after its epoch."""
        self._background.stop()
        if self._link is not None:
            self._link.close()
        self._showing.close()
        self._showing.desk.close()

    def _repr_mimebundle_(self, **arguments: Any) -> Any:  # noqa: ANN401
        self._showing.desk.scatter.widget.sync()
        bundle = self._showing.desk.widget._repr_mimebundle_(**arguments)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = "Studio: run this cell to show the app; its state is not kept in the notebook"
        return bundle

    # Inside --------------------------------------------------------------------------------------------------------

    def _drag(self, code: int, place: tuple[float, float]) -> None:
        showing, session = self._showing, self.session
        displacement = showing.layouts.pull_back(showing.looking.view, session, session.cursor, code, place)
        showing.look(displacement=tuple(float(value) for value in displacement))

    def _finished(self) -> None:
        """Wait for the job in the background; an interrupt stops it; AliError when it failed."""
        try:
            self._background.wait()
        except KeyboardInterrupt:
            self._background.stop()
            raise
        if self._background.trouble is not None:
            raise AliError(self._background.trouble)

    def _started(self, name: str) -> None:
        self._showing.work(name)

    def _ended(self, _name: str, trouble: str | None) -> None:
        self._showing.work("")
        if trouble is not None:
            self._showing.desk.messages.error(trouble)


def _folder(folder: str | Path) -> Path:
    if not str(folder).strip():
        raise AliError("the name of the folder is empty; type one")
    return Path(folder).expanduser().absolute()
