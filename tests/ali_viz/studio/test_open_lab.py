"""``open_lab`` without JupyterLab: the command, its environment, the notebook, and how it stops."""

import os
import subprocess
from pathlib import Path
from typing import ClassVar

import pytest

import ali_viz.lab
from ali_core import AliError
from ali_viz.lab import NOTEBOOK, copy_notebooks, lab_command, lab_environment, notebook_file, open_lab, open_studio


class Process:
    """Stands in for the server: ends with a status, or is interrupted first."""

    started: ClassVar[list["Process"]] = []

    stdin = None

    def __init__(self, command, env, stdin):
        self.command, self.env = command, env
        overrides = Path(env["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0]) / "labconfig"
        self.settings = (overrides / "default_setting_overrides.json").read_text()
        self.waits = 0
        self.started.append(self)

    def wait(self, timeout=None):
        self.waits += 1
        return 3


class Interrupted(Process):
    def wait(self, timeout=None):
        self.waits += 1
        if self.waits == 1:
            raise KeyboardInterrupt
        if self.waits == 2:
            raise subprocess.TimeoutExpired("lab", timeout)
        return 0

    def send_signal(self, number):
        self.signalled = number

    def kill(self):
        raise AssertionError("it had stopped")


def test_only_this_machine_can_reach_it_and_the_token_stays_on():
    command = lab_command(Path("/somewhere/notebooks/a.ipynb"), browser=False, port=9000)
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--ServerApp.port=9000" in command
    assert "--no-browser" in command
    assert "--ServerApp.root_dir=/somewhere" in command
    assert not any("token" in part.lower() or "password" in part.lower() for part in command)


def test_the_path_travels_in_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("ALI_PATH", "left over")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/mine")
    monkeypatch.chdir(tmp_path)
    environment = lab_environment("cells.npz", tmp_path / "quiet")
    assert environment["ALI_PATH"] == str(tmp_path / "cells.npz")
    assert environment["JUPYTER_CONFIG_PATH"] == os.pathsep.join([str(tmp_path / "quiet"), "/mine"])
    assert "ALI_PATH" not in lab_environment(None, tmp_path)


def test_a_clone_opens_its_own_notebook():
    assert notebook_file() == Path(ali_viz.lab.__file__).parents[1] / "notebooks" / NOTEBOOK


def test_an_installed_package_copies_its_notebook_once(tmp_path, monkeypatch):
    installed = tmp_path / "site-packages" / "ali_viz"
    (installed / "notebooks").mkdir(parents=True)
    (installed / "notebooks" / NOTEBOOK).write_text("packaged")
    monkeypatch.setattr(ali_viz.lab, "__file__", str(installed / "lab.py"))
    work = tmp_path / "work"
    copy = notebook_file(work)
    assert copy == work / "notebooks" / NOTEBOOK
    assert copy.read_text() == "packaged"
    copy.write_text("mine")
    assert notebook_file(work).read_text() == "mine"
    copy.chmod(0o666)
    fresh = notebook_file(work)
    assert (fresh.name, fresh.read_text()) == (f"{copy.stem}-2.ipynb", "packaged")
    assert notebook_file(work) == fresh
    (installed / "notebooks" / NOTEBOOK).unlink()
    with pytest.raises(AliError, match="install the package again"):
        notebook_file(tmp_path / "elsewhere")


def test_all_notebooks_are_copied_and_what_is_there_stays(tmp_path):
    lessons = {path.name: path.read_bytes() for path in notebook_file().parent.glob("*.ipynb")}
    (tmp_path / NOTEBOOK).write_text("mine")
    copies = copy_notebooks(tmp_path)
    assert [copy.name for copy in copies] == sorted(lessons)
    found = {copy.name: copy.read_bytes() for copy in copies}
    assert found == lessons | {NOTEBOOK: b"mine"}


def test_it_waits_for_the_server_and_returns_its_status(monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", Process)
    assert open_lab(browser=False, arguments=["--allow-root"]) == 3
    started = Process.started[-1]
    assert started.command[-1] == "--allow-root"
    assert '"checkForUpdates": false' in started.settings


def test_ctrl_c_is_a_clean_end(monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    assert open_lab() == 0
    assert Interrupted.started[-1].signalled


def test_a_path_that_is_not_there_is_said(tmp_path):
    with pytest.raises(AliError, match="there is no file or folder"):
        open_lab(tmp_path / "nothing")


def test_a_studio_opens_in_a_notebook_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setenv("ALI_PATH", "left over")
    cells = tmp_path / "two cells.npz"
    cells.touch()
    work = tmp_path / "work"
    assert open_studio(cells, folder=work, browser=False, port=9000) == 3
    started = Process.started[-1]
    assert (work / "studio-two cells.ipynb").exists()
    assert "--LabApp.default_url=/lab/tree/studio-two%20cells.ipynb" in started.command
    assert f"--ServerApp.root_dir={work}" in started.command
    assert {"--ServerApp.ip=127.0.0.1", "--ServerApp.port=9000", "--no-browser"} <= set(started.command)
    assert "ALI_PATH" not in started.env


def test_as_an_app_the_path_goes_to_voila_and_no_notebook_is_left(tmp_path, monkeypatch):
    served = []
    monkeypatch.setattr(ali_viz.lab, "open_app", lambda path, **how: served.append((path, how)) or 0)
    cells = tmp_path / "cells.npz"
    cells.touch()
    assert open_studio(cells, app=True, folder=tmp_path, browser=False) == 0
    given = {"images": None, "columns": None, "folder": tmp_path, "browser": False, "port": None}
    assert served == [(cells, given)]
    assert not list(tmp_path.glob("*.ipynb"))
    with pytest.raises(AliError, match="there is no file or folder"):
        open_studio(tmp_path / "nothing", app=True)


def test_a_name_that_is_not_in_the_file_is_told_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", Process)
    cells, started = tmp_path / "cells.csv", len(Process.started)
    cells.write_text("a,b,kind\n0.5,1.5,x\n1.5,0.5,y\n")
    with pytest.raises(AliError, match="stage"):
        open_studio(cells, folder=tmp_path / "work", columns={"label": "stage"}, browser=False)
    assert (len(Process.started), (tmp_path / "work").exists()) == (started, False)
