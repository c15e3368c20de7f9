"""All views of a Studio on one desk: which there are, and how they are shown a state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ali_core.interventions import Proposal, Session
from ali_viz.theme import class_label
from ali_viz.views.arrangement import Tabs, arranged, close_all
from ali_viz.views.automatic import AutomaticView
from ali_viz.views.cells import CellsView
from ali_viz.views.code import CodeView
from ali_viz.views.confusion import ConfusionView
from ali_viz.views.drawing import Drawing, Preview
from ali_viz.views.effect import EffectView
from ali_viz.views.exporting import ExportView
from ali_viz.views.history import HistoryView, StepButtons
from ali_viz.views.keys import Keys
from ali_viz.views.live import LiveView
from ali_viz.views.manual import ManualView
from ali_viz.views.messages import MessageView
from ali_viz.views.pictures import ImageSource
from ali_viz.views.progress import LayoutProgress
from ali_viz.views.scatter import ScatterView
from ali_viz.views.scores import ScoresView
from ali_viz.views.selection import SelectionView
from ali_viz.views.strengths import StrengthsView
from ali_viz.views.toolbar import Toolbar

if TYPE_CHECKING:
    from ali_viz.views.showing import Looking

__all__ = ["Desk", "Scene", "Told"]


class Told(Protocol):
    """Whom the views tell what a person did."""

    def clicked(self, action: str, *arguments: Any) -> None:  # noqa: ANN401
        """Carry out the method ``action`` with ``arguments``; mistakes are told in the app."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """All that the views are shown at one moment."""

    drawing: Drawing
    preview: Preview | None
    proposal: Proposal | None
    session: Session
    last: Session | None
    looking: "Looking"
    working: bool
    stoppable: bool


class Desk:
    """The views of one Studio.

    Parameters
    ----------
    session
        What is shown; only its embedding is read here.
    order
        Codes of the classes with samples, in the order in which they are listed.
    told
        Called through :meth:`Told.clicked` with the name of the method that a control stands for.
    live
        Whether a training is attached.
    images
        Pictures of the samples, if there are any.
    """

    def __init__(
        self, session: Session, order: Sequence[int], told: Told, *, live: bool, images: ImageSource | None
    ) -> None:
        embedding, tell = session.embedding, told.clicked
        self.messages = MessageView()
        self.progress = LayoutProgress(on_cancel=lambda: tell("cancel_layout"))
        self.scatter = ScatterView(
            embedding,
            live=live,
            on_lasso=lambda codes, rows, how: tell("_lasso", codes, rows, how),
            on_toggle=lambda code: tell("_toggle", code),
            on_clear=lambda: tell("_clear"),
            on_point=lambda row, how: tell("_point", row, how),
            on_hover=lambda row: tell("_hover", row),
            on_drag=lambda code, place: tell("_drag", code, place),
        )
        styles = self.scatter.styles
        names = _distinct([(class_label(embedding.class_names[code]), code) for code in order])
        counted = _distinct(
            [(f"{class_label(embedding.class_names[code])} ({embedding.counts[code]:,})", code) for code in order]
        )
        self.toolbar = Toolbar(
            live=live,
            on_mode=lambda mode: tell("set_mode", mode),
            on_view=lambda view: tell("set_view", view),
            on_comparison=lambda comparison: tell("compare_with", comparison),
            on_names=lambda shown: tell("show_names", shown),
        )
        self.automatic = AutomaticView(
            on_step=lambda: tell("step"),
            on_run=lambda: tell("_run"),
            on_run_until=lambda goal, value: tell("_run_until", goal, value),
            on_preview=lambda on: tell("show_preview", on),
            on_change=lambda values: tell("_change", values),
        )
        self.manual = ManualView(
            names,
            on_change=lambda: tell("_manual_changed"),
            on_drag=lambda place: tell("_drag", None, place),
            on_undrag=lambda: tell("undrag"),
            on_apply=lambda: tell("_apply"),
        )
        self.buttons = StepButtons(
            on_undo=lambda: tell("undo"),
            on_redo=lambda: tell("redo"),
            on_reset=lambda: tell("reset"),
            on_stop=lambda: tell("stop"),
        )
        self.strengths = StrengthsView(
            dim=embedding.dim, n_others=len(order) - 1, on_change=lambda values: tell("_change", values)
        )
        self.selection = SelectionView(
            counted,
            on_select=lambda codes: tell("_select", codes),
            on_trouble=lambda words: tell("_refuse", words),
        )
        self.files = ExportView(
            on_export=lambda folder: tell("export", folder),
            on_save=lambda folder: tell("_save", folder),
            on_open=lambda folder: tell("_open", folder),
        )
        self.history = HistoryView(
            on_go=lambda number: tell("go_to", number),
            on_toggle=lambda number: tell("toggle", number),
            on_switch=lambda name: tell("switch", name),
            on_rename=lambda name: tell("rename_branch", name),
        )
        self.scores, self.code = ScoresView(styles, order), CodeView()
        self.effect = EffectView(styles, order, on_score=lambda: tell("_score"))
        self.confusion = ConfusionView(styles, order)
        self.cells = CellsView(
            embedding,
            styles,
            images,
            on_list=lambda what: tell("_list_cells", what),
            on_pick=lambda name: tell("_pick", name),
        )
        self.live = (
            LiveView(
                on_go=lambda count: tell("_go", count),
                on_pause=lambda: tell("_pause"),
                on_skip=lambda: tell("_skip"),
                on_strengths=lambda: tell("_use_strengths"),
                on_rewind=lambda epoch: tell("_rewind", epoch),
            )
            if live
            else None
        )
        self.tabs = Tabs(
            {
                "Ω": self.scores.widget,
                "Effect": self.effect.widget,
                "Confusion": self.confusion.widget,
                "Cells": self.cells.widget,
                **({"Training": self.live.widget} if self.live is not None else {}),
                "Code": self.code.widget,
            },
            on_tab=lambda name: tell("_tab", name),
        )
        self.widget = arranged(self)
        self.keys = Keys(self.widget, on_key=lambda name: tell("_key", name), on_modifiers=self.scatter.set_modifiers)

    def update(self, scene: Scene) -> None:
        """Show ``scene`` in every view; what lies on a hidden tab is left for when it is opened."""
        looking, session, drawing = scene.looking, scene.session, scene.drawing
        manual = looking.mode == "manual"
        self.scatter.set_handles(looking.selected if manual else ())
        self.scatter.mark(looking.marked)
        self.cells.mark(None if looking.marked is None else str(session.embedding.sample_names[looking.marked]))
        self.scatter.show_labels(looking.names)
        self.scatter.update(drawing, looking.selected, scene.preview)
        self.messages.picture(drawing.note)
        self.toolbar.update(looking.view, looking.mode, looking.comparison, names=looking.names)
        self.automatic.update(session.settings, preview=looking.preview)
        self.manual.update(looking.selected, _place(scene), dragged=looking.displacement is not None)
        self.strengths.update(session.settings)
        self.selection.update(looking.selected)
        self.history.update(session)
        self.rest(session, working=scene.working, stoppable=scene.stoppable)
        self.automatic.widget.layout.display = "none" if manual else "flex"
        self.manual.widget.layout.display = "flex" if manual else "none"
        if self.tabs.name == "Ω":
            self.scores.update(scene.proposal, session.contractions)
        elif self.tabs.name == "Code":
            self.code.update(session)

    def close(self) -> None:
        """Hear nothing any more, and free all widgets."""
        self.scatter.close()
        self.keys.close()
        self.cells.close()
        close_all(self.widget)

    def rest(self, session: Session, *, working: bool, stoppable: bool) -> None:
        """Switch off all that changes the steps or their settings, scores or writes files, and on again."""
        buttons = [button for view in (self.automatic, self.files, self.effect) for button in view.buttons]
        for control in (*buttons, *self.automatic.fields.values(), *self.strengths.fields.values()):
            control.disabled = working
        self.manual.rest(working=working)
        self.history.rest(working=working)
        self.buttons.update(session, working=working, stoppable=stoppable)


def _place(scene: Scene) -> tuple[float, float] | None:
    """Return where the first selected class would be, where it can be dragged."""
    if not scene.looking.selected or not scene.drawing.handles:
        return None
    code = scene.looking.selected[0]
    if scene.looking.displacement is not None and scene.preview is not None and code in scene.preview.codes:
        x, y = scene.preview.heads[list(scene.preview.codes).index(code)]
    else:
        x, y = scene.drawing.handles[code]
    return float(x), float(y)


def _distinct(options: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Tell options of equal label apart by their number; a list widget mistakes one for the other."""
    labels = [label for label, _ in options]
    return [(label if labels.count(label) == 1 else f"{label} [{code}]", code) for label, code in options]
