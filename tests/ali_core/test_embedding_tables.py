"""Tables and frames as people have them: what is a dimension, what is a name, what is kept."""

import numpy as np
import pandas as pd
import pytest

from ali_core import AliError, LabelledEmbedding, embedding_tables

N = 12


@pytest.fixture
def frame(rng):
    table = pd.DataFrame(rng.normal(size=(N, 3)), columns=["f0", "f1", "f2"])
    table["label"] = ["a", "b"] * (N // 2)
    return table


def through(table, door, tmp_path, **columns):
    """Read a frame by one of the three doors that must agree."""
    if door == "frame":
        return LabelledEmbedding.from_frame(table, **columns)
    path = tmp_path / f"t.{door}"
    if door == "csv":
        table.to_csv(path, index=not isinstance(table.index, pd.RangeIndex))
    else:
        table.to_parquet(path)
    return LabelledEmbedding.load(path, **columns)


doors = pytest.mark.parametrize("door", ["csv", "parquet", "frame"])


@doors
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("labels", np.arange(N) % 2),
        ("Patient", np.arange(N) // 2 + 0.5),
        ("sampleID", np.arange(N) * 1.5 + 3),
        ("fold", np.arange(N) % 3),
        ("is_train", np.arange(N) % 2 == 0),
        ("n_cells", np.arange(N)),
        ("stain", "MGG"),
        ("batch_index", np.linspace(0, 1, N)),
    ],
)
def test_what_is_said_about_samples_is_metadata_and_no_dimension(frame, tmp_path, door, name, values):
    found = through(frame.assign(**{name: values}), door, tmp_path)
    np.testing.assert_allclose(found.vectors, frame[["f0", "f1", "f2"]])
    kept = [*(found.metadata if found.metadata is not None else ())]
    assert kept == [name] or found.ids is not None
    assert "3 dimensions (f0 … f2); label label" in found.read_as


@doors
@pytest.mark.parametrize("name", ["id", "barcode", None])
def test_a_named_index_or_one_of_text_is_the_ids(frame, tmp_path, door, name):
    names = [f"slide7/cell_{i:02d}.tif" for i in range(N)]
    found = through(frame.set_axis(pd.Index(names, name=name)), door, tmp_path)
    assert found.ids.tolist() == names
    assert found.metadata is None


@doors
def test_a_plain_index_is_no_ids(frame, tmp_path, door):
    for table in (frame, frame.iloc[::-1]):
        found = through(table, door, tmp_path)
        assert found.ids is None
        assert (found.dim, found.metadata) == (3, None)


@doors
def test_vectors_may_be_named_dropped_and_filtered(frame, tmp_path, door):
    table = frame.assign(g0=np.arange(N), g1=1, weight=0.5, site=["x", "y", "x"] * 4)
    assert through(table, door, tmp_path, vectors="g*").vectors.tolist() == [[i, 1] for i in range(N)]
    assert through(table, door, tmp_path, vectors=["f2", "g0"]).dim == 2
    assert through(table, door, tmp_path).dim == 4
    dropped = through(table, door, tmp_path, drop=["weight"])
    assert (dropped.dim, list(dropped.metadata)) == (3, ["g0", "g1", "site"])
    assert len(through(table, door, tmp_path, where=("site", "x"))) == 8
    for columns, message in (
        ({"vectors": "h*"}, r"no column 'h\*' for vectors; it has f0 … f2"),
        ({"vectors": "site"}, r"column 'site' \(text\) cannot be a dimension"),
        ({"where": ("site", "z")}, "no row with site = 'z'; values there: x, y"),
        ({"label": "klass"}, "no column 'klass' for label"),
    ):
        with pytest.raises(AliError, match=message):
            through(table, door, tmp_path, **columns)


@doors
@pytest.mark.parametrize("role", ["label", "group", "id"])
def test_gaps_are_an_error_that_names_the_first_row(frame, tmp_path, door, role):
    values = [f"v{i // 2 if role != 'id' else i}" if i % 3 else None for i in range(N)]
    with pytest.raises(
        AliError, match=rf"4 of 12 rows have an empty {role} \(first: {'line 2' if door == 'csv' else 'row 0'}"
    ):
        through(frame.assign(**{role: values}), door, tmp_path)


