"""The configurations that a dry run tries, combination by combination (Sec. III-F-2 of the paper)."""

import itertools
from typing import Annotated

from pydantic import AfterValidator, Field

from ali_core.errors import AliError
from ali_core.interventions import PRESETS, InterventionSettings
from ali_core.interventions.criteria import Selection
from ali_core.interventions.settings import STRENGTHS, Fraction, Positive, Record, Strengths, named_criterion

__all__ = ["Choice", "SweepGrid", "configuration_name"]

Choice = tuple[str, Selection]
"""Ω: a criterion, and whether its largest score is taken or its scores are drawn from."""

_CHOICES: tuple[Choice, ...] = (
    ("product", "deterministic"),
    ("mean-std", "deterministic"),
    ("mean-all", "deterministic"),
    ("closest", "deterministic"),
    ("product", "probabilistic"),
    ("mean-std", "probabilistic"),
    ("mean-all", "probabilistic"),
)


def _known(choice: Choice) -> Choice:
    named_criterion(choice[0])
    return choice


class SweepGrid(Record):
    """What the first sweep of a dry run tries; by default what the paper tried.

    Parameters
    ----------
    contract
        λ_c: 2^x for x from -4 to -1.
    rotate
        λ_r: 0.01 · 2^x for x from 1 to 5; for combinations with r.
    shift
        λ_s: 2^x for x from -2 to 3; for combinations with s.
    shift_mix
        γ, for combinations with os. 1 is left to the combinations without.
    choices
        Ω: pairs of criterion and selection.
    n_neighbours
        n of the first sweep, or all that there are; the second tries 1 to this number.
    seed
        Of the draws of probabilistic selection.

    Raises
    ------
    AliError
        For values outside their ranges, unknown criteria and empty lists.
    """

    contract: Annotated[tuple[Fraction, ...], Field(min_length=1)] = (0.0625, 0.125, 0.25, 0.5)
    rotate: Annotated[tuple[Fraction, ...], Field(min_length=1)] = (0.02, 0.04, 0.08, 0.16, 0.32)
    shift: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
    shift_mix: Annotated[tuple[Fraction, ...], Field(min_length=1)] = (0.0, 0.25, 0.5, 0.75)
    choices: Annotated[tuple[Annotated[Choice, AfterValidator(_known)], ...], Field(min_length=1)] = _CHOICES
    n_neighbours: Annotated[int, Field(ge=1)] = 15
    seed: Annotated[int, Field(ge=0)] = 0

    def configurations(self, combination: str) -> tuple[InterventionSettings, ...]:
        """Return all settings of one combination, those that differ in Ω alone side by side.

        Raises
        ------
        AliError
            When there is no such combination.
        """
        if combination not in PRESETS:
            raise AliError(f"there is no combination {combination!r}; they are {' | '.join(PRESETS)}")
        parts = {"c", "s", "os", "r"} if combination == "all" else set(combination.split(","))
        rotations = self.rotate if "r" in parts else (0.0,)
        shifts = self.shift if "s" in parts else (0.0,)
        mixes = self.shift_mix if "os" in parts else (1.0,)
        return tuple(
            InterventionSettings(
                contract=contract,
                rotate=rotate,
                shift=shift,
                shift_mix=mix,
                n_neighbours=self.n_neighbours,
                criterion=criterion,
                selection=selection,
                seed=self.seed,
            )
            for contract, rotate, shift, mix in itertools.product(self.contract, rotations, shifts, mixes)
            for criterion, selection in self.choices
        )

    def neighbours(self, settings: InterventionSettings, n_classes: int) -> tuple[InterventionSettings, ...]:
        """Return ``settings`` with 1, 2, … neighbours, as many as there can be: the second sweep.

        Where nothing is shifted or rotated, neighbours change nothing, and ``settings`` stand alone.
        """
        if not (settings.rotate or settings.shift):
            return (settings,)
        most = min(self.n_neighbours, n_classes - 1)
        return tuple(settings.changed(n_neighbours=count) for count in range(1, most + 1))


def configuration_name(settings: InterventionSettings) -> str:
    """Return settings as a short text that names each of them once."""
    values = {name: getattr(settings, name) for name in STRENGTHS}
    told = [name for name in values if name == "contract" or values[name] != Strengths.model_fields[name].default]
    parts = [f"{STRENGTHS[name].short}={repr(values[name]).removesuffix('.0')}" for name in told]
    return " ".join([*parts, f"n={settings.n_neighbours}", settings.criterion, settings.selection])
