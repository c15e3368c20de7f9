"""The methods of training, one entry each: what they are called, minimise and move, and how figures show them.

A new method is an entry of :data:`SPECS` and, where no class that is there serves, a class. ``ali train``,
experiments, tables and figures read this table.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["BASES", "METHODS", "SPECS", "MethodSpec"]

_OBJECTIVES = "ali_core.training.objectives:"
_INTERVENERS = "ali_core.training.interveners:"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpec:
    """One way of training.

    Parameters
    ----------
    words
        What it is, in a few words.
    base
        The loss of labels that it minimises, a key of :data:`BASES`; under interventions, the one that ``base`` of the
        settings can replace.
    space
        Where interventions happen: ``nd`` in the space of the embedding, ``2d`` in its parametric t-SNE; empty for a
        method without.
    weight
        Default of the intervention weight w.
    pull, intervener
        ``module:Class`` of the second term of the loss, and of what happens between epochs; empty for a method without
        interventions. ``pkgutil.resolve_name`` imports them when used.
    recorded
        Whether the steps come from a session file and not from a preset or strengths.
    colours
        Of its bars in the figure of results: with the base loss, and without it (w = 1); empty for a spare colour.
    """

    words: str
    base: str
    space: Literal["", "nd", "2d"] = ""
    weight: float = 0.0
    pull: str = ""
    intervener: str = ""
    recorded: bool = False
    colours: tuple[str, str] = ("", "")

    @property
    def intervenes(self) -> bool:
        """Whether the method moves the embedding."""
        return bool(self.space)

    @property
    def planned(self) -> bool:
        """Whether interventions are planned from a preset or strengths; class weights then go into the second term."""
        return self.intervenes and not self.recorded


BASES: dict[str, str] = {
    "tml": _OBJECTIVES + "Triplet",
    "ce": _OBJECTIVES + "CrossEntropy",
    "logit-adjusted": _OBJECTIVES + "LogitAdjusted",
    "supcon": _OBJECTIVES + "SupCon",
    "proxyanchor": _OBJECTIVES + "ProxyAnchor",
}
"""``module:Class`` of the losses of labels."""

SPECS: dict[str, MethodSpec] = {
    "tml": MethodSpec(words="triplet margin loss", base="tml"),
    "ali": MethodSpec(
        words="interventions in the embedding space",
        base="tml",
        space="nd",
        weight=0.8,
        pull=_OBJECTIVES + "ToMoved",
        intervener=_INTERVENERS + "InSpace",
        colours=("#c23b22", "#e69f00"),
    ),
    "pali": MethodSpec(
        words="interventions in a parametric t-SNE",
        base="tml",
        space="2d",
        weight=0.9,
        pull=_OBJECTIVES + "ToMoved",
        intervener=_INTERVENERS + "InPlane",
        colours=("#0072b2", ""),
    ),
    "pli": MethodSpec(
        words="the steps of a person, from a session file",
        base="ce",
        space="2d",
        weight=0.5,
        pull=_OBJECTIVES + "ToRecorded",
        intervener=_INTERVENERS + "ByHand",
        recorded=True,
    ),
    "ce": MethodSpec(words="cross entropy", base="ce"),
    "logit-adjusted": MethodSpec(words="cross entropy of logits adjusted by class frequency", base="logit-adjusted"),
    "supcon": MethodSpec(words="supervised contrastive loss", base="supcon"),
    "proxyanchor": MethodSpec(words="proxy anchor loss", base="proxyanchor"),
}
"""The methods by name, the paper's first."""

METHODS: tuple[str, ...] = tuple(SPECS)
"""What a network can be trained by: values of ``TrainSettings.method``."""
