"""Every layout gives the same collection back, and bad input is answered in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ali_core.data import CellImages, from_class_folders, from_csv, from_medmnist, open_images
from ali_core.errors import AliError

COLOURS = {"b/1.png": "red", "a/0.png": "green", "a/2.png": "blue"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two class folders with three images and a table of them."""
    for name, colour in COLOURS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4), colour).save(tmp_path / name)
    rows = [f"{name},{name[0]},s{at % 2},id{at}" for at, name in enumerate(COLOURS)]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label,group,id", *rows]))
    return tmp_path


def first_pixels(images: CellImages) -> list[list[int]]:
    return images.load(range(len(images)), 4)[:, 0, 0].tolist()


def test_a_table_keeps_its_order_and_sorts_the_classes(folder: Path):
    images = from_csv(folder / "labels.csv")
    assert images.class_names == ("a", "b")
    assert images.labels.tolist() == [1, 0, 0]
    assert images.ids.tolist() == ["id0", "id1", "id2"]
    assert images.groups.tolist() == ["s0", "s1", "s0"]
    assert first_pixels(images) == [[255, 0, 0], [0, 128, 0], [0, 0, 255]]


def test_columns_and_folder_can_be_named(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    table = tmp_path_factory.mktemp("elsewhere") / "t.csv"
    table.write_text("\ufefffile,kind,slide,clean\na/0.png,007,1.0,1\nb/1.png,NA,2,1\nc/gone.png,x,3,0\n", "utf-8")
    images = from_csv(
        table, folder=folder, path_column="file", label_column="kind", group_column="slide", where=("clean", 1)
    )
    assert images.class_names == ("007", "NA")  # text stays text
    assert images.groups.tolist() == ["1.0", "2"]
    assert images.ids.tolist() == ["a/0.png", "b/1.png"]


def test_without_group_and_id_columns_the_path_is_the_id(folder: Path):
    (folder / "t.csv").write_text("path,label\na/0.png,x\n")
    images = from_csv(folder / "t.csv")
    assert images.groups is None
    assert images.ids.tolist() == ["a/0.png"]


def test_class_folders_hold_images_at_any_depth(folder: Path):
    (folder / "a" / "deep").mkdir()
    Image.new("RGB", (4, 4), "white").save(folder / "a" / "deep" / "3.JPG", format="JPEG")
    (folder / "a" / "notes.txt").write_text("no image")
    (folder / "a" / ".hidden.png").write_text("no image")
    (folder / "empty").mkdir()
    images = from_class_folders(folder)
    assert images.class_names == ("a", "b")
    assert images.ids.tolist() == ["a/0.png", "a/2.png", "a/deep/3.JPG", "b/1.png"]
    assert images.labels.tolist() == [0, 0, 0, 1]
    assert images.groups is None


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3)])
@pytest.mark.parametrize("label_shape", [(-1,), (-1, 1)])
def test_medmnist_splits_are_joined_in_order(tmp_path: Path, shape: tuple, label_shape: tuple):
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("test", 2), ("train", 3), ("val", 1)):
        arrays[f"{part}_images"] = rng.integers(0, 256, (n, *shape), dtype=np.uint8)
        arrays[f"{part}_labels"] = (np.arange(n, dtype=np.uint8) + 1).reshape(label_shape)
    np.savez(tmp_path / "x.npz", **arrays)
    images = open_images(tmp_path / "x.npz")
    assert images.ids.tolist() == ["train/0", "train/1", "train/2", "val/0", "test/0", "test/1"]
    assert images.labels.tolist() == [1, 2, 3, 1, 1, 2]
    assert images.class_names == ("0", "1", "2", "3")
    got = from_medmnist(tmp_path / "x.npz", "test", class_names="wxyz")
    assert got.class_names == ("w", "x", "y", "z")
    expected = arrays["test_images"] if len(shape) == 3 else np.stack([arrays["test_images"]] * 3, axis=-1)
    assert np.array_equal(got.load([0, 1], 28), expected)


