"""``ali figures`` makes what the function makes, and fails when what was asked for cannot be made."""

import json

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from ali_core import AliError
from ali_core.cli.figures import figures


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(figures)
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"data": {"source": None, "class_names": ["a", "b"]}}))
    pd.DataFrame({"id": ["1", "2", "3"], "label": ["a", "b", "b"], "part": "train"}).to_csv(
        folder / "parts.csv", index=False
    )
    return folder


def test_it_writes_what_it_can_and_says_the_rest(command, run_folder, tmp_path):
    done = command(run_folder, "--out", tmp_path / "figures")
    assert done.exit_code == 0
    assert list(pd.read_csv(tmp_path / "figures" / "fig2.csv")["n_samples"]) == [1, 2]
    lines = done.stdout.splitlines()
    assert sum("is not made" in line for line in lines) == 6
    assert lines[-1] == f"wrote 5 files to {tmp_path / 'figures'}"


def test_only_what_is_asked_for_is_made(command, run_folder, tmp_path):
    assert command(run_folder, "--out", tmp_path / "figures", "--only", "fig2").exit_code == 0
    failed = command(run_folder, "--out", tmp_path / "none", "--only", "fig5", "--only", "fig3")
    assert failed.exit_code == 1
    assert isinstance(failed.exception, AliError)  # which the command line tells in one line
    assert "fig5 is not made" in str(failed.exception)
    assert "ali experiment FILE.toml" in str(failed.exception)
    assert not (tmp_path / "none").exists()


def test_a_folder_must_be_there(command, tmp_path):
    assert command(tmp_path / "absent").exit_code == 2
