"""The app: see an embedding before and after interventions, step by Ω or by hand, go back, train live, export.

Synopsis::

    studio = Studio("runs/demo")     # a folder, an embedding or session file, an embedding, a Session, a Training
    studio                           # in a notebook cell: the app
    studio.run(5); studio.undo()     # every control is a method as well
"""

import math
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

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
from ali_viz.views.lasso import How, combined, lassoed_classes, lassoed_samples
from ali_viz.views.showing import Mode, make_showing
from ali_viz.views.sources import Images, Source, open_source
from ali_viz.views.words import count_words

if TYPE_CHECKING:
    from ali_core.experiments.session_scorer import SessionScores
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
        self._training, self._seed = training, seed
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
        self._link: LiveLink | None = None
        self._showing.shown = self._shown
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
        """Stop a run or a scoring in the background, of any Studio on the session, at its next safe point."""
        self._showing.work.stop()

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
        self._drag(self.session.embedding.class_index(name), place, alone=True)

    def undrag(self) -> None:
        """Forget where a class was dragged; Apply moves it by the strengths again."""
        self._showing.look(displacement=None)

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
        return self.session.embedding.sample_names[self._showing.selected_rows()]

    def select(self, names: Iterable[str]) -> None:
        """Select the classes called ``names`` and no others; none clears the selection."""
        embedding = self.session.embedding
        codes = tuple(embedding.class_index(name) for name in ([names] if isinstance(names, str) else names))
        empty = [embedding.class_names[code] for code in codes if not embedding.counts[code]]
        if empty:
            raise AliError(f"class {empty[0]!r} has no sample in this embedding and cannot be selected")
        self._showing.select(codes)

    def select_samples(self, ids: Iterable[str], how: How = "replace") -> None:
        """Select the samples with these ids, as a lasso around them would.

        Parameters
        ----------
        ids
            Of the samples. Classes of which at least half is among them are selected, or else the class with most.
        how
            ``replace`` the selection by them, ``add`` them to it, or ``remove`` them from it.
        """
        rows, counts = self._insight.rows_of([ids] if isinstance(ids, str) else ids), self.session.embedding.counts
        inside = np.bincount(self.session.embedding.labels[rows], minlength=len(counts)).tolist()
        codes = lassoed_classes({code: count for code, count in enumerate(inside) if count}, dict(enumerate(counts)))
        self._lasso(codes, rows, how, drawn=np.arange(len(self.session.embedding)))

    @property
    def view(self) -> View:
        """How the samples are laid out now."""
        return self._showing.looking.view

    def set_view(self, view: View) -> None:
        """Lay the samples out anew; t-SNE is computed in the background, see :meth:`wait`."""
        self._showing.look(view=view)

    def cancel_layout(self) -> None:
        """Stop laying the samples out, and show a view that is there; to choose the other one again begins anew."""
        self._showing.cancel_layout()

    def show_names(self, shown: bool = True) -> None:
        """Write the names of the classes into the picture, or leave them out."""
        self._showing.look(names=shown)

    def show_preview(self, shown: bool = True) -> None:
        """Show the next automatic step before it is taken, or do not."""
        self._showing.look(preview=shown)

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
        """Mark the sample with the id ``name`` in the picture; with no lasso, its class is selected as well."""
        self._showing.mark(int(self._insight.rows_of([name])[0]))

    def list_cells(self, what: Literal["selected", "changed"] = "changed") -> None:
        """List in the tab *Cells* those that are ``selected``, or whose neighbours ``changed`` most."""
        if self._insight.list_cells(what):
            self._finished()

    def score(self) -> "SessionScores":
        """Score the steps in force on held-out samples, and show the scores."""
        self._insight.start_scoring()
        self._finished()
        return self._insight.score(self.session)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for epochs, runs, scores and layouts under way; return False when ``timeout`` seconds were not enough.

        An interrupt stops the run in the background; a training stops after its epoch.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        waits = [self._background.wait, self._showing.layouts.wait]  # the layouts last: the others want new ones
        if self._training is not None:
            waits.insert(0, self._training.wait)
        try:
            return all(wait(None if timeout is None else max(end - time.monotonic(), 0.0)) for wait in waits)
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
        self._showing.say(f"Saved {count_words(self.session.steps)}, to {path}")
        return path

    def open(self, path: str | Path) -> None:
        """Take in the branches of a saved session (a file, or ``session.json`` in a folder) beside those here.

        With a training, the steps in force there are taken over, for the next epoch to follow.
        """
        self._showing.open(Path(path).expanduser())

    def export(self, folder: str | Path) -> list[Path]:
        """Write what is on screen, panels, numbers, session and embedding into ``folder``; return the files.

        With scores of the steps in force where they are known; see :meth:`score`.
        """
        from ali_viz.screen_export import export_screen  # noqa: PLC0415  # draws with matplotlib, which is slow to import

        where, showing = _folder(folder), self._showing
        showing.say(f"Writing files to {where} …")
        with showing.work.during("writing files"):
            try:
                rows = showing.selected_rows()
                files = export_screen(
                    self.session, showing.drawing(), rows, where, seed=self._seed, scores=self._insight.scores
                )
            except OSError as error:
                showing.say("")
                raise AliError(f"cannot write to {where} ({error.strerror}); choose another folder") from None
        showing.say(f"Wrote {len(files)} files to {where}: {', '.join(path.name for path in files)}")
        return files

    def close(self) -> None:
        """End the app and free its figure; the session stays as it is, and a training rests after its epoch."""
        self._background.stop()
        if self._training is not None and self._training.status == "training":
            self._training.pause()
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

    def _shown(self) -> None:
        self._insight.opened()
        if self._link is not None:
            self._link.opened()

    def _drag(self, code: int, place: tuple[float, float], *, alone: bool) -> None:
        """Drag the center of a class, which is selected ``alone`` or as one of several; else nothing changes."""
        showing, session = self._showing, self.session
        with showing.lock:
            displacement = showing.layouts.pull_back(showing.looking.view, session, session.cursor, code, place)
            if alone:
                showing.select((code,))
            showing.look(mode="manual", displacement=tuple(float(value) for value in displacement))

    def _lasso(self, codes: Sequence[int], rows: NDArray[np.int64], how: How, *, drawn: NDArray[np.int64]) -> None:
        """Select samples, and the classes ``codes`` they stand for; ``drawn`` are the rows that could be chosen."""
        showing, labels = self._showing, self.session.embedding.labels
        with showing.lock:
            chosen = lassoed_samples(showing.selected_rows(), rows, how, labels=labels, drawn=drawn)
            selected = showing.looking.selected
            if how == "remove":
                codes = [code for code in selected if code not in labels[chosen]]
            selected = combined(selected, codes, how)
            showing.select(selected, chosen if selected else None, anew=how == "replace")

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
        self._showing.begin(name, self._background.stop)

    def _ended(self, name: str, trouble: str | None) -> None:
        self._showing.end(name, trouble)


def _folder(folder: str | Path) -> Path:
    if not str(folder).strip():
        raise AliError("the name of the folder is empty; type one")
    return Path(folder).expanduser().absolute()