def test_open_images_sees_what_a_path_is(folder: Path):
    table = from_csv(folder / "labels.csv").fingerprint
    assert open_images(folder).fingerprint == table
    assert open_images(folder / "labels.csv", where=None).fingerprint == table
    (folder / "labels.csv").unlink()
    assert open_images(folder).fingerprint == from_class_folders(folder).fingerprint
    with pytest.raises(AliError, match="where apply to CSV tables only"):
        open_images(folder, where=("a", "b"))


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ("", {}, "not a readable CSV table"),
        ("path,label\n", {}, "no row below its header"),
        ("path,label\na/0.png,x,y\n", {}, "not a readable CSV table"),
        ('path,label\n"a/0.png,x\n', {}, "not a readable CSV table"),
        ("file,label\na/0.png,x\n", {}, "no column 'path'; its columns are file, label"),
        ("path,kind\na/0.png,x\n", {}, "no column 'label'"),
        ("path,label\na/0.png,x\n", {"group_column": "slide"}, "no column 'slide'"),
        ("path,label\na/0.png,x\n", {"id_column": "name"}, "no column 'name'"),
        ("path,label\na/0.png,x\n", {"where": ("clean", "1")}, "no column 'clean'"),
        ("path,label\na/0.png,x\n", {"where": ("label", "y")}, "no row with label = 'y'; values there: x"),
        ("path,label\na/0.png,x\na/2.png, \n", {}, r"1 rows have an empty label \(first: line 3\)"),
        ("path,label\na/0.png,x\n,x\n", {}, "empty path"),
        ("path,label,group\na/0.png,x,\n", {}, "empty group"),
        ("path,label\na/0.png,x\na/0.png,x\n", {}, r"'a/0\.png' occurs 2 times"),
        ("path,label,id\na/0.png,x,7\na/2.png,x,7\n", {}, "'7' occurs 2 times"),
        ("path,label\n../a/0.png,x\n", {}, "leaves the folder"),
        ("path,label\na/../../b.png,x\n", {}, "leaves the folder"),
        ("path,label\n/etc/passwd,x\n", {}, "leaves the folder"),
        ("path,label\nC:\\cells\\0.png,x\n", {}, "leaves the folder"),
        ("path,label\n..\\0.png,x\n", {}, "leaves the folder"),
        ("path,label\na/0.png,x\n" + "".join(f"a/no{k}.png,x\n" for k in range(5)), {}, "5 of 6 images are missing"),
        ("path,label\na/no.png,x\n", {}, r"missing \(.*no\.png\); restore them"),
    ],
)
def test_bad_tables_are_refused(folder: Path, table: str, options: dict, message: str):
    (folder / "t.csv").write_text(table)
    with pytest.raises(AliError, match=message) as caught:
        from_csv(folder / "t.csv", **options)
    assert "\n" not in str(caught.value)


def test_tables_that_are_not_text_are_refused(folder: Path):
    (folder / "t.csv").write_bytes(b"path,label\n\xff\xfe,x\n")
    with pytest.raises(AliError, match="save it as UTF-8"):
        from_csv(folder / "t.csv")
    with pytest.raises(AliError, match="there is no table"):
        from_csv(folder / "none.csv")


@pytest.mark.parametrize("name", ["none", "empty", "file.txt"])
def test_other_paths_are_answered_with_the_layouts(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(AliError, match=r"give a folder with labels\.csv .*MedMNIST \.npz"):
        open_images(tmp_path / name)


def test_a_folder_without_class_folders_is_refused(tmp_path: Path):
    with pytest.raises(AliError, match="no sub-folder with images"):
        from_class_folders(tmp_path)
    with pytest.raises(AliError, match="is not a folder"):
        from_class_folders(tmp_path / "none")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"vectors": np.zeros((2, 2))}, "no train_images with train_labels"),
        ({"train_images": np.zeros((2, 8, 8), np.uint8)}, "no train_images with train_labels"),
        ({"train_images": np.zeros((2, 8, 8)), "train_labels": np.zeros(2, int)}, "must be uint8"),
        ({"train_images": np.zeros((2, 8, 8, 8), np.uint8), "train_labels": np.zeros(2, int)}, r"\(n, H, W, 3\)"),
        ({"train_images": np.zeros((2, 8, 8), np.uint8), "train_labels": np.zeros((2, 14), int)}, "one whole number"),
        ({"train_images": np.zeros((2, 8, 8), np.uint8), "train_labels": np.zeros(3, int)}, "one whole number"),
        ({"train_images": np.zeros((0, 8, 8), np.uint8), "train_labels": np.zeros(0, int)}, "at least one image"),
        ({"train_images": np.array([{}]), "train_labels": np.zeros(1, int)}, "pickled objects"),
    ],
)
def test_other_npz_files_are_refused(tmp_path: Path, arrays: dict, message: str):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(AliError, match=message):
        open_images(tmp_path / "x.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"hello"])
def test_damaged_npz_files_are_refused(tmp_path: Path, content: bytes):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(AliError, match=r"x\.npz is not a readable"):
        from_medmnist(tmp_path / "x.npz")


def test_flipped_bytes_and_single_arrays_are_refused(tmp_path: Path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, train_images=np.ones((50, 8, 8), np.uint8), train_labels=np.zeros(50, np.uint8))
    content = bytearray(path.read_bytes())
    content[60:100] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(AliError, match="not a readable"):
        from_medmnist(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(AliError, match="not a readable"):
        from_medmnist(path)


def test_unknown_splits_are_refused(tmp_path: Path):
    with pytest.raises(AliError, match="train, val, test; got 'all'"):
        from_medmnist(tmp_path / "x.npz", "all")


def test_real_cells_are_read(real_data: Path):
    images = open_images(real_data / "pbc_dev", where=("clean_label", "1"), group_column="acquisition")
    assert len(images) == 5900
    assert images.n_classes == 11
    assert set(images.groups) == {"A", "B"}
    assert 100 < images.load(range(4), 160).mean() < 250
