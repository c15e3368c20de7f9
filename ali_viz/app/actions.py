"""What a person can do in the app, by a click or by a call from Python: one method each, and when it may happen."""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.interventions import InterventionStep, Session, SessionEvent, crowding
from ali_core.projection import LAYOUTS, View
from ali_viz.app import presenter
from ali_viz.app.action import action
from ali_viz.app.choosing import How, combined, lassoed_classes, lassoed_samples
from ali_viz.app.insight import Insight, compared
from ali_viz.app.jobs import Jobs, Task
from ali_viz.app.layouts import Layouts
from ali_viz.app.state import COMPARISONS, LAYERS, AppState, Comparison, Layer, Mode, Scene
from ali_viz.app.words import count_words, event_words, score_words, selection_words
from ali_viz.picture import colouring

if TYPE_CHECKING:
    from ali_core.experiments.session_scorer import SessionScores
    from ali_core.training import LiveTraining

__all__ = ["GOALS", "MOST_STEPS", "Actions", "SceneView"]

log = logging.getLogger(__name__)

MOST_STEPS = 1000
SHOWN_EVERY = 0.25
"""Seconds between two pictures of a run."""
GOALS: dict[str, tuple[str, float, str]] = {
    "crowding": (
        "crowding ≤",
        0.1,
        "until the most crowded class has at most this mean-std: spread / distance to its nearest neighbour",
    ),
    "transfer_f1": (
        "transfer F1 ≥",
        0.9,
        "until held-out samples, moved without their labels, are classified with at least this macro F1; scoring takes "
        "a second or more a step",
    ),
}
"""Goals of Run until, by key: label, first value, help."""


class SceneView(Protocol):
    """What shows something of a scene."""

    def update(self, scene: Scene) -> None:
        """Show ``scene``; only what differs from what is shown is sent."""


