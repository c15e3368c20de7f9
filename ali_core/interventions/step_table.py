"""Steps for people to read: one line, or one row of a table, each."""

from collections.abc import Sequence

import pandas as pd

from ali_core.interventions.steps import InterventionStep, strengths_of

__all__ = ["describe_step", "step_table"]


def describe_step(step: InterventionStep, class_names: Sequence[str]) -> str:
    """Return one line: what moved, how strongly, away from what, and what could not be done."""
    parts = [f"{label} {value:g}" for label in ("contract", "rotate", "shift") if (value := getattr(step, label))]
    if step.shift and step.shift_mix < 1.0:
        parts.append(f"mix {step.shift_mix:g}")
    moved = ", ".join(class_names[code] for code in step.classes)
    others = dict.fromkeys(class_names[code] for group in step.neighbours for code in group)
    text = f"{moved}: {', '.join(parts) or 'nothing'} (away from {', '.join(others)})"
    return "; ".join((text, *step.notes))


def step_table(steps: Sequence[InterventionStep], class_names: Sequence[str]) -> pd.DataFrame:
    """Return one row a moved class.

    Returns
    -------
    pandas.DataFrame
        Columns: ``step`` (from 1), ``source``, ``class``, ``neighbours`` (nearest first, joined by ``; ``), the four
        strengths, ``norm_keeping``, ``criterion``, ``selection``, ``seed``, ``score`` (of the class),
        ``shift_length``, ``norm_factor`` and ``notes``.
    """
    choice = ("norm_keeping", "criterion", "selection", "seed")
    columns = ("step", "source", "class", "neighbours", "contract", "rotate", "shift", "shift_mix", *choice)
    rows: list[dict[str, object]] = []
    for index, step in enumerate(steps, start=1):
        for code, others, length in zip(step.classes, step.neighbours, step.shift_lengths, strict=True):
            row: dict[str, object] = {"step": index, "source": step.source, "class": class_names[code]}
            row["neighbours"] = "; ".join(class_names[other] for other in others)
            row |= strengths_of(step)
            row |= {name: getattr(step, name) for name in choice}
            row["score"] = step.scores[code] if step.scores else None
            row |= {"shift_length": length, "norm_factor": step.norm_factor, "notes": "; ".join(step.notes)}
            rows.append(row)
    return pd.DataFrame(rows, columns=[*columns, "score", "shift_length", "norm_factor", "notes"])
