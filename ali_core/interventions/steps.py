"""One intervention as a record: decided by Ω or by a person, carried out on a state, saved and replayed."""

import hashlib
import math
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from ali_core.embedding import LARGEST
from ali_core.errors import AliError
from ali_core.interventions.criteria import Criterion, Selection, choose_class, criterion_name
from ali_core.interventions.settings import (
    Displacement,
    InterventionSettings,
    NormKeeping,
    Strengths,
    named_criterion,
)
from ali_core.interventions.state import InterventionState, Move
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.transforms import contract, rotate, shift

__all__ = [
    "OUTCOME",
    "InterventionStep",
    "automatic_steps",
    "carry_out",
    "decide",
    "fault_of",
    "step_generator",
    "strengths_of",
]


OUTCOME = {"scores": None, "shift_lengths": (), "norm_factor": 1.0, "notes": ()}
"""Fields of a step that follow from the others, as they are before the step is carried out."""

FARTHEST = 1e9
"""A step moves a class at most so many times the root mean square length of the embedding: beyond that, keeping the
norm would leave nothing of the others in double precision."""


def _with_one_nan(scores: tuple[float, ...]) -> tuple[float, ...]:
    """Replace each NaN by the same object, so that equal records compare equal: tuples compare by identity first."""
    return tuple(math.nan if math.isnan(score) else score for score in scores)


