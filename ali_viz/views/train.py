"""A training that goes on: let it train, pause, skip interventions, go back; how far it is and how it went."""

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ali_viz.app.actions import Actions
from ali_viz.app.state import Scene
from ali_viz.app.words import count_words
from ali_viz.views.controls import box, button, dropdown, html, number, put, row
from ali_viz.views.curves import CONTROL, CurvesView

if TYPE_CHECKING:
    from ali_core.training import LiveTraining
    from ali_core.training.live import HeldOut

__all__ = ["TrainView", "held_out_words", "status_words"]

PAUSE_HELP = "Rest after the epoch under way; pressed again, stand before the next batch"
SKIP_HELP = "Let the coming epoch follow no interventions; Redo brings them back"
STRENGTHS_HELP = (
    "Propose the coming epochs with the strengths, criterion and choice that stand on the tab Step; the steps proposed "
    "for the next one are planned anew"
)
REWIND_HELP = (
    "Go back to the state after this epoch; what was trained since is dropped, in the control as "
    "well; own steps that the epoch after it followed are kept on a branch"
)
NOTHING_KEPT = "No earlier epoch is kept: train with keep_checkpoints and a folder"


class TrainView:
    """Buttons for a live training, the progress of its epoch, and its curves.

    Parameters
    ----------
    actions
        What the buttons do.
    """

    name = "Train"

    def __init__(self, actions: Actions) -> None:
        self.one = button(
            "Train 1 epoch",
            "Train one epoch that follows the steps in force",
            lambda: actions.train.click(1),
            style="primary",
        )
        self.several = button(
            "Train 5 epochs",
            "Train that many epochs in a row; each follows its own proposals",
            lambda: actions.train.click(self.n_epochs.value),
        )
        self.n_epochs = number(
            "epochs", "How many epochs the button trains", self._count, width="110px", whole=True, min=1, max=100_000
        )
        self.n_epochs.show(5)
        self.pause = button("Pause", PAUSE_HELP, actions.pause.click)
        self.skip = button("Skip interventions", SKIP_HELP, actions.skip.click)
        self.strengths = button("Use strengths", STRENGTHS_HELP, actions.use_strengths.click)
        self.rewind_to = dropdown("epoch", (), "Epochs whose states are kept", lambda _: "", width="170px")
        self.rewind = button("Rewind to", REWIND_HELP, lambda: actions.rewind.click(self.rewind_to.value))
        self.progress = widgets.IntProgress(
            min=0, max=1, tooltip="Batches of the epoch under way", layout={"width": "120px", "flex": "0 0 auto"}
        )
        self.batches, self.words, self.held_out = html(), html(), html()
        self.curves = CurvesView()
        self.widget = box(
            row(self.one, self.several, self.n_epochs.widget, self.pause),
            self.words,
            row(self.progress, self.batches),
            self.curves.widget,
            self.held_out,
            row(self.skip, self.strengths),
            row(self.rewind, self.rewind_to.widget),
        )

    def update(self, scene: Scene) -> None:
        """Show where the training is, what can be done, and its curves."""
        live = scene.training
        if live is None:
            return
        self._advance(live)
        resting, goes_on = not live.running, live.status == "training"
        over = resting and bool(live.finished or live.status == "closed")
        self.one.description = f"Finish epoch {live.state.epoch + 1}" if live.held else "Train 1 epoch"
        self.one.disabled = self.several.disabled = goes_on or over
        self.pause.disabled = resting or live.held
        self.skip.disabled = not resting or live.session is None or not live.session.cursor
        self.strengths.disabled = not resting or live.session is None
        earlier = tuple(epoch for epoch in live.kept if epoch < live.state.epoch)
        if self.rewind_to.widget.options != earlier:
            self.rewind_to.show(earlier[-1] if earlier else None, options=earlier)
        self.rewind.disabled = self.rewind_to.widget.disabled = not earlier or not resting or live.status == "closed"
        self.rewind.tooltip = REWIND_HELP if earlier else NOTHING_KEPT
        self.curves.update(live.history, live.control_history)
        put(self.held_out, value=f'<div class="ali-status">{escape(held_out_words(live.held_out))}</div>')

    def _advance(self, live: "LiveTraining") -> None:
        """Show how far the epoch is; cheap enough for every batch that is told."""
        done, total = live.batch if live.running else (0, 0)
        self.progress.max, self.progress.value = max(total, 1), done
        epoch = f"control, epoch {live.state.epoch}" if live.in_control else f"epoch {live.state.epoch + 1}"
        text = f"{epoch}: batch {done} of {total}" if total else f"{epoch} begins" if live.running else ""
        put(self.batches, value=f'<span class="ali-muted">{text}</span>' if text else "")
        kind = "alert" if live.status == "failed" else "status"
        put(self.words, value=f'<div class="ali-{kind}" role="{kind}">{escape(status_words(live))}</div>')

    def _count(self, value: int) -> None:
        self.several.description = f"Train {value} epoch{'s' * (value != 1)}"


def held_out_words(found: "HeldOut | None") -> str:
    """Return validation F1 and its difference from the control with their intervals in words; empty without a score."""
    if found is None:
        return ""
    own, control, difference = found.training, found.control, found.difference
    text = f"Validation F1 after epoch {found.epoch}: {own.value:.3f} (95 % {own.low:.3f} to {own.high:.3f})"
    if control is not None and difference is not None:
        text += (
            f"; {CONTROL}: {control.value:.3f} ({control.low:.3f} to {control.high:.3f}); difference "
            f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
        )
        text += ", not told apart" if difference.low <= 0.0 <= difference.high else ""
    return f"{text}. Intervals over the {found.n_samples:,} samples of the fold; another seed can differ by more."


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
