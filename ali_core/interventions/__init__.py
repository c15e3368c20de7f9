"""Statistics, criteria, transforms, the Ω loop and the session: what an intervention is and does."""

from ali_core.interventions.class_order import distance_order
from ali_core.interventions.class_transforms import ClassTransforms
from ali_core.interventions.criteria import CRITERIA, Criterion, choose_class, class_probabilities, crowding
from ali_core.interventions.manual import ManualStep
from ali_core.interventions.plan import Plan, plan
from ali_core.interventions.proposal import Proposal
from ali_core.interventions.session import Session, SessionEvent
from ali_core.interventions.session_embedding import session_embedding
from ali_core.interventions.session_file import SavedSession
from ali_core.interventions.settings import PRESETS, InterventionSettings, Strengths, preset
from ali_core.interventions.state import InterventionState
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.steps import InterventionStep, carry_out, decide

__all__ = [
    "CRITERIA",
    "PRESETS",
    "ClassStatistics",
    "ClassTransforms",
    "Criterion",
    "InterventionSettings",
    "InterventionState",
    "InterventionStep",
    "ManualStep",
    "Plan",
    "Proposal",
    "SavedSession",
    "Session",
    "SessionEvent",
    "Strengths",
    "carry_out",
    "choose_class",
    "class_probabilities",
    "crowding",
    "decide",
    "distance_order",
    "plan",
    "preset",
    "session_embedding",
]
