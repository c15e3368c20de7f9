"""A labelled embedding takes what is right and names what is wrong."""

import numpy as np
import pandas as pd
import pytest

from ali_core import AliError, LabelledEmbedding


@pytest.fixture
def embedding(rng):
    labels = np.array(["monocyte", "blast", "blast", "monocyte", "eosinophil"])
    return LabelledEmbedding(
        rng.normal(size=(5, 3)).astype(np.float32),
        labels,
        ids=[f"cell/{i}.png" for i in range(5)],
        groups=list("aabbc"),
    )


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet", ".h5ad"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_format_gives_back_what_was_saved(embedding, tmp_path, suffix):
    path = embedding.save(tmp_path / f"e{suffix}")
    again = LabelledEmbedding.load(path)
    np.testing.assert_allclose(again.vectors, embedding.vectors, rtol=1e-6)
    np.testing.assert_array_equal(again.labels, embedding.labels)
    np.testing.assert_array_equal(again.ids, embedding.ids)
    np.testing.assert_array_equal(again.groups, embedding.groups)
    assert again.class_names == embedding.class_names
    assert again.source == path
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_npz_keeps_every_bit_and_the_names_of_empty_classes(embedding, tmp_path):
    names = (*embedding.class_names, "rare")
    named = LabelledEmbedding(embedding.vectors, embedding.labels, names, description="made up")
    again = LabelledEmbedding.load(named.save(tmp_path / "e.npz"))
    assert again.fingerprint == named.fingerprint
    assert again.counts.tolist() == [2, 1, 2, 0]
    assert again.description == "made up"


def test_the_keys_of_feature_files_are_understood(tmp_path):
    path = tmp_path / "features.npz"
    np.savez(path, X=np.eye(4, dtype=np.float16), y=list("abab"), path=list("pqrs"), group=list("gghh"))
    found = LabelledEmbedding.load(path)
    assert found.vectors.dtype == np.float32
    assert found.class_names == ("a", "b")
    assert found.ids.tolist() == list("pqrs")
    assert found.groups.tolist() == list("gghh")


def test_a_column_y_is_a_dimension_where_there_is_a_label(tmp_path):
    path = tmp_path / "points.csv"
    pd.DataFrame({"x": [0, 1, 2], "y": [5, 6, 7], "label": ["01", "02", "01"]}).to_csv(path, index=False)
    found = LabelledEmbedding.load(path)
    np.testing.assert_array_equal(found.vectors, [[0, 5], [1, 6], [2, 7]])
    assert found.class_names == ("01", "02")


def test_real_features_load(real_data):
    found = LabelledEmbedding.load(real_data / "pbc_dev_features" / "densenet121_160px.npz")
    assert found.vectors.shape == (5964, 1024)
    assert found.counts[found.class_index("eosinophil")] == 1067


@pytest.mark.parametrize(
    ("vectors", "labels", "options", "message"),
    [
        (np.zeros(4), [0, 0, 1, 1], {}, r"shape \(samples, dimensions\).*got \(4,\)"),
        (np.zeros((0, 2)), [], {}, "both at least 1"),
        (np.zeros((4, 0)), [0, 0, 1, 1], {}, "both at least 1"),
        (np.array([["a", "b"]] * 4), [0, 0, 1, 1], {}, "real numbers"),
        (np.zeros((4, 2), complex), [0, 0, 1, 1], {}, "real numbers"),
        (np.array([[0, 1], [np.nan, 1], [0, np.inf], [1, 1.0]]), [0, 0, 1, 1], {}, "2 of 4 rows.*rows 1, 2"),
        (np.zeros((4, 2)), [0, 0, 1], {}, r"shape \(4,\); got \(3,\)"),
        (np.zeros((4, 2)), [0, 0, 0, 0], {}, "at least two classes"),
        (np.zeros((4, 2)), [0.5, 0, 1, 1], {}, "names or whole numbers"),
        (np.zeros((4, 2)), ["a", "", "b", "b"], {}, "1 have none.*row 1"),
        (np.zeros((4, 2)), np.array(["a", None, "b", "b"], object), {}, "1 have none.*row 1"),
        (np.zeros((4, 2)), [0, 0, 1, 2], {"class_names": ("a", "b")}, "codes from 0 to 1.*from 0 to 2"),
        (np.zeros((4, 2)), ["a", "a", "b", "c"], {"class_names": ("a", "b")}, "'c' is not among"),
        (np.zeros((4, 2)), [0, 0, 1, 1], {"class_names": ("a", "a")}, "must differ"),
        (np.zeros((4, 2)), [0, 0, 1, 1], {"ids": list("abca")}, "'a' occurs 2 times"),
        (np.zeros((4, 2)), [0, 0, 1, 1], {"groups": list("abc")}, "groups must be one per sample"),
        (np.zeros((4, 2)), np.zeros(4, "datetime64[s]"), {}, "got the type datetime64"),
    ],
)
def test_what_is_wrong_is_named(vectors, labels, options, message):
    with pytest.raises(AliError, match=message):
        LabelledEmbedding(vectors, labels, **options)


