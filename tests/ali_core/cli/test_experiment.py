"""``ali experiment``: what is said, shown, written, continued and refused."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ali_core.cli import experiment as command
from ali_core.cli.app import run
from ali_core.experiments.experiment import Experiment, paper_file
from ali_core.experiments.runner import Progress
from tests.ali_core.training.samples import features

ROOT = Path(__file__).parents[3]
TOML = """
name = "two methods"
data = "cells.npz"
n_folds = 3
folds = [0, 1]

[common]
width = 6
batch_size = 16
max_epochs = 2
evaluate_every = 1
learning_rate = 0.01
device = "cpu"

[[runs]]
method = "tml"

[[runs]]
method = "ali"
preset = ["c", "c,s"]
"""


NOTHING = pd.DataFrame(columns=["label", "fold", "seed", "state", "seconds"])


@pytest.fixture
def file(tmp_path):
    features((40, 30, 24)).save(tmp_path / "cells.npz")
    path = tmp_path / "two.toml"
    path.write_text(TOML)
    return path


def experiment(file, out, *more):
    return run(["experiment", str(file), "--out", str(out), "--workers", "1", *more])


def test_it_trains_compares_and_says_where_things_are(file, tmp_path, capsys):
    out = tmp_path / "out"
    assert experiment(file, out) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert lines[0] == "0 of 6 runs are finished"
    assert [line.split()[0] for line in lines[1:7]] == [f"{done}/6" for done in range(1, 7)]
    results = pd.read_csv(out / "results.csv")
    score = results[(results.method == "ali c,s") & (results.fold == 1)].macro_f1.item()
    assert f"6/6  ali c,s  fold 1 seed 0  test macro F1 {score:.4f}; about 0:00:00 left" in lines
    for sentence in pd.read_csv(out / "comparison.csv").sentence:
        assert sentence in lines
    assert lines[-1] == (
        f"{out}/ holds results.csv, timing.csv, comparison.csv, comparison.md, comparison.tex, table2.csv, table2.md, "
        "table2.tex and runs/"
    )
    assert "two methods: macro F1 on test folds of cells.npz" in (out / "table2.md").read_text()
    assert "\x1b" not in text
    assert experiment(file, out) == 0
    assert capsys.readouterr().out.splitlines()[0] == "6 of 6 runs are finished"


def test_a_dry_call_counts_and_writes_nothing(file, tmp_path, capsys):
    out = tmp_path / "out"
    assert experiment(file, out, "--plan") == 0
    assert capsys.readouterr().out.splitlines() == [
        "tml: 2 to do; unknown time a run",
        "ali c: 2 to do; unknown time a run",
        "ali c,s: 2 to do; unknown time a run",
        "6 runs, 6 left: about 0:00:00 of computing, and 6 runs of unknown time",
    ]
    assert not out.exists()
    assert experiment(file, out, "--only", "tml") == 0
    results = pd.read_csv(out / "results.csv").assign(seconds=3600.0)
    assert results.method.unique().tolist() == ["tml"]
    capsys.readouterr()
    assert experiment(file, out, "--only", "tml", "--only", "ali c", "--plan") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("tml: 2 finished; about 0:00:0")
    assert said[1] == "ali c: 2 to do; unknown time a run"
    assert said[2].startswith("4 runs, 2 left")


def test_failures_are_counted_and_the_exit_says_so(file, tmp_path, capsys):
    file.write_text(TOML + "\n[[runs]]\nmethod = 'pli'\nsteps = 'none.json'\n")
    out = tmp_path / "out"
    assert experiment(file, out, "--only", "tml", "--only", "pli") == 1
    said = capsys.readouterr()
    assert "2 of 4 runs failed (the first: pli, fold 0, seed 0:" in said.err
    assert "failures.csv lists them" in said.err
    assert said.err.count("\n") == 1
    assert len(pd.read_csv(out / "failures.csv")) == 2
    assert len(pd.read_csv(out / "results.csv")) == 2


def test_an_interruption_says_how_to_go_on(file, tmp_path, capsys, monkeypatch):
    from ali_core.experiments import runner

    real, calls = runner.carry_out, []

    def stop(*task):
        calls.append(task)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*task)

    monkeypatch.setattr(runner, "carry_out", stop)
    assert experiment(file, tmp_path / "out") == 130
    assert "interrupted after 2 of 6 runs; the same command goes on where it was" in capsys.readouterr().err
    monkeypatch.undo()
    assert experiment(file, tmp_path / "out") == 0
    assert capsys.readouterr().out.splitlines()[0] == "2 of 6 runs are finished"


def test_the_papers_file_needs_no_path_but_data(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert experiment("paper.toml", "out", "--plan") == 2
    assert "paper.toml names no data; say where it is with --data PATH" in capsys.readouterr().err
    assert experiment("paper.toml", "out", "--plan", "--data", "cells.npz") == 0
    assert "222 runs, 222 left" in capsys.readouterr().out
    own = paper_file().read_text().replace("[0]", "[0, 1]")
    Path("paper.toml").write_text(own)
    assert experiment("paper.toml", "out", "--plan", "--data", "cells.npz") == 0
    assert "444 runs" in capsys.readouterr().out
    assert Experiment.read("paper.toml").data is None


def test_mistakes_are_told_in_a_line(file, tmp_path, capsys):
    assert experiment(tmp_path / "none.toml", tmp_path / "out") == 1
    assert "there is no experiment file" in capsys.readouterr().err
    assert experiment(file, tmp_path / "out", "--scheduler", "tcp://localhost:8786") == 2
    assert "give one of the two" in capsys.readouterr().err
    assert experiment(file, tmp_path / "out", "--only", "tmk") == 1
    assert "no run matches 'tmk'" in capsys.readouterr().err
    file.write_text(TOML.replace("width", "wide"))
    assert experiment(file, tmp_path / "out") == 1
    assert "two.toml: runs 1: there is no setting 'wide'; did you mean width?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_terminal_gets_the_same_lines_above_a_bar(capsys, monkeypatch):
    told = [Progress(done=1, of=3), Progress(done=2, of=3, label="tml", fold=1, seed=0, macro_f1=0.5)]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with command._display([]) as show:
        for now in told:
            show(now)
    said = capsys.readouterr().out
    assert "1 of 3 runs are finished" in said
    assert "2/3  tml  fold 1 seed 0  test macro F1 0.5000; about 0:00:00 left" in said
    assert "\x1b[" in said


def left(group):
    """Processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            state, _, of = path.read_text().rpartition(")")[2].split()[:3]
            found += [path.parent.name] * (int(of) == group and state != "Z")
    return found


