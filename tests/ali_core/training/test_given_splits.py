"""A split that comes with the data is the one that is used, and samples without a class take no part."""

import json

import numpy as np
import pandas as pd
import pytest

from ali_core import AliError, LabelledEmbedding
from ali_core.training import TrainSettings, train

N = 120
SETTINGS = TrainSettings(method="tml", max_epochs=1, width=3, device="cpu")


@pytest.fixture
def data(rng):
    codes = np.arange(N) % 3
    names = np.array(["a", "b", "c"], dtype=object)[codes]
    names[::10] = None
    return LabelledEmbedding(
        rng.normal(size=(N, 5)) + 3 * np.eye(3, 5)[codes],
        names,
        split=np.array(["train", "train", "test", "validation"])[np.arange(N) // 3 % 4],
        metadata=pd.DataFrame({"row": np.arange(N)}),
        colours={"a": "#112233"},
        unlabelled="keep",
    )


def test_the_parts_are_those_given_and_the_result_says_so(data, tmp_path):
    train(data, SETTINGS, out=tmp_path / "run")
    parts = pd.read_csv(tmp_path / "run" / "parts.csv", keep_default_na=False)["part"]
    assert parts.tolist() == np.where(data.labelled, data.split, "").tolist()
    for name in ("run.json", "result.json"):
        assert json.loads((tmp_path / "run" / name).read_text())["split"] == "the split that is given"
    assert json.loads((tmp_path / "run" / "run.json").read_text())["data"]["colours"] == data.colours
    embedding = LabelledEmbedding.load(tmp_path / "run" / "embedding.npz")
    assert embedding.labels.tolist() == data.labels.tolist()
    assert embedding.metadata["row"].tolist() == list(range(N))
    assert (embedding.colours, embedding.ids) == ({"a": "#112233"}, None)


def test_another_split_of_the_same_data_is_other_data(data, tmp_path):
    train(data, SETTINGS, out=tmp_path / "run")
    swapped = np.where(data.split == "test", "validation", np.where(data.split == "validation", "test", "train"))
    other = LabelledEmbedding(data.vectors, data.labels, data.class_names, split=swapped, unlabelled="keep")
    assert other.fingerprint == data.fingerprint
    with pytest.raises(AliError, match="or split otherwise"):
        train(other, SETTINGS.changed(max_epochs=2), out=tmp_path / "run", resume=True)
    with pytest.raises(AliError, match="trained with other split"):
        train(other, SETTINGS.changed(start=tmp_path / "run"))


def test_there_is_one_fold_only(data):
    with pytest.raises(AliError, match="fold must be below 1, because the split that is given is used; got 2"):
        train(data, SETTINGS.changed(fold=2))