def test_files_that_are_none_are_named(tmp_path):
    with pytest.raises(AliError, match="there is no embedding file"):
        LabelledEmbedding.load(tmp_path / "missing.npz")
    for name, content in {"a.npz": b"nothing", "b.csv": b"\xff\xfe\x00", "c.parquet": b"PAR", "d.h5ad": b"x"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(AliError, match=name):
            LabelledEmbedding.load(tmp_path / name)
    (tmp_path / "e.pkl").write_bytes(b"")
    with pytest.raises(AliError, match=r"got '\.pkl'"):
        LabelledEmbedding.load(tmp_path / "e.pkl")


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "objects.npz"
    np.savez(path, vectors=np.eye(2), labels=np.array(["a", None], dtype=object), allow_pickle=True)
    with pytest.raises(AliError, match="can run code"):
        LabelledEmbedding.load(path)


def test_what_lacks_labels_says_what_it_has(tmp_path):
    np.savez(tmp_path / "e.npz", X=np.eye(2), target=[0, 1])
    with pytest.raises(AliError, match=r"no labels or label or y; it has X \(2, 2\), target \(2,\)"):
        LabelledEmbedding.load(tmp_path / "e.npz")
    (tmp_path / "e.csv").write_text("label,note,n\na,hello,1\nb,you,2\n")
    with pytest.raises(AliError, match=r"no float columns .* it has label \(text\), note \(text\), n \(int64\)"):
        LabelledEmbedding.load(tmp_path / "e.csv")


def test_a_failed_save_leaves_the_old_file(embedding, tmp_path, monkeypatch):
    path = embedding.save(tmp_path / "e.npz")
    content = path.read_bytes()
    monkeypatch.setattr(np.lib.format, "write_array", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        embedding.save(path)
    assert path.read_bytes() == content
    assert len(list(tmp_path.iterdir())) == 1


def test_the_fingerprint_changes_with_any_number(embedding):
    moved = embedding.vectors.copy()
    moved[2, 1] = np.nextafter(moved[2, 1], np.float32(9))
    assert embedding.with_vectors(moved).fingerprint != embedding.fingerprint
    assert embedding.with_vectors(embedding.vectors.copy()).fingerprint == embedding.fingerprint


def test_the_arrays_cannot_be_written_to(embedding):
    with pytest.raises(ValueError, match="read-only"):
        embedding.vectors[0, 0] = 1.0


def test_classes_are_dropped_with_their_names(embedding):
    fewer = embedding.without_classes(["eosinophil"])
    assert fewer.class_names == ("blast", "monocyte")
    assert fewer.labels.tolist() == [1, 0, 0, 1]
    assert fewer.ids.tolist() == embedding.ids[:4].tolist()
    with pytest.raises(AliError, match="blast, eosinophil, monocyte"):
        embedding.without_classes(["neutrophil"])


def test_tables_as_pandas_writes_them(tmp_path):
    table = pd.DataFrame({"x": [0.5, 1, 2], "label": list("aba")})
    table.to_csv(tmp_path / "indexed.csv")
    np.testing.assert_array_equal(LabelledEmbedding.load(tmp_path / "indexed.csv").vectors, [[0.5], [1], [2]])
    (tmp_path / "long.csv").write_text("label,x\na,1,3\nb,2,4\n")
    with pytest.raises(AliError, match=r"long\.csv"):
        LabelledEmbedding.load(tmp_path / "long.csv")
    (tmp_path / "y.csv").write_text("x,y,klass\n1,2,3\n4,5,6\n")
    with pytest.raises(AliError, match=r"no column label or labels; it has x \(int64\), y \(int64\), klass \(int64\)"):
        LabelledEmbedding.load(tmp_path / "y.csv")


def test_an_array_that_is_no_archive_is_named(tmp_path):
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, np.eye(3))
    with pytest.raises(AliError, match=r"array\.npz is not a readable"):
        LabelledEmbedding.load(tmp_path / "array.npz")


def test_writing_to_ones_own_array_does_not_change_the_embedding():
    mine = np.eye(4)
    embedding = LabelledEmbedding(mine, [0, 0, 1, 1])
    mine[0] = 99.0
    np.testing.assert_array_equal(embedding.vectors, np.eye(4))
