"""What lies beside a run, or behind a link in it, is never touched; one process trains in a folder at a time."""

import numpy as np
import pytest

from ali_core import AliError, LabelledEmbedding
from ali_core.training import TrainSettings, epochs, train

SETTINGS = TrainSettings(method="tml", width=4, max_epochs=1, patience=0, n_folds=3)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    return LabelledEmbedding((rng.normal(size=(3, 6))[labels] + 0.1 * rng.normal(size=(90, 6))), labels)


def test_files_of_others_stay_and_links_are_refused(data, tmp_path):
    run, other = tmp_path / "run", tmp_path / "somebody"
    train(data, SETTINGS, out=run)
    checkpoints = run / "checkpoints"
    strangers = {
        checkpoints / name: name
        for name in ("epoch-old.safetensors", "mine.safetensors", ".epoch-0001-abc.safetensors", "best-1.safetensors")
    } | {run / "interventions" / "epoch-last.json": "notes", run / "embeddings" / "epoch-12345.txt": "notes"}
    for path, text in strangers.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    train(data, SETTINGS.changed(max_epochs=2), out=run, resume=True)
    assert all(path.read_text() == text for path, text in strangers.items())
    assert not (checkpoints / "epoch-0001.safetensors").exists()
    checkpoints.rename(other)
    before = {path.name: path.read_bytes() for path in other.iterdir()}
    checkpoints.symlink_to(other)
    with pytest.raises(AliError, match="checkpoints is a link to another place"):
        train(data, SETTINGS.changed(max_epochs=3), out=run, resume=True)
    assert {path.name: path.read_bytes() for path in other.iterdir()} == before


def test_two_do_not_train_in_one_folder_and_a_lock_of_a_dead_process_says_nothing(data, tmp_path):
    with epochs(data, SETTINGS, out=tmp_path / "run") as training:
        next(training)
        with pytest.raises(AliError, match="is being trained by another process"):
            train(data, SETTINGS, out=tmp_path / "run", resume=True)
        next(training)
    (tmp_path / "run" / "in-use.lock").touch()
    train(data, SETTINGS.changed(max_epochs=2), out=tmp_path / "run", resume=True)
