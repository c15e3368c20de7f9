r"""How a drawn cell absorbs light: amounts of dye per pixel, and the dyes and lamp of the region it lies in.

The light that passes is :math:`I = I_0 \exp(-\sum_k a_k d_k)` (Beer and Lambert) with the amounts :math:`a_k` and the
absorbance :math:`d_k` of dye k in red, green and blue.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ali_core.data.synthetic_draws import Draws
from ali_core.data.synthetic_shapes import Grid, Map, coverage, nucleus, outline, sample_noise, soft_dots

__all__ = ["DYES", "Regions", "Scene", "absorb", "draw_amounts"]

#: Absorbance of one unit in red, green and blue.
DYES = {
    "chromatin": (1.15, 1.75, 0.62),
    "blue": (0.98, 0.80, 0.24),
    "pink": (0.16, 0.46, 0.27),
    "haem": (0.24, 0.42, 0.40),
    "azure": (0.75, 1.70, 0.55),
    "eos": (0.13, 0.80, 0.95),
    "baso": (1.60, 2.10, 0.85),
}


class Regions(NamedTuple):
    """What the cells of a region share, one row per cell.

    ``lamp`` (N, 3): intensity of red, green and blue without a cell; ``dyes`` (N, 7, 3); ``blur`` (N, 1, 1) in µm.
    """

    lamp: Map
    dyes: Map
    blur: Map

    @classmethod
    def of_numbers(cls, entropy: Sequence[int], numbers: NDArray[np.int64]) -> "Regions":
        """Draw the regions with these ``numbers``; a region is the same whoever asks for it."""
        unique, at = np.unique(numbers, return_inverse=True)
        lamps, dyes, blurs = zip(*(cls._one(np.random.default_rng([*entropy, int(k)])) for k in unique), strict=True)
        stack = (np.array(part, dtype=np.float32)[at] for part in (lamps, dyes, blurs))
        return cls(*stack)

    @staticmethod
    def _one(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        lamp = np.array([246.0, 238.0, 229.0]) + rng.normal(0, 4.0) + rng.normal(0, (4.0, 4.5, 9.0))
        strength = np.exp(rng.normal(0, 0.10) + rng.normal(0, 0.10, len(DYES)))
        hue = np.exp(rng.normal(0, 0.06, 3) + rng.normal(0, 0.04, (len(DYES), 3)))
        blur = np.array([[rng.uniform(0.25, 0.7)]])
        return np.minimum(lamp, 253.0), np.array(list(DYES.values())) * strength[:, None] * hue, blur


class Scene(NamedTuple):
    """What it takes to draw cells: where, which, how sharp, and their random numbers."""

    grid: Grid
    traits: dict[str, Map]
    blur: Map
    draws: Draws

    @property
    def soft(self) -> Map:
        """Width of a drawn edge in µm, shape (N, 1, 1)."""
        width: Map = np.sqrt(np.float32(self.grid.step**2) + self.blur**2)
        return width

    def disc(self, x: Map, y: Map, reach: Map) -> tuple[Map, Map]:
        """Return the coverage of a disc around ``x``, ``y``, and the distance to its middle over its radius."""
        radius: Map = np.sqrt((self.grid.x - x) ** 2 + (self.grid.y - y) ** 2)
        return coverage(radius - reach, self.soft), radius / reach


def draw_amounts(scene: Scene, tile: Map) -> Map:
    """Return the amount of each dye of :data:`DYES` in every pixel, shape (N, H, W, 7)."""
    grid, traits, blur, draws = scene
    fine, coarse, broad = np.moveaxis(sample_noise(tile, grid, draws), -1, 0)
    rim = outline(grid, traits, broad, draws)
    distance, middle_x, middle_y = nucleus(grid, traits, draws)
    distance = np.maximum(distance - (0.12 + 0.25 * traits["ragged"]) * broad, rim + 0.4)
    inside, core = coverage(rim, scene.soft), coverage(distance, scene.soft)
    body = inside * (1 - core) * (1 + 0.10 * coarse)
    hof = np.exp(-((distance / 1.7) ** 2)) * traits["hof"]
    spots = _nucleoli(scene, middle_x, middle_y)
    texture = traits["coarse"] * coarse + (1 - traits["coarse"]) * fine
    clumps = traits["clump"] * np.tanh(1.4 * texture) * (1.1 - 0.6 * blur)
    membrane = 0.14 * np.exp(-(((distance + 0.5) / 0.45) ** 2))
    rim_stain = 1 + 0.35 * np.exp(np.minimum(rim, 0) / 0.8)
    amounts = np.zeros((*rim.shape, len(DYES)), dtype=np.float32)
    amounts[..., 0] = core * traits["chromatin"] * (1 + clumps + membrane - 0.5 * spots)
    amounts[..., 1] = body * traits["blue"] * rim_stain * (1 - hof) + 0.26 * core * spots
    amounts[..., 2] = body * (traits["pink"] * (1 + traits["fine"] * np.tanh(fine)) + 0.4 * hof * traits["blue"])
    amounts[..., 3] = body * traits["haem"]
    _add_granules(amounts, scene, inside * (1 - 0.5 * hof), core)
    _add_surroundings(amounts, scene, 1 - inside, 1 + 0.25 * np.tanh(coarse))
    return amounts


def _nucleoli(scene: Scene, middle_x: Map, middle_y: Map) -> Map:
    """Return up to three pale spots in the nucleus, each 0 to about 1."""
    grid, traits, _, draws = scene
    spots: Map = np.zeros(np.broadcast_shapes(grid.x.shape, grid.y.shape), dtype=np.float32)
    for _ in range(3):
        x = middle_x + 0.38 * traits["width"] * draws.normal()
        y = middle_y + 0.38 * traits["width"] * draws.normal()
        size = draws.uniform(0.6, 1.2)
        there = traits["nucleoli"] * draws.uniform(0.2, 1.0)
        spots += there * np.exp(-((grid.x - x) ** 2) / size**2) * np.exp(-((grid.y - y) ** 2) / size**2)
    return np.minimum(spots, 1.0)


def _add_granules(amounts: Map, scene: Scene, inside: Map, core: Map) -> None:
    """Strew azurophil, eosinophil and basophil granules, some of them over the nucleus, and empty the vacuoles."""
    grid, traits, blur, draws = scene
    for name, dye, radius, strength, over in (
        ("azure", 4, 0.34, 1.1, 0.7),
        ("eos", 5, 0.46, 1.05, 0.12),
        ("baso", 6, 0.54, 0.95, 0.9),
    ):
        dots = soft_dots(grid, traits, draws.dots, count=traits[name], radius=radius, blur=blur)
        amounts[..., dye] = strength * dots / (1 + 0.3 * dots) * inside * (1 - (1 - over) * core)
    holes = soft_dots(grid, traits, draws.dots[:, ::-1], count=traits["vacuole"], radius=0.9, blur=blur)
    amounts[..., 1:4] *= 1 - 0.8 * np.minimum(holes, 1.0)[..., None]


def _add_surroundings(amounts: Map, scene: Scene, outside: Map, texture: Map) -> None:
    """Put red cells, and now and then a nucleated neighbour, beside and under the cell."""
    cell, draws = scene.traits["cell"], scene.draws
    for _ in range(4):
        reach, there = draws.uniform(3.0, 3.9), draws.uniform() < 0.72
        away, turn = cell + reach + draws.uniform(-0.6, 5.0), draws.uniform(0, 2 * np.pi)
        disc, radius = scene.disc(away * np.cos(turn), away * np.sin(turn), reach)
        pallor = 1 - draws.uniform(0.3, 0.85) * np.exp(-((radius / 0.55) ** 2))
        amounts[..., 3] += outside * there * draws.uniform(0.6, 1.0) * disc * pallor
    reach, there = draws.uniform(4.5, 7.5), draws.uniform() < 0.3
    away, turn = cell + reach + draws.uniform(-0.3, 3.0), draws.uniform(0, 2 * np.pi)
    x, y = away * np.cos(turn), away * np.sin(turn)
    body = outside * there * scene.disc(x, y, reach)[0]
    core = body * scene.disc(x, y, reach * draws.uniform(0.5, 0.8))[0]
    amounts[..., 0] += core * draws.uniform(0.7, 1.0) * texture
    amounts[..., 1] += (body - core) * draws.uniform(0.0, 0.7)
    amounts[..., 2] += (body - core) * draws.uniform(0.1, 0.6)


def absorb(amounts: Map, grid: Grid, regions: Regions, draws: Draws) -> NDArray[np.uint8]:
    """Return the picture (N, H, W, 3): the lamp's light, uneven over the field, through the dyes, with camera noise."""
    n, px = amounts.shape[:2]
    depth = amounts.reshape(n, px * px, -1) @ (regions.dyes * np.exp(0.07 * draws.normal()))
    light = np.exp(-depth).reshape(n, px, px, 3)
    lamp = regions.lamp[:, None, None, :] * np.exp(0.012 * draws.normal())[..., None]
    slope_x, slope_y = (0.003 * draws.normal() for _ in range(2))
    light *= lamp * (1 + slope_x * grid.x + slope_y * grid.y)[..., None]
    light += 2.2 * draws.noise(px) + 0.4
    picture: NDArray[np.uint8] = np.clip(light, 0, 255).astype(np.uint8)
    return picture
