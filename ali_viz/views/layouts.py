"""2-D positions of the states of sessions, each computed once, slow ones in the background: no click waits for them.

Synopsis::

    layouts = Layouts(session, max_points=5000, max_tsne_points=1500, on_ready=refresh)
    with layouts.together():                                 # what one picture needs is wanted together
        before = layouts.positions("tsne", session, 0)       # None: not there yet, refresh() comes later
        after = layouts.positions("tsne", session, session.cursor)
    layouts.wait()                                           # for scripts
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ali_core.errors import AliError
from ali_core.interventions import InterventionState, Session
from ali_core.projection import Layout, View, is_map, layout, pull_back
from ali_core.projection.tsne import check_enough
from ali_viz.views.drawn_samples import SLOW_VIEWS, DrawnSamples
from ali_viz.views.layout_origins import Origins
from ali_viz.views.layout_queue import Request
from ali_viz.views.layout_store import LayoutStore
from ali_viz.views.slow_layouts import Progress, SlowLayouts

__all__ = ["SLOW_VIEWS", "Layouts", "Progress"]

FloatArray = NDArray[np.float64]


class Layouts:
    """Positions of the drawn samples, per view and state, of one session and of those that follow it in a training.

    Parameters
    ----------
    session
        The first one; others must hold the same samples.
    max_points, max_tsne_points
        Most samples drawn in linear views and in slow ones; see :func:`~ali_core.sampling.stratified_rows`.
    seed
        Of the choice of samples, of t-SNE and of the order of shuffled labels.
    progress
        Told, in the background thread, about slow layouts.
    on_ready
        Called in the background thread, holding no lock of this class, when a slow layout is there.
    on_error
        Called likewise with words when one has failed.

    Attributes
    ----------
    on_ready, on_error
        As above; may be set later.

    Notes
    -----
    A layout starts from that of the nearest earlier state of its session that is known, so it depends on which states
    have been laid out before; that of the untouched state does not. It gives the numbers of
    :func:`~ali_core.projection.layout` called in line. ``parametric`` is fitted to the untouched state alone.

    States are known by identity: one that its session drops is forgotten here as well. One lock protects what is known,
    has failed or was declined; the queue has its own. While one is held, nobody is called and nothing computed.
    """

    def __init__(
        self,
        session: Session,
        *,
        max_points: int,
        max_tsne_points: int,
        seed: int = 0,
        progress: Progress | None = None,
        on_ready: Callable[[], None] | None = None,
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        self.on_ready, self.on_error = on_ready, on_error
        self._samples = DrawnSamples(session.embedding.labels, max_points, max_tsne_points, seed)
        self._store, self._origins = LayoutStore(), Origins()
        self._slow = SlowLayouts(
            self._samples,
            self._store,
            self._origins,
            seed=seed,
            progress=progress or Progress(),
            on_made=lambda: None if self.on_ready is None else self.on_ready(),
            on_failed=lambda words: None if self.on_error is None else self.on_error(words),
        )
        self._asked: list[Request] | None = None

    # What is drawn -------------------------------------------------------------------------------------------------

    def rows(self, view: View) -> NDArray[np.int64]:
        """Return the indices of the samples that are drawn in ``view``, sorted."""
        return self._samples.rows(view)

    def positions(self, view: View, session: Session, cursor: int) -> FloatArray | None:
        """Return the positions (n, 2) of the drawn samples after the first ``cursor`` steps.

        None in a slow view that has yet to be computed: it is then wanted, and :attr:`on_ready` called when it is
        there. What is wanted replaces what was wanted before, unless it is asked for within :meth:`together`. AliError
        when the layout cannot be computed; the same words each time, it is not tried again.
        """
        self._samples.check(session)
        state, untouched = session.state_at(cursor), session.state_at(0)
        known = self._store.found(view, state) or self._mapped(view, session, state)
        if known is not None:
            return known.positions
        check_enough(len(self._samples.rows(view)))
        if words := self._store.trouble(view, (state, untouched)):
            raise AliError(words)
        states = tuple(session.state_at(k) for k in range(cursor + 1))
        request = Request(view=view, embedding=session.embedding, states=states)
        self._ask(request.start if is_map(view) else request)
        return None

    def nearest(self, view: View, session: Session, cursor: int) -> tuple[int, FloatArray] | None:
        """Return cursor and positions of the known state that is fewest steps away, the earlier of two; or None."""
        for other in sorted(range(session.cursor + len(session.undone) + 1), key=lambda k: (abs(k - cursor), k)):
            if (known := self._store.found(view, session.state_at(other))) is not None:
                return other, known.positions
        return None

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
            self._slow.want(asked)

    def place(
        self, view: View, session: Session, vectors: NDArray[np.floating[Any]], rows: NDArray[np.int64]
    ) -> FloatArray | None:
        """Return where ``vectors`` (n, D) of the samples ``rows`` (n,) lie in ``view``, (n, 2).

        None in a view that is no map, and in ``parametric`` before it is fitted.
        """
        if len(vectors) != len(rows):
            raise AliError(f"vectors must have one row for each of the {len(rows)} samples; got {len(vectors)} rows")
        if not is_map(view):
            return None
        base = self._base(view, session)
        return None if base is None else base.place(np.asarray(vectors, dtype=np.float64))

    def pull_back(self, view: View, session: Session, cursor: int, code: int, target: ArrayLike) -> FloatArray:
        """Return the displacement (D,) that brings the center of class ``code`` to ``target`` (2,) in ``view``.

        The center is the mean position of the drawn samples of the class, after the first ``cursor`` steps. AliError
        in a view that is no map or is not computed yet, for a class without samples, and for a place that ``view``
        does not reach; see :func:`~ali_core.projection.pull_back`.
        """
        if not is_map(view):
            raise AliError(f"nothing can be dragged in the view {view!r}, which is no map; take 'pca' or 'parametric'")
        if self.positions(view, session, cursor) is None:
            raise AliError(f"the view {view!r} is still being computed; drag when it is there")
        state = session.state_at(cursor)
        known = self._store.found(view, state)
        assert known is not None  # noqa: S101  # positions() has kept it
        drawn = replace(known, vectors=self._samples.vectors(view, session.embedding, state))
        return pull_back(drawn, np.flatnonzero(self._samples.labels(view) == code), target)

    # What is wanted ------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether something is being computed or waits for its turn."""
        return bool(self._asked) or self._slow.queue.busy

    def follow(self, session: Session, previous: Session) -> None:
        """Let the layouts of ``session`` start from the untouched ones of ``previous``; call it before asking for any.

        The plane of a linear layout stays that of the first session; t-SNE starts from the last layout and is aligned
        to it as a whole; ``parametric`` is fitted again, from where it was. With the same vectors all stay as they are.
        A session that has been shown before keeps its layouts. AliError when the samples are not the same.
        """
        self._samples.check(session)
        state = previous.state_at(0)
        self._base("pca", previous)
        with self._store.lock:
            if self._origins.known(session.state_at(0)):
                return
            older = self._origins.at(state)
            self._origins.follow(session.state_at(0), state)
        for view in SLOW_VIEWS:
            if view not in older.layouts and (known := self._store.found(view, state)) is not None:
                vectors = self._samples.vectors(view, previous.embedding, state)
                older.layouts.setdefault(view, replace(known, vectors=vectors))

    def cancel(self) -> None:
        """Compute no more; what was wanted is not begun again when it is asked for, until :meth:`resume`."""
        for request in self._slow.queue.cancel():
            self._store.decline(request.view, request.state)

    def resume(self) -> None:
        """Compute again, when it is asked for, what :meth:`cancel` has declined."""
        self._store.resume()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to compute and :attr:`on_ready` has returned; False after ``timeout`` seconds.

        The caller must hold no lock that :attr:`on_ready` takes.
        """
        return self._slow.queue.wait(timeout)

    def close(self) -> None:
        """End the background thread, at its next iteration; nobody is told any more."""
        self._slow.queue.close()

    # Inside --------------------------------------------------------------------------------------------------------

    def _base(self, view: View, session: Session) -> Layout | None:
        """Return the layout of the untouched state, which holds the map of all its states; None when it is slow."""
        untouched = session.state_at(0)
        known = self._store.found(view, untouched)
        if known is not None or view in SLOW_VIEWS:
            return known
        vectors = self._samples.vectors(view, session.embedding, untouched)
        with self._store.lock:
            origin = self._origins.at(untouched)
        if (frame := origin.frames.get(view)) is not None:
            made = Layout(view, frame.project(vectors), vectors, frame)
        else:
            made = layout(vectors, view, labels=self._samples.labels(view))
            assert made.frame is not None  # noqa: S101  # a linear layout has one
            origin.frames[view] = made.frame
        return self._store.keep(untouched, made)

    def _mapped(self, view: View, session: Session, state: InterventionState) -> Layout | None:
        """Return the layout of ``state`` by the map of its session; None where there is no map, or not yet."""
        base = self._base(view, session) if is_map(view) else None
        if base is None or state is session.state_at(0):
            return base
        positions = base.place(self._samples.vectors(view, session.embedding, state))
        return None if positions is None else self._store.keep(state, replace(base, positions=positions))

    def _ask(self, request: Request) -> None:
        if self._store.declined(request.view, request.state):
            return
        if self._asked is None:
            self._slow.want([request])
        else:
            self._asked.append(request)
