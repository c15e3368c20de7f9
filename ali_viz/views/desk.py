"""All views of a Studio: which there are, and where they stand."""

from collections.abc import Sequence
from pathlib import Path

import ipywidgets as widgets

from ali_core.embedding import LabelledEmbedding
from ali_viz.app.actions import Actions, SceneView
from ali_viz.theme import sample_styles
from ali_viz.views.cells import CellsView
from ali_viz.views.code import CodeView
from ali_viz.views.confusion import ConfusionView
from ali_viz.views.controls import box, close_all, row
from ali_viz.views.effect import EffectView
from ali_viz.views.inspector import InspectorView
from ali_viz.views.legend import LegendView
from ali_viz.views.picture import PictureView
from ali_viz.views.pictures import ImageSource
from ali_viz.views.step import StepView
from ali_viz.views.timeline import TimelineView
from ali_viz.views.top import TopView
from ali_viz.views.train import TrainView

__all__ = ["Desk"]

STYLE = (Path(__file__).parent / "studio.css").read_text("utf-8")


class Desk:
    """The views of one Studio, and the whole app as one widget.

    Parameters
    ----------
    actions
        What the controls do.
    embedding
        Names, counts and ids of what is shown.
    order
        Codes of the classes with samples, in the order in which they are listed.
    images
        Pictures of the samples, if there are any.
    """

    def __init__(
        self,
        actions: Actions,
        embedding: LabelledEmbedding,
        order: Sequence[int],
        images: ImageSource | None,
    ) -> None:
        styles = sample_styles(embedding.class_names, embedding.labels, embedding.colours)
        self.legend = LegendView(actions, embedding, styles, order)
        self.picture, self.timeline = PictureView(actions, embedding, styles, images), TimelineView(actions, styles)
        self.cells = CellsView(actions, embedding, styles, images)
        self.inspector = InspectorView(
            actions,
            [
                StepView(actions, embedding, styles, order),
                EffectView(actions, styles, order),
                self.cells,
                ConfusionView(actions, styles, order),
                *([TrainView(actions)] if actions.training is not None else []),
                CodeView(),
            ],
        )
        self.top = TopView(actions, self.inspector.fold)
        self.views: tuple[SceneView, ...] = (self.top, self.picture, self.legend, self.timeline, self.inspector)
        style = widgets.HTML(f"<style>{STYLE}</style>", layout={"display": "none"})
        left = box(self.picture.widget, self.legend.widget, self.timeline.widget, name="ali-left")
        self.widget = box(style, self.top.widget, row(left, self.inspector.widget, name="ali-body"), name="ali-studio")

    def close(self) -> None:
        """Hear nothing any more, and free all widgets."""
        self.cells.close()
        close_all(self.widget)
