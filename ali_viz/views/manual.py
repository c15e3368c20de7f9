"""Move classes by hand: what they move away from, where a class is dragged to, and Apply."""

from collections.abc import Callable, Sequence
from html import escape

import ipywidgets as widgets

from ali_viz.views.appearance import heading, quiet, wide

__all__ = ["ManualView"]

NEAREST = "nearest"


class ManualView:
    """The panel of the manual mode.

    Parameters
    ----------
    options
        (label, code) of the classes with samples, in the order in which they are listed.
    on_change
        Called when what Apply would do changes.
    on_drag
        Called with (x, y), the place in the picture that the first selected class is to be dragged to.
    on_undrag
        Called when the drag is to be forgotten.
    on_apply
        Called on a click.
    """

    def __init__(
        self,
        options: Sequence[tuple[str, int]],
        *,
        on_change: Callable[[], None],
        on_drag: Callable[[tuple[float, float]], None],
        on_undrag: Callable[[], None],
        on_apply: Callable[[], None],
    ) -> None:
        self._labels, self._quiet = {code: label for label, code in options}, quiet()
        self._working, self._selected = False, False
        self.moving = widgets.HTML(layout=wide())
        self.away = widgets.Dropdown(
            options=[("its n nearest neighbours", NEAREST), ("classes chosen below", "chosen")],
            description="away from",
            tooltip="What the selected classes are rotated and shifted away from",
            style={"description_width": "82px"},
            layout=wide(),
        )
        self.away_from = widgets.SelectMultiple(
            options=list(options),
            rows=4,
            description="classes",
            tooltip="Classes to move away from; Ctrl or Shift adds",
            style={"description_width": "82px"},
            layout=wide(display="none"),
        )
        self.x, self.y = (_place(axis) for axis in ("x", "y"))
        self.undrag = widgets.Button(
            description="Undrag",
            tooltip="Forget where the class was dragged; the strengths below move it again",
            layout={"width": "auto", "flex": "0 0 auto"},
        )
        self.place = widgets.HBox([self.x, self.y, self.undrag], layout=wide())
        self.apply = widgets.Button(
            description="Apply to selected classes",
            button_style="primary",
            tooltip="Move the selected classes with the strengths below, or to where they were dragged",
            disabled=True,
            layout=wide(),
        )
        self.away.observe(lambda _: self._away_changed(on_change), "value")
        self.away_from.observe(lambda _: on_change(), "value")
        for field in (self.x, self.y):
            field.observe(lambda _: self._placed(on_drag), "value")
        self.undrag.on_click(lambda _: on_undrag())
        self.apply.on_click(lambda _: on_apply())
        self.widget = widgets.VBox([heading("Manual"), self.moving, self.away, self.away_from, self.place, self.apply])

    @property
    def chosen(self) -> tuple[int, ...] | None:
        """Codes to move away from, or None for the nearest neighbours."""
        return None if self.away.value == NEAREST else tuple(self.away_from.value)

    def update(self, selected: Sequence[int], place: tuple[float, float] | None, *, dragged: bool) -> None:
        """Say what would move.

        Parameters
        ----------
        selected
            Codes of the selected classes.
        place
            Where the center of the first of them is, or is dragged to; None where it cannot be dragged.
        dragged
            Whether it was dragged.
        """
        names = ", ".join(escape(self._labels[code]) for code in selected)
        text = f"moves <b>{names}</b>" if names else "select classes: lasso, click, legend, or the list"
        if dragged:
            text += " to where it was dragged; rotate and shift are left out"
        self.moving.value = f'<div class="ali-muted">{text}</div>'
        self.place.layout.display = "none" if place is None else "flex"
        self.undrag.disabled = not dragged
        self._selected = bool(selected)
        self.rest(working=self._working)
        if place is not None:
            with self._quiet:
                self.x.value, self.y.value = (float(f"{value:.4g}") for value in place)

    def rest(self, *, working: bool) -> None:
        """Let Apply rest while steps cannot be taken; without a selection it rests as well."""
        self._working = working
        self.apply.disabled = working or not self._selected

    def _away_changed(self, tell: Callable[[], None]) -> None:
        self.away_from.layout.display = "none" if self.away.value == NEAREST else "flex"
        tell()

    def _placed(self, tell: Callable[[tuple[float, float]], None]) -> None:
        if not self._quiet.active:
            tell((self.x.value, self.y.value))


def _place(axis: str) -> widgets.FloatText:
    return widgets.FloatText(
        description=axis,
        tooltip=f"Where the center of the class goes, {axis} of the picture; or drag its ring in the picture",
        continuous_update=False,
        style={"description_width": "12px"},
        layout={"width": "92px", "flex": "1 1 0%", "min_width": "0"},
    )
