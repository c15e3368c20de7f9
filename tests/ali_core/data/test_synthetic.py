"""Synthetic marrow: reproducible, skewed, in regions, and it changes as cells mature.

Shape and colour are measured by thresholds on the pixels, as one would on a micrograph; the tests know nothing of how
a cell was drawn.
"""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from ali_core.data import MARROW_CLASSES, CellImages, render_marrow
from ali_core.data.synthetic_classes import class_counts
from ali_core.errors import AliError

PX = 64
UM2_PER_PIXEL = (22 / PX) ** 2


@pytest.fixture(scope="module")
def marrow() -> CellImages:
    return render_marrow(1200, px=PX, seed=5)


def of_class(images: CellImages, name: str) -> np.ndarray:
    """Return the pixels of a class as floats, shape (n, PX, PX, 3)."""
    rows = np.flatnonzero(images.labels == images.class_names.index(name))
    return images.load(rows, PX).astype(float)


def central(mask: np.ndarray) -> np.ndarray:
    """Keep the connected parts of each mask that reach into the middle of the picture."""
    kept = np.zeros_like(mask)
    for at, one in enumerate(mask):
        parts, _ = ndimage.label(one)
        middle = parts[PX // 4 : -PX // 4, PX // 4 : -PX // 4]
        kept[at] = np.isin(parts, np.setdiff1d(middle, 0)) & one
    return kept


def nuclei(pixels: np.ndarray) -> np.ndarray:
    """Return the dark purple pixels: little green light, little red against blue."""
    background = np.quantile(pixels, 0.97, axis=(1, 2), keepdims=True)
    depth = -np.log(np.maximum(pixels, 1) / background)
    return central((depth[..., 1] > 0.85) & (depth[..., 0] > 0.45) & (depth[..., 1] > depth[..., 0]))


def area(pixels: np.ndarray) -> float:
    return float(np.median(nuclei(pixels).sum(axis=(1, 2)))) * UM2_PER_PIXEL


def spread(pixels: np.ndarray) -> float:
    """Return the median of 2 pi times the second moment of the nucleus over its squared area: 1 for a disc."""
    values = []
    for mask in nuclei(pixels):
        y, x = np.nonzero(ndimage.binary_fill_holes(mask))
        if len(x) > 20:
            values.append(2 * np.pi * len(x) * (x.var() + y.var()) / len(x) ** 2)
    return float(np.median(values))


def cytoplasm(pixels: np.ndarray) -> np.ndarray:
    """Return the median colour of the pixels within 3 pixels outside the nucleus, shape (n, 3)."""
    masks = nuclei(pixels)
    rings = [ndimage.binary_dilation(one, iterations=4) & ~ndimage.binary_dilation(one) for one in masks]
    return np.array([np.median(image[ring], axis=0) for image, ring in zip(pixels, rings, strict=True) if ring.any()])


def test_the_same_seed_gives_the_same_bytes():
    first, again = (render_marrow(40, px=32, seed=3) for _ in range(2))
    assert first.fingerprint == again.fingerprint
    assert render_marrow(40, px=32, seed=4).fingerprint != first.fingerprint


def test_another_process_gives_the_same_bytes():
    code = "from ali_core.data import render_marrow; print(render_marrow(20, px=16, seed=3).fingerprint)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == render_marrow(20, px=16, seed=3).fingerprint


def test_a_cell_of_the_same_class_looks_the_same_in_a_larger_collection():
    small, large = (render_marrow(n, px=16, seed=1) for n in (200, 400))
    same = np.flatnonzero(small.labels == large.labels[:200])
    assert len(same) > 10
    assert np.array_equal(small.load(same, 16), large.load(same, 16))
    assert (small.groups == large.groups[:200]).all()


def test_a_cell_shows_the_same_at_every_size():
    coarse, fine = (render_marrow(30, px=px, seed=1) for px in (32, 128))
    shrunk = fine.load(range(30), 32).astype(float)
    assert np.abs(shrunk - coarse.load(range(30), 32)).mean() < 6


def test_another_first_region_shares_no_region_and_no_cell():
    here, there = render_marrow(50, px=16), render_marrow(50, px=16, first_region=24)
    assert not set(here.groups) & set(there.groups)
    assert min(there.groups.tolist()) >= "region-24"
    assert not any(np.array_equal(a, b) for a, b in zip(here.pixels, there.pixels, strict=True))


def test_names_ids_and_regions(marrow: CellImages):
    assert marrow.class_names == MARROW_CLASSES
    assert len(set(MARROW_CLASSES)) == 15
    assert MARROW_CLASSES[:5] == (
        *("promyelocyte", "myelocyte", "metamyelocyte", "band_granulocyte", "segmented_granulocyte"),
    )
    assert marrow.ids[:2].tolist() == ["synthetic-00000", "synthetic-00001"]
    assert sorted(set(marrow.groups)) == [f"region-{k:02d}" for k in range(24)]
    assert marrow.load(range(3), PX).dtype == np.uint8


def test_default_counts_are_log_skewed():
    counts = class_counts(4560)
    assert counts.sum() == 4560
    assert counts.max() >= 20 * counts.min()
    logs = np.sort(np.log(counts))
    assert np.diff(logs).max() < 0.75  # a slope, not two plateaus


@given(st.integers(15, 20_000))
def test_counts_add_up_and_every_class_has_a_few(n: int):
    counts = class_counts(n)
    assert counts.sum() == n
    assert counts.min() >= min(6, n // 15)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n": 14}, "n must be at least 15"),
        ({"n": 0}, "got 0"),
        ({"n": 20, "px": 8}, "px must lie between 16 and 512; got 8"),
        ({"n": 20, "px": 1000}, "got 1000"),
        ({"n": 20, "seed": -1}, "seed and first_region must be 0 or more; got -1"),
        ({"n": 20, "first_region": -1}, "got 0 and -1"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers: dict, message: str):
    with pytest.raises(AliError, match=message):
        render_marrow(**numbers)


@pytest.mark.parametrize(
    "lineage",
    [
        ("promyelocyte", "myelocyte", "metamyelocyte", "segmented_granulocyte"),
        ("proerythroblast", "basophilic_erythroblast", "polychromatic_erythroblast", "orthochromatic_erythroblast"),
    ],
)
def test_nuclei_shrink_with_maturity(marrow: CellImages, lineage: tuple[str, ...]):
    areas = [area(of_class(marrow, name)) for name in lineage]
    assert all(later < 0.92 * earlier for earlier, later in pairwise(areas)), areas


def test_nuclei_grow_less_round_with_maturity(marrow: CellImages):
    lineage = ("myelocyte", "metamyelocyte", "band_granulocyte", "segmented_granulocyte")
    values = [spread(of_class(marrow, name)) for name in lineage]
    assert all(later > 1.02 * earlier for earlier, later in pairwise(values)), values
    assert spread(of_class(marrow, "monocyte")) > 1.05 * spread(of_class(marrow, "lymphocyte"))


def test_blue_fades_from_the_cytoplasm_of_the_erythroid_lineage(marrow: CellImages):
    lineage = ("proerythroblast", "polychromatic_erythroblast", "orthochromatic_erythroblast")
    colours = [cytoplasm(of_class(marrow, name)) for name in lineage]
    blue = [float(np.median(colour[:, 2] - colour[:, 0])) for colour in colours]
    assert blue[0] > blue[1] + 10 > blue[2] + 20, blue


def test_eosinophils_are_the_redder_granulocytes_and_basophils_the_darker(marrow: CellImages):
    eosinophil, neutrophil, basophil = (
        of_class(marrow, name)[:, 12:-12, 12:-12]
        for name in ("eosinophilic_granulocyte", "segmented_granulocyte", "basophilic_granulocyte")
    )

    def red(pixels: np.ndarray) -> float:
        return float(((pixels[..., 0] - pixels[..., 2]) > 40).mean())

    assert red(eosinophil) > 5 * red(neutrophil)
    assert (basophil.mean(axis=-1) < 110).mean() > 1.3 * (neutrophil.mean(axis=-1) < 110).mean()


def test_lymphocytes_are_small_and_filled_by_their_nucleus(marrow: CellImages):
    lymphocyte, monocyte = (of_class(marrow, name) for name in ("lymphocyte", "monocyte"))
    assert area(lymphocyte) < 0.8 * area(monocyte)


def test_neighbours_in_a_lineage_overlap(marrow: CellImages):
    early, late = (nuclei(of_class(marrow, name)).sum(axis=(1, 2)) for name in ("myelocyte", "metamyelocyte"))
    assert np.quantile(late, 0.9) > np.quantile(early, 0.25)


def test_regions_have_their_own_background(marrow: CellImages):
    light = np.quantile(marrow.load(range(len(marrow)), PX).astype(float), 0.9, axis=(1, 2))
    means = np.array([light[marrow.groups == group].mean(axis=0) for group in np.unique(marrow.groups)])
    within = np.mean([light[marrow.groups == group].std(axis=0) for group in np.unique(marrow.groups)], axis=0)
    assert (means.std(axis=0) > 0.5 * within).all()


@pytest.mark.slow
def test_classes_are_neither_trivial_nor_hopeless():
    """An RBF-SVM on radial profiles and histograms of stain, regions kept apart, scores 0.55 to 0.85 macro F1."""
    from sklearn.decomposition import PCA
    from sklearn.metrics import f1_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    images = render_marrow(1500, px=PX, seed=0)
    model = make_pipeline(StandardScaler(), PCA(60, random_state=0), SVC(C=10))
    folds = StratifiedGroupKFold(6, shuffle=True, random_state=0)
    guess = cross_val_predict(model, plain_features(images), images.labels, groups=images.groups, cv=folds)
    score = f1_score(images.labels, guess, average="macro")
    assert 0.55 < score < 0.85


def plain_features(images: CellImages) -> np.ndarray:
    """Return radial means and spreads of stain depth and its histograms, none of which change as a cell turns."""
    pixels = images.load(range(len(images)), PX).astype(np.float32)
    depth = -np.log(np.maximum(pixels, 1) / np.quantile(pixels, 0.97, axis=(1, 2), keepdims=True))
    axis = np.arange(PX) - (PX - 1) / 2
    ring = (np.hypot(axis[:, None], axis) // 2.5).astype(int).clip(0, 11)
    parts = [depth[:, ring == k].mean(axis=1) for k in range(12)] + [depth[:, ring == k].std(axis=1) for k in range(12)]
    blurred = depth - ndimage.uniform_filter(depth, (1, 5, 5, 1))
    parts += [blurred[:, ring == k].std(axis=1) for k in range(12)]
    inner = depth[:, ring < 10]
    parts += [np.quantile(inner, np.linspace(0, 1, 15), axis=1).swapaxes(0, 1).reshape(len(images), -1)]
    ratio = inner[:, :, 0] - inner[:, :, 2]
    parts += [np.quantile(ratio, np.linspace(0, 1, 15), axis=1).T]
    return np.concatenate(parts, axis=1)
