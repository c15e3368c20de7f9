"""A training that goes on: let it train, pause, skip interventions, go back; how far it is and how it went."""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ali_viz.views.appearance import heading, wide
from ali_viz.views.curves import CurvesView
from ali_viz.views.words import count_words

if TYPE_CHECKING:
    from ali_core.training import LiveTraining

__all__ = ["LiveView", "status_words"]

PAUSE_HELP = "Rest after the epoch under way; pressed again, stand before the next batch"
SKIP_HELP = "Let the coming epoch follow no interventions; Redo brings them back"
STRENGTHS_HELP = (
    "Propose the coming epochs with the strengths, criterion and choice that stand on the left; the steps proposed for "
    "the next one are planned anew"
)
REWIND_HELP = (
    "Go back to the state after this epoch; what was trained since is dropped, in the control as "
    "well; own steps that the epoch after it followed are kept on a branch"
)
NOTHING_KEPT = "No earlier epoch is kept: train with keep_checkpoints and a folder"


class LiveView:
    """Buttons for a live training, the progress of its epoch, and its curves.

    Parameters
    ----------
    on_go
        Called with the number of epochs to train.
    on_pause, on_skip, on_strengths
        Called on a click.
    on_rewind
        Called with the epoch to go back to.
    """

    def __init__(
        self,
        *,
        on_go: Callable[[int], None],
        on_pause: Callable[[], None],
        on_skip: Callable[[], None],
        on_strengths: Callable[[], None],
        on_rewind: Callable[[int], None],
    ) -> None:
        self.one = _button("Train 1 epoch", "Train one epoch that follows the steps in force")
        self.one.button_style = "primary"
        self.several = _button("Train 5 epochs", "Train that many epochs in a row; each follows its own proposals")
        self.n_epochs = widgets.BoundedIntText(
            value=5,
            min=1,
            max=100_000,
            description="epochs",
            tooltip="How many epochs the button beside trains",
            style={"description_width": "52px"},
            layout={"width": "130px", "flex": "0 0 auto"},
        )
        self.pause = _button("Pause", PAUSE_HELP)
        self.skip = _button("Skip interventions", SKIP_HELP)
        self.strengths = _button("Use strengths", STRENGTHS_HELP)
        self.rewind_to = widgets.Dropdown(
            description="epoch",
            tooltip="Epochs whose states are kept",
            style={"description_width": "52px"},
            layout={"width": "130px", "flex": "0 0 auto"},
        )
        self.rewind = _button("Rewind to", REWIND_HELP)
        self.progress = widgets.IntProgress(
            min=0, max=1, tooltip="Batches of the epoch under way", layout={"width": "160px", "flex": "0 0 auto"}
        )
        self.batches, self.words = widgets.HTML(layout=wide()), widgets.HTML(layout=wide())
        self.curves = CurvesView()
        self.one.on_click(lambda _: on_go(1))
        self.several.on_click(lambda _: on_go(self.n_epochs.value))
        self.n_epochs.observe(lambda change: self._count(change["new"]), "value")
        self.pause.on_click(lambda _: on_pause())
        self.skip.on_click(lambda _: on_skip())
        self.strengths.on_click(lambda _: on_strengths())
        self.rewind.on_click(lambda _: on_rewind(self.rewind_to.value))
        self.widget = self._arranged()

    @property
    def buttons(self) -> list[widgets.Button]:
        """What acts on the training."""
        return [self.one, self.several, self.pause, self.skip, self.strengths, self.rewind]

    def update(self, live: "LiveTraining") -> None:
        """Show where the training is, what can be done, and its curves."""
        self.advance(live)
        resting, goes_on = not live.running, live.status == "training"
        over = resting and bool(live.finished or live.status == "closed")
        self.one.description = f"Finish epoch {live.state.epoch + 1}" if live.held else "Train 1 epoch"
        self.one.disabled = self.several.disabled = goes_on or over
        self.pause.disabled = resting or live.held
        self.skip.disabled = not resting or live.session is None or not live.session.cursor
        self.strengths.disabled = not resting or live.session is None
        earlier = tuple(epoch for epoch in live.kept if epoch < live.state.epoch)
        if self.rewind_to.options != earlier:
            self.rewind_to.options = earlier
            if earlier:  # told to the browser, which shows none otherwise
                self.rewind_to.index = len(earlier) - 1
        self.rewind.disabled = self.rewind_to.disabled = not earlier or not resting or live.status == "closed"
        self.rewind.tooltip = REWIND_HELP if earlier else NOTHING_KEPT
        self.curves.update(live.history, live.control_history)

    def advance(self, live: "LiveTraining") -> None:
        """Show how far the epoch is; cheap enough for every batch that is told."""
        done, total = live.batch if live.running else (0, 0)
        self.progress.max, self.progress.value = max(total, 1), done
        epoch = f"control, epoch {live.state.epoch}" if live.in_control else f"epoch {live.state.epoch + 1}"
        text = f"{epoch}: batch {done} of {total}" if total else f"{epoch} begins" if live.running else ""
        _set(self.batches, f'<span class="ali-muted">{text}</span>' if text else "")
        kind = "alert" if live.status == "failed" else "status"
        _set(self.words, f'<div class="ali-{kind}" role="{kind}">{escape(status_words(live))}</div>')

    def _count(self, value: int) -> None:
        self.several.description = f"Train {value} epoch{'s' * (value != 1)}"

    def _arranged(self) -> widgets.VBox:
        rows = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "2px 6px"}
        return widgets.VBox(
            [
                heading("Live training"),
                widgets.HBox([self.one, self.several, self.n_epochs, self.pause], layout=rows),
                widgets.HBox([self.skip, self.strengths], layout=rows),
                widgets.HBox([self.rewind, self.rewind_to, self.progress, self.batches], layout=rows),
                self.words,
                self.curves.widget,
            ]
        )


def status_words(live: "LiveTraining") -> str:
    """Return one line for people: what the training does, and what the coming epoch follows."""
    epoch, session = live.state.epoch, live.session
    follows = ""
    if session is not None:
        steps = count_words(session.steps) if session.cursor else "no interventions"
        follows = f"; the coming epoch follows {steps}"
    return {
        "training": "training",
        "pausing": "rests when this epoch is done",
        "held": "stands between two batches; train on to finish the epoch",
        "resting": f"rests after epoch {epoch}{follows}",
        "failed": f"stopped after epoch {epoch}: {live.error}",
        "finished": f"ended after epoch {epoch}: {live.finished}",
        "closed": f"closed after epoch {epoch}; the run can be continued from its folder",
    }[live.status]


def _set(widget: widgets.HTML, value: str) -> None:
    if widget.value != value:
        widget.value = value


def _button(description: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=description, tooltip=tooltip, layout={"width": "auto"})