@doors
def test_unlabelled_samples_are_kept_where_it_is_said(frame, tmp_path, door):
    found = through(frame.assign(label=["a", None, "b"] * 4), door, tmp_path, unlabelled="keep")
    assert found.labels.tolist() == [0, -1, 1] * 4
    assert (found.counts.tolist(), found.class_names, found.labelled.sum()) == ([4, 4], ("a", "b"), 8)
    assert "4 unlabelled" in repr(found)


@doors
def test_splits_are_taken_where_they_are_some(frame, tmp_path, door):
    parts = ["Train", "val", "TEST"] * 4
    assert through(frame.assign(split=parts), door, tmp_path).split[:3].tolist() == ["train", "validation", "test"]
    folds = through(frame.assign(cv=np.arange(N) % 3 + 1), door, tmp_path, split="cv")
    assert folds.split[:3].tolist() == ["0", "1", "2"]
    other = through(frame.assign(split=["left", "right"] * 6), door, tmp_path)
    assert (other.split, list(other.metadata)) == (None, ["split"])
    with pytest.raises(AliError, match="column 'split' says left, right; a split says train, validation or test"):
        through(frame.assign(split=["left", "right"] * 6), door, tmp_path, split="split")


@pytest.mark.parametrize("as_list", [list, np.asarray])
def test_a_column_of_lists_is_the_vectors(tmp_path, rng, as_list):
    vectors = rng.normal(size=(N, 5)).astype(np.float32)
    table = pd.DataFrame({"emb": [as_list(row) for row in vectors], "kind": list("ab") * 6, "area": rng.random(N)})
    for found in (through(table, door, tmp_path, label="kind") for door in ("parquet", "frame")):
        np.testing.assert_allclose(found.vectors, vectors, rtol=1e-6)
        assert list(found.metadata) == ["area"]
    table["other"] = table["emb"]
    with pytest.raises(AliError, match=r"several columns of lists \(emb, other\)"):
        through(table, "parquet", tmp_path, label="kind")
    assert through(table, "parquet", tmp_path, label="kind", vectors="other").dim == 5
    table["emb"] = [row[: 2 + at % 2] for at, row in enumerate(table["emb"])]
    with pytest.raises(AliError, match="different lengths"):
        through(table.drop(columns="other"), "parquet", tmp_path, label="kind")


def test_fixed_size_lists_of_arrow_are_read(tmp_path, rng):
    import pyarrow as pa
    from pyarrow import parquet

    vectors = rng.normal(size=(N, 4))
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 4)
    parquet.write_table(pa.table({"v": lists, "label": list("ab") * 6}), tmp_path / "t.parquet")
    np.testing.assert_array_equal(LabelledEmbedding.load(tmp_path / "t.parquet").vectors, vectors)


def test_whole_numbers_in_a_series_of_floats_are_dimensions_of_a_text_table(tmp_path):
    """R writes 0 for 0.0, and a dead feature is 0 in every row."""
    rows = "".join(f"{i / 7:.3f},0,{i % 3},{'ab'[i % 2]},{i}\n" for i in range(N))
    (tmp_path / "t.csv").write_text("f0,f1,f2,label,n\n" + rows)
    found = LabelledEmbedding.load(tmp_path / "t.csv")
    assert (found.dim, list(found.metadata)) == (3, ["n"])


def test_numbers_that_turn_into_fractions_far_below_are_read_exactly(tmp_path, rng):
    """The types of columns follow from the first 4 MiB; here the fractions come after them."""
    n, text = 100_000, "x" * 40
    rows = [f"{i},{i % 7},{'ab'[i % 2]},{text}" for i in range(n)]
    rows[-1] = f"0.1,{0.1 + 0.2!r},a,{text}"
    (tmp_path / "t.csv").write_text("f0,f1,label,note\n" + "\n".join(rows) + "\n")
    found = LabelledEmbedding.load(tmp_path / "t.csv", vectors=["f0", "f1"])
    assert found.vectors[-1].tolist() == [0.1, 0.1 + 0.2]
    assert len(found) == n


