"""Automatic latent interventions on class-labelled embeddings: everything that computes."""

from importlib.metadata import version
from typing import TYPE_CHECKING

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import InterventionSettings, ManualStep, Session, preset
from ali_core.lazy import lazy_names

if TYPE_CHECKING:
    from ali_core.interventions.estimator import AutomaticLatentInterventions
else:
    __getattr__ = lazy_names(__name__, {"AutomaticLatentInterventions": "interventions.estimator"})

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
