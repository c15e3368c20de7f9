"""Steps for people to read: one line, or one row of a table, each."""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ali_core.interventions.settings import STRENGTHS, TRANSFORMS
from ali_core.interventions.steps import InterventionStep, strengths_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe_step", "named_notes", "step_table"]


def describe_step(step: InterventionStep, class_names: Sequence[str]) -> str:
    """Return one line: what moved, how strongly, away from what, and what could not be done."""
    parts = ["skipped"] if step.skipped else []
    parts += [f"{label} {value:g}" for label in TRANSFORMS if (value := getattr(step, label))]
    if step.shift and step.shift_mix < 1.0:
        parts.append(f"mix {step.shift_mix:g}")
    if step.displacement is not None:
        parts.append(f"moved by {math.hypot(*step.displacement):.3g}")
    moved = ", ".join(class_names[code] for code in step.classes)
    others = dict.fromkeys(class_names[code] for group in step.neighbours for code in group)
    turned = step.displacement is None or step.rotate or step.shift  # else the neighbours play no part
    away = f" (away from {', '.join(others)})" if turned else ""
    text = f"{moved}: {', '.join(parts) or 'nothing'}{away}"
    return "; ".join((text, *named_notes(step, class_names)))


def named_notes(step: InterventionStep, class_names: Sequence[str]) -> list[str]:
    """Return what could not be done, in words; the record names classes by their codes, people read their names."""
    return [re.sub(r"^class (\d+) ", lambda found: f"{class_names[int(found[1])]} ", note) for note in step.notes]


def step_table(steps: Sequence[InterventionStep], class_names: Sequence[str]) -> "pd.DataFrame":
    """Return one row a moved class.

    Returns
    -------
    pandas.DataFrame
        Columns: ``step`` (from 1), ``source``, ``class``, ``neighbours`` (nearest first, joined by ``; ``), the
        strengths, ``displacement`` (its D numbers, joined by ``; ``; empty without one), ``norm_keeping``, ``skipped``,
        ``criterion``, ``selection``, ``seed``, ``score`` (of the class), ``shift_length`` (missing where the step is
        skipped), ``norm_factor`` and ``notes``.
    """
    choice = ("norm_keeping", "skipped", "criterion", "selection", "seed")
    what = ("step", "source", "class", "neighbours", *STRENGTHS, "displacement")
    rows: list[dict[str, object]] = []
    for index, step in enumerate(steps, start=1):
        lengths = step.shift_lengths or (None,) * len(step.classes)
        for code, others, length in zip(step.classes, step.neighbours, lengths, strict=True):
            row: dict[str, object] = {"step": index, "source": step.source, "class": class_names[code]}
            row["neighbours"] = "; ".join(class_names[other] for other in others)
            row |= strengths_of(step)
            row["displacement"] = "; ".join(repr(float(value)) for value in step.displacement or ())
            row |= {name: getattr(step, name) for name in choice}
            row["score"] = step.scores[code] if step.scores else None
            row |= {
                "shift_length": length,
                "norm_factor": step.norm_factor,
                "notes": "; ".join(named_notes(step, class_names)),
            }
            rows.append(row)
    import pandas as pd  # noqa: PLC0415  # slow to import

    return pd.DataFrame(rows, columns=[*what, *choice, "score", "shift_length", "norm_factor", "notes"])
