"""The 15 classes of synthetic marrow: how a drawn cell changes as it matures.

A lineage is a chain of stages, a stage is one row of numbers, and a cell is a point on its chain: its traits are
interpolated between the two stages around its maturity. The classes of a lineage draw their maturity from
distributions that overlap, which is what makes neighbours hard to tell apart.

These are drawings that follow textbook descriptions; nothing in them was measured on cells.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ali_core.data.synthetic_draws import Draws
from ali_core.errors import AliError

__all__ = ["MARROW_CLASSES", "class_counts", "draw_traits"]

#: The classes in the order of the lineages, and how many of 4,560 cells belong to each.
CLASS_COUNTS = {
    "promyelocyte": 165,
    "myelocyte": 470,
    "metamyelocyte": 330,
    "band_granulocyte": 560,
    "segmented_granulocyte": 1020,
    "blast": 110,
    "proerythroblast": 55,
    "basophilic_erythroblast": 95,
    "polychromatic_erythroblast": 640,
    "orthochromatic_erythroblast": 270,
    "basophilic_granulocyte": 40,
    "eosinophilic_granulocyte": 200,
    "promonocyte": 65,
    "monocyte": 140,
    "lymphocyte": 400,
}
MARROW_CLASSES: tuple[str, ...] = tuple(CLASS_COUNTS)
"""Classes of synthetic marrow."""
FEWEST_PER_CLASS = 6

# Lengths in µm: radius of the cell, length and half-width of the nucleus' spine. bend in rad; pinch: depth of the
# constrictions between lobes; off: how far the nucleus sits from the middle (1: at the rim). The rest are amounts of
# stain, texture and counts of granules.
FIELDS = (
    *("cell", "length", "width", "bend", "pinch", "lobes", "off", "ragged"),
    *("chromatin", "clump", "coarse", "nucleoli", "blue", "pink", "haem", "hof"),
    *("fine", "azure", "eos", "baso", "vacuole"),
)
# fmt: off
STAGES: dict[str, tuple[tuple[float, ...], ...]] = {
    # cell   len  width bend pinch lobes off ragged chrom clump coarse nucl blue pink haem hof   fine azure eos baso vac
    "granulocytic": (
        (7.5,  1.4, 5.7, 0.0, 0.00, 2.0, .40, .30,  .72, .16, .15, .85,  .75, .10, .00, .15,  .00,   3,   0,   0, 0),
        (9.0,  1.6, 5.5, 0.1, 0.00, 2.0, .75, .30,  .76, .20, .30, .55,  .58, .28, .00, .65,  .15, 110,   0,   0, 0),
        (7.9,  1.8, 4.3, 0.2, 0.00, 2.0, .85, .20,  .86, .27, .60, .08,  .30, .50, .00, .35,  .38,  26,   0,   0, 0),
        (7.2,  4.8, 3.0, 1.1, 0.02, 2.0, .60, .20,  .93, .30, .80, .00,  .12, .62, .00, .10,  .42,   5,   0,   0, 0),
        (6.9,  9.8, 1.9, 2.9, 0.15, 2.5, .30, .20,  .99, .28, .90, .00,  .04, .62, .00, .00,  .42,   0,   0,   0, 0),
        (6.9, 13.8, 2.0, 3.8, 0.92, 3.3, .20, .20, 1.06, .24, 1.0, .00,  .02, .60, .00, .00,  .42,   0,   0,   0, 0),
    ),
    "erythroid": (
        (9.2,  0.8, 6.4, 0.0, 0.00, 2.0, .30, .25,  .76, .18, .25, .75, 1.30, .05, .00, .40,  .00,   0,   0,   0, 0),
        (7.3,  0.4, 4.9, 0.0, 0.00, 2.0, .25, .15,  .92, .30, .75, .10, 1.25, .05, .10, .20,  .00,   0,   0,   0, 0),
        (6.0,  0.3, 3.5, 0.0, 0.00, 2.0, .40, .12, 1.08, .34, 1.0, .00,  .50, .20, .55, .05,  .00,   0,   0,   0, 0),
        (5.1,  0.2, 2.3, 0.0, 0.00, 2.0, .60, .10, 1.35, .10, .80, .00,  .16, .25, .90, .00,  .00,   0,   0,   0, 0),
    ),
    "basophilic": (
        (6.9,  2.6, 3.6, 0.8, 0.05, 2.0, .40, .25,  .80, .18, .60, .00,  .12, .45, .00, .00,  .05,   0,   0,  80, 1),
        (6.3,  7.5, 2.3, 2.6, 0.50, 2.3, .20, .25,  .86, .18, .70, .00,  .04, .50, .00, .00,  .05,   0,   0, 120, 1),
    ),
    "eosinophilic": (
        (8.2,  1.8, 4.2, 0.2, 0.00, 2.0, .85, .20,  .86, .26, .60, .05,  .35, .45, .00, .15,  .05,   0, 110,   6, 0),
        (7.5,  7.0, 2.5, 2.0, 0.12, 2.0, .60, .20,  .95, .28, .85, .00,  .10, .55, .00, .00,  .05,   0, 150,   0, 0),
        (7.2,  8.2, 2.4, 2.6, 0.88, 2.0, .55, .20, 1.00, .25, 1.0, .00,  .03, .55, .00, .00,  .05,   0, 170,   0, 0),
    ),
    "monocytic": (
        (7.5,  1.4, 5.7, 0.0, 0.00, 2.0, .40, .30,  .72, .16, .15, .85,  .75, .10, .00, .15,  .00,   3,   0,   0, 0),
        (8.9,  4.0, 4.7, 0.7, 0.10, 2.0, .40, .60,  .70, .20, .30, .35,  .62, .22, .00, .10,  .20,  28,   0,   0, 1),
        (8.8,  7.0, 3.5, 1.9, 0.20, 2.0, .30, .80,  .76, .26, .45, .00,  .38, .34, .00, .00,  .30,   9,   0,   0, 7),
    ),
    "lymphoid": (
        (4.6,  0.5, 3.7, 0.0, 0.00, 2.0, .35, .20, 1.08, .26, .90, .00,  .65, .05, .00, .00,  .00,   0,   0,   0, 0),
        (6.9,  1.2, 4.5, 0.1, 0.00, 2.0, .55, .35,  .92, .24, .70, .10,  .50, .05, .00, .10,  .00,   4,   0,   0, 0),
    ),
}
# fmt: on


class Course(NamedTuple):
    """Where on which lineage a class lies: the mean and the standard deviation of its maturity."""

    lineage: str
    maturity: float
    spread: float


COURSES = {
    "promyelocyte": Course("granulocytic", 1.0, 0.36),
    "myelocyte": Course("granulocytic", 2.0, 0.36),
    "metamyelocyte": Course("granulocytic", 3.0, 0.36),
    "band_granulocyte": Course("granulocytic", 4.0, 0.36),
    "segmented_granulocyte": Course("granulocytic", 5.0, 0.38),
    "blast": Course("granulocytic", 0.0, 0.36),
    "proerythroblast": Course("erythroid", 0.0, 0.36),
    "basophilic_erythroblast": Course("erythroid", 1.0, 0.36),
    "polychromatic_erythroblast": Course("erythroid", 2.0, 0.36),
    "orthochromatic_erythroblast": Course("erythroid", 3.0, 0.36),
    "basophilic_granulocyte": Course("basophilic", 0.6, 0.45),
    "eosinophilic_granulocyte": Course("eosinophilic", 1.2, 0.65),
    "promonocyte": Course("monocytic", 1.0, 0.36),
    "monocyte": Course("monocytic", 2.0, 0.40),
    "lymphocyte": Course("lymphoid", 0.35, 0.35),
}
# Cells of one maturity still differ: standard deviations of the logarithm of a trait.
SIZE_SPREAD = 0.055
STAIN_SPREAD = 0.09
COUNT_SPREAD = 0.25


def class_counts(n: int) -> NDArray[np.int64]:
    """Return how many of ``n`` cells belong to each of ``MARROW_CLASSES``, shape (15,), summing to ``n``.

    The proportions are those of 4,560 cells; every class has at least 6 cells, or ``n // 15`` if that is less.

    Raises
    ------
    AliError
        When ``n`` is below the number of classes.
    """
    n_classes = len(CLASS_COUNTS)
    if n < n_classes:
        raise AliError(f"n must be at least {n_classes}, one cell for each class; got {n}")
    fewest = min(FEWEST_PER_CLASS, n // n_classes)
    shares = np.array(list(CLASS_COUNTS.values())) * (n / sum(CLASS_COUNTS.values()))
    counts = np.maximum(np.floor(shares).astype(np.int64), fewest)
    while (rest := n - int(counts.sum())) != 0:
        step = int(math.copysign(1, rest))
        gap = np.where((counts > fewest) | (step > 0), step * (shares - counts), -np.inf)
        counts[int(gap.argmax())] += step
    return counts


def draw_traits(labels: NDArray[np.int64], draws: Draws) -> dict[str, NDArray[np.float32]]:
    """Return one value per trait of :data:`FIELDS` for each cell, shape (N, 1, 1), and its ``maturity``.

    Parameters
    ----------
    labels
        Codes into ``MARROW_CLASSES``, shape (N,).
    draws
        The random numbers of the same N cells.
    """
    courses = [COURSES[name] for name in MARROW_CLASSES]
    starts = dict(zip(STAGES, np.cumsum([0, *map(len, STAGES.values())]), strict=False))
    table = np.concatenate([np.array(rows) for rows in STAGES.values()])
    first = np.array([starts[course.lineage] for course in courses])[labels]
    last = np.array([len(STAGES[course.lineage]) - 1 for course in courses])[labels]
    mean, spread = np.array([course[1:] for course in courses]).T[:, labels]
    maturity = np.clip(mean + spread * draws.normal()[:, 0, 0], 0.0, last)
    stage = np.minimum(maturity.astype(np.int64), last - 1)
    share = (maturity - stage)[:, None]
    rows = (1 - share) * table[first + stage] + share * table[first + stage + 1]
    values = dict(zip(FIELDS, rows.astype(np.float32).T[:, :, None, None], strict=True))
    varied = _varied(values, draws) | {"maturity": maturity[:, None, None]}
    return {name: value.astype(np.float32) for name, value in varied.items()}


def _varied(values: dict[str, NDArray[np.float32]], draws: Draws) -> dict[str, NDArray[np.floating[Any]]]:
    """Let cells of one maturity differ from each other."""
    size = SIZE_SPREAD * draws.normal()
    spreads = dict.fromkeys(("chromatin", "blue", "pink", "haem", "fine"), STAIN_SPREAD)
    spreads |= dict.fromkeys(("azure", "eos", "baso", "vacuole", "nucleoli", "clump"), COUNT_SPREAD)
    varied: dict[str, NDArray[np.floating[Any]]] = dict(values)
    for name in ("cell", "length", "width"):
        varied[name] = values[name] * np.exp(size + 0.6 * SIZE_SPREAD * draws.normal())
    for name, spread in spreads.items():
        varied[name] = values[name] * np.exp(spread * draws.normal())
    varied["length"] = varied["length"] + 0.6 * np.abs(draws.normal())
    varied["bend"] = values["bend"] + 0.25 * draws.normal() * (0.3 + values["bend"])
    varied["pinch"] = np.clip(values["pinch"] * (1 + 0.15 * draws.normal()), 0.0, 0.93)
    varied["lobes"] = np.clip(np.rint(values["lobes"] + 0.55 * draws.normal()), 2, 5)
    return varied
