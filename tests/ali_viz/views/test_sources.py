"""What a Studio may be given."""

import sys
from types import ModuleType

import numpy as np
import pytest

from ali_core import AliError, Session
from ali_viz.views.sources import open_session, open_source
from tests.ali_viz.studio.clouds import cloud


@pytest.fixture
def folder(tmp_path):
    cloud().save(tmp_path / "embedding.npz")
    return tmp_path


def saved_session(folder, name="embedding.npz"):
    from ali_core import LabelledEmbedding

    session = Session(LabelledEmbedding.load(folder / name))
    session.run(2)
    session.save(folder / "session.json")
    return session


def test_a_session_is_taken_as_it_is():
    session = Session(cloud())
    assert open_session(session) is session
    assert open_session(session.embedding).embedding is session.embedding


def test_a_file_or_folder_with_an_embedding(folder):
    assert len(open_session(folder / "embedding.npz").embedding) == 100
    assert len(open_session(str(folder)).embedding) == 100


def test_a_session_file_or_folder_with_one_is_replayed(folder):
    session = saved_session(folder)
    for source in (folder, folder / "session.json"):
        opened = open_session(source)
        assert opened.cursor == 2
        assert np.array_equal(opened.after.vectors, session.after.vectors)


def test_a_session_finds_the_embedding_it_names(tmp_path):
    cloud().save(tmp_path / "cells.npz")
    cloud(seed=9).save(tmp_path / "other.npz")
    saved_session(tmp_path, "cells.npz")
    assert open_session(tmp_path / "session.json").cursor == 2


def test_what_cannot_be_opened_is_said_in_one_line(tmp_path):
    np.savez(tmp_path / "nan.npz", vectors=np.full((4, 2), np.nan), labels=np.array([0, 0, 1, 1]))
    (tmp_path / "empty").mkdir()
    for source in (tmp_path / "nan.npz", tmp_path / "empty", tmp_path / "missing.npz", 7):
        with pytest.raises(AliError) as caught:
            open_session(source)
        assert "\n" not in str(caught.value)


def test_nobody_waits_for_torch_who_has_no_training(monkeypatch):
    session = Session(cloud())
    monkeypatch.setitem(sys.modules, "ali_core.training", ModuleType("only its settings are there"))
    monkeypatch.delitem(sys.modules, "ali_core.training.loop", raising=False)
    assert open_source(session)[0] is session
