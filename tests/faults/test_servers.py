"""Servers end with the process that started them, however that ends, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ali_viz.server import LOCK, private_folder

ROOT = Path(__file__).parents[2]
# Starts a server that tells its own number, as ``ali studio`` starts JupyterLab.
START = """
import os, sys
from ali_viz.server import private_folder, run_server
with private_folder("ali-test-") as folder:
    sys.exit(run_server([sys.executable, "-m", "endless", str(folder)], dict(os.environ)))
"""
SERVER = """
import os, sys, time
from pathlib import Path
Path("server.txt").write_text(f"{os.getpid()} {sys.argv[1]}")
time.sleep(120)
"""


def wait_for(something, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := something()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks the system about processes by files")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_server_ends_when_the_process_that_started_it_is_told_to_end_or_killed(tmp_path, how):
    (tmp_path / "endless.py").write_text(SERVER)
    (tmp_path / "tmp").mkdir()
    own = {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "TMPDIR": str(tmp_path / "tmp")}
    process = subprocess.Popen([sys.executable, "-c", START], env=os.environ | own, cwd=tmp_path)
    try:
        told = tmp_path / "server.txt"
        server, folder = wait_for(lambda: told.exists() and told.read_text().split())
        process.send_signal(how)
        assert process.wait(timeout=30) == (-how if how == signal.SIGKILL else 128 + how)
        wait_for(lambda: is_gone(server))
    finally:
        process.kill()
    assert Path(folder).exists() == (how == signal.SIGKILL)


def test_what_a_killed_process_has_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("ali-test-left", "ali-test-own", "ali-other-left"):
        (tmp_path / name).mkdir()
    (tmp_path / "ali-test-left" / LOCK).touch()
    (tmp_path / "ali-other-left" / LOCK).touch()
    (tmp_path / "ali-test-link").symlink_to(tmp_path / "ali-other-left")
    with private_folder("ali-test-") as first, private_folder("ali-test-") as second:
        assert first.is_dir()
        assert first.stat().st_mode & 0o777 == 0o700
        assert first != second
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"ali-test-own", "ali-other-left", "ali-test-link"}
    assert (tmp_path / "ali-other-left" / LOCK).exists()