class Actions:
    """What the controls of one app stand for, and all that they act on.

    Parameters
    ----------
    session
        What is shown.
    state
        What is looked at first.
    layouts
        Where the samples are drawn.
    columns
        What else is known of each sample (N,), by name.
    training
        What is trained, if anything is.
    seed
        Of the split for scores, and told in captions.

    Attributes
    ----------
    session, last
        What is shown, and the interventions that the last epoch followed.
    state
        What is looked at.
    views
        Who shows each scene.
    shown
        The scene that was shown last.
    jobs
        What is under way on the session, here and in other apps.
    lock
        Held while what is looked at changes and is shown. Nobody changes a session while holding it: its listeners,
        of other apps too, take their own, and two could wait for one another.
    """

    def __init__(
        self,
        session: Session,
        state: AppState,
        layouts: Layouts,
        *,
        columns: Mapping[str, NDArray[Any]],
        training: "LiveTraining | None",
        seed: int,
    ) -> None:
        self.session, self.state, self.layouts, self.columns = session, state, layouts, columns
        self.training, self.seed = training, seed
        self.last: Session | None = None
        self.views: tuple[SceneView, ...] = ()
        self.insight, self.jobs = Insight(seed=seed), Jobs.of(session)
        self.lock, self.closed = threading.RLock(), False
        self._branches = session.branches
        self.shown: Scene
        self._ends = [session.subscribe(self._heard), self.jobs.subscribe(self._job_changed)]
        layouts.on_ready, layouts.on_error = self._laid_out, self._not_laid_out
        layouts.on_progress = lambda words: self.look(progress=words)

    # Steps ---------------------------------------------------------------------------------------------------------

    @action(while_busy="refuse")
    def step(self) -> InterventionStep:
        """Let Ω choose and carry out one intervention."""
        return self.session.step()

    @action(while_busy="refuse")
    def run(self, n_iterations: int | None = None) -> tuple[InterventionStep, ...]:
        """Carry out several automatic interventions, by default as many as the settings say."""
        return self.session.run(n_iterations)

    @action(while_busy="refuse")
    def begin_run(self) -> Task:
        """Begin a run of as many steps as the settings say, to be watched and stopped."""
        count = self.session.settings.n_iterations
        return self._start(f"a run of {count} steps", lambda stopped: self._run(count, stopped))

    @action(while_busy="refuse")
    def run_until(self, goal: str, value: float, most: int = MOST_STEPS) -> Task:
        """Begin to take steps until ``goal`` is reached, ``most`` at the most; AliError for what cannot be a goal."""
        if goal not in GOALS:
            raise AliError(f"goal must be one of {', '.join(GOALS)}; got {goal!r}")
        if not math.isfinite(value):
            raise AliError(f"value must be a finite number for {goal} to reach; got {value}")
        if most < 0:
            raise AliError(f"most must be at least 0, the steps that are taken at most; got {most}")
        label = f"{GOALS[goal][0]} {value:g}"
        return self._start(f"a run until {label}", lambda stopped: self._until(goal, value, most, stopped, label))

    @action(while_busy="allow")
    def stop(self) -> None:
        """Stop what is under way on the session, whichever app began it, at its next safe point."""
        self.jobs.stop()

    @action(while_busy="refuse")
    def apply(self, /, away_from: Iterable[str] | None = None, **strengths: float) -> InterventionStep:
        """Move the selected classes by hand."""
        return self.session.apply(presenter.manual_step(self.session, self.state, away_from, **strengths))

    @action(while_busy="refuse")
    def change_settings(self, /, **values: Any) -> None:  # noqa: ANN401  # fields of InterventionSettings
        """Change settings of the next steps."""
        self.session.settings = self.session.settings.changed(**values)

    @action(while_busy="refuse")
    def undo(self) -> InterventionStep:
        """Take back the last step."""
        return self.session.undo()

    @action(while_busy="refuse")
    def redo(self) -> InterventionStep:
        """Bring back the step undone last."""
        return self.session.redo()

    @action(while_busy="refuse")
    def reset(self) -> None:
        """Go back to the untouched embedding."""
        self.session.reset()

    @action(while_busy="refuse")
    def go_to(self, number: int) -> None:
        """Undo or redo up to step ``number``."""
        self.session.go_to(number)

    @action(while_busy="refuse")
    def toggle(self, number: int) -> InterventionStep:
        """Leave step ``number`` out, or use it again."""
        return self.session.toggle(number)

    @action(while_busy="refuse")
    def switch(self, branch: str) -> None:
        """Show another branch of steps."""
        self.session.switch(branch)

    @action(while_busy="refuse")
    def rename_branch(self, name: str) -> None:
        """Rename the branch that is shown."""
        self.session.rename_branch(name)

    # Selection -----------------------------------------------------------------------------------------------------

    @action(while_busy="allow")
    def select(self, codes: Sequence[int]) -> None:
        """Select the classes with these codes and no others."""
        self._select(codes)

    @action(while_busy="allow")
    def select_also(self, code: int) -> None:
        """Add a class to the selection, or take it out again."""
        selected = self.state.selected
        self._select(combined(selected, (code,), "remove" if code in selected else "add"))

    @action(while_busy="allow")
    def select_named(self, code: int, how: How) -> None:
        """Choose a class by its name in the picture."""
        self._select(combined(self.state.selected, (code,), how))

    @action(while_busy="allow")
    def select_point(self, row: int, how: How) -> None:
        """Choose the class of a sample, and look at the sample; one without a class is looked at alone."""
        code = int(self.session.embedding.labels[row])
        if code < 0:
            self.look(hovered=row)
            return
        self.state = replace(self.state, hovered=row)
        self._select(combined(self.state.selected, (code,), how))

    @action(while_busy="allow")
    def lasso(self, rows: NDArray[np.int64], how: How) -> None:
        """Select drawn samples, and the classes they stand for."""
        self._lasso(rows, how, drawn=self.layouts.rows[self.state.view])

    @action(while_busy="allow")
    def select_samples(self, ids: Iterable[str], how: How) -> None:
        """Select samples by id, as a lasso around them would."""
        rows = self.rows_of([ids] if isinstance(ids, str) else ids)
        self._lasso(rows, how, drawn=np.arange(len(self.session.embedding)))

    @action(while_busy="allow")
    def clear(self) -> None:
        """Select nothing."""
        self._select(())

    @action(while_busy="allow")
    def refuse(self, words: str) -> None:
        """Say that something cannot be done."""
        raise AliError(words)

    @action(while_busy="allow")
    def find(self, name: str) -> None:
        """Mark a sample; select its class, if it has one, unless that is selected or a lasso has chosen samples."""
        row = int(self.rows_of([name])[0])
        code = int(self.session.embedding.labels[row])
        with self.lock:
            if code < 0 or code in self.state.selected or self.state.lassoed is not None:
                self.look(marked=row)
            else:
                self._select((code,), marked=row)

    @action(while_busy="allow")
    def drag(self, code: int | None, place: tuple[float, float], *, alone: bool | None = None) -> None:
        """Drag the center of a class, by default the first selected; it is selected if it is not."""
        with self.lock:
            state, session = self.state, self.session
            if code is None and not state.selected:
                raise AliError("no class is selected; select the one that is to be dragged")
            code = state.selected[0] if code is None else code
            displacement = self.layouts.pull_back(state.view, session, session.cursor, code, place)
            if alone or (alone is None and code not in state.selected):
                self._select((code,))
            self._look(mode="manual", displacement=tuple(float(value) for value in displacement))

    @action(while_busy="allow")
    def undrag(self) -> None:
        """Forget where a class was dragged."""
        self.look(displacement=None)

    @action(while_busy="allow")
    def lead_away_from(self, codes: Sequence[int] | None) -> None:
        """Let steps by hand lead away from these classes; None for the nearest of each."""
        self.look(away_from=None if codes is None else tuple(codes))

    # Looking -------------------------------------------------------------------------------------------------------

    @action(while_busy="allow")
    def set_view(self, view: View) -> None:
        """Lay the samples out otherwise; what was cancelled is wanted again."""
        _check(view, LAYOUTS, "view")
        self.layouts.resume()
        self._look(view=view)

    @action(while_busy="allow")
    def set_mode(self, mode: Mode) -> None:
        """Show the controls of the automatic or the manual mode."""
        _check(mode, get_args(Mode), "mode")
        self._look(mode=mode)

    @action(while_busy="allow")
    def compare_with(self, comparison: Comparison) -> None:
        """Choose what stands on the left."""
        _check(comparison, COMPARISONS, "comparison")
        if comparison == "epoch" and self.last is None:
            raise AliError("no last epoch is there to compare with; train one, or take 'start' or 'previous'")
        self.look(comparison=comparison)

    @action(while_busy="allow", glance=True)
    def show_layer(self, layer: Layer, shown: bool = True) -> None:
        """Show names, old places, arrows or the next step in the picture, or do not."""
        _check(layer, LAYERS, "layer")
        self.look(layers=self.state.layers | {layer} if shown else self.state.layers - {layer})

    @action(while_busy="allow")
    def colour_by(self, column: str) -> None:
        """Colour the points by one of :attr:`columns`; empty for the classes."""
        if column and not self.columns:
            raise AliError(
                f"there is no column to colour by; got {column!r}; give the samples a group or metadata, or the images "
                "a table"
            )
        if column:
            _check(column, self.columns, "column")
        self.look(colouring=colouring(column, self.columns[column]) if column else None)

    @action(while_busy="allow", glance=True)
    def open_tab(self, name: str) -> None:
        """Open a tab of the inspector."""
        self.look(tab=name)

    @action(while_busy="allow", glance=True)
    def hover(self, row: int | None) -> None:
        """Look at the sample under the mouse."""
        if self.state.tab == "Cells":
            self.look(hovered=row)

    @action(while_busy="allow")
    def cancel_layout(self) -> None:
        """Lay out no more; instead of a layout that is not there by now, show one that needs no time."""
        self.layouts.cancel()
        with self.lock:
            title = LAYOUTS[self.state.view].title
            with self.layouts.together():
                missing = self.layouts.places(self.state.view, self.session, self.session.cursor) is None
            if missing:
                self.look(view=self._quick_view, said=f"{title} was cancelled; choose it again to begin anew")
            else:
                self.show()

    @action(while_busy="queue", while_training="refuse")
    def score(self) -> Task:
        """Begin to score the steps in force on held-out samples."""
        return self._start("scoring", self._score)

    @action(while_busy="queue")
    def list_cells(self, what: Literal["selected", "changed"]) -> Task | None:
        """List the selected cells, or begin to find those whose neighbours changed most."""
        if what not in {"selected", "changed"}:
            raise AliError(f"what must be 'selected' or 'changed'; got {what!r}")
        self.look(listed=what)
        moments = compared(self.session, self.last, self.state)
        if what == "selected" or self.insight.is_compared(moments):
            return None
        return self._start("comparing neighbours", self._compare)

    # Files ---------------------------------------------------------------------------------------------------------

    @action(while_busy="refuse")
    def save(self, folder: str | Path) -> Path:
        """Write ``session.json`` into ``folder``."""
        where = _folder(folder)
        try:
            where.mkdir(parents=True, exist_ok=True)
            path = self.session.save(where / "session.json")
        except OSError as error:
            raise AliError(f"cannot write to {where} ({error.strerror}); choose another folder") from None
        self.say(f"Saved {count_words(self.session.steps)}, to {path}")
        return path

    @action(while_busy="refuse")
    def open(self, path: str | Path) -> None:
        """Take in a saved session: its branches beside those here; in a training, the steps in force there."""
        where = Path(path).expanduser()
        file = where / "session.json" if where.is_dir() else where
        if self.training is None:
            self.session.merge(file)
        else:
            saved = Session.load(file, self.session.embedding)
            with self.session.lock:
                self.session.reset()
                self.session.replay(saved.steps)
        self.say(f"Opened {file}: {count_words(self.session.steps)} on {self.session.branch}")

    @action(while_busy="refuse")
    def export(self, folder: str | Path, *, beside: bool = False) -> Task:
        """Begin to write what is on screen, panels, numbers, session and embedding into ``folder``.

        With ``beside``, a folder that holds anything is left alone: the name then gets a number.
        """
        where, scene = _folder(folder).resolve(), self.shown
        if beside:
            if where in (here := Path.cwd(), *here.parents):
                raise AliError(f"{where} is the working folder, or holds it; type the name of a folder of its own")
            names = (where if number == 1 else where.with_name(f"{where.name}-{number}") for number in count(1))
            where = next(name for name in names if not name.exists() or (name.is_dir() and not any(name.iterdir())))
        if scene.drawing.waiting:
            raise AliError("the picture is still being laid out; export when it is there, or cancel the layout")
        return self._start(f"writing files to {where}", lambda _: self._export(where, scene))

    # Training ------------------------------------------------------------------------------------------------------

    @action(while_busy="refuse", while_training="allow")
    def train(self, n_epochs: int | None) -> None:
        """Train epochs, each following the steps in force when it begins."""
        self.trained.go(n_epochs)

    @action(while_busy="allow")
    def pause(self) -> None:
        """Let the training rest after the epoch under way."""
        self.trained.pause()

    @action(while_busy="refuse", while_training="allow")
    def skip(self) -> None:
        """Let the coming epoch follow no interventions."""
        self.trained.skip()

    @action(while_busy="refuse", while_training="allow")
    def use_strengths(self) -> None:
        """Propose the coming epochs with the settings that stand in the app."""
        self.trained.settings = self.session.settings

    @action(while_busy="refuse", while_training="allow")
    def rewind(self, epoch: int) -> None:
        """Go back to the state after an epoch."""
        self.trained.rewind(epoch)

    @property
    def trained(self) -> "LiveTraining":
        """The training that is attached; AliError when there is none."""
        if self.training is None:
            raise AliError("no training is attached; open one with Studio(epochs(data, settings, out=...))")
        return self.training

    # Showing -------------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Show everything as it is now; a view that fails is logged, and keeps no other from showing it.

        Raises
        ------
        AliError
            When what is looked at cannot be laid out.
        """
        with self.lock:
            if self.closed:
                return
            self.shown = presenter.scene(
                self.session,
                self.state,
                self.layouts,
                self.jobs,
                self.insight,
                last=self.last,
                training=self.training,
            )
            for view in self.views:
                try:
                    view.update(self.shown)
                except Exception:
                    log.exception("%s could not show the scene", type(view).__name__)

    def look(self, **changes: Any) -> None:  # noqa: ANN401  # fields of AppState
        """Change what is looked at; when that cannot be shown, all stays as it is and AliError says why."""
        with self.lock:
            before, self.state = self.state, replace(self.state, **changes)
            try:
                self.show()
            except AliError:
                self.state = before
                raise

    def say(self, text: str) -> None:
        """Tell what has happened, instead of what was told before."""
        self.look(said=text, wrong="")

    def answer(self, wrong: str) -> None:
        """Say what went wrong, and nothing beside it; without words, show what is not shown yet."""
        with self.lock:
            if wrong:
                self.state = replace(self.state, wrong=wrong, said="")
            if self.state is not self.shown.state:
                self._show_safely()

    def follow(self, session: Session, last: Session | None, **changes: Any) -> None:  # noqa: ANN401  # as for look
        """Show another session of the same samples; ``last`` is what the epoch before it followed, if one did."""
        with self.lock:
            previous = self.session
            for other in (last, session):
                if other is not None and other is not self.session:
                    self.layouts.follow(other, previous)
                    previous = other
            for end in self._ends:
                end()
            self.session, self.last, self.jobs = session, last, self.jobs.go_on_with(session)
            self._ends = [session.subscribe(self._heard), self.jobs.subscribe(self._job_changed)]
            self._branches = session.branches
            self.state = replace(self.state, displacement=None, **changes)
            self._show_safely()

    def rows_of(self, names: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of the samples called ``names``, sorted; AliError when there is none of that name."""
        ids, asked = self.session.embedding.sample_names, np.array(list(names), dtype=np.str_)
        if len(unknown := np.setdiff1d(asked, ids)):
            raise AliError(f"no sample is called {str(unknown[0])!r}; ids are those of the embedding")
        return np.flatnonzero(np.isin(ids, asked))

    def close(self) -> None:
        """Show nothing any more, and stop what this app began."""
        self.jobs.stop(owner=self)
        with self.lock:
            self.closed, self.views = True, ()
            for end in self._ends:
                end()
            self.layouts.close()

    # Inside --------------------------------------------------------------------------------------------------------

    @property
    def _quick_view(self) -> View:
        return "dims" if self.session.embedding.dim <= 2 else "pca"

    def _look(self, **changes: Any) -> None:  # noqa: ANN401  # as for look
        """Change what is looked at by hand; the steps of the coming epoch are seen beside the start."""
        with self.lock:
            steers = any(changes[name] != getattr(self.state, name) for name in {"mode", "displacement"} & set(changes))
            start = {"comparison": "start"} if steers and self.state.comparison == "epoch" else {}
            self.look(**start, **changes)

    def _select(
        self,
        codes: Iterable[int],
        lassoed: NDArray[np.int64] | None = None,
        *,
        anew: bool = False,
        marked: int | None = None,
    ) -> None:
        """Select the classes with these codes and no others; ``anew`` when a lasso alone has chosen the samples."""
        with self.lock:
            embedding, selected = self.session.embedding, tuple(dict.fromkeys(codes))
            ring = (self.state.marked if marked is None else marked) if selected else None
            state = replace(self.state, selected=selected, lassoed=lassoed, displacement=None, marked=ring)
            names = [embedding.class_names[code] for code in selected]
            words = selection_words(names, len(state.selected_rows(embedding.labels)), lassoed=anew)
            self.look(selected=selected, lassoed=lassoed, displacement=None, marked=ring, said=words, wrong="")

    def _lasso(self, rows: NDArray[np.int64], how: How, *, drawn: NDArray[np.int64]) -> None:
        """Select samples, and the classes they stand for; ``drawn`` are the rows that could be chosen.

        A class that a lasso takes samples from stays selected while at least half of its drawn samples are. Samples
        without a class stand for none: they can be selected, and nothing follows.
        """
        labels = self.session.embedding.labels
        with self.lock:
            selected = self.state.selected
            chosen = lassoed_samples(self.state.selected_rows(labels), rows, how, labels=labels, drawn=drawn)
            inside, left, among = (self._of_classes(some) for some in (rows, np.intersect1d(chosen, drawn), drawn))
            if how == "remove":
                selected = tuple(code for code in selected if code not in inside or 2 * left[code] >= among[code])
            else:
                selected = combined(selected, lassoed_classes(inside, among), how)
            if not selected:
                chosen = chosen[labels[chosen] < 0]
            self._select(selected, chosen if len(chosen) else None, anew=how == "replace")

    def _of_classes(self, rows: NDArray[np.int64]) -> "Counter[int]":
        labels = self.session.embedding.labels[rows]
        return Counter(labels[labels >= 0].tolist())

    # What others do ------------------------------------------------------------------------------------------------

    def _heard(self, event: SessionEvent) -> None:
        """Show the session after a change of it."""
        with self.lock:
            known, self._branches = self._branches, self.session.branches
            if event.kind != "settings":
                comparison = "start" if self.state.comparison == "epoch" else self.state.comparison
                words = event_words(event, self.session, known)
                self.state = replace(self.state, displacement=None, comparison=comparison, said=words, wrong="")
                if event.kind == "step" and event.step is not None and event.step.source == "automatic":
                    self.state = replace(self.state, selected=(), lassoed=None, marked=None)  # Ω has chosen another
            self._show_safely()

    def _show_safely(self) -> None:
        """Show; where the layout cannot be drawn, say why and show one that can."""
        try:
            self.show()
        except AliError as error:
            self.look(view=self._quick_view, wrong=str(error), said="")

    def _laid_out(self) -> None:
        with self.lock:
            self._show_safely()

    def _not_laid_out(self, words: str) -> None:
        """Say why a layout could not be computed; show another one if it was looked at."""
        with self.lock:
            self.state = replace(self.state, wrong=words, said="")
            self._show_safely()

    def _job_changed(self, task: Task | None) -> None:
        with self.lock:
            if task is not None and task.owner is self:
                if task.done.is_set():
                    if task.trouble:
                        self.state = replace(self.state, wrong=task.trouble, said="")
                    elif self.state.said == _begun(task.name):
                        self.state = replace(self.state, said=f"Done: {task.name}")
                elif not task.stopped():
                    self.state = replace(self.state, said=_begun(task.name), wrong="")
            self._show_safely()

    # What takes long -----------------------------------------------------------------------------------------------

    def _start(self, name: str, work: Callable[[Callable[[], bool]], object]) -> Task:
        return self.jobs.start(Task(name=name, work=work, owner=self))

    def _run(self, n_iterations: int, stopped: Callable[[], bool]) -> None:
        """Take steps in pieces of about ``SHOWN_EVERY`` seconds, each of which is one change of the session."""
        piece = 1
        while n_iterations > 0 and not stopped():
            piece = min(piece, n_iterations)
            begin = time.perf_counter()
            self.session.run(piece)
            seconds = (time.perf_counter() - begin) / piece
            n_iterations -= piece
            piece = max(1, int(SHOWN_EVERY / max(seconds, 1e-4)))

    def _until(self, goal: str, value: float, most: int, stopped: Callable[[], bool], label: str) -> None:
        for taken in range(most + 1):
            if goal == "crowding":
                now = crowding(self.session.statistics)
                reached = now <= value
            else:
                now = self.insight.score(self.session, stopped).transfer.macro_f1
                reached = now >= value
            if reached or stopped() or taken == most:
                end = "reached" if reached else "stopped" if stopped() else f"not reached in {most} steps"
                self.say(f"{label} {end} after {taken} steps: {now:.3f}")
                return
            self.session.step()

    def _score(self, stopped: Callable[[], bool]) -> "SessionScores":
        scores = self.insight.score(self.session, stopped)
        self.say(score_words(scores))
        return scores

    def _compare(self, stopped: Callable[[], bool]) -> None:
        rows = self.layouts.rows["pca"]
        count = self.insight.compare(compared(self.session, self.last, self.state), rows, stopped)
        self.say(f"Compared neighbours: {count:,} of {len(rows):,} cells have other neighbours")

    def _export(self, where: Path, scene: Scene) -> list[Path]:
        from ali_viz.panels import last_explained  # noqa: PLC0415  # draws with matplotlib, which is slow to import
        from ali_viz.screen_export import export_screen  # noqa: PLC0415  # likewise

        try:
            files = export_screen(scene, where, seed=self.seed)
        except OSError as error:
            raise AliError(f"cannot write to {where} ({error.strerror}); choose another folder") from None
        explained, steps = last_explained(scene.session), len(scene.session.steps)
        fig3 = ""
        if steps and explained != steps:
            which = "is not among them" if explained is None else f"explains step {explained}"
            fig3 = f" (fig3 {which}: what is dragged or left out has no neighbours to show)"
        self.say(f"Wrote {len(files)} files to {where}{fig3}: {', '.join(path.name for path in files)}")
        return files


def _begun(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]} …"


def _check(value: Any, allowed: Iterable[Any], name: str) -> None:  # noqa: ANN401
    if value not in allowed:
        raise AliError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")


def _folder(folder: str | Path) -> Path:
    if not str(folder).strip():
        raise AliError("the name of the folder is empty; type one")
    return Path(folder).expanduser().absolute()
