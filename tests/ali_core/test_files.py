"""Files are whole or absent, and what killed processes have left is removed."""

import os
import subprocess
import sys

import pytest

from ali_core.files import HOST, atomic_path


def _fails(file):
    with atomic_path(file) as temporary:
        temporary.write_text("tw")
        raise OSError("half")


def test_a_file_is_whole_or_as_it_was(tmp_path):
    file = tmp_path / "a.txt"
    with atomic_path(file) as temporary:
        temporary.write_text("one")
        assert not file.exists()
    with pytest.raises(OSError, match="half"):
        _fails(file)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "one"}


def test_leftovers_of_dead_processes_are_swept_and_nothing_else(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    file = tmp_path / "a.txt"
    dead, alive, elsewhere = f".ali-{HOST}-{ended.pid}-", f".ali-{HOST}-{os.getpid()}-", f".ali-00000000-{ended.pid}-"
    names = (
        f".b{dead}x.txt",
        f".a{dead}x.csv",
        ".a-abcdefgh.txt",
        f".a{alive}x.txt",
        f".a{elsewhere}x.txt",
        ".a.ali-x.txt",
    )
    old = [tmp_path / name for name in (*names, f".a{dead}left.txt")]
    new = tmp_path / f".a{dead}new.txt"
    for path in (*old, new):
        path.write_text("part")
    for path in old:
        os.utime(path, (1e9, 1e9))
    (tmp_path / f".a{dead}link.txt").symlink_to(old[0])
    (tmp_path / f".a{dead}folder.txt").mkdir()
    with atomic_path(file) as temporary:
        temporary.write_text("one")
    assert file.read_text() == "one"
    assert not old[-1].exists()
    assert all(path.exists() for path in (*old[:-1], new))
    assert (tmp_path / f".a{dead}link.txt").is_symlink()
    assert (tmp_path / f".a{dead}folder.txt").is_dir()
