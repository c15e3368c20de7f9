"""Which embedding file a session means."""

import pytest

from ali_core import AliError, LabelledEmbedding, Session
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
