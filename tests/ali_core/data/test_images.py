"""Collections in memory and on disk: choosing, loading, checking."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ali_core.data import CellImages, contact_sheet
from ali_core.errors import AliError


def collection(n: int = 6, px: int = 8, **changes) -> CellImages:
    """Return images whose pixels all equal their number."""
    values = {
        "labels": np.arange(n) % 3,
        "class_names": ("a", "b", "c"),
        "ids": np.array([f"cell-{row}" for row in range(n)]),
        "groups": np.array([f"slide-{row % 2}" for row in range(n)]),
        "pixels": np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, px, px, 3)).copy(),
    }
    return CellImages(**(values | changes))


@given(st.lists(st.integers(-6, 5), max_size=12))
def test_loading_and_choosing_follow_numpy_indices(rows: list[int]):
    images = collection()
    assert np.array_equal(images.load(rows, 8)[:, 0, 0, 0], np.arange(6)[np.array(rows, dtype=int)])
    if rows and len({row % 6 for row in rows}) == len(rows):
        chosen = images.subset(rows)
        assert np.array_equal(chosen.load(range(len(rows)), 8), images.load(rows, 8))
        assert chosen.ids.tolist() == images.ids[rows].tolist()
        assert chosen.groups.tolist() == images.groups[rows].tolist()
        assert chosen.class_names == images.class_names


def test_a_mask_chooses_like_its_indices():
    mask = np.array([True, False, False, True, True, False])
    assert collection().subset(mask).ids.tolist() == ["cell-0", "cell-3", "cell-4"]


def test_leaving_out_classes_renumbers_the_others():
    rest = collection().without_classes(["b"])
    assert rest.class_names == ("a", "c")
    assert [rest.class_names[code] for code in rest.labels] == ["a", "c", "a", "c"]
    assert rest.ids.tolist() == ["cell-0", "cell-2", "cell-3", "cell-5"]
    assert collection().without_classes([]).fingerprint == collection().fingerprint


def test_an_unknown_class_is_answered_with_the_known_ones():
    with pytest.raises(AliError, match="'z'; the classes are a, b, c"):
        collection().without_classes(["z"])
    with pytest.raises(AliError, match="leaves no image"):
        collection().without_classes(["a", "b", "c"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pixels": None}, "exactly one"),
        ({"paths": (Path("a.png"),) * 6}, "exactly one"),
        ({"pixels": np.zeros((0, 8, 8, 3), np.uint8)}, "at least one image"),
        ({"pixels": np.zeros((5, 8, 8, 3), np.uint8)}, "6 for 5 images"),
        ({"pixels": np.zeros((6, 8, 8), np.uint8)}, r"\(N, H, W, 3\)"),
        ({"pixels": np.zeros((6, 8, 8, 3))}, "float64"),
        ({"labels": np.full(6, 3)}, "0 to 2; got 3 to 3"),
        ({"labels": np.full(6, -2)}, "got -2"),
        ({"class_names": ("a", "b", "b")}, "class_names must differ"),
        ({"ids": np.array(["x"] * 6)}, "'x' occurs 6 times"),
        ({"ids": np.array(["x"])}, "ids must be one per image"),
        ({"groups": np.array(["x"])}, "groups must be one per image"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict, message: str):
    with pytest.raises(AliError, match=message):
        collection(**changes)


@pytest.mark.parametrize(("rows", "message"), [([6], "below 6"), ([-7], "-7"), ([0.5], "whole"), ([[0]], "one dim")])
def test_indices_that_do_not_exist_are_refused(rows: list, message: str):
    with pytest.raises(AliError, match=message):
        collection().load(rows, 8)


def test_px_must_be_positive():
    with pytest.raises(AliError, match="px must be at least 1; got 0"):
        collection().load([0], 0)


def test_resizing_keeps_the_mean_of_an_image():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    images = collection(2, pixels=pixels)
    for px in (16, 32):
        assert np.allclose(images.load([0, 1], px).mean(axis=(1, 2)), pixels.mean(axis=(1, 2)), atol=2)


def test_the_fingerprint_sees_every_change():
    base = collection()
    pixels = base.pixels.copy()
    pixels[0, 0, 0, 0] += 1
    others = [
        collection(pixels=pixels),
        collection(labels=np.zeros(6)),
        collection(groups=None),
        collection(class_names=("a", "b", "d")),
        collection(ids=np.array(list("uvwxyz"))),
        base.subset([0, 1, 2]),
    ]
    assert collection().fingerprint == base.fingerprint
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 7


def test_the_fingerprint_of_files_changes_with_a_file(tmp_path: Path):
    paths = tuple(tmp_path / f"{row}.png" for row in range(2))
    for path in paths:
        Image.new("RGB", (4, 4)).save(path)
    names = {"labels": np.zeros(2), "class_names": ("a",), "ids": np.array(["0", "1"])}
    before = CellImages(**names, paths=paths).fingerprint
    assert CellImages(**names, paths=paths).fingerprint == before
    Image.new("RGB", (40, 40), "red").save(paths[1])
    assert CellImages(**names, paths=paths).fingerprint != before
    paths[1].unlink()
    with pytest.raises(AliError, match=r"1\.png is missing"):
        _ = CellImages(**names, paths=paths).fingerprint
    paths[1].mkdir()
    with pytest.raises(AliError, match=r"1\.png is no file"):
        _ = CellImages(**names, paths=paths).fingerprint


@pytest.mark.parametrize("size", [1000, 1_000_000])
def test_the_fingerprint_of_files_is_that_of_their_copies(tmp_path: Path, size: int):
    content = bytearray(np.random.default_rng(0).bytes(size))
    names = {"labels": np.zeros(1), "class_names": ("a",), "ids": np.array(["0"])}

    def fingerprint(name):
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, (1e9, 1e9 + len(name)))
        return CellImages(**names, paths=(tmp_path / name,)).fingerprint

    before = fingerprint("here.png")
    assert fingerprint("a copy of it.png") == before
    for at in (0, size // 2, size - 1):
        content[at] ^= 1
        assert fingerprint("here.png") != before
        content[at] ^= 1
    assert fingerprint("here.png") == before


def test_a_contact_sheet_has_a_row_per_class_and_white_where_images_run_out():
    images = collection(4).subset([0, 3, 1])  # a, a, b; none of c
    sheet = contact_sheet(images, per_class=3, px=8, seed=1)
    assert sheet.shape == (24, 24, 3)
    assert np.array_equal(sheet[::8, ::8, 0], [[0, 3, 255], [1, 255, 255], [255, 255, 255]])


def test_importing_the_data_room_needs_no_network_and_no_plot():
    code = (
        "import sys, types; package = types.ModuleType('ali_core'); "
        "package.__path__ = [sys.argv[1]]; sys.modules['ali_core'] = package; import ali_core.data; "
        "print(*{'torch', 'torchvision', 'matplotlib', 'plotly', 'sklearn'} & set(sys.modules))"
    )
    import ali_core

    command = [sys.executable, "-c", code, str(Path(ali_core.__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
