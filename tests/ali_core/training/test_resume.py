"""A run that was stopped goes on as if nothing had happened."""

import numpy as np
import pandas as pd
import pytest

from ali_core import AliError, LabelledEmbedding, Session
from ali_core.networks import load_feature_net
from ali_core.training import TrainSettings, epochs, train
from ali_core.training.history import COLUMNS, TIMES
from tests.ali_core.training.samples import features, small
from tests.killing import run_killed

DATA = features()
EQUAL = ("epochs.csv", "parts.csv", "classes.csv", "confusion.csv", "result.json", "settings.toml")


@pytest.mark.parametrize("method", ["tml", "ali", "pali", "ce", "proxyanchor"])
def test_stopped_between_epochs_it_arrives_at_the_same_numbers(tmp_path, method):
    settings = small(method=method, class_weights=True)
    straight = train(DATA, settings, out=tmp_path / "straight")
    for stop in (0, 1, 3):
        with epochs(DATA, settings, out=tmp_path / "stopped", resume=True) as training:
            for state in training:
                if state.epoch >= stop:
                    break
    result = train(DATA, settings, out=tmp_path / "stopped", resume=True)
    pd.testing.assert_frame_equal(result.table, straight.table)
    assert np.array_equal(result.embedding.vectors, straight.embedding.vectors)
    for name in EQUAL:
        assert (tmp_path / "stopped" / name).read_text() == (tmp_path / "straight" / name).read_text(), name


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ali", "pali"])
def test_killed_at_random_moments_it_arrives_at_the_same_numbers(tmp_path, method):
    run_killed("training/kill_script.py", tmp_path, method, "1")
    for name in EQUAL:
        assert (tmp_path / "killed" / name).read_text() == (tmp_path / "straight" / name).read_text(), name
    for place in ("straight", "killed"):
        left = {path.name for path in (tmp_path / place).rglob("*") if path.name.startswith(".")}
        assert place == "killed" or not left
    straight, killed = (LabelledEmbedding.load(tmp_path / place / "embedding.npz") for place in ("straight", "killed"))
    assert straight.fingerprint == killed.fingerprint
    sessions = sorted((tmp_path / "straight" / "interventions").iterdir())
    assert len(sessions) == 10
    for path in sessions:
        assert (tmp_path / "killed" / "interventions" / path.name).read_text() == path.read_text()


def test_a_finished_run_is_told_again_without_training(tmp_path):
    first = train(DATA, small(), out=tmp_path)
    calls = []
    again = train(DATA, small(), out=tmp_path, resume=True, progress=lambda *at: calls.append(at))
    assert calls == []
    assert again.scores.row() == first.scores.row()


def test_more_epochs_may_be_asked_for(tmp_path):
    train(DATA, small(max_epochs=2), out=tmp_path / "run")
    longer = train(DATA, small(max_epochs=4), out=tmp_path / "run", resume=True)
    pd.testing.assert_frame_equal(longer.table, train(DATA, small(max_epochs=4)).table)


def test_a_folder_with_a_run_is_never_overwritten(tmp_path):
    train(DATA, small(), out=tmp_path)
    before = (tmp_path / "epochs.csv").read_text()
    with pytest.raises(AliError, match="holds a run already; continue it with --resume"):
        train(DATA, small(), out=tmp_path)
    with pytest.raises(AliError, match=r"other settings \(learning_rate was 0.01, seed was 0\)"):
        train(DATA, small(learning_rate=0.02, seed=3), out=tmp_path, resume=True)
    with pytest.raises(AliError, match="holds a run on other data"):
        train(features(seed=8), small(), out=tmp_path, resume=True)
    assert (tmp_path / "epochs.csv").read_text() == before


@pytest.mark.parametrize("damage", ["last.json", "run.json", "checkpoint"])
def test_damaged_files_are_named(tmp_path, damage):
    train(DATA, small(), out=tmp_path)
    path = next((tmp_path / "checkpoints").glob("epoch-*")) if damage == "checkpoint" else tmp_path / damage
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(AliError, match=path.name):
        train(DATA, small(), out=tmp_path, resume=True)


def test_what_a_run_leaves_behind(tmp_path):
    settings = small(keep_embeddings=True)
    result = train(DATA, settings, out=tmp_path)
    assert TrainSettings.read(tmp_path / "settings.toml") == settings
    assert list(pd.read_csv(tmp_path / "epochs.csv")) == list(COLUMNS)
    assert list(pd.read_csv(tmp_path / "timing.csv")) == list(TIMES)
    parts = pd.read_csv(tmp_path / "parts.csv", dtype=str)
    assert parts.id.tolist() == DATA.sample_names.tolist()
    assert parts.part.value_counts().to_dict().keys() == {"train", "validation", "test"}
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        f"best-{result.epoch:04d}.safetensors",
        "epoch-0004.safetensors",
    ]
    net = load_feature_net(tmp_path / "network.safetensors")
    import torch

    with torch.inference_mode():
        vectors = net(torch.tensor(DATA.vectors)).numpy()
    np.testing.assert_allclose(vectors, LabelledEmbedding.load(tmp_path / "embedding.npz").vectors, atol=1e-6)
    for epoch in range(4):
        embedding = LabelledEmbedding.load(tmp_path / "embeddings" / f"epoch-{epoch:04d}.npz")
        session = Session.load(tmp_path / "interventions" / f"epoch-{epoch:04d}.json", embedding)
        assert session.cursor == 25
    confusion = pd.read_csv(tmp_path / "confusion.csv")
    test = confusion[confusion.part == "test"]
    assert test.n.sum() == (parts.part == "test").sum()
    right = test[test.true == test.predicted].set_index("true").n
    f1 = 2 * right / (test.groupby("true").n.sum() + test.groupby("predicted").n.sum())
    assert f1.mean() == pytest.approx(result.scores.test.macro_f1)
