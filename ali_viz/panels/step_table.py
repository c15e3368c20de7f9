"""The geometry of one intervention in the plane of three class centers, as a table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import InterventionStep, Session
from ali_core.interventions.transforms import ortho_direction, rotate, shift, shift_direction
from ali_core.projection import PlaneFrame, plane_through
from ali_viz.panels.class_scatter import class_columns
from ali_viz.theme import class_styles

__all__ = ["STEP_COLUMNS", "StepGeometry", "last_explained", "step_geometry", "step_table"]

FloatArray = NDArray[np.float64]

STEP_COLUMNS = {
    "panel": "a (before), b (vectors) or c (after)",
    "kind": "sample, ghost (where the chosen class was), center, or a line from (x, y) to (x_end, "
    "y_end): neighbour, between, spread_before, spread_after (radius of a circle), rotation, "
    "v_shift, v_ortho, shift, motion",
    "role": "chosen, neighbour or other",
    "x": "horizontal position in the plane",
    "y": "vertical position in the plane",
    "x_end": "horizontal end of a line",
    "y_end": "vertical end of a line",
    "id": "the sample",
    "class_code": "code of the class",
    "class_name": "the class",
    "colour": "colour of the class, #rrggbb",
    "symbol": "marker of the class by its plotly name",
    "order": "rank of the class in the legend",
}
"""What each column of the table means."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepGeometry:
    """One class in one step of a session: all vectors in embedding space, and the plane that shows them.

    Attributes
    ----------
    step
        The record.
    chosen
        Code of the class that moves.
    neighbours
        Codes of all classes that it moves away from, nearest first; the plane holds the first two.
    before, after
        The embedding before and after the step.
    centers, centers_after
        Class centers before and after the step (C, D); the restored norm is part of the step.
    spread
        Of the chosen class before the step.
    rotated
        Its center after contraction and rotation (D,).
    shift_part, ortho_part
        The two summands of the shift vector, γ v_shift and (1 - γ) v_ortho at the scale of the
        shift (D,).
    shift
        The shift vector v_c, their sum (D,).
    frame
        The plane through the center of the chosen class and those of its two nearest neighbours.
    """

    step: InterventionStep
    chosen: int
    neighbours: tuple[int, ...]
    before: LabelledEmbedding
    after: LabelledEmbedding
    centers: FloatArray
    centers_after: FloatArray
    spread: float
    rotated: FloatArray
    shift_part: FloatArray
    ortho_part: FloatArray
    shift: FloatArray
    frame: PlaneFrame

    @property
    def in_plane(self) -> float:
        """Share of the length of the center's motion that lies in the plane, 1 without a motion."""
        motion = self.centers_after[self.chosen] - self.centers[self.chosen]
        length = float(np.linalg.norm(motion))
        return float(np.linalg.norm(motion @ self.frame.axes)) / length if length > 0 else 1.0


def last_explained(session: Session) -> int | None:
    """Return the number of the last step in force that neighbours explain: one neither skipped nor dragged; or None."""
    numbers = range(len(session.steps), 0, -1)
    return next((number for number in numbers if _unexplained(session.steps[number - 1]) is None), None)


def _unexplained(step: InterventionStep) -> str | None:
    return "is skipped" if step.skipped else "drags a class to a place" if step.displacement is not None else None


def step_geometry(session: Session, number: int, *, moved: int = 0, rows: ArrayLike | None = None) -> StepGeometry:
    """Work out one step of a session.

    Parameters
    ----------
    session
        With at least ``number`` steps in force.
    number
        Which step, counted from 1.
    moved
        Which of the classes that the step moved, counted from 0.
    rows
        Indices of the samples to draw; by default all. Centers, spreads and vectors are always
        those of all samples.

    Returns
    -------
    StepGeometry
        Vectors as in `ali_core.interventions.transforms`, from the centers before the step.

    Raises
    ------
    AliError
        If there is no such step or no such class in it; or when the step is skipped, or drags a class: the vectors
        explained here had no share in that.
    """
    steps = session.steps
    if not 1 <= number <= len(steps):
        raise AliError(f"there is no step {number}; take one of the steps 1 to {len(steps)} of this session.")
    index = number - 1
    step, statistics = steps[index], session.state_at(index).statistics
    if (why := _unexplained(step)) is not None:
        raise AliError(f"step {number} {why}, so there is nothing to explain by neighbours; take another step.")
    if not 0 <= moved < len(step.classes):
        raise AliError(f"step {index} moved {len(step.classes)} classes; there is no class {moved}, so take 0.")
    chosen, neighbours = step.classes[moved], step.neighbours[moved]
    centers, others = statistics.centers, statistics.centers[list(neighbours)]
    rotation = rotate(centers[chosen], others, step.rotate)
    rotated = centers[chosen] if rotation is None else rotation.apply(centers[chosen][None])[0]
    parts = _shift_parts(step, rotated, others, float(statistics.spreads[chosen]))
    drawn = session.embedding if rows is None else session.embedding.subset(rows)
    before, after = (
        drawn.with_vectors(session.state_at(cursor).transforms.apply(drawn.vectors, drawn.labels))
        for cursor in (index, number)
    )
    involved = np.isin(before.labels, [chosen, *neighbours[:2]])
    return StepGeometry(
        step=step,
        chosen=chosen,
        neighbours=neighbours,
        before=before,
        after=after,
        centers=centers,
        spread=float(statistics.spreads[chosen]),
        rotated=rotated,
        centers_after=session.state_at(number).statistics.centers,
        shift_part=parts[0],
        ortho_part=parts[1],
        shift=parts[0] + parts[1],
        frame=plane_through(centers[[chosen, *neighbours[:2]]], before.vectors[involved].astype(np.float64)),
    )


