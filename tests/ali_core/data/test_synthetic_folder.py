"""Synthetic marrow on disk: complete or absent."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ali_core.data import open_images, render_marrow, write_marrow
from ali_core.errors import AliError


def test_a_written_folder_reads_back(tmp_path: Path):
    seen = []
    table = write_marrow(tmp_path / "out", 30, 24, 2, progress=lambda done, n: seen.append((done, n)))
    assert table == tmp_path / "out" / "labels.csv"
    assert seen == [(done, 30) for done in range(1, 31)]
    read, drawn = open_images(tmp_path / "out"), render_marrow(30, px=24, seed=2)
    assert np.array_equal(read.load(range(30), 24), drawn.load(range(30), 24))
    assert read.ids.tolist() == drawn.ids.tolist()
    assert read.groups.tolist() == drawn.groups.tolist()
    assert [read.class_names[code] for code in read.labels] == [drawn.class_names[code] for code in drawn.labels]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_interrupted_folder_is_absent(tmp_path: Path):
    def interrupt(done: int, n: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    with pytest.raises(KeyboardInterrupt):
        write_marrow(tmp_path / "out", 30, 16, progress=interrupt)
    assert list(tmp_path.rglob("*")) == [tmp_path / "out"]
    write_marrow(tmp_path / "out", 30, 16)
    assert len(open_images(tmp_path / "out")) == 30


def test_an_occupied_folder_is_left_alone(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("keep")
    for out in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(AliError, match="is not an empty folder"):
            write_marrow(out, 30, 16)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_pictures_are_square_png(tmp_path: Path):
    write_marrow(tmp_path / "out", 15, 20)
    with Image.open(next((tmp_path / "out").rglob("*.png"))) as image:
        assert (image.size, image.mode, image.format) == ((20, 20), "RGB", "PNG")
