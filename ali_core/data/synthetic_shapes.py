"""Shapes of drawn cells as signed distances (µm, negative inside), granules as soft dots, and smooth noise.

Every map has shape (N, H, W): N cells at once on one grid of H × W pixels.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ali_core.data.synthetic_draws import MAX_DOTS, Draws

__all__ = ["FIELD_WIDTH", "Grid", "Map", "coverage", "noise_tile", "nucleus", "outline", "sample_noise", "soft_dots"]

#: Width of a picture in µm.
FIELD_WIDTH = 22.0
TILE_SIZE, TILE_STEP = 1024, 1 / 16  # pixels, µm
SPINE_PIECES = 12

Map = NDArray[np.float32]
Traits = Mapping[str, Map]


class Grid(NamedTuple):
    """Coordinates in µm relative to the middle of each cell, and the width of a pixel."""

    x: Map
    y: Map
    step: float

    @classmethod
    def around(cls, px: int, x: Map, y: Map) -> "Grid":
        """Return the grid of ``px`` × ``px`` pixels for cells whose middles are at ``x``, ``y`` in the picture."""
        step = FIELD_WIDTH / px
        axis = ((np.arange(px, dtype=np.float32) + 0.5) * step - FIELD_WIDTH / 2).astype(np.float32)
        return cls(axis[None, None, :] - x, axis[None, :, None] - y, step)


def coverage(distance: Map, soft: Map) -> Map:
    """Return 1 inside, 0 outside, and a ramp of width ``soft`` (µm) around the edge."""
    ramp: Map = np.clip(0.5 - distance / soft, 0.0, 1.0)
    return ramp


def outline(grid: Grid, traits: Traits, noise: Map, draws: Draws) -> Map:
    """Return the signed distance to the rim of the cell: a circle with smooth bumps."""
    radius = np.sqrt(grid.x**2 + grid.y**2) + np.float32(1e-3)
    cosine, sine = grid.x / radius, grid.y / radius
    bumps = np.zeros_like(radius)
    wave_c, wave_s = cosine, sine
    for size in (0.045, 0.03, 0.018, 0.012):
        wave_c, wave_s = wave_c * cosine - wave_s * sine, wave_s * cosine + wave_c * sine
        bumps += size * (draws.normal() * wave_c + draws.normal() * wave_s)
    stretch = 0.5 + 1.2 * traits["ragged"]
    distance: Map = radius - traits["cell"] * (1 + stretch * bumps) - 0.6 * traits["ragged"] * noise
    return distance


def nucleus(grid: Grid, traits: Traits, draws: Draws) -> tuple[Map, Map, Map]:
    """Return the signed distance to the nucleus and the place (x, y) of its middle, each of shape (N, 1, 1).

    The nucleus is a thick curve: short and wide is round, longer and bent is a kidney, long and thin is a band, and
    pinched between lobes it is segmented. All change continuously with the traits.
    """
    x, y, width = _spine(traits, draws)
    distance = np.full(np.broadcast_shapes(grid.x.shape, grid.y.shape), np.inf, dtype=np.float32)
    for piece in range(SPINE_PIECES):
        ends = slice(piece, piece + 2)
        np.minimum(distance, _to_piece(grid, x[:, ends], y[:, ends], width[:, ends]), out=distance)
    return distance, x.mean(axis=1)[:, None, None], y.mean(axis=1)[:, None, None]


def _spine(traits: Traits, draws: Draws) -> tuple[Map, Map, Map]:
    """Return x, y and half-width at the points of the spine, shape (N, SPINE_PIECES + 1)."""
    traits = {name: value[:, :, 0] for name, value in traits.items()}
    along = np.linspace(0, 1, SPINE_PIECES + 1, dtype=np.float32)
    middle = (along[1:] + along[:-1]) / 2 - 0.5
    wriggle = 0.2 + 0.9 * traits["pinch"]
    angle = draws.uniform(0, 2 * np.pi)[:, :, 0] + traits["bend"] * middle
    angle = angle + wriggle * draws.normal()[:, :, 0] * np.sin(2 * np.pi * middle)
    angle = angle + wriggle * draws.normal()[:, :, 0] * np.cos(3 * np.pi * middle)
    steps = traits["length"] / SPINE_PIECES
    x, y = (np.pad(np.cumsum(steps * turn(angle), axis=1), ((0, 0), (1, 0))) for turn in (np.cos, np.sin))
    waist = np.sin(np.pi * (traits["lobes"] - 1) * along) ** 2
    taper = 1 + 0.16 * draws.normal()[:, :, 0] * (along - 0.5) + 0.12 * draws.normal()[:, :, 0] * np.cos(5 * along)
    width = traits["width"] * np.clip(taper, 0.6, 1.3) * (1 - traits["pinch"] * waist**1.5)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    reach = (np.sqrt(x**2 + y**2) + width).max(axis=1, keepdims=True)
    room = np.clip(traits["cell"] - reach - 0.3, 0, None) * traits["off"]
    direction = draws.uniform(0, 2 * np.pi)[:, :, 0]
    return x + room * np.cos(direction), y + room * np.sin(direction), width


def _to_piece(grid: Grid, x: Map, y: Map, width: Map) -> Map:
    """Return the signed distance to a segment whose half-width changes from one end to the other."""
    (x0, x1), (y0, y1), (w0, w1) = ((ends[:, 0, None, None], ends[:, 1, None, None]) for ends in (x, y, width))
    run_x, run_y = x1 - x0, y1 - y0
    over = 1 / (run_x**2 + run_y**2 + 1e-9)
    from_x, from_y = grid.x - x0, grid.y - y0
    share = np.clip(from_x * (run_x * over) + from_y * (run_y * over), 0, 1)
    from_x, from_y = from_x - share * run_x, from_y - share * run_y
    distance: Map = np.sqrt(from_x * from_x + from_y * from_y) - (w0 + share * (w1 - w0))
    return distance


def soft_dots(grid: Grid, traits: Traits, dots: Map, *, count: Map, radius: float, blur: Map) -> Map:
    """Return the sum of ``count`` soft dots of about ``radius`` µm strewn over each cell."""
    n, px = len(grid.x), grid.x.shape[2]
    cell, dot = np.nonzero(np.arange(MAX_DOTS) < count[:, :, 0])
    place, size = dots[cell, dot], radius * (0.7 + 0.6 * dots[cell, dot, 3])
    away = np.sqrt(place[:, 0]) * traits["cell"][cell, 0, 0]
    turn = 2 * np.pi * place[:, 1]
    column = (away * np.cos(turn) - grid.x[cell, 0, 0]) / grid.step
    row = (away * np.sin(turn) - grid.y[cell, 0, 0]) / grid.step
    core = (size / 1.6) ** 2
    variance = core + (0.4 * grid.step) ** 2 + (0.4 * blur[cell, 0, 0]) ** 2
    strength = (0.6 + 0.8 * place[:, 2]) * core / variance
    half = int(np.ceil(2.6 * np.sqrt(variance.max(initial=0.0)) / grid.step))
    window = np.arange(-half, half + 1)
    rows, columns = (np.rint(at).astype(np.int64)[:, None] + window for at in (row, column))
    fall = grid.step**2 / (2 * variance)[:, None]
    weight_y, weight_x = (np.exp(-fall * (at - to[:, None]) ** 2) for at, to in ((rows, row), (columns, column)))
    weight_y = weight_y * strength[:, None] * ((rows >= 0) & (rows < px))
    weight_x = weight_x * ((columns >= 0) & (columns < px))
    flat = (cell[:, None] * px + rows.clip(0, px - 1))[:, :, None] * px + columns.clip(0, px - 1)[:, None, :]
    total = np.bincount(flat.ravel(), (weight_y[:, :, None] * weight_x[:, None, :]).ravel(), n * px * px)
    return total.reshape(n, px, px).astype(np.float32)


def noise_tile(seed: int) -> Map:
    """Return three periodic noise images of unit variance: fine, coarse and broad, shape (1024, 1024, 3)."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(TILE_SIZE, TILE_STEP)] * 2))[:, : TILE_SIZE // 2 + 1]
    tile = np.empty((TILE_SIZE, TILE_SIZE, 3), dtype=np.float32)
    for channel, wavelength in enumerate((1.2, 2.1, 7.0)):
        white = np.fft.rfft2(rng.standard_normal((TILE_SIZE, TILE_SIZE)))
        band = np.exp(-(((frequency * wavelength - 1) / 0.7) ** 2))
        image = np.fft.irfft2(white * band, s=(TILE_SIZE, TILE_SIZE))
        tile[:, :, channel] = image / image.std()
    return tile


def sample_noise(tile: Map, grid: Grid, draws: Draws) -> Map:
    """Return the noise of ``tile`` on the grid of each cell, at its own place and angle, shape (N, H, W, 3)."""
    angle = draws.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(angle) / TILE_STEP, np.sin(angle) / TILE_STEP
    column = grid.x * cosine - grid.y * sine + draws.uniform(0, TILE_SIZE)
    row = grid.x * sine + grid.y * cosine + draws.uniform(0, TILE_SIZE)
    at = (row.astype(np.int32) % TILE_SIZE) * TILE_SIZE + column.astype(np.int32) % TILE_SIZE
    sampled: Map = tile.reshape(-1, 3)[at]
    return sampled
