"""Training of embedding networks with the interventions of the moment.

Synopsis::

    result = train(LabelledEmbedding.load("features.npz"), TrainSettings(method="ali", preset="c,s"), out="runs/x")
    result.scores.test.macro_f1, result.table

Names are looked up when first used, so that importing this package imports neither torch nor Lightning.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ali_core.training.methods import METHODS
from ali_core.training.settings import TrainSettings

if TYPE_CHECKING:
    from ali_core.training.lightning_callback import InterventionCallback
    from ali_core.training.live import LiveTraining
    from ali_core.training.live_events import LiveEvent
    from ali_core.training.loop import EpochState, Training, TrainResult, epochs, train

__all__ = [
    "METHODS",
    "EpochState",
    "InterventionCallback",
    "LiveEvent",
    "LiveTraining",
    "TrainResult",
    "TrainSettings",
    "Training",
    "epochs",
    "train",
]

_MODULES = {
    "EpochState": "loop",
    "InterventionCallback": "lightning_callback",
    "LiveEvent": "live_events",
    "LiveTraining": "live",
    "TrainResult": "loop",
    "Training": "loop",
    "epochs": "loop",
    "train": "loop",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # functions and classes alike
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
