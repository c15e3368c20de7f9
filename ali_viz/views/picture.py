"""The picture: states of the samples side by side, with everything that lies over them."""

from collections.abc import Sequence
from html import escape

import numpy as np

from ali_core.embedding import LabelledEmbedding
from ali_core.projection import LAYOUTS
from ali_viz.app.actions import Actions
from ali_viz.app.state import Scene
from ali_viz.limits import shared_limits, steady_limits
from ali_viz.picture import Arrow, Details, Pane, Picture, PictureScene
from ali_viz.theme import ClassStyle
from ali_viz.views.contact_sheet import as_png
from ali_viz.views.controls import box, html, put
from ali_viz.views.pictures import ImageSource

__all__ = ["PictureView"]

TIP_PX = 96


class PictureView:
    """Shows the drawing of each scene; the second picture carries what has moved, and what would.

    Parameters
    ----------
    actions
        What a lasso, a click or a drag does.
    embedding
        Ids of the samples, and how many a class has: small ones lie on top.
    styles
        Of each class, by code; what comes after them is drawn first.
    images
        Pictures of the samples, for their tips.
    """

    def __init__(
        self,
        actions: Actions,
        embedding: LabelledEmbedding,
        styles: Sequence[ClassStyle],
        images: ImageSource | None = None,
    ) -> None:
        self._ids, self._columns, self._images = embedding.sample_names, actions.columns, images
        self.picture = Picture(
            styles,
            order=[*range(embedding.n_classes, len(styles)), *np.argsort(-embedding.counts, kind="stable")],
            on_lasso=actions.lasso.click,
            on_point=actions.select_point.click,
            on_name=actions.select_named.click,
            on_clear=actions.clear.click,
            on_drag=actions.drag.click,
            on_hover=actions.hover.click,
            details=self._details,
        )
        self.picture.add_class("ali-pictures")
        self.picture.layout.height = ""  # the style sheet knows the window
        self.badge = html(name="ali-over")
        self.widget = box(self.picture, self.badge, name="ali-stage")

    def update(self, scene: Scene) -> None:
        """Show the drawing, the next step in it, and the selection."""
        drawing, state = scene.drawing, scene.state
        panes = [Pane(title=title, places=places) for title, places in zip(drawing.titles, drawing.places, strict=True)]
        panes[1] = _changed_pane(scene)
        bounds = None if scene.planned is None else scene.planned.places.bounds(scene.planned.codes)
        corners = drawing.corners if bounds is None else np.concatenate([drawing.corners, np.array(bounds).T])
        warning = LAYOUTS[drawing.view].badge
        put(self.badge, value=f'<span class="ali-badge">{escape(warning)}</span>' if warning else "")
        self.picture.show(
            PictureScene(
                rows=drawing.rows,
                labels=drawing.labels,
                panes=tuple(panes),
                limits=steady_limits(shared_limits(corners, equal_units=False)),
                equal_units=drawing.equal_units,
                axis_names=drawing.axis_names,
                selected=frozenset(state.selected),
                lassoed=state.lassoed,
                marked=state.marked,
                names="names" in state.layers,
                colouring=state.colouring,
            )
        )

    def _details(self, row: int) -> Details:
        name = str(self._ids[row])
        lines = [("id", name), *((column, str(values[row])) for column, values in self._columns.items())]
        picture = None if self._images is None else self._images.picture(name, TIP_PX)
        return Details(lines=tuple(lines), png=None if picture is None else as_png(picture))


def _changed_pane(scene: Scene) -> Pane:
    """Return the second picture: with old places, arrows, the next step, and rings of classes that can be dragged."""
    drawing, planned, state = scene.drawing, scene.planned, scene.state
    before, now = drawing.places[:2]
    arrows: list[Arrow] = []
    if "arrows" in state.layers:
        arrows = [
            Arrow(code=code, tail=_point(before.centers, code), head=_point(now.centers, code))
            for code in drawing.moved
        ]
        if planned is not None:
            ends = planned.places.centers
            arrows += [
                Arrow(code=code, tail=_point(now.centers, code), head=_point(ends, code), planned=True)
                for code in planned.codes
            ]
    rings = {}
    if state.mode == "manual" and drawing.draggable:
        rings = {code: _point((now if planned is None else planned.places).centers, code) for code in state.selected}
    return Pane(
        title=drawing.titles[1],
        places=now,
        old=before if "old" in state.layers else None,
        old_codes=drawing.moved if "old" in state.layers else (),
        planned=None if planned is None else planned.places,
        planned_codes=() if planned is None else planned.codes,
        arrows=tuple(arrows),
        rings=rings,
    )


def _point(centers: np.ndarray, code: int) -> tuple[float, float]:
    return float(centers[code, 0]), float(centers[code, 1])
