"""Synthetic marrow: drawings of stained bone-marrow cells. They are drawings, not cells.

They look like May-Grünwald-Giemsa (Pappenheim) stained cells of the paper's 15 classes, and exist so that every
command, test and lesson runs without patient data. Nothing measured on them says anything about haematology.

Synopsis::

    images = render_marrow(1500, px=64, seed=0)
    write_marrow("marrow", 1500, px=64, seed=0)  # class folders of PNG and labels.csv
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from ali_core.data.images import CellImages
from ali_core.data.synthetic_classes import MARROW_CLASSES, class_counts, draw_traits
from ali_core.data.synthetic_draws import Draws
from ali_core.data.synthetic_shapes import Grid, noise_tile
from ali_core.data.synthetic_stain import Regions, Scene, absorb, draw_amounts
from ali_core.errors import AliError

__all__ = ["N_REGIONS", "render_marrow", "write_marrow"]

#: Regions of a collection; each has its own stain, lamp and focus.
N_REGIONS = 24
BATCH_PIXELS = 64 * 64 * 64


def render_marrow(n: int = 4560, *, px: int = 64, seed: int = 0, first_region: int = 0) -> CellImages:
    """Draw ``n`` synthetic cells of the 15 classes in memory. They are drawings, not cells.

    Parameters
    ----------
    n
        Number of cells, at least 15; the class counts are log-skewed (25 : 1 at the default).
    px
        Height and width in pixels, 16 to 512; a picture always shows 22 µm.
    seed
        The same seed gives the same bytes. Cell k has the same random numbers whatever ``n`` and ``px``.
    first_region
        Number of the first of the 24 regions. Another start gives other cells in other regions, as from other
        slides: 100 after 0 shares no region.

    Returns
    -------
    CellImages
        ids ``synthetic-00000``…, groups ``region-00``…, classes in the order of ``MARROW_CLASSES``.

    Raises
    ------
    AliError
        When ``n``, ``px``, ``seed`` or ``first_region`` is out of range.
    """
    _check(n, px, seed, first_region)
    labels = np.random.default_rng([seed, first_region, 1, n]).permutation(
        np.repeat(np.arange(len(MARROW_CLASSES)), class_counts(n))
    )
    pixels = np.empty((n, px, px, 3), dtype=np.uint8)
    regions = np.empty(n, dtype=np.int64)
    tile = noise_tile(seed)
    batch = max(1, BATCH_PIXELS // px**2)
    for start in range(0, n, batch):
        cells = np.arange(start, min(start + batch, n))
        pixels[cells], regions[cells] = _draw(cells, labels[cells], px, (seed, first_region), tile)
    return CellImages(
        labels=labels,
        class_names=MARROW_CLASSES,
        ids=np.array([f"synthetic-{cell:05d}" for cell in range(n)]),
        groups=np.array([f"region-{region:02d}" for region in regions]),
        pixels=pixels,
    )


def _draw(
    cells: NDArray[np.int64], labels: NDArray[np.int64], px: int, entropy: tuple[int, int], tile: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the pixels and the region numbers of some cells."""
    seed, first_region = entropy
    draws = Draws.of_cells((seed, first_region, 2), cells)
    numbers = first_region + np.floor(draws.uniform(0, N_REGIONS)[:, 0, 0]).astype(np.int64)
    regions = Regions.of_numbers((seed, 3), numbers)
    traits = draw_traits(labels, draws)
    grid = Grid.around(px, 0.7 * draws.normal(), 0.7 * draws.normal())
    amounts = draw_amounts(Scene(grid, traits, regions.blur, draws), tile)
    return absorb(amounts, grid, regions, draws), numbers


def _check(n: int, px: int, seed: int, first_region: int) -> None:
    class_counts(n)
    if not 16 <= px <= 512:
        raise AliError(f"px must lie between 16 and 512; got {px}")
    if seed < 0 or first_region < 0:
        raise AliError(f"seed and first_region must be 0 or more; got {seed} and {first_region}")


def write_marrow(
    out: str | Path,
    n: int = 4560,
    px: int = 64,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write ``n`` synthetic cells as PNG files in class folders, with ``labels.csv``. They are drawings, not cells.

    Parameters
    ----------
    out
        A folder that is empty or does not exist yet.
    n, px, seed
        As in :func:`render_marrow`.
    progress
        Called as ``progress(done, n)`` after every picture.

    Returns
    -------
    pathlib.Path
        ``labels.csv`` (columns path, label, group, id) in ``out``. All is written to a hidden folder beside ``out``
        that is renamed at the end: ``out`` is complete or absent.

    Raises
    ------
    AliError
        When ``out`` is a file or a folder that holds something, or a number is out of range.
    """
    out = Path(out)
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise AliError(f"{out} exists and is not an empty folder; name a new folder or empty this one")
    images = render_marrow(n, px=px, seed=seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        _write_files(images, temporary, px, progress)
        temporary.chmod(0o755)
        if out.exists():
            out.rmdir()
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return out / "labels.csv"


def _write_files(images: CellImages, folder: Path, px: int, progress: Callable[[int, int], None] | None) -> None:
    """Write pictures, then the table."""
    for name in MARROW_CLASSES:
        (folder / name).mkdir()
    names = np.array(MARROW_CLASSES)[images.labels]
    paths = [f"{name}/{cell}.png" for name, cell in zip(names, images.ids, strict=True)]
    for row, path in enumerate(paths):
        Image.fromarray(images.load([row], px)[0]).save(folder / path)
        if progress is not None:
            progress(row + 1, len(images))
    table = pd.DataFrame({"path": paths, "label": names, "group": images.groups, "id": images.ids})
    table.to_csv(folder / "labels.csv", index=False)
