"""Roles of columns, names of classes and groups, given splits: the same answer for every kind of data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ali_core.columns import Columns, class_codes, is_known_name, listed, natural_key, split_parts, whole_names
from ali_core.errors import AliError

TABLE = {f"f{at}": "float64" for at in range(384)} | {"cell_type": "text", "Donor": "text"}


def test_usual_names_are_taken_in_any_case_and_named_ones_win():
    there = {"Label": "text", "labels": "int64", "GROUP": "text", "path": "text", "id": "text", "split": "text"}
    assert Columns().resolve(there, "t.csv") == {
        "label": "Label",
        "group": "GROUP",
        "id": "id",
        "split": "split",
        "path": "path",
    }
    assert Columns(label="labels", drop=["split"]).resolve(there, "t.csv")["label"] == "labels"
    assert "split" not in Columns(drop="split").resolve(there, "t.csv")


def test_a_missing_name_is_answered_with_all_columns_their_types_and_the_option():
    with pytest.raises(AliError) as caught:
        Columns().resolve(TABLE, "cells.csv")
    assert "f0 … f383 (float64), cell_type (text), Donor (text)" in str(caught.value)
    assert "label= (--label-column NAME)" in str(caught.value)
    with pytest.raises(AliError, match=r"no column 'donor' for group; it has f0 … f383 .*--group-column"):
        Columns(label="cell_type", group="donor").resolve(TABLE, "cells.csv")
    with pytest.raises(AliError, match=r"no column 'x' to drop"):
        Columns(drop=["x"]).resolve(TABLE, "cells.csv")


def test_contradictions_are_refused():
    with pytest.raises(AliError, match="different columns"):
        Columns(label="a", group="a")
    with pytest.raises(AliError, match="named and dropped"):
        Columns(label="a", drop=["a"])
    with pytest.raises(AliError, match="'refuse' or 'keep'"):
        Columns(unlabelled="drop")  # type: ignore[arg-type]


def test_listed_keeps_the_order_and_shortens_numbered_neighbours_of_one_type():
    there = {"a": "text", "f0": "float64", "f1": "float64", "f2": "float64", "f3": "int64", "g": ""}
    assert listed(there) == "a (text), f0 … f2 (float64), f3 (int64), g"
    assert listed({}) == "nothing"


@pytest.mark.parametrize(
    "name",
    [
        *("id", "cell_id", "CellID", "sampleId", "label", "labels", "Classes", "group", "patient", "Patients", "batch"),
        *("fold", "fold_index", "is_train", "path", "image_path", "index", "idx", "Unnamed:_0", "split", "slide"),
    ],
)
def test_what_is_said_about_samples_is_known(name: str):
    assert is_known_name(name)


@pytest.mark.parametrize("name", ["f0", "x", "y", "PC1", "dim_12", "area", "mean_intensity", "n_counts", "0", "17"])
def test_features_are_not_known(name: str):
    assert not is_known_name(name)


def test_names_are_stripped_and_whole_numbers_are_written_without_a_point():
    assert whole_names(np.array([1.0, 2.0, 10.0]), "group", "t").tolist() == ["1", "2", "10"]
    assert whole_names(np.array([" 1.0", "1", "b "]), "label", "t").tolist() == ["1", "1", "b"]
    assert whole_names(np.array(["1.0", "007"]), "group", "t").tolist() == ["1.0", "007"]  # text of a group stays
    assert whole_names(np.array([True, False]), "label", "t").tolist() == ["True", "False"]


@pytest.mark.parametrize("gap", [None, float("nan"), pd.NA, pd.NaT, "", "  ", "nan"])
@pytest.mark.parametrize("role", ["label", "group", "id"])
def test_missing_names_are_counted_and_the_first_is_told(gap: object, role: str):
    values = np.array(["a", gap, "b", gap], dtype=object)
    with pytest.raises(AliError, match=rf"t.csv: 2 of 4 rows have an empty {role} \(first: line 3\)"):
        whole_names(values, role, "t.csv", first_line=2)
    assert whole_names(values, role, "t.csv", keep_missing=True).tolist() == ["a", "", "b", ""]


def test_na_of_r_is_no_patient_and_may_be_a_class():
    assert whole_names(np.array(["NA", "x"]), "label", "t").tolist() == ["NA", "x"]
    with pytest.raises(AliError, match=r"1 of 2 rows have an empty group \(first: row 0\)"):
        whole_names(np.array(["NA", "x"]), "group", "t")


def test_classes_are_numbered_in_natural_order_or_in_the_order_given():
    codes, names = class_codes(np.array(["10", "2", "", "-1", "2"]))
    assert (codes.tolist(), names) == ([2, 1, -1, 0, 1], ("-1", "2", "10"))
    assert class_codes(np.array(["stage 10", "stage 2", "b"]))[1] == ("b", "stage 2", "stage 10")
    assert class_codes(np.array(["b", "a"]), ["c", "b", "a"])[0].tolist() == [1, 2]
    with pytest.raises(AliError, match="label 'b' is not among the classes given"):
        class_codes(np.array(["b", "a"]), ["a"])
    with pytest.raises(AliError, match="must differ"):
        class_codes(np.array(["a"]), ["a", " a"])


@given(st.lists(st.integers(-500, 500), unique=True, min_size=1))
def test_numbers_sort_by_size_whatever_is_before_them(numbers: list[int]):
    assert [int(name) for name in sorted(map(str, numbers), key=natural_key)] == sorted(numbers)
    named = sorted((f"c{abs(number)}" for number in numbers), key=natural_key)
    assert [int(name[1:]) for name in named] == sorted(abs(number) for number in numbers)


@pytest.mark.parametrize(
    ("given_names", "parts"),
    [
        (["Train", "TestA", "TestB"], ["train", "test", "test"]),
        (["training", "val", "dev", "test_2"], ["train", "validation", "validation", "test"]),
        (["3", "1", "12"], ["1", "0", "2"]),
        (["fold_0", "fold_1"], ["0", "1"]),
    ],
)
def test_splits_have_one_spelling(given_names: list[str], parts: list[str]):
    found = split_parts(np.array(given_names))
    assert found is not None
    assert found.tolist() == parts


@pytest.mark.parametrize("names", [["a", "b"], ["train", "blast"], ["train", "3"]])
def test_other_names_are_no_split(names: list[str]):
    assert split_parts(np.array(names)) is None
