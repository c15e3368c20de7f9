"""``ali studio --app`` without Voilà: the command, its environment, and what the browser is given."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlparse

import pytest
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

import ali_viz.voila_app
from ali_core import AliError
from ali_viz.studio_notebook import LAB_ONLY
from ali_viz.voila_app import (
    OPENER,
    TEMPLATES,
    app_address,
    open_app,
    voila_command,
    voila_environment,
    write_page_files,
)

NOTEBOOK = Path("/cells/studio-cells.ipynb")


class Server:
    """Stands in for Voilà: remembers how it was started, and ends."""

    started: ClassVar[list["Server"]] = []

    stdin = None

    def __init__(self, command, env, stdin):
        self.command, self.env = command, env
        folder = next(part.split("=")[1] for part in command if part.startswith("--Voila.config_file_paths="))
        self.folder = Path(folder)
        self.files = {path.name: path.read_text() for path in self.folder.iterdir() if path.suffix != ".lock"}
        self.mode = self.folder.stat().st_mode & 0o777
        self.started.append(self)

    def wait(self, timeout=None):
        return 0


@pytest.fixture
def server(monkeypatch):
    Server.started.clear()
    monkeypatch.setattr(subprocess, "Popen", Server)
    return Server


def test_only_this_machine_can_reach_it_and_only_with_the_token():
    command = voila_command(NOTEBOOK, Path("/conf"), port=9000)
    assert command[1:4] == ["-m", "voila", str(NOTEBOOK)]
    assert {"--Voila.ip=127.0.0.1", "--Voila.port=9000", "--Voila.port_retries=0"} <= set(command)
    assert {"--Voila.auto_token=True", "--no-browser"} <= set(command)
    assert f"--TagRemovePreprocessor.remove_cell_tags={LAB_ONLY}" in command


def test_the_token_travels_in_the_environment_and_is_new_each_time(server, capsys):
    tokens = []
    for port in (9003, 9004):
        assert open_app(NOTEBOOK, browser=False, port=port) == 0
        started = server.started[-1]
        tokens.append(started.env["JUPYTER_TOKEN"])
        assert not any(tokens[-1] in part for part in started.command)
        assert f"The app is at {app_address(port, tokens[-1])}\n" in capsys.readouterr().out
    assert len(set(tokens)) == 2
    assert min(len(token) for token in tokens) >= 32


def test_the_page_for_the_browser_is_private_leads_there_and_vanishes(server):
    open_app(NOTEBOOK, browser=False, port=9001)
    (started,) = server.started
    assert app_address(9001, started.env["JUPYTER_TOKEN"]) in started.files["open.html"]
    assert started.mode == 0o700
    assert not started.folder.exists()


def test_a_notebook_that_lies_beside_the_data_is_not_run(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studio-cells.ipynb").write_text(json.dumps({"cells": [{"source": "somebody else's"}]}))
    open_app(tmp_path / "cells.npz", browser=False, port=9005)
    (started,) = server.started
    served = Path(started.command[4])
    assert served.parent == started.folder
    (code,) = [
        cell["source"] for cell in json.loads(started.files[served.name])["cells"] if cell["cell_type"] == "code"
    ]
    assert code == (
        f'import os\n\nos.chdir("{tmp_path}")\n\nfrom ali_viz import Studio\n\n'
        f'studio = Studio("{tmp_path / "cells.npz"}")\nstudio'
    )


def test_the_browser_is_sent_to_that_page_once_the_server_is_up(server, monkeypatch):
    opened, asked = [], []

    class Up:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    def answer(url, timeout):
        asked.append(url)
        if len(asked) == 1:
            raise ConnectionRefusedError
        return Up()

    class Patient(Server):
        def wait(self, timeout=None):
            for thread in threading.enumerate():
                if thread.name == OPENER:
                    thread.join(timeout=10)
            return 0

    monkeypatch.setattr(subprocess, "Popen", Patient)
    monkeypatch.setattr(ali_viz.voila_app.urllib.request, "urlopen", answer)
    monkeypatch.setattr(ali_viz.voila_app.webbrowser, "open", opened.append)
    open_app(NOTEBOOK, port=9002)
    assert len(asked) == 2
    assert urlparse(asked[0]).netloc == "127.0.0.1:9002"
    assert opened == [(Patient.started[-1].folder / "open.html").as_uri()]


def test_the_template_is_found_besides_what_is_known(monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "/mine")
    environment = voila_environment("secret")
    assert environment["JUPYTER_PATH"] == os.pathsep.join([str(TEMPLATES), "/mine"])
    assert environment["JUPYTER_TOKEN"] == "secret"


def test_the_template_is_voilas_own_without_its_links_to_the_internet():
    paths = pytest.importorskip("voila.paths")
    found = paths._find_template_hierarchy(["voila", "nbconvert"], "ali", [str(TEMPLATES)])
    assert found == ["ali", "lab", "base"]
    page = (TEMPLATES / "voila" / "templates" / "ali" / "index.html.j2").read_text()
    assert "http" not in page


def test_the_configuration_sets_the_cookie_that_closing_a_page_needs(tmp_path):
    write_page_files(tmp_path, "http://127.0.0.1:1/?token=a")
    config = PyFileConfigLoader("voila.py", str(tmp_path)).load_config()
    assert isinstance(config, Config)

    class Page:
        read = False

        @property
        def xsrf_token(self):
            self.read = True

    page = Page()
    assert config.VoilaConfiguration.prelaunch_hook(page, notebook={}, cwd="/") is None
    assert page.read


def test_no_page_may_ask_another_host(tmp_path):
    write_page_files(tmp_path, "http://127.0.0.1:1/?token=a")
    config = PyFileConfigLoader("voila.py", str(tmp_path)).load_config()
    (policy,) = config.Voila.tornado_settings["headers"].values()
    sources = {word for rule in policy.split(";") for word in rule.split()[1:]}
    assert not {word for word in sources if "//" in word} - {"ws://127.0.0.1:*", "ws://localhost:*"}
    assert "*" not in sources
    assert {"http:", "https:"}.isdisjoint(sources)


def test_the_address_has_the_token_and_names_this_machine():
    address = urlparse(app_address(8866, "abc"))
    assert (address.hostname, address.port, parse_qs(address.query)) == ("127.0.0.1", 8866, {"token": ["abc"]})


def test_without_voila_the_remedy_is_said(monkeypatch, server):
    monkeypatch.setattr(ali_viz.voila_app, "find_spec", lambda name: None)
    with pytest.raises(AliError, match=r"pip install 'ali-interventions\[app\]'"):
        open_app(NOTEBOOK)
    assert server.started == []


def test_ctrl_c_is_a_clean_end(monkeypatch):
    class Interrupted(Server):
        signals: ClassVar[list[int]] = []
        waits = 0

        def wait(self, timeout=None):
            Interrupted.waits += 1
            if Interrupted.waits == 1:
                raise KeyboardInterrupt
            if not self.signals:
                raise subprocess.TimeoutExpired("voila", timeout)
            return 0

        def send_signal(self, number):
            self.signals.append(number)

        def kill(self):
            raise AssertionError("it had stopped")

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    assert open_app(NOTEBOOK, browser=False) == 0
    assert Interrupted.signals == [signal.SIGTERM]