class InterventionStep(Strengths):
    """One intervention: who chose, which classes, which neighbours, which strengths, and what came of it.

    It has the fields of :class:`~ali_core.interventions.settings.Strengths`, and these:

    Parameters
    ----------
    source
        ``automatic`` (chosen by Ω) or ``manual`` (chosen by a person).
    classes
        Codes of the moved classes.
    neighbours
        For each of them the codes of the classes it moves away from, nearest first.
    displacement
        A vector of shape (D,) added to the center of every moved class after all transforms; None for none.
    norm_keeping
        See :class:`~ali_core.interventions.settings.InterventionSettings`.
    skipped
        Whether the step is in the list but does nothing; its outcome is then empty.
    criterion, selection, seed, scores
        How Ω chose; None for a manual step. ``scores`` has one number a class, NaN where it could not be chosen.
    shift_lengths
        Outcome: how far the center of each moved class was shifted and displaced, before the norm was restored.
    norm_factor
        Outcome: the β by which the norm of the embedding was restored.
    notes
        Outcome: what could not be done and why, in words. A class is named by its code, as in the other fields;
        :func:`~ali_core.interventions.step_table.named_notes` puts names.

    Notes
    -----
    The paper has no free move of a class in D dimensions; PLI, where a person drags classes, has it in two.
    ``norm_keeping`` is ``none`` for a manual step that has one.
    """

    source: Literal["automatic", "manual"]
    classes: tuple[int, ...]
    neighbours: tuple[tuple[int, ...], ...]
    displacement: Displacement | None = None
    norm_keeping: NormKeeping = "offsets"
    skipped: bool = False
    criterion: str | None = None
    selection: Selection | None = None
    seed: int | None = None
    scores: Annotated[tuple[float, ...], AfterValidator(_with_one_nan)] | None = None
    shift_lengths: tuple[float, ...] = ()
    norm_factor: float = 1.0
    notes: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of all fields but the scores and the outcome."""
        return hashlib.sha256(self.model_dump_json(exclude=set(OUTCOME)).encode()).hexdigest()

    @property
    def moved(self) -> tuple[int, ...]:
        """Codes of the classes that the step moves: none when it is skipped."""
        return () if self.skipped else self.classes


def fault_of(step: InterventionStep, present: NDArray[np.bool_], dim: int) -> str | None:
    """Return in words why a recorded step cannot be carried out on an embedding, or None when it can.

    Parameters
    ----------
    step
        Perhaps recorded on another embedding, or changed in a file.
    present
        Which classes of the embedding have samples, shape (C,).
    dim
        Its dimensions D.
    """
    return next(_faults(step, present, dim), None)


def _faults(step: InterventionStep, present: NDArray[np.bool_], dim: int) -> Iterator[str]:
    classes, groups, n_classes = step.classes, step.neighbours, len(present)
    for code in (*classes, *(code for group in groups for code in group)):
        if not 0 <= code < n_classes:
            yield f"it names class {code}, but codes go from 0 to {n_classes - 1}"
        elif not present[code]:
            yield f"it names class {code}, which has no sample"
    if not len(set(classes)) == len(classes) == len(groups) > 0:
        yield f"it must move each of its classes once, away from a group of its own; got {classes} and {groups}"
    if any(code in group for code, group in zip(classes, groups, strict=False)):
        yield f"it moves a class away from itself; got {classes} and {groups}"
    if step.displacement is not None and len(step.displacement) != dim:
        yield f"its displacement has {len(step.displacement)} numbers, but there are {dim} dimensions"
    if step.scores is not None and len(step.scores) != n_classes:
        yield f"it has scores of {len(step.scores)} classes, but there are {n_classes}"


def step_generator(seed: int, index: int) -> np.random.Generator:
    """Return the generator for the draw of step ``index``: the same whatever was drawn, undone or redone before."""
    return np.random.default_rng((seed, index))


def decide(
    statistics: ClassStatistics,
    settings: InterventionSettings,
    rng: np.random.Generator,
    criterion: Criterion | None = None,
) -> InterventionStep:
    """Let Ω choose the next class and its neighbours.

    Parameters
    ----------
    statistics
        Of the embedding as it is now.
    settings
        Strengths and choices.
    rng
        For a probabilistic selection.
    criterion
        Your own criterion; by default the one that ``settings`` names.

    Returns
    -------
    InterventionStep
        Without an outcome yet; :func:`carry_out` adds it.
    """
    if int(statistics.present.sum()) < 2:
        raise AliError("interventions need at least two classes with samples; this embedding has fewer")
    function = named_criterion(settings.criterion) if criterion is None else criterion
    scores = np.asarray(function(statistics), dtype=np.float64)
    if scores.shape != (statistics.n_classes,):
        raise AliError(f"a criterion must give one score a class, shape ({statistics.n_classes},); got {scores.shape}")
    scores = np.where(statistics.present, scores, np.nan)
    chosen = choose_class(scores, settings.selection, rng)
    return InterventionStep(
        source="automatic",
        classes=(chosen,),
        neighbours=(statistics.neighbours(chosen, settings.n_neighbours),),
        **strengths_of(settings),
        norm_keeping=settings.norm_keeping,
        criterion=settings.criterion if criterion is None else criterion_name(criterion),
        selection=settings.selection,
        seed=settings.seed if settings.selection == "probabilistic" else None,
        scores=tuple(scores.tolist()),
    )


def carry_out(state: InterventionState, step: InterventionStep) -> tuple[InterventionState, InterventionStep]:
    """Apply ``step`` to ``state``: return the new state and the step with its outcome filled in.

    All moved classes see the centers as they were before the step; then the norm of the embedding is restored once.
    A skipped step leaves the state as it is, the very same object.

    Raises
    ------
    AliError
        When the displacement of the step has not as many numbers as the embedding has dimensions; when a class would
        move farther than ``FARTHEST`` times the root mean square length of the embedding.
    """
    if step.skipped:
        return state, step.model_copy(update={"shift_lengths": (), "norm_factor": 1.0, "notes": ()})
    statistics, moved = state.statistics, state
    if step.displacement is not None and len(step.displacement) != statistics.dim:
        raise AliError(
            f"displacement must have one number a dimension, {statistics.dim} here; got {len(step.displacement)}"
        )
    lengths, notes = [], []
    for class_index, neighbours in zip(step.classes, step.neighbours, strict=True):
        move, remarks = _move(statistics, class_index, neighbours, step)
        moved = moved.moved(class_index, move)
        with np.errstate(over="ignore"):  # a length beyond all numbers is refused below
            lengths.append(float(np.linalg.norm(move.shift)))
        notes.extend(remarks)
    _check_lengths(state, step, lengths)
    moved, factor, way = moved.renormed(step.norm_keeping)
    if way != step.norm_keeping:
        notes.append("nothing was contracted, so the norm was kept by scaling the whole embedding")
    outcome = {"shift_lengths": tuple(lengths), "norm_factor": factor, "notes": tuple(notes)}
    return moved, step.model_copy(update=outcome)


def automatic_steps(
    state: InterventionState, settings: InterventionSettings, criterion: Criterion | None = None, *, start: int = 0
) -> Iterator[tuple[InterventionState, InterventionStep]]:
    """Let Ω choose and carry out one intervention after the other, without end.

    Parameters
    ----------
    state
        Where the first one begins.
    settings, criterion
        See :func:`decide`.
    start
        Number of the first intervention, from 0.

    Yields
    ------
    tuple of InterventionState and InterventionStep
        The state after each intervention, and its record with its outcome.
    """
    for index in count(start):
        state, step = carry_out(
            state, decide(state.statistics, settings, step_generator(settings.seed, index), criterion)
        )
        yield state, step


def _check_lengths(state: InterventionState, step: InterventionStep, lengths: Iterable[float]) -> None:
    """Raise AliError for a move so long that nothing beside it would be left of the other classes."""
    size = state.root_mean_square
    for code, length in zip(step.classes, lengths, strict=True):
        if not (length <= FARTHEST * size or size == 0.0) or not size + length <= LARGEST:
            raise AliError(
                f"class {code} would move by {length:.3g}, but at most {FARTHEST:.0e} times the root mean square "
                f"length of the embedding, {size:.3g}, and to {LARGEST:.0e} in all; choose a smaller shift or "
                "displacement"
            )


def strengths_of(source: Strengths) -> dict[str, float]:
    """Return the strengths of any record that has them."""
    return {name: getattr(source, name) for name in Strengths.model_fields}


def _move(
    statistics: ClassStatistics, class_index: int, neighbours: Iterable[int], step: InterventionStep
) -> tuple[Move, list[str]]:
    notes = []
    center = statistics.centers[class_index]
    others = statistics.centers[list(neighbours)]
    contraction = contract(center, step.contract)
    rotation = rotate(center, others, step.rotate)
    if step.rotate > 0.0 and rotation is None:
        notes.append(f"class {class_index} was not rotated: its center spans no plane with those of its neighbours")
    if rotation is not None:
        center = rotation.apply(center[None])[0]
    spread = (1.0 - step.contract) * float(statistics.spreads[class_index])
    vector = shift(center, others, spread=spread, strength=step.shift, shift_mix=step.shift_mix)
    if step.shift > 0.0 and not vector.any():
        reason = "its spread is 0" if spread == 0.0 else "the directions away from its neighbours cancel"
        notes.append(f"class {class_index} was not shifted: {reason}")
    if step.displacement is not None:
        vector = vector + np.array(step.displacement)
    return Move(contraction=contraction, rotation=rotation, shift=vector), notes
