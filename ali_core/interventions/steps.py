"""One intervention as a record: decided by Ω or by a person, carried out on a state, saved and replayed."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from ali_core.errors import AliError
from ali_core.interventions.criteria import Criterion, Selection, choose_class, criterion_name
from ali_core.interventions.settings import (
    InterventionSettings,
    NormKeeping,
    Strengths,
    named_criterion,
)
from ali_core.interventions.state import InterventionState, Move
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.transforms import contract, rotate, shift

__all__ = ["InterventionStep", "carry_out", "decide", "step_generator", "strengths_of"]


class InterventionStep(Strengths):
    """One intervention: who chose, which classes, which neighbours, which strengths, and what came of it.

    Parameters
    ----------
    source
        ``automatic`` (chosen by Ω) or ``manual`` (chosen by a person).
    classes
        Codes of the moved classes.
    neighbours
        For each of them the codes of the classes it moves away from, nearest first.
    contract, rotate, shift, shift_mix
        See :class:`~ali_core.interventions.settings.Strengths`.
    norm_keeping
        See :class:`~ali_core.interventions.settings.InterventionSettings`.
    criterion, selection, seed, scores
        How Ω chose; None for a manual step. ``scores`` has one number a class, NaN where it could not be chosen.
    shift_lengths
        Outcome: how far the center of each moved class was shifted, before the norm was restored.
    norm_factor
        Outcome: the β by which the norm of the embedding was restored.
    notes
        Outcome: what could not be done and why, in words.
    """

    source: Literal["automatic", "manual"]
    classes: tuple[int, ...]
    neighbours: tuple[tuple[int, ...], ...]
    norm_keeping: NormKeeping = "offsets"
    criterion: str | None = None
    selection: Selection | None = None
    seed: int | None = None
    scores: tuple[float, ...] | None = None
    shift_lengths: tuple[float, ...] = ()
    norm_factor: float = 1.0
    notes: tuple[str, ...] = ()


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
        For a probabilistic selection; see :func:`step_generator`.
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
    """
    statistics, moved = state.statistics, state
    lengths, notes = [], []
    for class_index, neighbours in zip(step.classes, step.neighbours, strict=True):
        move, remarks = _move(statistics, class_index, neighbours, step)
        moved = moved.moved(class_index, move)
        lengths.append(float(np.linalg.norm(move.shift)))
        notes.extend(remarks)
    moved, factor, way = moved.renormed(step.norm_keeping)
    if way != step.norm_keeping:
        notes.append("nothing was contracted, so the norm was kept by scaling the whole embedding")
    outcome = {"shift_lengths": tuple(lengths), "norm_factor": factor, "notes": tuple(notes)}
    return moved, step.model_copy(update=outcome)


def strengths_of(source: Strengths) -> dict[str, float]:
    """Return the four strengths of any record that has them."""
    return {name: getattr(source, name) for name in Strengths.model_fields}


def _move(
    statistics: ClassStatistics, class_index: int, neighbours: Iterable[int], strengths: Strengths
) -> tuple[Move, list[str]]:
    notes = []
    center = statistics.centers[class_index]
    others = statistics.centers[list(neighbours)]
    contraction = contract(center, strengths.contract)
    rotation = rotate(center, others, strengths.rotate)
    if strengths.rotate > 0.0 and rotation is None:
        notes.append(f"class {class_index} was not rotated: its center spans no plane with those of its neighbours")
    if rotation is not None:
        center = rotation.apply(center[None])[0]
    spread = (1.0 - strengths.contract) * float(statistics.spreads[class_index])
    vector = shift(center, others, spread=spread, strength=strengths.shift, shift_mix=strengths.shift_mix)
    if strengths.shift > 0.0 and not vector.any():
        reason = "its spread is 0" if spread == 0.0 else "the directions away from its neighbours cancel"
        notes.append(f"class {class_index} was not shifted: {reason}")
    return Move(contraction=contraction, rotation=rotation, shift=vector), notes
