"""What an earlier version has written is opened, moves the samples where it moved them, and goes on.

The files in ``earlier`` were written by ``ali intervene`` and ``ali train`` of the commit that ``earlier/run/run.json``
names, before columns could be named.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from ali_core import LabelledEmbedding, Session
from ali_core.networks import embed_features, load_feature_net
from ali_core.training import TrainSettings, train

EARLIER = Path(__file__).with_name("earlier")


def test_a_session_moves_the_samples_where_it_moved_them():
    session = Session.load(EARLIER / "session.json", LabelledEmbedding.load(EARLIER / "cells.npz"))
    after = LabelledEmbedding.load(EARLIER / "after.npz")
    assert len(session.steps) == 4
    np.testing.assert_allclose(session.after.vectors, after.vectors, rtol=1e-5, atol=1e-6)
    assert after.ids.tolist() == session.embedding.ids.tolist()


def test_a_run_goes_on_as_if_it_were_of_today(tmp_path):
    run = Path(shutil.copytree(EARLIER / "run", tmp_path / "run"))
    cells = LabelledEmbedding.load(EARLIER / "cells.npz")
    embedded = embed_features(cells, load_feature_net(run / "network.safetensors"))
    np.testing.assert_allclose(embedded.vectors, LabelledEmbedding.load(run / "embedding.npz").vectors, atol=1e-6)
    settings = TrainSettings.read(run / "settings.toml", max_epochs=3)
    train(cells, settings, out=run, resume=True)
    train(cells, settings, out=tmp_path / "whole")
    resumed, whole = (pd.read_csv(folder / "epochs.csv") for folder in (run, tmp_path / "whole"))
    pd.testing.assert_frame_equal(resumed, whole, rtol=1e-3)
    assert len(resumed) == 4
