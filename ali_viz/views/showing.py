"""What a person looks at: view, mode, comparison and selection, and the views kept in step with the session."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.interventions import (
    InterventionState,
    ManualStep,
    Proposal,
    Session,
    SessionEvent,
    distance_order,
)
from ali_core.interventions.steps import strengths_of
from ali_core.projection import LAYOUTS, VIEWS, View
from ali_viz.theme import has_lineages, lineage_order
from ali_viz.views.desk import Desk, Scene, Told
from ali_viz.views.drawing import (
    COMPARISONS,
    Comparison,
    Drawing,
    Preview,
    draw,
    draw_epoch,
    preview_of,
)
from ali_viz.views.layouts import Layouts
from ali_viz.views.pictures import ImageSource
from ali_viz.views.sources import Images
from ali_viz.views.words import count_words, event_words, selection_words
from ali_viz.views.work import Work

__all__ = ["Mode", "Showing", "make_showing"]

Mode = Literal["automatic", "manual"]


@dataclass(kw_only=True)
class Looking:
    """What a person looks at; none of it is part of the work.

    Attributes
    ----------
    view, mode, comparison
        As the toggles stand.
    selected
        Codes of the selected classes, in the order in which they were chosen.
    lassoed
        Rows of the samples in the last lasso, while the selection is what it chose; else None.
    displacement
        Where the selected classes were dragged, as a vector (D,) of the embedding; None when they were not.
    preview
        Whether the next automatic step is shown before it is taken.
    marked
        Row of the sample that is marked in the picture, or None; it is let go with the selection.
    names
        Whether the names of the classes stand in the picture.
    """

    view: View
    mode: Mode = "automatic"
    comparison: Comparison = "start"
    selected: tuple[int, ...] = ()
    lassoed: NDArray[np.int64] | None = None
    displacement: tuple[float, ...] | None = None
    preview: bool = True
    marked: int | None = None
    names: bool = True


class Showing:
    """The views of one Studio, shown anew after every change of the session or of what is looked at.

    Parameters
    ----------
    session
        What is shown; only read.
    desk
        The views.
    layouts
        Where the samples are drawn.
    view
        The first one.

    Attributes
    ----------
    shown
        Called after each refresh.
    last
        What the epoch before the session followed, if one did.
    work
        What is under way, here and in other Studios on the session.
    closed
        Whether nothing is shown any more.

    Notes
    -----
    Clicks, cells of the notebook, layouts and trainings come in different threads, so what is shown changes under
    :attr:`lock`. It is one for all Studios: two on one session that each held their own could wait for one another.
    """

    lock = threading.RLock()

    def __init__(self, session: Session, *, desk: Desk, layouts: Layouts, view: View) -> None:
        self.session, self.desk, self.layouts = session, desk, layouts
        self.last: Session | None = None
        self.looking = Looking(view=_checked(view, VIEWS, "view"))
        self.shown: Callable[[], object] = lambda: None
        self._drawn: tuple[object, Drawing] | None = None
        self._proposal: Proposal | None = None
        self.closed = self._training = False
        self._branches = session.branches
        self.work = Work(session, self.rest)
        self._unsubscribe = session.subscribe(self.heard)

    def start(self) -> None:
        """Draw the first picture."""
        self.refresh(session_changed=True)
        embedding = self.session.embedding
        self.say(f"{len(embedding):,} samples, {embedding.dim:,} dimensions, {embedding.n_classes} classes")

    def heard(self, event: SessionEvent) -> None:
        """Show the session after a change of it; a picture that cannot be drawn must not stop the session."""
        with self.lock:
            known, self._branches = self._branches, self.session.branches
            if event.kind != "settings":
                self.looking.displacement = None
                if self.looking.comparison == "epoch":  # where the steps of the coming one are not drawn
                    self.looking.comparison = "start"
            try:
                self.refresh(session_changed=True)
            except AliError as error:
                self.desk.messages.error(str(error))
                return
            if event.kind != "settings":
                self.say(event_words(event.kind, self.session, known))

    def follow(self, session: Session, last: Session | None) -> None:
        """Show another session of the same samples; ``last`` is what the epoch before it followed, if one did."""
        with self.lock:
            self._unsubscribe()
            previous = self.session
            for other in (last, session):
                if other is not None and other is not self.session:
                    self.layouts.follow(other, previous)
                    previous = other
            self.work.follow(session)
            self.session, self.last = session, last
            self._branches = session.branches
            self._unsubscribe = session.subscribe(self.heard)
            self.looking.displacement = None
            self.refresh(session_changed=True)

    def select(self, codes: Sequence[int], lassoed: NDArray[np.int64] | None = None, *, anew: bool = False) -> None:
        """Select the classes with these codes and no others; ``anew`` when a lasso alone has chosen the samples."""
        with self.lock:
            looking = self.looking
            looking.selected, looking.lassoed, looking.displacement = tuple(dict.fromkeys(codes)), lassoed, None
            if not looking.selected:
                looking.marked = None
            self.refresh()
            embedding = self.session.embedding
            names = [embedding.class_names[code] for code in looking.selected]
            self.say(selection_words(names, len(self.selected_rows()), lassoed=anew))

    def selected_rows(self) -> NDArray[np.int64]:
        """Return the rows of the selected samples: those of the last lasso, or all of the selected classes."""
        looking, labels = self.looking, self.session.embedding.labels
        if looking.lassoed is not None:
            return looking.lassoed
        return np.flatnonzero(np.isin(labels, np.array(looking.selected, dtype=np.int64)))

    def look(self, **changes: Any) -> None:  # noqa: ANN401  # values of Looking
        """Change what is looked at; when that cannot be drawn, all stays as it is and AliError says why."""
        allowed = {"view": VIEWS, "comparison": tuple(COMPARISONS), "mode": get_args(Mode)}
        for name in set(changes) & set(allowed):
            _checked(changes[name], allowed[name], name)
        with self.lock:
            changes = self._drawable(changes)
            before = {name: getattr(self.looking, name) for name in changes}
            if "view" in changes:  # a layout that was cancelled is wanted again
                self.layouts.resume()
                self._drawn = None
            self._set(changes)
            try:
                self.refresh()
            except AliError:
                self._set(before)
                raise

    def _drawable(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return ``changes`` with a comparison that shows them; AliError for an epoch that was not trained."""
        if changes.get("comparison") == "epoch" and self.last is None:
            raise AliError("no last epoch is there to compare with; train one, or take 'start' or 'previous'")
        looking, gestures = self.looking, {"mode", "displacement"} & changes.keys()
        steers = any(changes[name] != getattr(looking, name) for name in gestures)
        return {"comparison": "start"} | changes if steers and looking.comparison == "epoch" else changes

    def begin(self, name: str, stop: Callable[[], object]) -> None:
        """Say what begins in the background and let the controls rest; ``stop`` stops it."""
        with self.lock:
            self.say(_begun(name))
            self.work.begin(name, stop)

    def end(self, name: str, trouble: str | None) -> None:
        """Let the controls go on after ``name``, and say what went wrong in it, or that it is done."""
        with self.lock:
            self.work.end(name)
            if self.closed:
                return
            if trouble is not None:
                self.desk.messages.error(trouble)
            elif self.desk.messages.said == _begun(name):
                self.say(f"Done: {name}")

    def train(self, *, running: bool) -> None:
        """Let the controls rest while an epoch is trained: it follows the steps that it began with."""
        with self.lock:
            self._training = running
            self.rest()

    @property
    def under_way(self) -> str:
        """What the controls rest for, in words; empty when they do not."""
        return self.work.name or ("an epoch" if self._training else "")

    def rest(self) -> None:
        """Let the controls rest while something is under way, or else go on."""
        with self.lock:
            if not self.closed:
                self.desk.rest(self.session, working=bool(self.under_way), stoppable=self.work.stoppable)

    def mark(self, row: int) -> None:
        """Mark one sample in the picture; select its class, unless it is selected or a lasso has chosen samples."""
        with self.lock:
            looking, code = self.looking, int(self.session.embedding.labels[row])
            looking.marked = row
            if code in looking.selected or looking.lassoed is not None:
                self.refresh()
            else:
                self.select((code,))

    def open(self, path: Path) -> None:
        """Take in the session saved in ``path``; AliError when it does not belong to this embedding.

        Its branches come beside those here. With a training, the steps in force there are taken over alone: the next
        epoch follows them.
        """
        file = path / "session.json" if path.is_dir() else path
        if self.desk.live is None:
            self.session.merge(file)
        else:
            saved = Session.load(file, self.session.embedding)
            self.session.reset()
            self.session.replay(saved.steps)
        self.say(f"Opened {file}: {count_words(self.session.steps)} on {self.session.branch}")

    def say(self, text: str) -> None:
        """Put ``text`` into the status line."""
        if not self.closed:
            self.desk.messages.status(text)

    def laid_out(self) -> None:
        """Show a layout that has just been computed."""
        with self.lock:
            self._drawn = None
            self.refresh()

    def cancel_layout(self) -> None:
        """Lay out no more; instead of a view that is not there by now, show one that needs no time."""
        with self.lock:
            self.layouts.cancel()
            self._drawn = None
            if not self.drawing().waiting:
                self.refresh()
                return
            name = LAYOUTS[self.looking.view].title
            self.look(view=self._quick_view)
            self.say(f"{name} was cancelled; choose it again to begin anew")

    @property
    def _quick_view(self) -> View:
        return "dims" if self.session.embedding.dim <= 2 else "pca"

    def not_laid_out(self, words: str) -> None:
        """Say why a layout could not be computed; show a view that needs none if it was the one looked at."""
        with self.lock:
            self.desk.messages.error(words)
            self._drawn = None
            try:
                self.refresh()
            except AliError:
                self.looking.view = self._quick_view
                self.refresh()

    def manual_step(self, away_from: Sequence[str] | None = None, **strengths: float) -> ManualStep:
        """Return what Apply would do; AliError when no class is selected."""
        looking, settings, names = self.looking, self.session.settings, self.session.embedding.class_names
        if not looking.selected:
            raise AliError("no class is selected; use the lasso, a click, the legend or the list of classes")
        standing = strengths_of(settings)
        if looking.displacement is not None:
            standing |= {"rotate": 0.0, "shift": 0.0}
        return ManualStep(
            classes=tuple(names[code] for code in looking.selected),
            away_from=None if away_from is None else tuple(away_from),
            n_neighbours=settings.n_neighbours,
            displacement=looking.displacement,
            **(standing | strengths),
        )

    def refresh(self, *, session_changed: bool = False) -> None:
        """Show everything as it is now; views send only what differs."""
        with self.lock:
            if self.closed:
                return
            if session_changed:
                self._proposal = self._proposed()
            drawing = self.drawing()
            self.desk.update(
                Scene(
                    drawing=drawing,
                    preview=self._preview(drawing),
                    proposal=self._proposal,
                    session=self.session,
                    last=self.last,
                    looking=self.looking,
                    working=bool(self.under_way),
                    stoppable=self.work.stoppable,
                )
            )
            self.shown()

    def close(self) -> None:
        """Show nothing any more."""
        with self.lock:
            self.closed = True
            self._unsubscribe()
            self.layouts.close()

    def _set(self, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            setattr(self.looking, name, value)

    def drawing(self) -> Drawing:
        """Return the picture of what is looked at."""
        session, looking = self.session, self.looking
        key = (session.state_at(session.cursor), session.cursor, looking.view, looking.comparison, self.last)
        if self._drawn is None or self._drawn[0] != key:
            with self.layouts.together():
                if looking.comparison == "epoch" and self.last is not None:
                    drawing = draw_epoch(self.last, session, self.layouts, looking.view)
                else:
                    drawing = draw(session, self.layouts, looking.view, looking.comparison)
            self._drawn = (key, drawing)
        return self._drawn[1]

    def _preview(self, drawing: Drawing) -> Preview | None:
        """Return where the next step would put its classes, if that is to be shown and can be told."""
        looking, session = self.looking, self.session
        if looking.comparison == "epoch" or (looking.mode == "automatic" and not looking.preview):
            return None
        if looking.mode == "automatic":
            coming = None if self._proposal is None else (self._proposal.state, self._proposal.step.classes)
        else:
            coming = self._manual_outcome()
        if coming is None:
            return None
        state, codes = coming
        return preview_of(session, self.layouts, looking.view, drawing, state, codes=codes)

    def _manual_outcome(self) -> tuple[InterventionState, tuple[int, ...]] | None:
        names = self.session.embedding.class_names
        away_from = self.desk.manual.chosen
        try:
            step = self.manual_step(None if away_from is None else [names[code] for code in away_from])
            return self.session.outcome(step), self.looking.selected
        except (AliError, ValueError):  # nothing to show yet: Apply says why
            return None

    def _proposed(self) -> Proposal | None:
        try:
            return self.session.propose()
        except AliError as error:
            self.desk.messages.error(str(error))
            return None


def _begun(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]} …"


