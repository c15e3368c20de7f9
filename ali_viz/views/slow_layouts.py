"""The layouts that take long, made in the background thread of a queue."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.projection import Layout, View, layout
from ali_viz.views.drawn_samples import DrawnSamples
from ali_viz.views.layout_origins import Origins
from ali_viz.views.layout_queue import LayoutQueue, Request, Stopped
from ali_viz.views.layout_store import LayoutStore

__all__ = ["Progress", "SlowLayouts"]

log = logging.getLogger(__name__)
FloatArray = NDArray[np.float64]


class Progress:
    """What is told, in the background thread, while a slow layout is computed; this one tells nothing."""

    def started(self, n_points: int, view: View) -> None:
        """Tell that a layout of ``n_points`` begins."""

    def advanced(self, done: int, total: int) -> None:
        """Tell how many iterations are done."""

    def finished(self) -> None:
        """Tell that the layout is there, or has failed."""

    def cancelled(self) -> None:
        """Tell that the layout was given up."""


class SlowLayouts:
    """Makes the layouts that are wanted, and keeps them.

    Parameters
    ----------
    samples
        What is drawn.
    store, origins
        Where layouts are kept.
    seed
        See :class:`~ali_viz.views.layouts.Layouts`.
    progress
        Told about each layout.
    on_made
        Called when a layout is there.
    on_failed
        Called with words when one has failed.

    Attributes
    ----------
    queue
        What is wanted, and the thread.
    """

    def __init__(
        self,
        samples: DrawnSamples,
        store: LayoutStore,
        origins: Origins,
        *,
        seed: int,
        progress: Progress,
        on_made: Callable[[], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._samples, self._store, self._origins = samples, store, origins
        self._seed, self._progress, self._on_failed = seed, progress, on_failed
        self.queue = LayoutQueue(self._work, on_made)

    def want(self, asked: Sequence[Request]) -> None:
        """Want what is ``asked`` for, each after the layout of its untouched state, and nothing else."""
        if not asked:
            return
        requests: list[Request] = []
        for request in asked:
            if len(request.states) > 1 and self._store.found(request.view, request.states[0]) is None:
                requests.append(request.start)
            requests.append(request)
        with self._store.lock:
            older = [(request, self._origins.at(request.states[0]).before()) for request in requests]
        useful = [replace(request, states=(state,)) for request, states in older for state in states]
        self.queue.want(requests, useful)

    # In the background thread --------------------------------------------------------------------------------------

    def _work(self, request: Request, check: Callable[[], None]) -> bool:
        """Lay out what is requested; tell whether a layout was made."""
        view, state = request.view, request.state
        if self._store.found(view, state) is not None or self._store.trouble(view, (state, request.states[0])):
            return False

        def report(done: int, total: int) -> None:
            check()
            self._progress.advanced(done, total)

        self._progress.started(len(self._samples.rows(view)), view)
        try:
            check()
            vectors = self._samples.vectors(view, request.embedding, state)
            made = layout(vectors, view, **self._arguments(request, vectors), progress=report)
        except Stopped:
            self._progress.cancelled()
            raise
        except Exception as error:
            self._progress.finished()
            self._fail(request, error)
            return False
        self._store.keep(state, made)
        if state is request.states[0]:
            with self._store.lock:
                self._origins.at(state).keep(made)
        self._progress.finished()
        return True

    def _arguments(self, request: Request, vectors: FloatArray) -> dict[str, Any]:
        """Return from where the layout starts, and what else decides it."""
        view = request.view
        start: Layout | None = None
        for state in reversed(request.states[:-1]):
            if (known := self._store.found(view, state)) is not None:
                start = replace(known, vectors=self._samples.vectors(view, request.embedding, state))
                break
        retrained = False
        if len(request.states) == 1:
            with self._store.lock:
                start = self._origins.at(request.state).start(view)
            retrained = start is not None and not np.array_equal(start.vectors, vectors)
        return {"labels": self._samples.labels(view), "previous": start, "retrained": retrained, "seed": self._seed}

    def _fail(self, request: Request, error: Exception) -> None:
        words = str(error)
        if not isinstance(error, AliError):
            log.error("a layout of the view %s failed", request.view, exc_info=error)
            words = (
                f"the layout of the view {request.view!r} failed ({type(error).__name__}: {error}); take another view"
            )
        self._store.fail(request.view, request.state, words)
        if not self.queue.closed:
            self._on_failed(words)
