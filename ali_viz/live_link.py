"""Between a running training and the app: after each epoch the app shows what became of the interventions."""

from typing import TYPE_CHECKING

from ali_core.interventions import Session

if TYPE_CHECKING:
    from ali_core.training import LiveEvent, LiveTraining
    from ali_viz.views.showing import Showing

__all__ = ["LiveLink"]


class LiveLink:
    """Shows a training as it goes on.

    Parameters
    ----------
    training
        What is trained; it does not know of the app.
    showing
        What is shown.
    """

    def __init__(self, training: "LiveTraining", showing: "Showing") -> None:
        self._training, self._showing = training, showing
        self._unsubscribe = training.subscribe(self._heard)
        with showing.lock:
            showing.desk.tabs.open("Training")
            showing.follow(training.session or showing.session, self._last())
            showing.train(running=training.running)
            self._update()

    def close(self) -> None:
        """Hear no more."""
        self._unsubscribe()

    def opened(self) -> None:
        """Show the training as it is now, if its tab is open."""
        if self._showing.desk.tabs.name == "Training":
            self._update()

    def _heard(self, event: "LiveEvent") -> None:
        showing = self._showing
        with showing.lock:
            if event.kind == "batch":
                self._advance()
                return
            showing.train(running=self._training.running)
            if event.kind in ("epoch", "rewound") and not event.control:
                self._follow(compare=event.kind == "epoch")
            if event.kind == "failed":
                showing.desk.messages.error(self._training.error)
            self._update()

    def _follow(self, *, compare: bool) -> None:
        training, showing = self._training, self._showing
        last = self._last()
        session = training.session or Session(training.state.embedding, showing.session.settings)
        showing.looking.comparison = "epoch" if compare and last is not None else "start"
        showing.follow(session, last)
        epoch, kept = training.state.epoch, f"epoch {training.state.epoch + 1} followed"
        if compare:
            showing.say(f"Epoch {epoch} is trained")
        elif kept in session.branches:
            showing.say(f"Back at epoch {epoch}; the steps that epoch {epoch + 1} followed are on the branch “{kept}”")
        else:
            showing.say(f"Back at epoch {epoch}")

    def _last(self) -> Session | None:
        """Return what the last epoch followed, if one did."""
        last = self._training.last
        return None if last is None else last.session

    def _advance(self) -> None:
        showing, live = self._showing, self._showing.desk.live
        if live is not None:
            showing.train(running=True)
            live.advance(self._training)

    def _update(self) -> None:
        live = self._showing.desk.live
        if live is not None:
            live.update(self._training)
