"""Where the samples of each state are drawn, computed once; what takes long in the background: no click waits for it.

Synopsis::

    layouts = Layouts(session, max_points=5000, max_tsne_points=1500, on_ready=show)
    with layouts.together():                              # what one picture needs is wanted together
        before = layouts.places("tsne", session, 0)       # None: not there yet, show() comes later
        after = layouts.places("tsne", session, session.cursor)
    layouts.wait()                                        # for scripts
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast
from weakref import ReferenceType, WeakKeyDictionary, WeakSet, ref

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import InterventionState, Session
from ali_core.projection import LAYOUTS, FoldedPlane, Layout, Places, PlaneFrame, View, layout, pull_back
from ali_core.projection.tsne import check_enough
from ali_core.sampling import stratified_rows
from ali_viz.app.jobs import Stopped, Task, Worker

__all__ = ["Layouts"]

log = logging.getLogger(__name__)
FloatArray = NDArray[np.float64]
NO_VECTORS = np.empty((0, 0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """A slow layout without its vectors, and the places that follow from it."""

    layout: Layout
    places: Places


@dataclass(kw_only=True, eq=False)
class Origin:
    """What is known of the untouched state of one session; training goes on from session to session.

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
        anew, so that a long training keeps one a layout.
    """

    state: ReferenceType[InterventionState]
    previous: "Origin | None" = None
    frames: dict[View, PlaneFrame] = field(default_factory=dict)
    layouts: dict[View, Layout] = field(default_factory=dict)

    def before(self) -> "Iterator[Origin]":
        """Go through those that came before, the nearest first."""
        older = self.previous
        while older is not None:
            yield older
            older = older.previous

    def start(self, view: View) -> Layout | None:
        """Return the layout from which that of the untouched state goes on: of the nearest session that has one."""
        return next((older.layouts[view] for older in self.before() if view in older.layouts), None)

    def keep(self, made: Layout) -> None:
        """Keep the layout of the untouched state for those that follow, instead of older ones."""
        self.layouts[made.view] = made
        for older in self.before():
            older.layouts.pop(made.view, None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """A slow layout that is wanted, of the last of ``states``; the others come before it, the first first."""

    view: View
    embedding: LabelledEmbedding
    states: tuple[InterventionState, ...]

    @property
    def key(self) -> tuple[View, InterventionState]:
        """Requests of equal keys want the same."""
        return self.view, self.states[-1]

    @property
    def start(self) -> "Request":
        """The request for the untouched state."""
        return replace(self, states=self.states[:1])


class Layouts:
    """Places of the drawn samples, per layout and state, of one session and of those that follow it in a training.

    Parameters
    ----------
    session
        The first one; others must hold the same samples.
    max_points, max_tsne_points
        Most samples drawn in linear layouts and in slow ones; see :func:`~ali_core.sampling.stratified_rows`.
    seed
        Of the choice of samples, of t-SNE and of the order of shuffled labels.
    on_ready
        Called in the background thread, holding no lock of this class, when a slow layout is there.
    on_error
        Called likewise with words when one has failed.
    on_progress
        Called likewise with words while one is made, a few times a second at most, and with none at its end.

    Attributes
    ----------
    rows, labels
        Of each layout: the indices (n,) of the samples that are drawn, sorted, and their class codes (n,), -1 for those
        without a class.

    Notes
    -----
    A slow layout starts from that of the nearest earlier state of its session that is known, so it depends on which
    states have been laid out before; that of the untouched state does not. It gives the numbers of
    :func:`~ali_core.projection.layout` called in line. ``parametric`` is fitted to the untouched state alone.

    States are known by identity: one that its session drops is forgotten here as well. One lock protects what is known,
    has failed or was declined; nobody is called while it is held.
    """

    def __init__(
        self,
        session: Session,
        *,
        max_points: int,
        max_tsne_points: int,
        seed: int = 0,
        on_ready: Callable[[], object] = lambda: None,
        on_error: Callable[[str], object] = lambda _: None,
        on_progress: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.on_ready, self.on_error, self.on_progress = on_ready, on_error, on_progress
        self._seed, self._labels, self._n_classes = seed, session.embedding.labels, session.embedding.n_classes
        fast = stratified_rows(self._labels, max_points, seed=seed)
        slow = stratified_rows(self._labels, min(max_points, max_tsne_points), seed=seed)
        self.rows: Mapping[View, NDArray[np.int64]] = {
            view: slow if spec.slow else fast for view, spec in LAYOUTS.items()
        }
        of_fast, of_slow = self._labels[fast], self._labels[slow]
        self.labels: Mapping[View, NDArray[np.int64]] = {
            view: of_slow if spec.slow else of_fast for view, spec in LAYOUTS.items()
        }
        self._lock = threading.RLock()
        self._origins: WeakKeyDictionary[InterventionState, Origin] = WeakKeyDictionary()
        self._planes: dict[View, WeakKeyDictionary[InterventionState, FoldedPlane]] = defaultdict(WeakKeyDictionary)
        self._known: dict[View, WeakKeyDictionary[InterventionState, Known]] = defaultdict(WeakKeyDictionary)
        self._failed: dict[View, WeakKeyDictionary[InterventionState, str]] = defaultdict(WeakKeyDictionary)
        self._declined: dict[View, WeakSet[InterventionState]] = defaultdict(WeakSet)
        self._asked: list[Request] | None = None
        self._worker = Worker("ali-layouts", lambda _: None)

    # What is drawn -------------------------------------------------------------------------------------------------

    def places(self, view: View, session: Session, cursor: int) -> Places | None:
        """Return where the drawn samples are after the first ``cursor`` steps.

        None in a slow layout that has yet to be computed: it is then wanted, and :attr:`on_ready` called when it is
        there. What is wanted replaces what was wanted before, unless it is asked for within :meth:`together`. AliError
        when the layout cannot be computed; the same words each time, it is not tried again.
        """
        state, untouched = session.state_at(cursor), session.state_at(0)
        if LAYOUTS[view].linear:
            return self._plane(view, session).places(state)
        known = self._found(view, state) or self._mapped(view, session, state)
        if known is not None:
            return known.places
        self._check(session)
        check_enough(len(self.rows[view]))
        with self._lock:
            failed, declined = self._failed[view], state in self._declined[view]
            if words := failed.get(state) or failed.get(untouched):
                raise AliError(words)
        request = Request(
            view=view, embedding=session.embedding, states=tuple(session.state_at(k) for k in range(cursor + 1))
        )
        if not declined:
            self._ask(request.start if LAYOUTS[view].is_map else request)
        return None

    def nearest(self, view: View, session: Session, cursor: int) -> tuple[int, Places] | None:
        """Return cursor and places of the known state that is fewest steps away, the earlier of two; or None."""
        for other in sorted(range(session.cursor + len(session.undone) + 1), key=lambda k: (abs(k - cursor), k)):
            if (known := self._found(view, session.state_at(other))) is not None:
                return other, known.places
        return None

    def planned(self, view: View, session: Session, state: InterventionState, codes: Sequence[int]) -> Places | None:
        """Return where ``state``, which nobody is in yet, would place the classes ``codes``; perhaps others as well.

        None in a layout that is no map, and in ``parametric`` before it is fitted.
        """
        if LAYOUTS[view].linear:
            return self._plane(view, session).places(state)
        base = self._found(view, session.state_at(0)) if LAYOUTS[view].is_map else None
        if base is None:
            return None
        rows = self.rows[view]
        mine = np.flatnonzero(np.isin(self._labels[rows], codes))
        vectors = self._vectors(rows[mine], session.embedding, state)
        positions = np.full((len(rows), 2), np.nan)
        positions[mine] = base.layout.place(vectors)
        return Places.of(positions, self._labels[rows], self._n_classes)

    def pull_back(self, view: View, session: Session, cursor: int, code: int, target: ArrayLike) -> FloatArray:
        """Return the displacement (D,) that brings the center of class ``code`` to ``target`` (2,) in ``view``.

        The center is the mean place of the drawn samples of the class, after the first ``cursor`` steps. AliError
        in a layout that is no map or is not computed yet, for a class without samples, and for a place that ``view``
        does not reach; see :func:`~ali_core.projection.pull_back`.
        """
        if not LAYOUTS[view].is_map:
            raise AliError(
                f"nothing can be dragged in the layout {view!r}, which is no map; take 'pca' or 'parametric'"
            )
        places = self.places(view, session, cursor)
        if places is None:
            raise AliError(f"the layout {view!r} is still being computed; drag when it is there")
        labels, state = self.labels[view], session.state_at(cursor)
        if LAYOUTS[view].linear:
            drawn = Layout(view, places.positions(labels), NO_VECTORS, self._plane(view, session).frame)
        else:
            known = self._known[view][state]
            drawn = replace(known.layout, vectors=self._vectors(self.rows[view], session.embedding, state))
        return pull_back(drawn, np.flatnonzero(labels == code), target)

    # What is wanted ------------------------------------------------------------------------------------------------

    @contextmanager
    def together(self) -> Iterator[None]:
        """Want together all that is asked for within the block, or the one around it; enter it under your own lock."""
        if self._asked is not None:
            yield
            return
        self._asked = []
        try:
            yield
        finally:
            asked, self._asked = self._asked, None
            if asked:
                self._want(asked)

    @property
    def busy(self) -> bool:
        """Whether something is being computed or waits for its turn."""
        return bool(self._asked) or any(not task.stopped() for task in self._worker.tasks)

    def follow(self, session: Session, previous: Session) -> None:
        """Let the layouts of ``session`` start from the untouched ones of ``previous``; call it before asking for any.

        Planes stay those of the first session; t-SNE starts from the last layout and is aligned to it as a whole;
        ``parametric`` is fitted anew, from where it was. With the same vectors all stay as they are. A session that
        has been shown before keeps its layouts. AliError when the samples are not the same.
        """
        self._check(session)
        state, untouched = previous.state_at(0), session.state_at(0)
        with self._lock:
            if untouched in self._origins:
                return
            for view, spec in LAYOUTS.items():
                if spec.linear and view not in self._origin(previous).frames:
                    self._plane(view, previous)
            older = self._origin(previous)
            self._origins[untouched] = Origin(state=ref(untouched), previous=older, frames=older.frames)
            for view, known in ((view, self._known[view].get(state)) for view in LAYOUTS):
                if view not in older.layouts and known is not None:
                    vectors = self._vectors(self.rows[view], previous.embedding, state)
                    older.layouts[view] = replace(known.layout, vectors=vectors)

    def cancel(self) -> None:
        """Compute no more; what was wanted is not begun again when it is asked for, until :meth:`resume`."""
        with self._lock:
            for task in self._worker.cancel():
                view, state = cast("tuple[View, InterventionState]", task.key)
                self._declined[view].add(state)

    def resume(self) -> None:
        """Compute again, when it is asked for, what :meth:`cancel` has declined."""
        with self._lock:
            self._declined.clear()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to compute and :attr:`on_ready` has returned; False after ``timeout`` seconds.

        The caller must hold no lock that :attr:`on_ready` takes.
        """
        return self._worker.wait(timeout)

    def close(self) -> None:
        """End the background thread, at its next iteration; nobody is told any more."""
        self._worker.close()

    # Inside --------------------------------------------------------------------------------------------------------

    def _check(self, session: Session) -> None:
        labels = session.embedding.labels
        if labels is not self._labels and not np.array_equal(labels, self._labels):
            raise AliError("the session holds other samples than the one before it; open it in an app of its own")

    def _origin(self, session: Session) -> Origin:
        untouched = session.state_at(0)
        if untouched not in self._origins:
            self._origins[untouched] = Origin(state=ref(untouched))
        return self._origins[untouched]

    def _plane(self, view: View, session: Session) -> FoldedPlane:
        """Return the samples folded to a linear layout; the plane is that of the first session of a training."""
        with self._lock:
            plane = self._planes[view].get(session.state_at(0))
            if plane is None:
                self._check(session)
                frames, vectors = self._origin(session).frames, session.embedding.vectors
                rows, labels = self.rows[view], self.labels[view]
                if view not in frames:
                    find = LAYOUTS[view].plane
                    assert find is not None  # noqa: S101  # the layout is linear
                    known = labels >= 0
                    frames[view] = find(vectors[rows[known]], labels[known])
                plane = FoldedPlane(frame=frames[view], vectors=vectors, rows=rows, labels=labels)
                self._planes[view][session.state_at(0)] = plane
            return plane

    def _found(self, view: View, state: InterventionState) -> Known | None:
        with self._lock:
            return self._known[view].get(state)

    def _keep(self, state: InterventionState, made: Layout) -> Known:
        places = Places.of(made.positions, self.labels[made.view], self._n_classes)
        with self._lock:
            return self._known[made.view].setdefault(
                state, Known(layout=replace(made, vectors=NO_VECTORS), places=places)
            )

    def _mapped(self, view: View, session: Session, state: InterventionState) -> Known | None:
        """Return the layout of ``state`` by the map of its session; None where there is no map, or not yet."""
        base = self._found(view, session.state_at(0)) if LAYOUTS[view].is_map else None
        if base is None:
            return None
        positions = base.layout.place(self._vectors(self.rows[view], session.embedding, state))
        return None if positions is None else self._keep(state, replace(base.layout, positions=positions))

    def _vectors(
        self, rows: NDArray[np.int64], embedding: LabelledEmbedding, state: InterventionState
    ) -> NDArray[np.float64]:
        """Return where the samples ``rows`` of ``embedding`` are in ``state``, (n, D)."""
        moved: NDArray[np.floating[Any]] = embedding.vectors[rows]
        return np.asarray(state.transforms.apply(moved, self._labels[rows]), dtype=np.float64)

    def _ask(self, request: Request) -> None:
        if self._asked is None:
            self._want([request])
        else:
            self._asked.append(request)

    def _want(self, asked: Sequence[Request]) -> None:
        """Want what is ``asked`` for, each after the layout of its untouched state, and nothing else."""
        requests: list[Request] = []
        for request in asked:
            if len(request.states) > 1 and self._found(request.view, request.states[0]) is None:
                requests.append(request.start)
            requests.append(request)
        with self._lock:
            older = [
                (request.view, self._origins[request.states[0]].before())
                for request in requests
                if request.states[0] in self._origins
            ]
            useful = {(view, one.state()) for view, ones in older for one in ones}
        self._worker.replace([self._task(request) for request in requests], useful)

    def _task(self, request: Request) -> Task:
        name = f"the layout {LAYOUTS[request.view].title}"
        return Task(name=name, key=request.key, work=lambda stopped: self._lay_out(request, stopped))

    # In the background thread --------------------------------------------------------------------------------------

    def _lay_out(self, request: Request, stopped: Callable[[], bool]) -> None:
        (view, state), untouched = request.key, request.states[0]
        with self._lock:
            if state in self._known[view] or {state, untouched} & set(self._failed[view]):
                return
        n_points = f"{LAYOUTS[view].title} of {len(self.rows[view]):,} points"
        percent = -1

        def report(done: int, total: int) -> None:
            nonlocal percent
            if stopped():
                raise Stopped
            if (now := 100 * done // total // 2 * 2) != percent:
                percent = now
                self.on_progress(f"{n_points} … {now} %")

        try:
            report(0, 1)
            vectors = self._vectors(self.rows[view], request.embedding, state)
            made = layout(vectors, view, **self._arguments(request, vectors), progress=report)
        except Stopped:
            raise
        except Exception as error:
            self._fail(request, error)
            return
        finally:
            if not self._worker.closed:
                self.on_progress("")
        self._keep(state, made)
        if state is untouched:
            with self._lock:
                self._origins.setdefault(state, Origin(state=ref(state))).keep(made)
        if not self._worker.closed:
            self.on_ready()

    def _arguments(self, request: Request, vectors: FloatArray) -> dict[str, Any]:
        """Return from where the layout starts, and what else decides it."""
        view = request.view
        start: Layout | None = None
        for state in reversed(request.states[:-1]):
            if (known := self._found(view, state)) is not None:
                start = replace(known.layout, vectors=self._vectors(self.rows[view], request.embedding, state))
                break
        retrained = False
        if len(request.states) == 1:
            with self._lock:
                origin = self._origins.get(request.states[0])
                start = None if origin is None else origin.start(view)
            retrained = start is not None and not np.array_equal(start.vectors, vectors)
        return {"labels": self.labels[view], "previous": start, "retrained": retrained, "seed": self._seed}

    def _fail(self, request: Request, error: Exception) -> None:
        (view, state), words = request.key, str(error)
        if not isinstance(error, AliError):
            log.error("a layout %s failed", view, exc_info=error)
            words = f"the layout {view!r} failed ({type(error).__name__}: {error}); take another layout"
        with self._lock:
            self._failed[view][state] = words
        if not self._worker.closed:
            self.on_error(words)
