"""Images for training: kept or read ahead, the same pixels; damaged files are named; no thread is left."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ali_core.data import CellImages, PixelSource, open_images
from ali_core.data.pixels import available_memory
from ali_core.errors import AliError

N, PX = 20, 8


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a thread of a pool behind."""
    before = set(threading.enumerate())
    yield
    assert not [thread.name for thread in set(threading.enumerate()) - before if "ali-images" in thread.name]


def on_disk(folder: Path, n: int = N, size: int = 12) -> CellImages:
    """Write ``n`` JPEG files of noise."""
    rng = np.random.default_rng(0)
    for row in range(n):
        noise = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{row:02}.jpg", quality=95)
    return CellImages(
        labels=np.arange(n) % 2,
        class_names=("a", "b"),
        ids=np.array([f"cell-{row}" for row in range(n)]),
        paths=tuple(folder / f"{row:02}.jpg" for row in range(n)),
    )


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> CellImages:
    return on_disk(tmp_path_factory.mktemp("cells"))


@pytest.fixture
def damaged(tmp_path: Path) -> CellImages:
    """Of twenty files, number 3 is cut off, 7 a text, and 11 missing."""
    images = on_disk(tmp_path, size=64)
    whole = images.paths[3].read_bytes()
    images.paths[3].write_bytes(whole[: len(whole) // 2])
    images.paths[7].write_text("no image", encoding="utf-8")
    images.paths[11].unlink()
    return images


READABLE = [row for row in range(N) if row not in (3, 7, 11)]


@pytest.mark.parametrize("limit", [None, 0], ids=["kept", "on demand"])
@pytest.mark.parametrize("workers", [1, 3])
def test_pixels_are_those_that_load_returns(cells: CellImages, limit: int | None, workers: int):
    order = np.random.default_rng(1).permutation(N)
    with PixelSource.open(cells, PX, memory_limit_bytes=limit, workers=workers) as source:
        assert (source.array is None) == (limit == 0)
        assert source.images is cells
        assert source.kept.tolist() == list(range(N))
        assert source.skipped == ()
        assert np.array_equal(source.take(order), cells.load(order, PX))
        assert source.take([]).shape == (0, PX, PX, 3)
        assert np.array_equal(source.take(-1), cells.load([N - 1], PX))
        batches = list(source.batches(order, 6))
    assert [len(rows) for rows, _ in batches] == [6, 6, 6, 2]
    assert np.concatenate([rows for rows, _ in batches]).tolist() == order.tolist()
    for rows, pixels in batches:
        assert pixels.dtype == np.uint8
        assert pixels.flags.writeable
        assert np.array_equal(pixels, cells.load(rows, PX))


@given(st.lists(st.integers(-N, N - 1), max_size=30), st.integers(1, 40))
@settings(max_examples=25)
def test_batches_joined_are_the_order(cells: CellImages, order: list[int], batch_size: int):
    for limit in (None, 0):
        with PixelSource.open(cells, 2, memory_limit_bytes=limit, workers=2) as source:
            batches = list(source.batches(order, batch_size))
        assert [row for rows, _ in batches for row in rows.tolist()] == order
        joined = np.concatenate([np.empty((0, 2, 2, 3), np.uint8)] + [pixels for _, pixels in batches])
        assert np.array_equal(joined, cells.load(order, 2))
        assert all(len(rows) == batch_size for rows, _ in batches[:-1])


def test_the_limit_decides_to_the_byte(cells: CellImages):
    size = N * PX * PX * 3
    with PixelSource.open(cells, PX, memory_limit_bytes=size, workers=2) as source:
        assert source.array.nbytes == size
        assert not source.array.flags.writeable
    with PixelSource.open(cells, PX, memory_limit_bytes=size - 1, workers=2) as source:
        assert source.array is None


def test_available_memory_lies_between_nothing_and_all():
    meminfo = Path("/proc/meminfo")
    total = int(meminfo.read_text(encoding="ascii").split()[1]) * 1024 if meminfo.exists() else 2**50
    assert 2**20 < available_memory() <= total


def test_pixels_in_memory_are_not_copied(cells: CellImages):
    pixels = cells.load(range(N), PX)
    images = CellImages(labels=cells.labels, class_names=cells.class_names, ids=cells.ids, pixels=pixels)
    with PixelSource.open(images, PX, memory_limit_bytes=0) as source:
        assert np.shares_memory(source.array, pixels)
        assert np.array_equal(source.take([2, 1]), pixels[[2, 1]])
    with PixelSource.open(images, 4, memory_limit_bytes=0, workers=2) as source:
        assert source.array is None
        assert np.array_equal(source.take([2, 1]), images.load([2, 1], 4))


@pytest.mark.parametrize("limit", [None, 0], ids=["kept", "on demand"])
def test_all_damaged_files_are_counted_in_one_error(damaged: CellImages, limit: int | None):
    with pytest.raises(AliError) as error:
        PixelSource.open(damaged, PX, memory_limit_bytes=limit, workers=3)
    message = str(error.value)
    assert message.startswith("3 of 20 images cannot be read: ")
    assert f"{damaged.paths[3]} is damaged (" in message
    assert f"{damaged.paths[7]} is not an image" in message
    assert ": replace the files, or leave them out with skip_unreadable (--skip-unreadable). The first: /" in message
    assert message.endswith(f"; {damaged.paths[11]} is missing")
    assert "\n" not in message


def test_only_the_first_of_many_are_named(damaged: CellImages):
    damaged.paths[15].unlink()
    damaged.paths[16].unlink()
    with pytest.raises(AliError, match=r"5 of 20 .*; and 2 more$") as error:
        PixelSource.open(damaged, PX, workers=3)
    assert str(damaged.paths[11]) in str(error.value)
    assert str(damaged.paths[15]) not in str(error.value)


def test_dark_images_need_one_option_and_not_a_list(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    images = on_disk(tmp_path)
    for path in images.paths:
        Image.fromarray(np.full((8, 8), 4095, dtype=np.uint16)).save(path, "PNG")
    with pytest.raises(AliError, match=r"^20 of 20 images cannot be read: say what is white with white= \(--white"):
        PixelSource.open(images, PX, workers=1)
    assert not caplog.records
    with PixelSource.open(replace(images, white=4095), PX, workers=1) as source:
        assert source.array.min() == 255


@pytest.mark.parametrize("limit", [None, 0], ids=["kept", "on demand"])
def test_damaged_files_can_be_left_out(damaged: CellImages, limit: int | None, caplog: pytest.LogCaptureFixture):
    with (
        caplog.at_level(logging.WARNING, "ali_core.data.pixels"),
        PixelSource.open(damaged, PX, memory_limit_bytes=limit, skip_unreadable=True, workers=3) as source,
    ):
        assert len(source) == len(READABLE)
        assert source.kept.tolist() == READABLE
        assert source.images.ids.tolist() == damaged.ids[READABLE].tolist()
        assert source.images.labels.tolist() == damaged.labels[READABLE].tolist()
        assert np.array_equal(source.take(range(len(source))), damaged.load(READABLE, PX))
        if source.array is not None:
            assert np.array_equal(source.array, damaged.load(READABLE, PX))
    assert [name for name, _ in source.skipped] == ["cell-3", "cell-7", "cell-11"]
    assert [reason.split(" is ")[1][:7] for _, reason in source.skipped] == ["damaged", "not an ", "missing"]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "3 of 20 images cannot be read and are left out" in record.message
    assert all(str(damaged.paths[row]) in record.message for row in (3, 7, 11))


def test_a_collection_without_any_readable_image_is_refused_even_when_skipping(damaged: CellImages):
    with pytest.raises(AliError, match=r"2 of 2 images cannot be read: replace the files\. The first"):
        PixelSource.open(damaged.subset([3, 7]), PX, skip_unreadable=True, workers=1)


def test_a_file_that_breaks_after_opening_reaches_the_caller_when_it_is_due(tmp_path: Path):
    images = on_disk(tmp_path)
    with PixelSource.open(images, PX, memory_limit_bytes=0, workers=2) as source:
        images.paths[9].unlink()
        batches = source.batches(range(N), 4)
        assert [next(batches)[0].tolist() for _ in range(2)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
        with pytest.raises(AliError, match=r"09\.jpg is missing"):
            next(batches)
        with pytest.raises(AliError, match=r"09\.jpg is missing"):
            source.take([8, 9])
        assert np.array_equal(source.take([8]), images.load([8], PX))


def slowed(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[int]:
    """Make every read take ``seconds`` and return the list that the rows are added to when read."""
    seen: list[int] = []
    load = CellImages.load

    def slow(images: CellImages, rows, px: int):
        time.sleep(seconds)
        seen.extend(np.asarray(rows).tolist())
        return load(images, rows, px)

    monkeypatch.setattr(CellImages, "load", slow)
    return seen


def test_two_batches_are_read_ahead_and_no_more(cells: CellImages, monkeypatch: pytest.MonkeyPatch):
    with PixelSource.open(cells, PX, memory_limit_bytes=0, workers=1) as source:
        seen = slowed(monkeypatch, 0.0)
        batches = source.batches(range(N), 4)
        next(batches)
        deadline = time.monotonic() + 10
        while len(seen) < 12 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        assert seen == list(range(12))
        batches.close()


def test_reading_and_computing_overlap(cells: CellImages, monkeypatch: pytest.MonkeyPatch):
    with PixelSource.open(cells, PX, memory_limit_bytes=0, workers=2) as source:
        slowed(monkeypatch, 0.05)
        batches = source.batches(range(N), 4)
        next(batches)
        waits = []
        for _ in range(4):
            time.sleep(0.2)  # the network computes; two threads read four chunks in half of that
            start = time.monotonic()
            next(batches)
            waits.append(time.monotonic() - start)
        # Without reading ahead each wait were 0.1 s or more; the median forgives one hiccup of a busy machine.
        assert np.median(waits) < 0.05


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_epoch_leaves_no_thread(cells: CellImages, kind: type[BaseException]):
    def train() -> None:
        with PixelSource.open(cells, PX, memory_limit_bytes=0, workers=3) as source:
            for rows, _ in source.batches(range(N), 2):
                if 6 in rows:
                    raise kind

    with pytest.raises(kind):
        train()  # the fixture counts the threads


@pytest.mark.parametrize("limit", [None, 0], ids=["kept", "on demand"])
def test_an_interrupted_opening_leaves_no_thread(cells: CellImages, limit: int | None):
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PixelSource.open(cells, PX, memory_limit_bytes=limit, workers=2, progress=stop)


def test_an_error_that_is_no_damaged_file_is_not_swallowed(cells: CellImages, monkeypatch: pytest.MonkeyPatch):
    def broken(images: CellImages, rows, px: int):
        raise MemoryError("no memory")

    monkeypatch.setattr(CellImages, "load", broken)
    with pytest.raises(MemoryError, match="no memory"):
        PixelSource.open(cells, PX, skip_unreadable=True, workers=2)


@pytest.mark.parametrize("limit", [None, 0], ids=["kept", "on demand"])
def test_progress_counts_up_to_all(cells: CellImages, limit: int | None):
    told: list[tuple[int, int]] = []
    with PixelSource.open(cells, PX, memory_limit_bytes=limit, workers=2, progress=lambda *state: told.append(state)):
        pass
    assert told[-1] == (N, N)
    assert all(total == N for _, total in told)
    assert all(before < after for (before, _), (after, _) in pairwise(told))


def test_a_closed_source_says_so_and_kept_images_outlive_it(cells: CellImages):
    with PixelSource.open(cells, PX, memory_limit_bytes=0, workers=1) as source:
        batches = source.batches(range(N), 2)
        next(batches)
    source.close()
    with pytest.raises(AliError, match="closed: open them again"):
        source.take([0])
    with pytest.raises(AliError, match="closed: open them again"):
        list(batches)
    with PixelSource.open(cells, PX, workers=1) as kept:
        pass
    assert np.array_equal(kept.take([5]), cells.load([5], PX))


def test_closing_gives_up_the_batches_that_are_under_way(cells: CellImages, monkeypatch: pytest.MonkeyPatch):
    with PixelSource.open(cells, PX, memory_limit_bytes=0, workers=1) as source:
        seen = slowed(monkeypatch, 0.05)
        batches = source.batches(range(12), 4)  # all three are begun at once
        next(batches)
    assert 4 <= len(seen) < 12
    with pytest.raises(AliError, match="closed: open them again"):
        list(batches)


@pytest.mark.parametrize("limit", [None, 0], ids=["kept", "on demand"])
@pytest.mark.parametrize(
    ("rows", "message"),
    [([N], "below 20"), ([-N - 1], "below 20"), ([0.5], "float64"), ([True] * N, "bool"), ([[0]], r"\(1, 1\)")],
)
def test_rows_that_do_not_exist_are_refused(cells: CellImages, limit: int | None, rows: list, message: str):
    with PixelSource.open(cells, PX, memory_limit_bytes=limit, workers=2) as source:
        with pytest.raises(AliError, match=message):
            source.take(rows)
        with pytest.raises(AliError, match=message):
            list(source.batches(rows, 2))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"px": 0}, "px must be at least 1; got 0"),
        ({"workers": 0}, "workers must be at least 1; got 0"),
        ({"memory_limit_bytes": -1}, "memory_limit_bytes must be at least 0; got -1"),
    ],
)
def test_settings_out_of_range_are_refused(cells: CellImages, values: dict, message: str):
    with pytest.raises(AliError, match=message):
        PixelSource.open(cells, **({"px": PX} | values))


def test_a_batch_size_of_nothing_is_refused_at_once(cells: CellImages):
    with (
        PixelSource.open(cells, PX, workers=1) as source,
        pytest.raises(AliError, match="batch_size must be at least 1; got 0"),
    ):
        source.batches(range(N), 0)


def test_real_cells_read_ahead_equal_kept_ones(real_data: Path):
    images = open_images(real_data / "pbc_dev" / "labels.csv")
    some = images.subset(np.arange(0, len(images), max(len(images) // 40, 1)))
    with (
        PixelSource.open(some, 64, workers=2) as kept,
        PixelSource.open(some, 64, workers=2, memory_limit_bytes=0) as ahead,
    ):
        for rows, pixels in ahead.batches(range(len(some)), 16):
            assert np.array_equal(pixels, kept.array[rows])
            assert pixels.std() > 1
