"""Strengths and choices of interventions, and the presets of the paper's Table I."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ali_core.errors import AliError
from ali_core.interventions.confusion import EXPERIMENTS
from ali_core.interventions.criteria import CRITERIA, Selection
from ali_core.interventions.statistics import Spread

__all__ = [
    "PRESETS",
    "STRENGTHS",
    "TRANSFORMS",
    "Displacement",
    "InterventionSettings",
    "NormKeeping",
    "Record",
    "StrengthSpec",
    "Strengths",
    "preset",
]

NormKeeping = Literal["offsets", "uniform", "none"]
"""How the norm of the whole embedding is kept; see :class:`InterventionSettings`."""

Fraction = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Displacement = tuple[Annotated[float, Field(allow_inf_nan=False)], ...]
"""A vector of D finite numbers that is added to the center of a class."""


class Record(BaseModel):
    """A frozen record whose mistakes are told in one line, as :class:`~ali_core.errors.AliError`."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    def __init__(self, /, **values: Any) -> None:  # noqa: ANN401
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise AliError(_in_words(error, type(self).model_fields)) from None

    def changed(self, **values: Any) -> Self:  # noqa: ANN401
        """Return a checked copy with some fields replaced."""
        return type(self)(**(self.model_dump() | values))

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Leave out of the repr what is as by default: it is the shortest call that makes an equal record."""
        fields = type(self).model_fields
        return [(name, value) for name, value in super().__repr_args__() if fields[str(name)].default != value]


class Strengths(Record):
    """How strongly a class is moved; 0 switches a transform off.

    Parameters
    ----------
    contract
        λ_c in [0, 1]: the share of the way to the class center that each sample goes.
    rotate
        λ_r in [0, 1]: 0 leaves the class where it is, 1 turns it onto the far side of the neighbour.
    shift
        λ_s of at least 0: the length of the shift in units of the spread of the class.
    shift_mix
        γ in [0, 1]: 1 shifts straight away from the neighbours, 0 at right angles to the lines between them.
    """

    contract: Fraction = 0.0
    rotate: Fraction = 0.0
    shift: Positive = 0.0
    shift_mix: Fraction = 1.0


class StrengthSpec(NamedTuple):
    """How a strength is written, and how a person sets it.

    Parameters
    ----------
    symbol, title, short
        In the paper, beside a slider, and in lists of settings.
    unit
        What it is a number of.
    most, step
        Of a slider.
    help
        What it does.
    """

    symbol: str
    title: str
    short: str
    unit: str
    most: float
    step: float
    help: str


STRENGTHS: dict[str, StrengthSpec] = {
    "contract": StrengthSpec(
        *("λ_c", "contract", "c", "shares", 1.0, 0.01),
        help="the share of the way to its class center that each sample goes; 0 leaves it, 1 puts it on the center",
    ),
    "rotate": StrengthSpec(
        *("λ_r", "rotate", "r", "share of a half turn", 1.0, 0.01),
        help="how far the class is turned about the origin away from its neighbours; 1 is the opposite side",
    ),
    "shift": StrengthSpec(
        *("λ_s", "shift", "s", "spreads of the class", 8.0, 0.05),
        help="how far the class is shifted away from its neighbours, in units of its own spread",
    ),
    "shift_mix": StrengthSpec(
        *("γ", "mix", "mix", "shares", 1.0, 0.05),
        help="direction of the shift; 1 straight away from the neighbours, 0 at right angles to the lines between them",
    ),
}
"""The fields of :class:`Strengths`, in their order."""

TRANSFORMS = tuple(name for name in STRENGTHS if name != "shift_mix")
"""The strengths that switch on a transform of their name; at 0 it is off."""


class InterventionSettings(Strengths):
    """All that decides what automatic interventions do to an embedding.

    It has the fields of :class:`Strengths`, and these:

    Parameters
    ----------
    n_neighbours
        n: how many nearest classes the chosen one moves away from; clipped to the classes there are.
    n_iterations
        Number of interventions in a row.
    criterion
        Ω: ``closest``, ``mean-std``, ``mean-all`` or ``product``; the experiment ``confusion``
        (:func:`~ali_core.interventions.confusion.confusion`), which needs the samples; any other name belongs to a
        function given beside.
    selection
        ``deterministic``: the class of the largest score; ``probabilistic``: drawn with the normalised scores.
    seed
        Of the draws. The k-th intervention draws with the generator of (seed, k), whatever came before.
    norm_keeping
        ``offsets``: all offsets T are scaled by one factor so that the summed squared norm of the embedding stays;
        ``uniform``: the maps as a whole are scaled, also where nothing was contracted; ``none``.
    spread
        ``rms`` or ``radius``; see :class:`~ali_core.interventions.statistics.ClassStatistics`.

    Raises
    ------
    AliError
        When a value is outside its range; the message names the field, the value and the range.
    """

    contract: Fraction = 0.5
    n_neighbours: Annotated[int, Field(ge=1)] = 15
    n_iterations: Annotated[int, Field(ge=0)] = 25
    criterion: str = "product"
    selection: Selection = "deterministic"
    seed: Annotated[int, Field(ge=0)] = 0
    norm_keeping: NormKeeping = "offsets"
    spread: Spread = "rms"


# Table I: strengths as (2-D, D-dimensional), λ_c = 0.5 throughout.
_TABLE_I: dict[str, dict[str, tuple[float, float]]] = {
    "c": {"n_neighbours": (15, 15), "n_iterations": (48, 33)},
    "c,s": {"shift": (1, 4), "n_neighbours": (11, 2), "n_iterations": (48, 25)},
    "c,r": {"rotate": (0.16, 0.32), "n_neighbours": (11, 11), "n_iterations": (47, 15)},
    "c,s,os": {"shift": (2, 4), "shift_mix": (0.75, 0.5), "n_neighbours": (14, 2), "n_iterations": (46, 25)},
    "c,s,r": {"rotate": (0.02, 0.32), "shift": (1, 0.25), "n_neighbours": (15, 15), "n_iterations": (45, 15)},
    "all": {
        "rotate": (0.02, 0.32),
        "shift": (1, 1),
        "shift_mix": (0.25, 0.75),
        "n_neighbours": (15, 15),
        "n_iterations": (43, 15),
    },
}
PRESETS: tuple[str, ...] = tuple(_TABLE_I)
"""Names of the presets: contract (c), shift (s), ortho-shift (os), rotate (r)."""


def preset(name: str, dim: int) -> InterventionSettings:
    """Return the settings of the paper's Table I for a combination of transforms.

    Parameters
    ----------
    name
        ``c``, ``c,s``, ``c,r``, ``c,s,os``, ``c,s,r`` or ``all``.
    dim
        Dimensions of the embedding: the first column of Table I is for ``dim`` ≤ 2, the second for more. The
        criterion is the argmax of mean-std, or of the product (Sec. IV-A).

    Raises
    ------
    AliError
        When there is no preset of that name.

    Examples
    --------
    >>> preset("c,s", dim=256).shift, preset("c,s", dim=2).shift
    (4.0, 1.0)
    >>> preset("c,s", dim=256).changed(n_iterations=10).n_iterations
    10
    """
    if name not in _TABLE_I:
        raise AliError(f"there is no preset {name!r}; the presets are {' | '.join(PRESETS)}")
    column = 0 if dim <= 2 else 1
    values = {field: pair[column] for field, pair in _TABLE_I[name].items()}
    return InterventionSettings(**values, criterion="mean-std" if dim <= 2 else "product")


def check_dimension(settings: InterventionSettings, dim: int) -> None:
    """Refuse the preset of Table I for two dimensions where vectors have more, and the other way about.

    Settings that are no preset, if only by one strength, may be used in any dimension.

    Raises
    ------
    AliError
        When the settings are, but for their seed and selection, a preset of the other column of the table.
    """
    choice = {"seed": settings.seed, "selection": settings.selection}
    for name in PRESETS:
        here, there = (preset(name, dim=each).changed(**choice) for each in (dim, 3 if dim <= 2 else 2))
        if settings == there and settings != here:
            raise AliError(
                f"these settings are the preset {name!r} for {'more than 2' if dim <= 2 else '2'} dimensions, but the "
                f"vectors have {dim}; take preset({name!r}, dim={dim})"
            )


def named_criterion(name: str) -> Any:  # noqa: ANN401
    """Return the criterion function called ``name``; AliError when it is none of the paper's."""
    if name in EXPERIMENTS:
        raise AliError(
            f"criterion {name!r} looks at samples, and here are statistics alone; use {', '.join(CRITERIA)}, or plan "
            "where the samples are: with a Session, InterventionLoss or ali train on one device"
        )
    if name not in CRITERIA:
        raise AliError(
            f"criterion {name!r} is not known; use {', '.join(CRITERIA)}, or give your function as criterion=…"
        )
    return CRITERIA[name]


def _in_words(error: ValidationError, fields: Iterable[str]) -> str:
    problems = []
    for item in error.errors():
        where = ".".join(map(str, item["loc"]))
        if item["type"] == "value_error":  # a rule of ours, in its own words
            problems.append(str(item["ctx"]["error"]))
        elif item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(where, fields, n=1)
            problems.append(f"there is no setting {where!r}" + (f"; did you mean {near[0]}?" if near else ""))
        else:
            problems.append(f"{where or error.title}: {item['msg'].lower()}; got {item['input']!r:.80}")
    return "; ".join(problems)