@pytest.mark.slow
def test_ctrl_c_ends_a_pool_and_the_same_command_goes_on(file, tmp_path):
    file.write_text(TOML.replace("max_epochs = 2", "max_epochs = 400\npatience = 0"))
    code = f"from ali_core.cli.app import main\nmain(['experiment', {str(file)!r}, '--out', 'out', '--workers', '2'])\n"
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 90
    while not list(tmp_path.glob("out/runs/*/*/last.json")) and time.monotonic() < end:
        time.sleep(0.1)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    _, said = child.communicate(timeout=30)
    assert child.returncode == 130, said
    assert "interrupted after 0 of 6 runs; the same command goes on where it was" in said
    end = time.monotonic() + 10
    while left(child.pid) and time.monotonic() < end:
        time.sleep(0.1)
    assert left(child.pid) == []


def test_images_that_cannot_be_read_are_left_out_and_dark_ones_scaled(file, tmp_path, monkeypatch):
    from ali_core.experiments import runner

    for at in range(12):
        path = tmp_path / "cells" / "ab"[at % 2] / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 256 + at, dtype=np.uint16)).save(path)
    (tmp_path / "cells" / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    planned = []
    monkeypatch.setattr(runner, "planned", lambda found, data, *_: planned.append((found, data)) or NOTHING)
    options = ("--data", str(tmp_path / "cells"), "--skip-unreadable", "--white", "512", "--plan")
    assert experiment(file, tmp_path / "out", *options) == 0
    found, data = planned[0]
    images = found.preparation(data)
    assert images.counts.tolist() == [6, 6]
    assert images.load([0], 8).max() == 127
    assert all(variant.settings.skip_unreadable for variant in found.methods)
