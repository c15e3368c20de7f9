"""Every layout gives the same collection back, and bad input is answered in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ali_core.data import CellImages, from_class_folders, from_csv, from_medmnist, holds_images, open_images
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


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (28, 28, 3)])
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
    expected = np.broadcast_to(arrays["test_images"].reshape(2, 28, 28, -1), (2, 28, 28, 3))
    assert np.array_equal(got.load([0, 1], 28), expected)


def test_open_images_sees_what_a_path_is(folder: Path):
    table = from_csv(folder / "labels.csv").fingerprint
    assert open_images(folder).fingerprint == table
    assert open_images(folder / "labels.csv", where=None).fingerprint == table
    (folder / "labels.csv").unlink()
    assert open_images(folder).fingerprint == from_class_folders(folder).fingerprint
    with pytest.raises(AliError, match="where apply to tables only"):
        open_images(folder, where=("a", "b"))


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ("", {}, "not a readable CSV table"),
        ("path,label\n", {}, "no row below its header"),
        ("path,label\na/0.png,x,y\n", {}, "not a readable CSV table"),
        ('path,label\n"a/0.png,x\n', {}, "not a readable CSV table"),
        ("picture,label\na/0.png,x\n", {}, "no column path; it has picture"),
        ("path,kind\na/0.png,x\n", {}, "no column label or labels; it has path"),
        ("path,label\na/0.png,x\n", {"group_column": "slide"}, "no column 'slide'"),
        ("path,label\na/0.png,x\n", {"id_column": "name"}, "no column 'name'"),
        ("path,label\na/0.png,x\n", {"where": ("clean", "1")}, "no column 'clean'"),
        ("path,label\na/0.png,x\n", {"where": ("label", "y")}, "no row with label = 'y'; values there: x"),
        ("path,label\na/0.png,x\na/2.png, \n", {}, r"1 of 2 rows have an empty label \(first: line 3\)"),
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


def test_a_table_with_semicolons_names_images(folder: Path):
    (folder / "labels.csv").write_bytes("Datei;Typ\r\na/0.png;Groß\r\nb/1.png;klein \r\n".encode("cp1252"))
    images = open_images(folder, path="Datei", label="Typ")
    assert (images.class_names, images.ids.tolist()) == (("Groß", "klein"), ["a/0.png", "b/1.png"])


def test_tables_that_are_not_text_are_refused(folder: Path):
    (folder / "t.csv").write_bytes(b"path,label\n\xff\xfe,x\n")
    with pytest.raises(AliError, match="save it as UTF-8"):
        from_csv(folder / "t.csv")
    with pytest.raises(AliError, match="there is no table"):
        from_csv(folder / "none.csv")


@pytest.mark.parametrize("name", ["none", "empty", "file.md"])
def test_other_paths_are_answered_with_the_layouts(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.md").write_text("")
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


def table_of(folder: Path, text: str, name: str = "labels.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    "written",
    [
        "a/0.png", "./a/0.png", "a\\0.png", "{root}/a/0.png", "/somebody/else/{name}/a/0.png",
        "C:\\Users\\else\\a\\0.png", "data/a/0.png", "a/0", "  a/0.png ",
    ],
)  # fmt: skip
def test_paths_are_found_however_they_are_written(folder: Path, written: str):
    path = written.format(root=folder, name=folder.name)
    images = open_images(table_of(folder, f"path,label\n{path},x\nb/1.png,y\n").parent)
    assert images.ids.tolist() == ["a/0.png", "b/1.png"]
    assert first_pixels(images) == [[0, 128, 0], [255, 0, 0]]


def test_names_alone_are_found_when_they_are_the_only_ones(folder: Path):
    images = open_images(table_of(folder, "filename,label\n0.png,x\n2,y\n").parent)
    assert images.ids.tolist() == ["a/0.png", "a/2.png"]
    Image.new("RGB", (4, 4)).save(folder / "b" / "0.png")
    with pytest.raises(AliError, match=r"'0\.png' is the name of 2 files \(a/0\.png, b/0\.png\)"):
        open_images(folder)


@pytest.mark.parametrize("written", ["b/0.png", "c/a/0.png.png", "{outside}/x.png", "/a/b/c/x.png", "c/1.png"])
def test_another_image_is_never_taken_instead(folder: Path, tmp_path_factory, written: str):
    outside = tmp_path_factory.mktemp("outside")
    Image.new("RGB", (4, 4)).save(outside / "x.png")
    path = written.format(outside=outside)
    with pytest.raises(AliError, match=r"1 of 2 images are missing|leaves the folder"):
        open_images(table_of(folder, f"path,label\n{path},x\na/2.png,y\n").parent)


ANNOTATIONS = "filename,cell_type,patient,stain,age,code\na/0.png,x,p1,giemsa,61,007\nb/1.png,y,p2,,58.5,008\n"


@pytest.fixture
def annotated(folder: Path) -> Path:
    (folder / "labels.csv").unlink()
    table_of(folder, ANNOTATIONS, "annotations.csv")
    return folder


def test_a_table_of_another_name_is_taken_when_columns_or_it_are_named(annotated: Path):
    columns = {"label": "cell_type", "group": "patient"}
    images = open_images(annotated, **columns)
    assert (images.class_names, images.groups.tolist()) == (("x", "y"), ["p1", "p2"])
    assert list(images.metadata) == ["stain", "age", "code"]
    assert images.metadata.age.tolist() == [61.0, 58.5]
    assert images.metadata.code.tolist() == ["007", "008"]
    for options in ({"table": "annotations.csv"}, {"table": annotated / "annotations.csv"}):
        assert open_images(annotated, **columns, **options).fingerprint == images.fingerprint
    assert open_images(annotated).class_names == ("a", "b")  # nothing is named, and there are class folders
    table_of(annotated, ANNOTATIONS, "second.csv")
    with pytest.raises(AliError, match=r"2 tables \(annotations.csv, second.csv\); choose one with table= \(--table"):
        open_images(annotated, **columns)


def test_a_lone_table_without_known_columns_is_told_with_its_columns(tmp_path: Path):
    Image.new("RGB", (4, 4)).save(tmp_path / "1.png")
    table_of(tmp_path, "picture,what\n1.png,x\n", "cells.csv")
    with pytest.raises(
        AliError, match=r"no labels.csv .* the table cells.csv with the columns picture, what; say which"
    ):
        open_images(tmp_path)
    assert open_images(tmp_path, path="picture", label="what").ids.tolist() == ["1.png"]
    table_of(tmp_path, "path,label\n1.png,x\n", "cells.csv")
    assert open_images(tmp_path).class_names == ("x",)


def test_missing_images_of_a_table_can_be_left_out(folder: Path):
    text = "path,label,group,split\na/0.png,x,p,train\na/no.png,x,q,test\nb/1.png,y,r,test\n"
    images = open_images(table_of(folder, text).parent, skip_unreadable=True)
    assert images.ids.tolist() == ["a/0.png", "b/1.png"]
    assert images.groups.tolist() == ["p", "r"]
    assert images.split.tolist() == ["train", "test"]
    assert images.missing == (("a/no.png", "is missing"),)
    assert "1 missing" in repr(images)
    with pytest.raises(AliError, match="1 of 1 images are missing"):
        open_images(table_of(folder, "path,label\na/no.png,x\n").parent, skip_unreadable=True)


def test_rows_may_be_boxes(tmp_path: Path):
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[5:15, 10:20] = (200, 100, 50)
    Image.fromarray(picture).save(tmp_path / "smear.png")
    text = "image,label,xmin,ymin,xmax,ymax\nsmear.png,x,10,5,20,15\nsmear.png,y,0,0,4,4\nsmear.png,x,18,8,25,40\n"
    images = open_images(table_of(tmp_path, text).parent)
    assert images.ids.tolist() == ["smear.png[10,5,20,15]", "smear.png[0,0,4,4]", "smear.png[18,8,25,40]"]
    pixels = images.load(range(3), 8)
    assert (pixels[0] == (200, 100, 50)).all()
    assert not pixels[1].any()
    assert pixels[2, 0, 0].tolist() == [200, 100, 50]  # cut where the picture ends
    assert np.array_equal(images.subset([2]).load([0], 8), pixels[2:])
    assert "boxes in 1 files" in repr(images)
    for row, told in (("smear.png,x,9,9,9,12", "1 of 1 boxes have no area"), ("smear.png,x,a,0,1,1", "no area")):
        with pytest.raises(AliError, match=told):
            open_images(table_of(tmp_path, f"path,label,x0,y0,x1,y1\n{row}\n").parent)
    outside = open_images(table_of(tmp_path, "path,label,x0,y0,x1,y1\nsmear.png,x,50,50,60,60\n").parent)
    with pytest.raises(AliError, match=r"30 × 20 pixels; the box 50, 50, 60, 60 is outside"):
        outside.load([0], 8)


def test_unlabelled_images_are_kept_on_purpose(folder: Path):
    table_of(folder, "path,label\na/0.png,x\na/2.png,\nb/1.png,y\n")
    with pytest.raises(AliError, match="1 of 3 rows have an empty label"):
        open_images(folder)
    images = open_images(folder, unlabelled="keep")
    assert images.labels.tolist() == [0, -1, 1]
    assert images.counts.tolist() == [1, 1]
    assert images.without_classes(["x"]).labels.tolist() == [-1, 0]
    assert "1 unlabelled" in repr(images)


def test_what_was_read_is_told_in_a_line(annotated: Path):
    images = open_images(annotated, label="cell_type", group="patient")
    assert repr(images) == ("CellImages(2 images, 2 classes: x 1, y 1; 2 groups; kept as metadata: stain, age, code)")


def test_features_that_name_their_images_are_no_table_of_images(tmp_path: Path):
    names = [f"f{at}" for at in range(64)]
    features = table_of(tmp_path, f"path,label,{','.join(names)}\na.png,x,{','.join(['0.5'] * 64)}\n", "features.csv")
    assert not holds_images(features)
    assert holds_images(table_of(tmp_path, ANNOTATIONS, "annotations.csv"))
    assert holds_images(table_of(tmp_path, "path;label\na.png;x\n", "german.csv"))
    assert not holds_images(table_of(tmp_path, "f0,f1,label\n0.5,0.5,x\n", "cloud.csv"))


def test_a_table_beside_a_single_folder_of_images_is_what_names_the_classes(tmp_path: Path):
    for at in range(4):
        (tmp_path / "imgs").mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "imgs" / f"c{at}.png")
    (tmp_path / "cells.csv").write_text("ID,Diagnosis\nc0,A\nc1,B\nc2,A\nc3,B\n")
    with pytest.raises(
        AliError, match=r"no labels\.csv and no class folders, but the table cells\.csv .*ID, Diagnosis"
    ):
        open_images(tmp_path)
    images = open_images(tmp_path, path="ID", label="Diagnosis")
    assert (images.class_names, images.ids[0]) == (("A", "B"), "imgs/c0.png")
