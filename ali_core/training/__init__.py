"""Training of embedding networks with the interventions of the moment.

Synopsis::

    result = train(LabelledEmbedding.load("features.npz"), TrainSettings(method="ali", preset="c,s"), out="runs/x")
    result.scores.test.macro_f1, result.table

Names are looked up when first used, so that importing this package imports neither torch nor Lightning.
"""

from typing import TYPE_CHECKING

from ali_core.lazy import lazy_names
from ali_core.training.methods import METHODS
from ali_core.training.settings import TrainSettings

if TYPE_CHECKING:
    from ali_core.training.lightning_callback import InterventionCallback
    from ali_core.training.live import LiveEvent, LiveTraining
    from ali_core.training.loop import EpochState, Training, TrainResult, epochs, train
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "EpochState": "loop",
            "InterventionCallback": "lightning_callback",
            "LiveEvent": "live",
            "LiveTraining": "live",
            "TrainResult": "loop",
            "Training": "loop",
            "epochs": "loop",
            "train": "loop",
        },
    )

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
