"""Between a running training and the app: after each epoch the app shows what became of the interventions."""

from typing import TYPE_CHECKING

from ali_core.interventions import Session
from ali_viz.app.actions import Actions

if TYPE_CHECKING:
    from ali_core.training import LiveEvent

__all__ = ["Live"]


class Live:
    """Shows the training that is attached as it goes on; the training does not know of the app.

    Parameters
    ----------
    actions
        Of the app.
    """

    def __init__(self, actions: Actions) -> None:
        self._actions, self._training = actions, actions.trained
        actions.jobs.attend(self._training)
        actions.follow(self._training.session or actions.session, self._last(), tab="Train")
        actions.jobs.attend(self._training)
        self.close = self._training.subscribe(self._heard)
        """Hear no more."""

    def _heard(self, event: "LiveEvent") -> None:
        actions = self._actions
        if event.kind in {"epoch", "rewound"} and not event.control:
            self._follow(compare=event.kind == "epoch")
        if event.kind == "failed":
            actions.answer(self._training.error)
        if event.kind == "batch":
            actions.show()
        else:
            actions.jobs.tell()

    def _follow(self, *, compare: bool) -> None:
        training, actions = self._training, self._actions
        last, epoch = self._last(), training.state.epoch
        session = training.session or Session(training.state.embedding, actions.session.settings)
        kept = f"epoch {epoch + 1} followed"
        if compare:
            said = f"Epoch {epoch} is trained"
        elif kept in session.branches:
            said = f"Back at epoch {epoch}; the steps that epoch {epoch + 1} followed are on the branch “{kept}”"
        else:
            said = f"Back at epoch {epoch}"
        comparison = "epoch" if compare and last is not None else "start"
        actions.follow(session, last, comparison=comparison, said=said, wrong="")

    def _last(self) -> Session | None:
        """Return what the last epoch followed, if one did."""
        last = self._training.last
        return None if last is None else last.session
