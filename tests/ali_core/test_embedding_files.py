"""Every format that is written gives everything back; every one that is read is in the table."""

import numpy as np
import pandas as pd
import pytest

from ali_core import AliError, LabelledEmbedding
from ali_core.embedding_files import FORMATS, READ, WRITTEN, format_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def full(rng):
    """Everything that an embedding can hold: an order that is not natural, a colour, a split, metadata, a gap."""
    return LabelledEmbedding(
        rng.normal(size=(6, 3)).astype(np.float32),
        ["stage 10", "stage 2", None, "stage 2", "stage 10", "blast"],
        ("stage 10", "blast", "stage 2"),
        ids=[f"slide7/cell_{i}.tif" for i in range(6)],
        groups=list("aabbcc"),
        split=["train", "train", "test", "train", "test", "train"],
        metadata=pd.DataFrame(
            {"stain": list("xyxyxy"), "area": np.linspace(0, 1, 6), "row": np.arange(6), "label2": "z"}
        ),
        colours={"blast": "#AA0000"},
        unlabelled="keep",
    )


@pytest.mark.parametrize("suffix", WRITTEN)
def test_all_that_is_known_of_samples_is_saved_and_read(full, tmp_path, suffix):
    again = LabelledEmbedding.load(full.save(tmp_path / f"e{suffix}"), unlabelled="keep")
    np.testing.assert_allclose(again.vectors, full.vectors, rtol=1e-6)
    assert again.class_names == full.class_names
    assert again.labels.tolist() == [0, 2, -1, 2, 0, 1]
    assert again.ids.tolist() == full.ids.tolist()
    assert again.groups.tolist() == full.groups.tolist()
    assert again.split.tolist() == full.split.tolist()
    assert again.colours == {"blast": "#aa0000"}
    pd.testing.assert_frame_equal(
        again.metadata.astype({"stain": object, "label2": object}),
        full.metadata.astype({"stain": object, "label2": object}),
        check_dtype=False,
    )
    assert list(again.metadata) == list(full.metadata)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_without_ids_there_are_none_after_reading(tmp_path, suffix, rng):
    bare = LabelledEmbedding(rng.normal(size=(4, 2)), list("abab"))
    again = LabelledEmbedding.load(bare.save(tmp_path / f"e{suffix}"))
    assert again.ids is None
    assert again.sample_names.tolist() == ["0", "1", "2", "3"]
    assert again.metadata is None


def test_metadata_in_npz_is_exact_and_no_pickle(full, tmp_path):
    path = full.save(tmp_path / "e.npz")
    with np.load(path, allow_pickle=False) as archive:
        assert all(not archive[name].dtype.hasobject for name in archive.files)
    assert LabelledEmbedding.load(path).unlabelled == "keep"  # the archive says so itself
    pd.testing.assert_frame_equal(LabelledEmbedding.load(path).metadata, full.metadata)


def test_subsets_keep_rows_and_what_belongs_to_them(full):
    part = full.subset(full.labels != 0)
    assert part.metadata["row"].tolist() == [1, 2, 3, 5]
    assert part.split.tolist() == ["train", "test", "train", "train"]
    bare = LabelledEmbedding(full.vectors, list("ababab")).subset([4, 1]).subset([1, 0])
    assert (bare.ids, bare.sample_names.tolist()) == (None, ["1", "4"])
    rest = full.without_classes(["stage 10"])
    assert (rest.class_names, rest.labels.tolist()) == (("blast", "stage 2"), [1, -1, 1, 0])
    assert rest.colours == {"blast": "#aa0000"}


def test_each_format_is_one_entry_and_the_first_that_fits_counts(tmp_path):
    assert len(set(READ)) == len(FORMATS)
    assert format_of(tmp_path / "CELLS.CSV.GZ").suffix == ".csv.gz"
    assert format_of(tmp_path / "cells.pkl") is None
    (tmp_path / "cells.pkl").write_bytes(b"")
    with pytest.raises(AliError, match=r"read from \.npz, \.csv, .*got '\.pkl'"):
        LabelledEmbedding.load(tmp_path / "cells.pkl")
    with pytest.raises(AliError, match=r"written to \.npz"):
        LabelledEmbedding(np.eye(2), ["a", "b"]).save(tmp_path / "cells.npy")
