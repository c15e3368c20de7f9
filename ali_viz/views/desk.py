"""All views of a Studio on one desk: which there are, where they stand, and how they are shown a state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import ipywidgets as widgets

from ali_core.interventions import InterventionSettings, Proposal, Session
from ali_viz.theme import class_label
from ali_viz.views.appearance import style_sheet
from ali_viz.views.automatic import AutomaticView
from ali_viz.views.drawing import Comparison, Drawing
from ali_viz.views.exporting import ExportView
from ali_viz.views.history import HistoryView, StepButtons
from ali_viz.views.manual import ManualView
from ali_viz.views.messages import MessageView
from ali_viz.views.scatter import ScatterView
from ali_viz.views.scores import ScoresView
from ali_viz.views.selection import SelectionView
from ali_viz.views.strengths import StrengthsView
from ali_viz.views.toolbar import Toolbar

__all__ = ["Desk", "Scene", "Told"]

PANEL_WIDTH = "286px"


class Told(Protocol):
    """Whom the views tell what a person did."""

    def clicked(self, action: str, *arguments: Any) -> None:  # noqa: ANN401
        """Carry out the method ``action`` with ``arguments``; mistakes are told in the app."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """All that the views are shown at one moment."""

    drawing: Drawing
    settings: InterventionSettings
    proposal: Proposal | None
    session: Session
    selected: Sequence[int]
    mode: str
    comparison: Comparison


class Desk:
    """The views of one Studio.

    Parameters
    ----------
    session
        What is shown; only its embedding is read here.
    told
        Called through :meth:`Told.clicked` with the name of the Studio's method that a control stands for.
    """

    def __init__(self, session: Session, told: Told) -> None:
        embedding, tell = session.embedding, told.clicked
        self.messages = MessageView()
        self.scatter = ScatterView(
            embedding,
            on_lasso=lambda codes, count: tell("_lasso", codes, count),
            on_toggle=lambda code: tell("_toggle", code),
            on_clear=lambda: tell("_select", ()),
        )
        styles = self.scatter.styles
        present = [code for code in range(embedding.n_classes) if embedding.counts[code]]
        listed = sorted(present, key=lambda code: styles[code].order)
        options = [
            (f"{class_label(embedding.class_names[code])} ({embedding.counts[code]:,})", code) for code in listed
        ]
        names = [(class_label(embedding.class_names[code]), code) for code in listed]
        self.toolbar = Toolbar(
            on_mode=lambda mode: tell("set_mode", mode),
            on_view=lambda view: tell("set_view", view),
            on_comparison=lambda comparison: tell("compare_with", comparison),
        )
        self.automatic = AutomaticView(
            on_step=lambda: tell("step"), on_run=lambda: tell("run"), on_change=lambda values: tell("_change", values)
        )
        self.manual = ManualView(_distinct(names), on_apply=lambda away_from: tell("_apply", away_from))
        self.buttons = StepButtons(
            on_undo=lambda: tell("undo"), on_redo=lambda: tell("redo"), on_reset=lambda: tell("reset")
        )
        self.strengths = StrengthsView(
            dim=embedding.dim, n_others=len(present) - 1, on_change=lambda values: tell("_change", values)
        )
        self.selection = SelectionView(_distinct(options), on_select=lambda codes: tell("_select", codes))
        self.export = ExportView(on_export=lambda folder: tell("export", folder))
        self.scores, self.history = ScoresView(styles, listed), HistoryView()
        self.widget = self._arranged()

    def update(self, scene: Scene) -> None:
        """Show ``scene`` in every view."""
        self.scatter.update(scene.drawing, scene.selected)
        self.messages.picture(scene.drawing.note)
        self.toolbar.update(scene.drawing, scene.mode, scene.comparison)
        self.automatic.update(scene.settings)
        self.manual.update(scene.selected)
        self.buttons.update(scene.session, working=False)
        self.strengths.update(scene.settings)
        self.selection.update(scene.selected)
        self.scores.update(scene.proposal)
        self.history.update(scene.session)
        self.automatic.widget.layout.display = "flex" if scene.mode == "automatic" else "none"
        self.manual.widget.layout.display = "flex" if scene.mode == "manual" else "none"

    def rest(self, session: Session, *, working: bool) -> None:
        """Switch off every button that acts while the app works, and on again."""
        for view in (self.automatic, self.manual, self.export):
            for button in view.buttons:
                button.disabled = working
        for toggle in (self.toolbar.view, self.toolbar.comparison):
            toggle.disabled = working
        self.buttons.update(session, working=working)

    def _arranged(self) -> widgets.VBox:
        panel = widgets.VBox(
            [
                self.automatic.widget,
                self.manual.widget,
                self.buttons.widget,
                self.strengths.widget,
                self.selection.widget,
                self.export.widget,
            ],
            layout={"width": PANEL_WIDTH, "min_width": PANEL_WIDTH, "flex": "0 0 auto"},
        )
        tables = widgets.HBox(
            [self.scores.widget, self.history.widget], layout={"flex_flow": "row wrap", "grid_gap": "2px 18px"}
        )
        pictures = widgets.VBox([self.scatter.widget, tables], layout={"flex": "1 1 560px", "min_width": "0"})
        # In a narrow window the pictures go above the panel: wrap-reverse, where flex-end is the upper edge.
        desk = widgets.HBox(
            [panel, pictures],
            layout={
                "flex_flow": "row wrap-reverse",
                "align_items": "flex-end",
                "grid_gap": "0 14px",
                "width": "100%",
            },
        )
        whole = widgets.VBox([style_sheet(), self.toolbar.widget, self.messages.widget, desk], layout={"width": "100%"})
        whole.add_class("ali-studio")
        return whole


def _distinct(options: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Tell options of equal label apart by their number; a list widget mistakes one for the other."""
    labels = [label for label, _ in options]
    return [(label if labels.count(label) == 1 else f"{label} [{code}]", code) for label, code in options]
