"""What a method does between two epochs: propose interventions, and hand them to the loss."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import cast

import torch
from torch import Tensor

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import ClassStatistics, Criterion, Plan, SavedSession, Session, plan
from ali_core.interventions.criteria import own_criterion
from ali_core.projection.parametric import ParametricTSNE
from ali_core.training.objectives import Objective, Pull, ToMoved, ToRecorded
from ali_core.training.settings import TrainSettings

__all__ = ["Intervener", "make_intervener"]


class Intervener(ABC):
    """What one method does between epochs.

    Parameters
    ----------
    settings
        Of the run.
    pull
        The term of the loss that follows what is proposed.
    class_names
        Of the data.

    Attributes
    ----------
    interventions
        Strengths and choices of the next proposals: those of the settings, until a person changes them.
    criterion
        The user's own criterion, or None; used as long as :attr:`interventions` name it.
    """

    criterion: Criterion | None = None

    def __init__(self, settings: TrainSettings, pull: Pull, class_names: tuple[str, ...]) -> None:
        self.settings, self.pull, self.class_names = settings, pull, class_names
        self.interventions = settings.intervention_settings()

    @abstractmethod
    def propose(self, embedding: LabelledEmbedding) -> Session:
        """Return the session, its steps in force, that the next epoch is to follow."""

    @abstractmethod
    def use(self, session: Session) -> None:
        """Tell the loss to follow ``session`` from now on."""

    def state(self) -> dict[str, Tensor]:
        """Return what the next epoch depends on besides the network: here, nothing."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:  # noqa: B027  # a method with a state has its own
        """Take back what :meth:`state` returned."""


class InSpace(Intervener):
    """``ali``: interventions in the space of the embedding."""

    def __init__(self, settings: TrainSettings, pull: ToMoved, class_names: tuple[str, ...]) -> None:
        super().__init__(settings, pull, class_names)
        self.loss = pull.loss

    def propose(self, embedding: LabelledEmbedding) -> Session:
        session = Session(embedding, self.interventions)
        session.criterion = self.criterion
        session.run()
        return session

    def use(self, session: Session) -> None:
        self.loss.transforms = session.transforms

    def follow(self, statistics: ClassStatistics) -> Plan:
        """Plan on statistics alone, as processes do that see only a part of the samples each."""
        criterion = own_criterion(self.criterion, self.interventions.criterion)
        planned = plan(statistics, self.interventions, criterion=criterion)
        self.loss.transforms = planned.transforms
        return planned


class InPlane(InSpace):
    """``pali``: interventions in a parametric t-SNE that follows the embedding from epoch to epoch."""

    def __init__(self, settings: TrainSettings, pull: ToMoved, class_names: tuple[str, ...]) -> None:
        super().__init__(settings, pull, class_names)
        self.restore({})

    def propose(self, embedding: LabelledEmbedding) -> Session:
        self.projector.fit(embedding.vectors)
        return super().propose(embedding.with_vectors(self.projector.transform(embedding.vectors)))

    def state(self) -> dict[str, Tensor]:
        return self.projector.state_dict() if hasattr(self.projector, "network_") else {}  # not fitted before epoch 1

    def restore(self, state: Mapping[str, Tensor]) -> None:
        # It is fitted before every epoch, so what it costs beside the training counts.
        self.projector = ParametricTSNE(
            n_landmarks=500,
            refit_iterations=10,
            warm_start=True,
            hold_votes=True,
            random_state=self.settings.seed,
        )
        self.loss.projection = self.projector.forward
        if state:
            self.projector.load_state_dict(dict(state))


class ByHand(Intervener):
    """``pli``: recorded manual steps, carried out once in a parametric t-SNE, are the target of all epochs."""

    def __init__(self, settings: TrainSettings, pull: ToRecorded, class_names: tuple[str, ...]) -> None:
        super().__init__(settings, pull, class_names)
        self.recorded = pull
        self.positions: Tensor | None = None
        self.restore({})
        self.saved = SavedSession.read(cast("Path", settings.steps))
        if self.saved.embedding.class_names != class_names:
            raise AliError(
                f"{self.settings.steps} was recorded on other classes ({', '.join(self.saved.embedding.class_names)}); "
                f"these are {', '.join(class_names)}"
            )

    def propose(self, embedding: LabelledEmbedding) -> Session:
        if self.positions is None:
            self.projector.fit(embedding.vectors)
            self.positions = torch.tensor(self.projector.transform(embedding.vectors))
        # Recorded steps bring their strengths along; only how norms are kept and spreads are taken is the session's.
        kept = {name: getattr(self.saved.settings, name) for name in ("norm_keeping", "spread")}
        session = Session(embedding.with_vectors(self.positions.numpy()), self.interventions.changed(**kept))
        session.replay(self.saved.steps[: self.saved.cursor])
        return session

    def use(self, session: Session) -> None:
        device = self.recorded.targets.device
        self.recorded.targets = torch.tensor(session.after.vectors, dtype=torch.float32, device=device)

    def state(self) -> dict[str, Tensor]:
        if self.positions is None:
            return {}
        return {**self.projector.state_dict(), "positions": self.positions}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.projector = ParametricTSNE(hold_votes=True, random_state=self.settings.seed)
        self.recorded.projection = self.projector.forward
        self.positions = state.get("positions")
        if state:
            self.projector.load_state_dict({name: state[name] for name in state if name != "positions"})


def make_intervener(settings: TrainSettings, objective: Objective, class_names: tuple[str, ...]) -> Intervener | None:
    """Return what ``settings.method`` does between epochs; None when it does nothing, or for a control."""
    if objective.pull is None:
        return None
    intervener: Intervener = resolve_name(settings.spec.intervener)(settings, objective.pull, class_names)
    return intervener
