"""What the controls of the app stand for: each click becomes a call of the Studio, mistakes are told in the app."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError

if TYPE_CHECKING:
    from ali_viz.studio import Studio

__all__ = ["Clicks", "combined"]

log = logging.getLogger(__name__)


def combined(selected: Sequence[int], codes: Sequence[int], how: str) -> tuple[int, ...]:
    """Return the selection after ``codes`` were chosen: ``replace`` it, ``add`` to it or ``remove`` from it."""
    if how == "add":
        return (*selected, *(code for code in codes if code not in selected))
    if how == "remove":
        return tuple(code for code in selected if code not in codes)
    return tuple(codes)


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
            showing.desk.messages.error("")
            try:
                getattr(self if action.startswith("_") else self._studio, action)(*arguments)
            except AliError as error:
                showing.desk.messages.error(str(error))
                showing.refresh()
            except Exception as error:
                log.exception("the Studio could not carry out %s", action)
                showing.desk.messages.error(f"{action.strip('_')} failed ({type(error).__name__}: {error})")

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

    def _preview(self, on: bool) -> None:
        self._studio._showing.look(preview=on)

    def _drag(self, code: int | None, place: tuple[float, float]) -> None:
        showing = self._studio._showing
        if code is not None and code not in showing.looking.selected:
            showing.select((code,))
        first = showing.looking.selected[0] if code is None else code
        self._studio._drag(first, place)

    def _undrag(self) -> None:
        self._studio._showing.look(displacement=None)

    # Selection -----------------------------------------------------------------------------------------------------

    def _select(self, codes: Sequence[int]) -> None:
        self._studio._showing.select(codes)

    def _clear(self) -> None:
        self._studio._showing.select(())

    def _toggle(self, code: int) -> None:
        selected = self._studio._showing.looking.selected
        self._studio._showing.select(combined(selected, (code,), "remove" if code in selected else "add"))

    def _lasso(self, codes: Sequence[int], rows: NDArray[np.int64], how: str) -> None:
        showing = self._studio._showing
        before = showing.looking.lassoed
        if how != "replace" and before is not None:
            rows = np.union1d(before, rows) if how == "add" else np.setdiff1d(before, rows)
        showing.select(combined(showing.looking.selected, codes, how), rows)
        names = self._studio.selected
        what = ", ".join(names) if len(names) <= 3 else f"{len(names)} classes"
        showing.say(f"{what or 'nothing'} selected by a lasso of {len(rows):,} points")

    def _point(self, row: int, how: str) -> None:
        code = int(self._studio.session.embedding.labels[row])
        showing = self._studio._showing
        showing.select(combined(showing.looking.selected, (code,), how))
        self._hover(row)

    def _key(self, name: str) -> None:
        if name == "Escape":
            self._clear()

    # Looking -------------------------------------------------------------------------------------------------------

    def _names(self, shown: bool) -> None:
        self._studio._showing.desk.scatter.show_labels(shown)

    def _cancel_layout(self) -> None:
        self._studio._showing.layouts.cancel()
        self._studio._showing.laid_out()

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
