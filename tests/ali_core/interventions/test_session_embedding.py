"""Which embedding file a session means."""

import json

import numpy as np
import pytest

from ali_core import AliError, LabelledEmbedding, Session, preset
from ali_core.interventions import session_embedding
from tests.ali_core.interventions.histories import cells


def recorded(folder, name):
    path = cells().save(folder / name)
    return Session(LabelledEmbedding.load(path)).save(folder / "session.json")


def test_the_file_that_the_session_names(tmp_path):
    cells(seed=1).save(tmp_path / "embedding.npz")
    assert session_embedding(recorded(tmp_path, "cells.npz")) == tmp_path / "cells.npz"


def test_else_the_usual_one_else_the_only_one(tmp_path):
    path = recorded(tmp_path, "cells.npz")
    (tmp_path / "cells.npz").rename(tmp_path / "moved.npz")
    assert session_embedding(str(path)) == tmp_path / "moved.npz"
    cells(seed=1).save(tmp_path / "embedding.npz")
    assert session_embedding(path) == tmp_path / "embedding.npz"


def test_which_of_several_or_none_is_asked(tmp_path):
    path = recorded(tmp_path, "cells.npz")
    (tmp_path / "cells.npz").unlink()
    with pytest.raises(AliError, match="it holds none"):
        session_embedding(path)
    for name in ("a.npz", "b.npz"):
        cells().save(tmp_path / name)
    with pytest.raises(AliError, match=r"it holds a\.npz, b\.npz"):
        session_embedding(path)


@pytest.mark.parametrize(
    "name", ["../secret.npz", "/secret.npz", "in/cells.npz", "..", "a\0b", "c:secret.npz", "x" * 5000]
)
def test_a_session_opens_nothing_outside_its_folder(tmp_path, name):
    (tmp_path / "in").mkdir()
    cells().save(tmp_path / "secret.npz")
    path = recorded(tmp_path / "in", "cells.npz")
    content = json.loads(path.read_text())
    content["embedding"]["file"] = name
    path.write_text(json.dumps(content))
    with pytest.raises(AliError, match="must be the name of a file beside it") as told:
        session_embedding(path)
    assert len(str(told.value)) < 300


def test_a_session_recorded_on_the_same_numbers_in_float64_is_replayed_on_those(tmp_path, rng):
    vectors, labels = rng.normal(size=(40, 3)).astype(np.float32), np.arange(40) % 4
    first = Session(LabelledEmbedding(vectors.astype(np.float64), labels), preset("c,s", dim=3))
    first.run(5)
    first.save(tmp_path / "session.json")
    again = Session.load(tmp_path / "session.json", LabelledEmbedding(vectors, labels))
    np.testing.assert_array_equal(again.after.vectors, first.after.vectors)
    assert again.after.vectors.dtype == np.float64
