"""A disk that is full, a folder that cannot be written, a process that is killed: what was saved before is there."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ali_core import LabelledEmbedding, Session
from ali_core.cli.app import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cells(tmp_path):
    labels = np.arange(40) % 2
    vectors = np.random.default_rng(0).normal(size=(40, 4)) + 3 * labels[:, None]
    return LabelledEmbedding(vectors, labels, ("blast", "band")).save(tmp_path / "cells.npz")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("command", ["intervene", "panels"])
def test_a_full_or_read_only_disk_is_one_line_and_loses_nothing(cells, tmp_path, monkeypatch, capsys, command, number):
    def refused(*_):
        raise OSError(number, os.strerror(number))

    out = tmp_path / "out"
    assert run(["intervene", str(cells), "--iterations", "3", "--out", str(out)]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    capsys.readouterr()
    monkeypatch.setattr(Path, "replace", refused)
    given = [str(cells)] if command == "intervene" else [str(out / "session.json"), "--embedding", str(cells)]
    assert run([command, *given, "--out", str(out)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert os.strerror(number) in line
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


SAVE = """
import sys
from ali_core import LabelledEmbedding, Session
embedding = LabelledEmbedding.load(sys.argv[1])
session = Session(embedding)
while True:
    session.run(1)
    session.save(sys.argv[2])
    print(session.cursor, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_process_that_is_killed_while_it_saves_leaves_a_whole_session(cells, tmp_path):
    path = tmp_path / "session.json"
    command = [sys.executable, "-c", SAVE, str(cells), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
        told = [int(process.stdout.readline()) for _ in range(20)]
        process.kill()
    again = Session.load(path, LabelledEmbedding.load(cells))
    assert again.cursor >= told[-1]
