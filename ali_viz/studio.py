"""The app: see an embedding before and after interventions, step by Ω or by hand, go back, train live, export.

Synopsis::

    studio = Studio("runs/demo")     # a folder, an embedding or session file, an embedding, a Session, a Training
    studio                           # in a notebook cell: the app
    studio.run(5); studio.undo()     # every control is a method as well
"""

import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from ali_core.columns import ColumnOptions, Columns, in_natural_order
from ali_core.errors import AliError
from ali_core.interventions import InterventionStep, Session, distance_order
from ali_core.projection import LAYOUTS, View
from ali_viz.app.actions import MOST_STEPS, Actions
from ali_viz.app.choosing import How
from ali_viz.app.layouts import Layouts
from ali_viz.app.live import Live
from ali_viz.app.state import AppState, Comparison, Mode
from ali_viz.picture import colour_columns
from ali_viz.theme import has_lineages, lineage_order
from ali_viz.views.desk import Desk
from ali_viz.views.pictures import ImageSource
from ali_viz.views.sources import Images, Source, open_source

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
        ``embedding.npz`` and perhaps ``session.json``; an AnnData object or a pandas frame; or a training
        (:func:`ali_core.training.epochs`), which is then trained from the app.
    images
        Pictures of the samples, matched by id: :class:`~ali_core.data.CellImages`, or a path that
        :func:`~ali_core.data.open_images` reads. What their table says beside can colour the samples.
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
    **columns
        What is what in a file, a frame or an AnnData object: ``vectors``, ``label``, ``group``, ``id``, …; see
        :class:`~ali_core.columns.Columns`. An embedding takes ``colours``, ``#rrggbb`` by class name; a session or a
        training has those of its embedding.

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
        max_points: int = 200_000,
        max_tsne_points: int = 1500,
        seed: int = 0,
        **columns: Unpack[ColumnOptions],
    ) -> None:
        session, training = open_source(source, control, Columns(**columns))
        embedding = session.embedding
        first: View = view or ("dims" if embedding.dim <= 2 else "pca")
        if first not in LAYOUTS:
            raise AliError(f"view must be one of {', '.join(LAYOUTS)}; got {first!r}")
        words = f"{len(embedding):,} samples, {embedding.dim:,} dimensions, {embedding.n_classes} classes"
        layouts = Layouts(session, max_points=max_points, max_tsne_points=max_tsne_points, seed=seed)
        pictures = None if images is None else ImageSource(images, embedding)
        columns_known = ({} if pictures is None else pictures.columns) | colour_columns(embedding)
        state = AppState(view=first, said=words)
        self._actions = Actions(session, state, layouts, columns=columns_known, training=training, seed=seed)
        self._desk = Desk(self._actions, embedding, _class_order(session), pictures)
        self._actions.views = self._desk.views
        self._live = None if training is None else Live(self._actions)
        self._actions.show()

    @property
    def session(self) -> Session:
        """The session that is shown; with a training, the interventions that the next epoch follows."""
        return self._actions.session

    @property
    def training(self) -> "LiveTraining":
        """The training that is attached: ``go``, ``pause``, ``skip``, ``rewind``; AliError when there is none."""
        return self._actions.trained

    # Steps ---------------------------------------------------------------------------------------------------------

    def step(self) -> InterventionStep:
        """Let Ω choose and carry out one intervention."""
        return self._actions.step()

    def run(self, n_iterations: int | None = None) -> tuple[InterventionStep, ...]:
        """Carry out several automatic interventions, by default as many as the settings say."""
        return self._actions.run(n_iterations)

    def run_until(self, goal: str, value: float, *, most: int = MOST_STEPS) -> int:
        """Carry out automatic interventions until a goal is reached, and return how many: 0 when it is reached already.

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
        self._actions.run_until(goal, value, most).result()
        return self.session.cursor - before

    def stop(self) -> None:
        """Stop what is under way on the session, of any Studio, at its next safe point."""
        self._actions.stop()

    def apply_selection(self, away_from: Iterable[str] | None = None, **strengths: float) -> InterventionStep:
        """Move the selected classes by hand.

        Parameters
        ----------
        away_from
            Names of the classes to move away from; by default the nearest neighbours of each.
        **strengths
            ``contract``, ``rotate``, ``shift``, ``shift_mix``; what is not given is as the sliders stand.
        """
        return self._actions.apply(away_from, **strengths)

    def drag(self, name: str, place: tuple[float, float]) -> None:
        """Select the class called ``name`` and drag its center to ``place`` in the picture; Apply moves it there.

        This is a gesture of the manual mode, which it switches to.
        """
        self._actions.drag(self.session.embedding.class_index(name), place, alone=True)

    def undrag(self) -> None:
        """Forget where a class was dragged; Apply moves it by the strengths again."""
        self._actions.undrag()

    def change_settings(self, **values: Any) -> None:  # noqa: ANN401  # fields of InterventionSettings
        """Change settings of the next steps; those of coming epochs are ``studio.training.settings``."""
        self._actions.change_settings(**values)

    # Back and forth ------------------------------------------------------------------------------------------------

    def undo(self) -> InterventionStep:
        """Take back the last step."""
        return self._actions.undo()

    def redo(self) -> InterventionStep:
        """Bring back the step undone last."""
        return self._actions.redo()

    def reset(self) -> None:
        """Go back to the untouched embedding; redo still brings the steps back."""
        self._actions.reset()

    def go_to(self, number: int) -> None:
        """Undo or redo up to step ``number``; 0 is the untouched embedding."""
        self._actions.go_to(number)

    def toggle(self, number: int) -> InterventionStep:
        """Leave step ``number`` out, or use it again; the later ones are carried out again."""
        return self._actions.toggle(number)

    def switch(self, branch: str) -> None:
        """Show another branch of steps."""
        self._actions.switch(branch)

    def rename_branch(self, name: str) -> None:
        """Rename the branch that is shown."""
        self._actions.rename_branch(name)

    # Looking -------------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> tuple[str, ...]:
        """Names of the selected classes."""
        return tuple(self.session.embedding.class_names[code] for code in self._actions.state.selected)

    @property
    def selected_ids(self) -> NDArray[np.str_]:
        """Ids of the selected samples: those in the last lasso, or else all of the selected classes."""
        return self.session.embedding.sample_names[self._actions.state.selected_rows(self.session.embedding.labels)]

    def select(self, names: Iterable[str]) -> None:
        """Select the classes called ``names`` and no others; none clears the selection."""
        embedding = self.session.embedding
        codes = tuple(embedding.class_index(name) for name in ([names] if isinstance(names, str) else names))
        empty = [embedding.class_names[code] for code in codes if not embedding.counts[code]]
        if empty:
            raise AliError(f"class {empty[0]!r} has no sample in this embedding and cannot be selected")
        self._actions.select(codes)

    def select_samples(self, ids: Iterable[str], how: How = "replace") -> None:
        """Select the samples with these ids, as a lasso around them would.

        Parameters
        ----------
        ids
            Of the samples. Classes of which at least half is among them are selected, or else the class with most.
        how
            ``replace`` the selection by them, ``add`` them to it, or ``remove`` them from it.
        """
        self._actions.select_samples(ids, how)

    @property
    def view(self) -> View:
        """How the samples are laid out now."""
        return self._actions.state.view

    def set_view(self, view: View) -> None:
        """Lay the samples out anew; t-SNE is computed in the background, see :meth:`wait`."""
        self._actions.set_view(view)

    def cancel_layout(self) -> None:
        """Stop laying the samples out, and show a view that is there; to choose the other one again begins anew."""
        self._actions.cancel_layout()

    def show_names(self, shown: bool = True) -> None:
        """Write the names of the classes into the picture, or leave them out."""
        self._actions.show_layer("names", shown)

    def show_preview(self, shown: bool = True) -> None:
        """Show the next automatic step before it is taken, or do not."""
        self._actions.show_layer("preview", shown)

    def colour_by(self, column: str = "") -> None:
        """Colour the points by ``group`` or a column of metadata or of the images' table; empty for the classes."""
        self._actions.colour_by(column)

    @property
    def comparison(self) -> Comparison:
        """Which states are side by side."""
        return self._actions.state.comparison

    def compare_with(self, comparison: Comparison) -> None:
        """Put the ``start`` or the ``previous`` state on the left, or show what the last ``epoch`` did."""
        self._actions.compare_with(comparison)

    @property
    def mode(self) -> Mode:
        """Who chooses the classes: ``automatic`` or ``manual``."""
        return self._actions.state.mode

    def set_mode(self, mode: Mode) -> None:
        """Show the controls of the ``automatic`` or the ``manual`` mode; both add to the same list of steps."""
        self._actions.set_mode(mode)

    def find(self, name: str) -> None:
        """Mark the sample with the id ``name`` in the picture; with no lasso, its class is selected as well."""
        self._actions.find(name)

    def list_cells(self, what: Literal["selected", "changed"] = "changed") -> None:
        """List in the tab *Cells* those that are ``selected``, or whose neighbours ``changed`` most."""
        if (task := self._actions.list_cells(what)) is not None:
            task.result()

    def score(self) -> "SessionScores":
        """Score the steps in force on held-out samples, and show the scores."""
        scores: SessionScores = self._actions.score().result()
        return scores

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for epochs, runs, scores and layouts under way; return False when ``timeout`` seconds were not enough.

        An interrupt stops the run in the background; a training stops after its epoch.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        waits = [self._actions.jobs.wait, self._actions.layouts.wait]  # the layouts last: the others want new ones
        if self._live is not None:
            waits.insert(0, self.training.wait)
        try:
            return all(wait(None if timeout is None else max(end - time.monotonic(), 0.0)) for wait in waits)
        except KeyboardInterrupt:
            self._actions.jobs.stop()
            raise

    # Files ---------------------------------------------------------------------------------------------------------

    def as_code(self) -> str:
        """Return Python that carries out the same steps."""
        return self.session.as_code()

    def save(self, folder: str | Path) -> Path:
        """Write ``session.json`` into ``folder``: the steps, and which embedding they belong to, by its hash."""
        return self._actions.save(folder)

    def open(self, path: str | Path) -> None:
        """Take in the branches of a saved session (a file, or ``session.json`` in a folder) beside those here.

        With a training, the steps in force there are taken over, for the next epoch to follow.
        """
        self._actions.open(path)

    def export(self, folder: str | Path) -> list[Path]:
        """Write what is on screen, panels, numbers, session and embedding into ``folder``; return the files.

        With scores of the steps in force where they are known; see :meth:`score`.
        """
        files: list[Path] = self._actions.export(folder).result()
        return files

    def close(self) -> None:
        """End the app and free its figure; the session stays as it is, and a training rests after its epoch."""
        if self._live is not None:
            if self.training.status == "training":
                self.training.pause()
            self._live.close()
        self._actions.close()
        self._desk.close()

    def _repr_mimebundle_(self, **arguments: Any) -> Any:  # noqa: ANN401
        bundle = self._desk.widget._repr_mimebundle_(**arguments)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = "Studio: run this cell to show the app; its state is not kept in the notebook"
        return bundle


def _class_order(session: Session) -> list[int]:
    """Return the classes with samples in the order of legend and lists: as chosen, by lineage, or by distance."""
    embedding = session.embedding
    names = embedding.class_names
    known = has_lineages(names) or not in_natural_order(names)
    order = lineage_order(names) if known else distance_order(session.state_at(0).statistics)
    return [code for code in order if embedding.counts[code]]
