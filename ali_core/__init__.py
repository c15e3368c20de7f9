"""Automatic latent interventions on class-labelled embeddings: everything that computes."""

from importlib.metadata import version

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import (
    AutomaticLatentInterventions,
    InterventionSettings,
    ManualStep,
    Session,
    preset,
)

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
