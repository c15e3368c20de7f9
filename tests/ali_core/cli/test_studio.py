"""``ali studio``: what is asked for reaches the app, and mistakes are told before anything starts."""

import pytest

import ali_viz.lab
from ali_core.cli.app import run


@pytest.fixture
def opened(monkeypatch):
    calls = []
    monkeypatch.setattr(ali_viz.lab, "open_studio", lambda path, **options: calls.append((path, options)) or 0)
    return calls


def test_by_default_jupyterlab_on_a_free_port_with_a_browser(opened, tmp_path):
    assert run(["studio", str(tmp_path)]) == 0
    assert opened == [(tmp_path, {"app": False, "images": None, "columns": {}, "browser": True, "port": None})]


def test_every_option_arrives(opened, tmp_path):
    options = ["--app", "--images", str(tmp_path), "--no-browser", "--port", "9000"]
    assert run(["studio", str(tmp_path), *options]) == 0
    assert opened == [(tmp_path, {"app": True, "images": tmp_path, "columns": {}, "browser": False, "port": 9000})]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["studio"], "PATH"),
        (["studio", "missing.npz"], "missing.npz"),
        (["studio", ".", "--images", "missing"], "missing"),
        (["studio", ".", "--port", "70000"], "65535"),
    ],
)
def test_wrong_use_is_said(opened, capsys, arguments, message):
    assert run(arguments) == 2
    assert message in capsys.readouterr().err
    assert opened == []


def test_the_status_of_the_server_is_that_of_the_command(monkeypatch, tmp_path):
    monkeypatch.setattr(ali_viz.lab, "open_studio", lambda path, **options: 3)
    assert run(["studio", str(tmp_path)]) == 3


def test_without_voila_the_app_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("ali_viz.voila_app.find_spec", lambda name: None)
    monkeypatch.chdir(tmp_path)
    assert run(["studio", str(tmp_path), "--app"]) == 1
    error = capsys.readouterr().err
    assert "ali-interventions[app]" in error
    assert len(error.splitlines()) == 1