def step_table(geometry: StepGeometry) -> pd.DataFrame:
    """Say where everything in the figure of one step is.

    Returns
    -------
    pandas.DataFrame
        One row a sample, center or line of each panel; the columns are described in
        ``STEP_COLUMNS``.
    """
    samples = _samples(geometry)
    ghosts = samples[(samples["panel"] == "a") & (samples["role"] == "chosen")]
    table = pd.concat([samples, ghosts.assign(panel="c", kind="ghost"), _marks(geometry)], ignore_index=True)
    return table[list(STEP_COLUMNS)]


def _shift_parts(
    step: InterventionStep, center: FloatArray, others: FloatArray, spread: float
) -> tuple[FloatArray, FloatArray]:
    """Return the summands of the shift vector at its scale: their sum is exactly what the step did."""
    mix = step.shift_mix if len(others) >= 2 else 1.0
    away = mix * shift_direction(center, others)
    ortho = (1.0 - mix) * ortho_direction(center, others)
    vector = shift(
        center,
        others,
        spread=(1.0 - step.contract) * spread,
        strength=step.shift,
        shift_mix=step.shift_mix,
    )
    length = float(np.linalg.norm(away + ortho))
    scale = float(np.linalg.norm(vector)) / length if vector.any() else 0.0
    return scale * away, scale * ortho


def _samples(geometry: StepGeometry) -> pd.DataFrame:
    parts = []
    for panel, embedding in (("a", geometry.before), ("b", geometry.before), ("c", geometry.after)):
        positions = geometry.frame.project(embedding.vectors.astype(np.float64))
        places = pd.DataFrame({"panel": panel, "kind": "sample", "x": positions[:, 0], "y": positions[:, 1]})
        parts.append(pd.concat([places, class_columns(embedding)], axis=1))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(role=table["class_code"].map(lambda code: _role(geometry, code)))


def _marks(geometry: StepGeometry) -> pd.DataFrame:
    styles = class_styles(geometry.before.class_names, geometry.before.colours)
    rows = []
    for panel, kind, code, start, end in _lines(geometry):
        (x, y), (x_end, y_end) = geometry.frame.project(np.stack([start, end]))
        style, role = styles[code], _role(geometry, code)
        place = {"panel": panel, "kind": kind, "role": role, "x": x, "y": y, "x_end": x_end, "y_end": y_end}
        look = {"colour": style.colour, "symbol": style.symbol, "order": style.order}
        rows.append(place | look | {"class_code": code, "class_name": style.name})
    return pd.DataFrame(rows)


def _lines(geometry: StepGeometry) -> list[tuple[str, str, int, FloatArray, FloatArray]]:
    """Panel, kind, class, start and end in embedding space of every center and line."""
    chosen, center, rotated = geometry.chosen, geometry.centers[geometry.chosen], geometry.rotated
    nearest = [(code, geometry.centers[code]) for code in geometry.neighbours[:2]]
    moved = geometry.centers_after
    lines = [(panel, "center", code, at, at) for panel in "ab" for code, at in [*nearest, (chosen, center)]]
    lines += [("c", "center", code, moved[code], moved[code]) for code in (*geometry.neighbours[:2], chosen)]
    lines += [("a", "neighbour", code, center, at) for code, at in nearest]
    radius = geometry.spread * geometry.frame.axes[:, 0]
    shrunk = (1.0 - geometry.step.contract) * radius
    lines += [
        ("b", "spread_before", chosen, center, center + radius),
        ("b", "spread_after", chosen, rotated, rotated + shrunk),
    ]
    if not np.array_equal(rotated, center):
        lines.append(("b", "rotation", chosen, center, rotated))
    corner, tip = rotated + geometry.shift_part, rotated + geometry.shift
    if geometry.shift.any():
        lines.append(("b", "shift", chosen, rotated, tip))
    if geometry.ortho_part.any():
        lines.append(("b", "between", nearest[0][0], nearest[0][1], nearest[1][1]))
        if geometry.shift_part.any():
            lines += [("b", "v_shift", chosen, rotated, corner), ("b", "v_ortho", chosen, corner, tip)]
    lines.append(("c", "motion", chosen, center, moved[chosen]))
    return lines


def _role(geometry: StepGeometry, code: int) -> str:
    if code == geometry.chosen:
        return "chosen"
    return "neighbour" if code in geometry.neighbours[:2] else "other"
