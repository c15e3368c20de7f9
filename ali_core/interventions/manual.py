"""Steps that a person chooses, by the names of classes."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from ali_core.errors import AliError
from ali_core.interventions.settings import TRANSFORMS, Displacement, InterventionSettings, Strengths
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.steps import InterventionStep, strengths_of

__all__ = ["ManualStep", "resolve_manual"]


class ManualStep(Strengths):
    """What a person wants done: chosen classes, what they move away from, and how strongly.

    It has the fields of :class:`~ali_core.interventions.settings.Strengths`, and these:

    Parameters
    ----------
    classes
        Names of the classes that move. Several move at once, each seeing the others where they were.
    away_from
        Names of the classes to move away from; None for the nearest ``n_neighbours`` of each.
    n_neighbours
        Used when ``away_from`` is None; None takes it from the settings of the session.
    displacement
        A vector of shape (D,) that every chosen class is moved by, as when a person drags it; None for none. Without
        one, a transform must have a strength above 0.

    Notes
    -----
    The paper has no free move of a class in D dimensions; PLI, where a person drags classes, has it in two. After
    it no norm is kept: the class lands where it was dropped, and no other moves.
    """

    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    away_from: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    n_neighbours: Annotated[int, Field(ge=1)] | None = None
    displacement: Displacement | None = None


def resolve_manual(
    manual: ManualStep,
    statistics: ClassStatistics,
    class_names: Sequence[str],
    settings: InterventionSettings,
) -> InterventionStep:
    """Return a manual step as a record with class codes and neighbours, not yet carried out.

    Raises
    ------
    AliError
        For a class that is not there, has no sample, or stands twice; when nothing would move; or for a displacement
        of another length than D.
    """
    _check_strengths(manual, statistics.dim)
    classes = _codes(manual.classes, "classes", statistics, class_names)
    if manual.away_from is None:
        count = manual.n_neighbours or settings.n_neighbours
        neighbours = tuple(statistics.neighbours(code, count) for code in classes)
    else:
        given = _codes(manual.away_from, "away_from", statistics, class_names)
        neighbours = tuple(
            tuple(other for other in statistics.neighbours(code, statistics.n_classes) if other in given)
            for code in classes
        )
        if not all(neighbours):
            raise AliError(
                f"away_from must name another class than the one that moves; got {', '.join(manual.away_from)}"
            )
    return InterventionStep(
        source="manual",
        classes=classes,
        neighbours=neighbours,
        **strengths_of(manual),
        displacement=manual.displacement,
        # A dragged class lands where it was dropped, and no other class moves.
        norm_keeping=settings.norm_keeping if manual.displacement is None else "none",
    )


def _check_strengths(manual: ManualStep, dim: int) -> None:
    displacement = manual.displacement or ()
    if not any(getattr(manual, name) for name in TRANSFORMS) and not any(displacement):
        *others, last = TRANSFORMS
        raise AliError(f"a manual step needs {', '.join(others)} or {last} above 0, or a displacement; all are 0")
    if manual.displacement is not None and len(displacement) != dim:
        raise AliError(f"displacement must have one number a dimension, {dim} here; got {len(displacement)}")


def _codes(
    names: tuple[str, ...], what: str, statistics: ClassStatistics, class_names: Sequence[str]
) -> tuple[int, ...]:
    unknown = [name for name in names if name not in class_names]
    if unknown:
        raise AliError(f"{what}: no class is called {unknown[0]!r}; the classes are {', '.join(class_names)}")
    codes = tuple(class_names.index(name) for name in names)
    empty = [name for name, code in zip(names, codes, strict=True) if not statistics.present[code]]
    if empty:
        raise AliError(f"{what}: class {empty[0]!r} has no sample in this embedding")
    if len(set(codes)) < len(codes):
        raise AliError(f"{what} names a class twice: {', '.join(names)}")
    return codes
