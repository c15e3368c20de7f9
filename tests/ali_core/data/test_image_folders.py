"""Folders of public collections as they are unpacked: the classes a person sees in them, every image once."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ali_core import AliError
from ali_core.data import PixelSource, from_ids, open_images


def put(root: Path, *names: str) -> Path:
    for shade, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (shade * 7 % 256, 0, 0)).save(path)
    return root


def grid(*levels: str) -> list[str]:
    """All paths through the levels, each a list of names with ``|``."""
    paths = [""]
    for level in levels:
        paths = [f"{path}/{name}" for path in paths for name in level.split("|")]
    return [path[1:] for path in paths]


# Name: files, class counts, split counts.
COLLECTIONS = {
    "Raabin": (grid("Train|TestA|TestB", "Basophil|Neutrophil", "0.png|1.png"), {"Basophil": 6, "Neutrophil": 6},
               {"train": 4, "test": 8}),
    "C-NMC": (grid("fold_0|fold_1|fold_2", "all|hem", "u.bmp"), {"all": 3, "hem": 3}, {"0": 2, "1": 2, "2": 2}),
    "folds by number": (grid("0|1|2", "all|hem", "u.bmp"), {"all": 3, "hem": 3}, {"0": 2, "1": 2, "2": 2}),
    "Kaggle BCCD": (grid("d2-master/d2-master/images", "TRAIN|TEST|TEST_SIMPLE", "EOSINOPHIL|LYMPHOCYTE", "_0.jpeg"),
                    {"EOSINOPHIL": 3, "LYMPHOCYTE": 3}, None),
    "ImageNet-like": (grid("data", "train|val|test", "cat|dog", "1.png"), {"cat": 3, "dog": 3},
                      {"train": 2, "validation": 2, "test": 2}),
    "split below classes": (grid("cat|dog", "train|test", "1.png"), {"cat": 2, "dog": 2}, {"train": 2, "test": 2}),
    "a part that lacks a class": (["train/a/1.png", "train/b/1.png", "test/a/1.png"], {"a": 2, "b": 1},
                                  {"train": 2, "test": 1}),
    "images below the split": (grid("train|test", "images", "a|b", "1.png"), {"a": 2, "b": 2},
                               {"train": 2, "test": 2}),
    "Matek": (grid("outer/BM_cytomorphology_data", "ABE|BLA", "0001-1000|1001-2000", "x_1.jpg"),
              {"ABE": 2, "BLA": 2}, None),
    "one class in an outer folder": (grid("outer/ABE", "0001-1000|1001-2000", "x.jpg"), {"ABE": 2}, None),
    "digits": (grid("mnist", "0|1|2|10", "1.png|2.png"), {"0": 2, "1": 2, "2": 2, "10": 2}, None),
    "patients within classes": (grid("AML|CML", "p1|p2", "1.png"), {"AML": 2, "CML": 2}, None),
    "valid is a class": (grid("valid|invalid", "1.png"), {"invalid": 1, "valid": 1}, None),
    "left behind": ([*grid("a|b", "1.png"), *grid("__MACOSX", "a|b", "1.png"), *grid("a/__MACOSX", "1.png"),
                     "a/._1.png", "b/.ipynb_checkpoints/1-checkpoint.png", ".cache/c/1.png"], {"a": 1, "b": 1}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", COLLECTIONS)
def test_the_classes_of_a_collection_are_those_a_person_sees(tmp_path, name):
    files, classes, split = COLLECTIONS[name]
    images = open_images(put(tmp_path, *files))
    assert dict(zip(images.class_names, images.counts.tolist(), strict=True)) == classes
    found = None if images.split is None else dict(zip(*np.unique(images.split, return_counts=True), strict=True))
    assert found == split
    hidden = ("__MACOSX", "/.", "._")
    assert set(images.ids) == {file for file in files if not any(part in f"/{file}" for part in hidden)}
    for id_, class_, part in zip(images.ids, images.labels, images.split if split else images.ids, strict=True):
        assert images.class_names[class_] in id_
        assert split is None or part.isdigit() or part[:2] in id_.lower()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (grid("train|test", "1.png"), "the folder 'test' is no class but a part of a split"),
        (["Train/1.png", "Basophil/1.png"], "the folder 'Train' is no class but a part of a split"),
        (grid("0001-1000|1001-2000", "1.png"), "the folder '0001-1000' is no class but a range"),
        (["1.png", "2.png"], "has no sub-folder with images .* and no table"),
    ],
)
def test_folders_that_are_no_classes_are_refused(tmp_path, files, told):
    with pytest.raises(AliError, match=told):
        open_images(put(tmp_path, *files))


def test_images_beside_the_class_folders_are_told(tmp_path, caplog):
    images = open_images(put(tmp_path, "a/1.png", "b/1.png", "overview.png"))
    assert len(images) == 2
    assert "1 images lie in no class folder and are left out (overview.png)" in caplog.text


def test_a_table_beside_the_class_folders_is_told(tmp_path, caplog):
    (tmp_path / "annotations.csv").write_text("file,cell\na/1.png,x\nb/1.png,y\n")
    assert open_images(put(tmp_path, "a/1.png", "b/1.png")).class_names == ("a", "b")
    assert "its sub-folders are the classes; annotations.csv beside them is not read" in caplog.text
    caplog.clear()
    assert open_images(tmp_path, path="file", label="cell").class_names == ("x", "y")
    assert not caplog.text


@pytest.fixture
def linked(tmp_path):
    """Class a behind a linked folder, one file of b that is not there, a link that leads back up."""
    put(tmp_path / "store" / "a", "0.png", "1.png")
    put(tmp_path / "x" / "b", "0.png", "2.png")
    (tmp_path / "x" / "a").mkdir()
    (tmp_path / "x" / "a" / "part1").symlink_to(tmp_path / "store" / "a")
    (tmp_path / "x" / "b" / "1.png").symlink_to(tmp_path / "store" / "a" / "1.png")
    (tmp_path / "x" / "b" / "up").symlink_to(tmp_path / "x")
    return tmp_path / "x"


def test_links_are_followed_and_loops_are_not(linked):
    images = open_images(linked)
    assert images.ids.tolist() == ["a/part1/0.png", "a/part1/1.png", "b/0.png", "b/1.png", "b/2.png"]
    assert images.counts.tolist() == [2, 3]


def test_one_pass_names_all_that_is_missing_or_damaged(linked, caplog):
    for name in ("gone", "lost"):
        (linked / "b" / f"{name}.png").symlink_to(linked / "nowhere.png")
    with pytest.raises(AliError, match=r"2 of 7 images are missing \(.*gone\.png, .*lost\.png\); restore them"):
        open_images(linked)
    (linked / "b" / "0.png").write_text("no image")
    (linked / "b" / "2.png").write_bytes((linked / "b" / "2.png").read_bytes()[:40])
    images = open_images(linked, skip_unreadable=True)
    assert images.missing == (("b/gone.png", "is missing"), ("b/lost.png", "is missing"))
    with PixelSource.open(images, 8, skip_unreadable=True) as source:
        assert source.images.ids.tolist() == ["a/part1/0.png", "a/part1/1.png", "b/1.png"]
        assert [name for name, _ in source.skipped] == ["b/gone.png", "b/lost.png", "b/0.png", "b/2.png"]
    assert "4 of 7 images cannot be read and are left out" in caplog.text
    for name in ("b/gone.png", "b/lost.png", "b/0.png", "b/2.png"):
        assert name in caplog.text
    with pytest.raises(AliError, match=r"4 of 7 images cannot be read: replace the files, or leave .*; and 1 more$"):
        PixelSource.open(images, 8)


def test_the_same_name_in_several_folders_is_several_images(tmp_path):
    images = open_images(put(tmp_path, *grid("a|b|c", "cell.png")))
    assert images.ids.tolist() == ["a/cell.png", "b/cell.png", "c/cell.png"]
    assert images.load(range(3), 8)[:, 0, 0, 0].tolist() == [0, 7, 14]


def test_order_and_colours_of_classes_can_be_given(tmp_path):
    put(tmp_path, *grid("band|blast", "1.png"))
    images = open_images(tmp_path, classes=("blast", "band", "none"), colours={"blast": "#ff0000"})
    assert images.class_names == ("blast", "band", "none")
    assert images.labels.tolist() == [1, 0]
    assert images.without_classes(["blast"]).colours == {}
    with pytest.raises(AliError, match="label 'blast' is not among the classes given"):
        open_images(tmp_path, classes=("band",))


def test_ids_that_are_paths_need_no_table(tmp_path):
    put(tmp_path, "a/1.png", "2.png", "b/2.png", "b/3.png")
    images = from_ids(tmp_path, ["b/3.png", "gone.png", "2.png", "../x.png", "a/1", "0", "/else/where/a/1.png"])
    assert images.ids.tolist() == ["b/3.png", "2.png", "/else/where/a/1.png"]
    assert images.load(range(3), 8)[:, 0, 0, 0].tolist() == [21, 7, 0]
    corner = from_ids(tmp_path, ["2.png[0,0,4,4]", "2.png[2,2,8,8]"])
    assert corner.boxes.tolist() == [[0, 0, 4, 4], [2, 2, 8, 8]]
    for ids in (["0", "1"], ["x.png"]):
        with pytest.raises(AliError, match="is the path of an image in"):
            from_ids(tmp_path, ids)