def test_text_in_a_column_of_a_series_is_an_error_and_not_metadata(tmp_path, frame):
    frame["f1"] = frame["f1"].astype(str).where(np.arange(N) != 5, "1.2.3")
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(AliError, match="column 'f1' holds text"):
        LabelledEmbedding.load(tmp_path / "t.csv")


def test_the_class_order_is_the_same_by_every_door(tmp_path, frame):
    y = np.arange(N) % 12
    for door in ("csv", "parquet", "frame"):
        for labels in (y, y.astype(float), y.astype(str), pd.Categorical(y), pd.Categorical(y.astype(str))):
            found = through(frame.assign(label=labels), door, tmp_path)
            assert found.class_names == tuple(map(str, range(12)))
    stages = ["promyelocyte", "myelocyte", "band"]
    ordered = pd.Categorical(np.array(stages)[y % 3], categories=[*stages, "unused"], ordered=True)
    assert through(frame.assign(label=ordered), "parquet", tmp_path).class_names == tuple(stages)
    assert through(frame.assign(label=ordered), "frame", tmp_path).class_names == tuple(stages)
    assert through(frame.assign(label=ordered), "csv", tmp_path, classes=stages).class_names == tuple(stages)
    with pytest.raises(AliError, match="label 'band' is not among the classes given"):
        through(frame.assign(label=ordered), "csv", tmp_path, classes=stages[:2])


def test_several_columns_of_one_name_are_refused(frame, tmp_path):
    with pytest.raises(AliError, match="several columns of the frame are called 'f0'"):
        LabelledEmbedding.from_frame(pd.concat([frame, frame[["f0"]]], axis=1))
    (tmp_path / "t.csv").write_text("f0,f0,label\n0.5,1,a\n0.5,1,b\n")
    with pytest.raises(AliError, match="several columns are called 'f0'"):
        LabelledEmbedding.load(tmp_path / "t.csv")


def test_german_excel_tables_are_read(frame, tmp_path):
    frame["label"] = ["Blast ", "Monozyt (groß)"] * (N // 2)
    frame.loc[0, "label"] = "Blast"
    frame.to_csv(tmp_path / "t.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    found = LabelledEmbedding.load(tmp_path / "t.csv")
    np.testing.assert_allclose(found.vectors, frame[["f0", "f1", "f2"]])
    assert found.class_names == ("Blast", "Monozyt (groß)")
    assert found.read_as.endswith("(separated by semicolons, decimal commas, encoded in cp1252)")


def test_a_text_file_with_tabs_is_read(frame, tmp_path):
    frame.to_csv(tmp_path / "t.txt", index=False, sep="\t")
    np.testing.assert_allclose(LabelledEmbedding.load(tmp_path / "t.txt").vectors, frame[["f0", "f1", "f2"]])


@pytest.mark.parametrize("door", ["parquet", "frame"])
def test_lists_of_texts_are_kept_and_no_vectors(frame, tmp_path, door):
    found = through(frame.assign(tags=[["x", "y"]] * N), door, tmp_path)
    assert (found.dim, list(found.metadata)) == (3, ["tags"])


def test_more_columns_rows_and_pieces_than_are_read_at_a_time(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(embedding_tables, "NUMBERS", 16 * 7)
    n, dim = 40, 37
    vectors = rng.normal(size=(n, dim)).astype(np.float32)
    table = pd.DataFrame(vectors, columns=[f"f{axis}" for axis in range(dim)])
    table["f3"] = table["f3"].round(0).astype("Int64")
    table["label"] = pd.Categorical(list("ab") * (n // 2))
    table.to_parquet(tmp_path / "t.parquet", row_group_size=7)
    found = LabelledEmbedding.load(tmp_path / "t.parquet", vectors="f*")
    np.testing.assert_array_equal(found.vectors, table.drop(columns="label").to_numpy(dtype=np.float64))
    assert found.vectors.dtype == np.float64
    assert found.labels.tolist() == [0, 1] * (n // 2)
    floats = LabelledEmbedding.load(tmp_path / "t.parquet", drop=["f3"]).vectors
    np.testing.assert_array_equal(floats, np.delete(vectors, 3, axis=1), strict=True)