def _checked(value: Any, allowed: Sequence[Any], name: str) -> Any:  # noqa: ANN401
    if value not in allowed:
        raise AliError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return value


def make_showing(
    session: Session,
    told: Told,
    *,
    live: bool,
    images: Images | None,
    view: View | None,
    max_points: int,
    max_tsne_points: int,
    seed: int,
) -> Showing:
    """Put views and layouts together; parameters as of :class:`~ali_viz.studio.Studio`."""
    embedding = session.embedding
    order = class_order(session)
    desk = Desk(session, order, told, live=live, images=None if images is None else ImageSource(images, embedding))
    layouts = Layouts(
        session,
        max_points=max_points,
        max_tsne_points=max_tsne_points,
        seed=seed,
        progress=desk.progress,
    )
    first = view or ("dims" if embedding.dim <= 2 else "pca")
    showing = Showing(session, desk=desk, layouts=layouts, view=first)
    layouts.on_ready, layouts.on_error = showing.laid_out, showing.not_laid_out
    return showing


def class_order(session: Session) -> list[int]:
    """Return the classes with samples in the order of lists and legend: by lineage where known, else by distance."""
    embedding = session.embedding
    names = embedding.class_names
    order = lineage_order(names) if has_lineages(names) else distance_order(session.state_at(0).statistics)
    return [code for code in order if embedding.counts[code]]
