"""What the controls of the app stand for: each click becomes a call of the Studio, mistakes are told in the app."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_viz.views.lasso import How, combined

if TYPE_CHECKING:
    from ali_viz.studio import Studio

__all__ = ["Clicks"]

log = logging.getLogger(__name__)

GLANCES = frozenset({"_hover", "_tab", "show_names"})
"""What leaves a mistake in the app that was told before."""
STEPS = frozenset({"step", "undo", "redo", "reset", "go_to", "toggle", "switch", "_run", "_run_until", "_apply"})
RESTING = STEPS | {"_change", "_score", "export", "_save", "_open"}
"""What rests while something is under way on the session."""
STEERING = frozenset({"_go", "_skip", "_use_strengths", "_rewind"})
"""What rests while something other than an epoch is under way."""


class Clicks:
    """Answers the views of one Studio.

    Parameters
    ----------
    studio
        Whose methods are called.
    """

    def __init__(self, studio: "Studio") -> None:
        self._studio = studio

    def clicked(self, action: str, *arguments: Any) -> None:  # noqa: ANN401
        """Carry out what a control stands for; what cannot be done is said in the app, and nothing changes."""
        showing = self._studio._showing
        with showing.lock:
            if action not in GLANCES:
                showing.desk.messages.error("")
            try:
                self._check_rest(action)
                getattr(self if action.startswith("_") else self._studio, action)(*arguments)
            except AliError as error:
                showing.desk.messages.error(str(error))
                showing.refresh()
            except Exception as error:
                log.exception("the Studio could not carry out %s", action)
                showing.desk.messages.error(f"{action.strip('_')} failed ({type(error).__name__}: {error})")

    def _check_rest(self, action: str) -> None:
        showing = self._studio._showing
        busy = showing.under_way if action in RESTING else showing.work.name if action in STEERING else ""
        if busy:
            raise AliError(f"{busy} is under way and must not be disturbed; stop or pause it, or wait until it is done")

    # Steps ---------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._studio._work.run(self._studio.session.settings.n_iterations)

    def _run_until(self, goal: str, value: float) -> None:
        self._studio._work.run_until(goal, value)

    def _apply(self) -> None:
        away_from = self._studio._showing.desk.manual.chosen
        names = self._studio.session.embedding.class_names
        self._studio.apply_selection(None if away_from is None else [names[code] for code in away_from])

    def _change(self, values: dict[str, Any]) -> None:
        self._studio.change_settings(**values)

    def _manual_changed(self) -> None:
        self._studio._showing.refresh()

    def _drag(self, code: int | None, place: tuple[float, float]) -> None:
        selected = self._studio._showing.looking.selected
        first = selected[0] if code is None else code
        self._studio._drag(first, place, alone=first not in selected)

    # Selection -----------------------------------------------------------------------------------------------------

    def _select(self, codes: Sequence[int]) -> None:
        self._studio._showing.select(codes)

    def _refuse(self, words: str) -> None:
        raise AliError(words)

    def _clear(self) -> None:
        self._studio._showing.select(())

    def _toggle(self, code: int) -> None:
        selected = self._studio._showing.looking.selected
        self._studio._showing.select(combined(selected, (code,), "remove" if code in selected else "add"))

    def _lasso(self, codes: Sequence[int], rows: NDArray[np.int64], how: How) -> None:
        self._studio._lasso(codes, rows, how, drawn=self._studio._showing.drawing().rows)

    def _point(self, row: int, how: How) -> None:
        code = int(self._studio.session.embedding.labels[row])
        showing = self._studio._showing
        showing.select(combined(showing.looking.selected, (code,), how))
        self._hover(row)

    def _key(self, name: str) -> None:
        if name == "Escape":
            self._clear()

    # Looking -------------------------------------------------------------------------------------------------------

    def _tab(self, _name: str) -> None:
        self._studio._showing.refresh()

    def _hover(self, row: int | None) -> None:
        self._studio._insight.hovered(row)

    def _list_cells(self, what: str) -> None:
        self._studio._insight.list_cells(what)

    def _pick(self, name: str) -> None:
        self._studio.find(name)

    def _score(self) -> None:
        self._studio._insight.start_scoring()

    # Files ---------------------------------------------------------------------------------------------------------

    def _save(self, folder: str) -> None:
        self._studio.save(folder)

    def _open(self, folder: str) -> None:
        self._studio.open(folder)

    # Training ------------------------------------------------------------------------------------------------------

    def _go(self, count: int | None) -> None:
        self._studio.training.go(count)

    def _pause(self) -> None:
        self._studio.training.pause()

    def _skip(self) -> None:
        self._studio.training.skip()

    def _use_strengths(self) -> None:
        self._studio.training.settings = self._studio.session.settings

    def _rewind(self, epoch: int) -> None:
        self._studio.training.rewind(epoch)
