"""Automatic latent interventions on class-labelled embeddings: everything that computes."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import InterventionSettings, ManualStep, Session, preset

if TYPE_CHECKING:
    from ali_core.interventions.estimator import AutomaticLatentInterventions

__all__ = [
    "AliError",
    "AutomaticLatentInterventions",
    "InterventionSettings",
    "LabelledEmbedding",
    "ManualStep",
    "Session",
    "preset",
]
__version__ = version("ali-interventions")


def __getattr__(name: str) -> Any:  # noqa: ANN401  # a class, imported when asked for because scikit-learn is slow to import
    if name == "AutomaticLatentInterventions":
        from ali_core.interventions.estimator import AutomaticLatentInterventions  # noqa: PLC0415

        return AutomaticLatentInterventions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
