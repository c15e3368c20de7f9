"""``ali replay`` of sessions with branches, skipped and dragged steps, beside their embedding."""

import numpy as np
import pytest

from ali_core import LabelledEmbedding, ManualStep, Session
from ali_core.cli.app import run
from tests.ali_core.interventions.histories import cells


@pytest.fixture
def folder(tmp_path):
    session = Session(LabelledEmbedding.load(cells().save(tmp_path / "cells.npz")))
    session.run(4)
    session.undo()
    session.apply(ManualStep(classes=("band",), displacement=(0.1, 0.2, -1 / 3, 0.0)))
    session.toggle(2)
    session.save(tmp_path / "session.json")
    session.after.save(tmp_path / "after" / "expected.npz")
    return tmp_path


def test_the_embedding_beside_the_session_is_found_and_checked(folder, capsys):
    assert run(["replay", str(folder / "session.json"), "--out", str(folder / "after" / "moved.npz")]) == 0
    text = capsys.readouterr().out
    fingerprint = LabelledEmbedding.load(folder / "cells.npz").fingerprint
    assert f"cells.npz is the embedding it was recorded on (SHA-256 {fingerprint[:16]}…)" in text
    assert "replayed 4 steps, 1 of them skipped" in text
    expected = LabelledEmbedding.load(folder / "after" / "expected.npz").vectors
    np.testing.assert_array_equal(LabelledEmbedding.load(folder / "after" / "moved.npz").vectors, expected)


def test_another_embedding_in_its_place_is_refused(folder, capsys):
    cells(seed=1).save(folder / "cells.npz")
    assert run(["replay", str(folder / "session.json"), "--out", str(folder / "moved.npz")]) == 1
    assert "another embedding" in capsys.readouterr().err
    assert not (folder / "moved.npz").exists()
    (folder / "cells.npz").unlink()
    assert run(["replay", str(folder / "session.json"), "--out", str(folder / "moved.npz")]) == 1
    assert "it holds none" in capsys.readouterr().err
