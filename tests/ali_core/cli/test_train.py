"""``ali train`` and the head it leaves behind: what is written, shown, continued, compared and refused."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from io import StringIO

import numpy as np
import pytest

from ali_core import LabelledEmbedding, ManualStep, Session
from ali_core.cli import training_run
from ali_core.cli.app import run
from ali_core.cli.training_display import LiveDisplay, epoch_line, time_left
from ali_core.data import holds_images
from ali_core.interventions import SavedSession
from ali_core.training import TrainSettings, forecast
from ali_core.training.history import History

QUICK = ["--epochs", "2", "--width", "6", "--batch-size", "16", "--device", "cpu"]
FILES = {
    "settings.toml",
    "run.json",
    "parts.csv",
    "epochs.csv",
    "timing.csv",
    "in-use.lock",
    "last.json",
    "result.json",
    "reference.csv",
    "classes.csv",
    "confusion.csv",
    "embedding.npz",
    "network.safetensors",
    "checkpoints",
}


@pytest.fixture
def features(rng, tmp_path):
    """A file of 60 samples with 8 features, 3 classes and 20 groups."""
    labels = np.repeat(["blast", "lymphocyte", "monocyte"], 20)
    vectors = rng.normal(size=(60, 8)) + 1.5 * (labels == "blast")[:, None]
    embedding = LabelledEmbedding(
        vectors, labels, ids=[f"cell {i}" for i in range(60)], groups=[f"slide {i % 20}" for i in range(60)]
    )
    return embedding.save(tmp_path / "features.npz")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "run"


def rows(folder):
    with (folder / "epochs.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def train(features, out, *more):
    return run(["train", str(features), *QUICK, "--out", str(out), *more])


def test_a_run_leaves_its_files_and_says_what_it_is_worth(features, out, capsys):
    assert train(features, out, "--preset", "c") == 0
    assert {path.name for path in out.iterdir()} == FILES | {"interventions"}
    result = json.loads((out / "result.json").read_text())
    text = capsys.readouterr().out
    assert f"{result['validation_f1']:.4f} on validation, {result['test_f1']:.4f} on test" in text
    assert "the test fold chose nothing" in text
    assert f"ali studio {out}" in text
    assert "\x1b" not in text
    assert "\r" not in text
    assert [line.split()[1] for line in text.splitlines() if line.startswith("epoch")] == ["0/2", "1/2", "2/2"]
    settings = tomllib.loads((out / "settings.toml").read_text())
    assert (settings["method"], settings["preset"], settings["max_epochs"], settings["width"]) == ("ali", "c", 2, 6)


@pytest.mark.parametrize("criterion", ["closest", "confusion"])
def test_a_criterion_is_chosen_by_its_name(features, out, criterion):
    assert train(features, out, "--criterion", criterion) == 0
    saved = SavedSession.read(out / "interventions" / "epoch-0000.json")
    assert {step.criterion for step in saved.steps} == {criterion}


def test_what_a_large_run_takes_is_said_before_and_measuring_it_changes_nothing(
    features, out, tmp_path, capsys, monkeypatch
):
    assert train(features, out) == 0
    assert "an epoch" not in capsys.readouterr().out
    monkeypatch.setattr(training_run, "LARGE", 50)
    assert train(features, tmp_path / "large") == 0
    lines = capsys.readouterr().out.splitlines()
    (told,) = [number for number, line in enumerate(lines) if "an epoch" in line and "GB of memory" in line]
    assert told < min(number for number, line in enumerate(lines) if line.startswith("epoch"))
    assert (tmp_path / "large" / "epochs.csv").read_bytes() == (out / "epochs.csv").read_bytes()
    assert train(features, tmp_path / "large") == 1  # there is a run: refused before anything is measured
    assert train(features, tmp_path / "large", "--resume") == 0
    assert "an epoch" not in capsys.readouterr().out


def test_a_part_too_small_for_the_folds_stops_no_run(features, out, capsys, monkeypatch):
    monkeypatch.setattr(training_run, "LARGE", 50)
    monkeypatch.setattr(forecast, "MEASURED", 15)  # six of each class
    assert train(features, out, "--n-folds", "10", "--ignore-groups", "--epochs", "1") == 0
    assert "an epoch" not in capsys.readouterr().out


@pytest.mark.parametrize("method", ["tml", "pali", "ce", "supcon", "proxyanchor"])
def test_every_method_trains(features, out, method):
    assert train(features, out, "--method", method, "--class-weights") == 0
    assert tomllib.loads((out / "settings.toml").read_text())["class_weights"] is True
    assert (out / "interventions").exists() == (method == "pali")


def test_pli_replays_a_recorded_session(features, out, tmp_path):
    session = Session(LabelledEmbedding.load(features))
    session.apply(ManualStep(classes=("monocyte",), away_from=("lymphocyte",), shift=2.0))
    session.save(tmp_path / "manual.json")
    assert train(features, out, "--method", "pli", "--steps", str(tmp_path / "manual.json")) == 0
    assert [row["moved_classes"] for row in rows(out)] == ["", "monocyte", "monocyte"]


def test_the_app_opens_the_embedding_of_a_run(features, out):
    from ali_viz.views.sources import open_session

    train(features, out, "--method", "tml")
    shown = open_session(out).embedding
    given = LabelledEmbedding.load(features)
    assert shown.dim == 6
    np.testing.assert_array_equal(shown.ids, given.ids)
    np.testing.assert_array_equal(shown.labels, given.labels)


def test_a_second_run_in_a_folder_is_refused_and_resume_goes_on(features, out, tmp_path, capsys):
    assert train(features, out) == 0
    before = (out / "epochs.csv").read_text()
    assert train(features, out) == 1
    assert "--resume" in capsys.readouterr().err
    assert train(features, out, "--resume", "--seed", "3") == 1
    assert "seed was 0" in capsys.readouterr().err
    assert train(features, out, "--resume") == 0
    assert (out / "epochs.csv").read_text() == before
    longer = ["train", str(features), *QUICK, "--epochs", "4"]
    assert run([*longer, "--out", str(out), "--resume"]) == 0
    assert run([*longer, "--out", str(tmp_path / "whole"), "--resume"]) == 0  # there is none yet: it starts one
    last = [rows(folder)[3] for folder in (out, tmp_path / "whole")]
    assert last[0] == last[1]


def test_options_stand_above_the_settings_file_and_the_file_above_defaults(features, out, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'method = "ali"\nseed = 7\nmargin = 0.5\nclass_weights = true\nevaluate_every = 1\n'
        "[interventions]\ncontract = 0.25\nn_iterations = 3\n"
    )
    arguments = ["--settings", str(file), "--margin", "0.1", "--no-class-weights", "--ignore-groups"]
    assert train(features, out, *arguments) == 0
    written = TrainSettings.read(out / "settings.toml")
    assert (written.seed, written.margin, written.class_weights, written.groups) == (7, 0.1, False, "ignore")
    assert written.interventions.contract == 0.25
    assert {row["n_steps"] for row in rows(out)} == {"", "3.0"}
    assert train(features, out / "preset", *arguments, "--preset", "c") == 0
    assert TrainSettings.read(out / "preset" / "settings.toml").interventions is None


def test_a_control_trains_as_long_without_interventions(features, out, tmp_path, capsys):
    assert train(features, out, "--control") == 0
    text = capsys.readouterr().out
    assert train(features, tmp_path / "plain", "--method", "tml", "--patience", "0") == 0
    assert len(rows(out / "control")) == len(rows(out)) == 3
    ours = [(row["loss"], row["validation_f1"]) for row in rows(out / "control")]
    plain = [(row["loss"], row["validation_f1"]) for row in rows(tmp_path / "plain")]
    assert ours == plain  # without interventions, ali is the triplet margin loss
    results = [json.loads((folder / "result.json").read_text()) for folder in (out, out / "control")]
    numbers = [[float(result[f"{part}_f1"]) for part in ("validation", "test")] for result in results]
    table = [line.split() for line in text.splitlines() if line.startswith(("ali  ", "control (", "difference"))]
    assert table[0][-2:] == [f"{value:.4f}" for value in numbers[0]]
    assert table[1][-2:] == [f"{value:.4f}" for value in numbers[1]]
    assert table[2][1:3] == [f"{mine - theirs:+.4f}" for mine, theirs in zip(*numbers, strict=True)]
    said = re.findall(r"on (?:validation|test), .* samples: (\S+) \(95 % (\S+) to ([^,)]+)", text)
    assert [value for value, _, _ in said] == table[2][1:3]
    assert all(float(low) <= float(value) <= float(high) for value, low, high in said)
    assert train(features, out, "--control", "--resume", "--epochs", "3") == 0
    assert len(rows(out / "control")) == 4


def test_the_head_embeds_features_as_the_run_did(features, out, tmp_path):
    train(features, out)
    file = tmp_path / "again.npz"
    arguments = ["embed", str(features), "--weights", str(out / "network.safetensors"), "--out", str(file)]
    assert run(arguments) == 0
    again, first = LabelledEmbedding.load(file), LabelledEmbedding.load(out / "embedding.npz")
    for name in ("vectors", "labels", "ids", "groups"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    assert run([*arguments, "--exclude", "blast"]) == 0
    np.testing.assert_array_equal(LabelledEmbedding.load(file).vectors, first.vectors[20:])


def test_a_head_takes_the_features_it_was_trained_on_only(features, out, tmp_path, capsys, rng):
    train(features, out)
    narrow = LabelledEmbedding(rng.normal(size=(4, 5)), [0, 0, 1, 1]).save(tmp_path / "narrow.npz")
    assert run(["embed", str(narrow), "--weights", str(out / "network.safetensors")]) == 1
    assert "8 features, these samples have 5" in capsys.readouterr().err


def test_tensorboard_gets_the_numbers(features, out):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert train(features, out, "--tensorboard") == 0
    events = EventAccumulator(str(out / "tensorboard"))
    events.Reload()
    written = {event.step: event.value for event in events.Scalars("loss")}
    expected = {int(row["epoch"]): float(row["loss"]) for row in rows(out) if row["loss"]}
    assert written == pytest.approx(expected, rel=1e-6)


def test_tensorboard_that_is_missing_is_named_with_its_extra(features, out, capsys, monkeypatch):
    from lightning.fabric.loggers import tensorboard

    monkeypatch.setattr(tensorboard, "_TENSORBOARD_AVAILABLE", False)
    monkeypatch.setattr(tensorboard, "_TENSORBOARDX_AVAILABLE", False)
    assert train(features, out, "--tensorboard") == 1
    assert "ali-interventions[tensorboard]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--method", "lda"], 2, "tml | ali | pali | pli | ce | logit-adjusted | supcon | proxyanchor"),
        (["--preset", "shift"], 2, "c | c,s"),
        (["--px", "64", "--weights", "none"], 2, "--weights, --px go with images"),
        (["--where", "part=a"], 1, "no column 'part'"),
        (["--where", "part"], 2, "COLUMN=VALUE"),
        (["--settings", "missing.toml"], 2, "missing.toml"),
        (["--fold", "6"], 1, "below n_folds = 6"),
        (["--method", "pli"], 1, "session file"),
        (["--method", "tml", "--control"], 1, "control goes with ali, pali, pli"),
        (["--learning-rate", "0"], 1, "learning_rate"),
        (["--exclude", "platelet"], 1, "blast, lymphocyte, monocyte"),
        (["--n-folds", "30"], 1, "30 folds"),
        (["--device", "tpu"], 1, "tpu"),
    ],
)
def test_mistakes_are_told_in_one_line_before_anything_is_written(features, out, capsys, arguments, code, message):
    assert train(features, out, *arguments) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_control_of_a_control_is_refused(features, out, tmp_path, capsys):
    (tmp_path / "control.toml").write_text("control = true\n")
    assert train(features, out, "--settings", str(tmp_path / "control.toml"), "--control") == 1
    assert "a control already" in capsys.readouterr().err


def test_images_are_trained_on_end_to_end(out, tmp_path):
    from ali_core.data import write_marrow

    write_marrow(tmp_path / "cells", n=150, px=32, seed=0)
    arguments = ["--backbone", "shufflenet_v2_x0_5", "--weights", "none", "--px", "32", "--n-folds", "3"]
    assert train(tmp_path / "cells", out, *arguments, "--ignore-groups", "--epochs", "1", "--exclude", "blast") == 0
    embedding = LabelledEmbedding.load(out / "embedding.npz")
    assert (embedding.dim, "blast" in embedding.class_names) == (6, False)


def test_an_interrupt_names_the_last_epoch_and_the_way_on(features, out, capsys, monkeypatch):
    from ali_core.cli.training_display import LineDisplay

    def stopped(display, state):
        if state.epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(LineDisplay, "show", stopped)
    assert train(features, out) == 130
    assert capsys.readouterr().err == "ali: interrupted after epoch 1; the same command with --resume goes on\n"


@pytest.mark.slow
def test_the_real_command_is_interrupted_and_goes_on_to_the_same_numbers(features, out, tmp_path):
    arguments = ["train", str(features), *QUICK, "--epochs", "30", "--patience", "0"]
    start = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from ali_core.cli import main; main(sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", start, *arguments, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    for line in process.stdout:
        if re.match(r"epoch +1/", line):
            process.send_signal(signal.SIGINT)
            break
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    said = re.search(
        r"^ali: interrupted after epoch (\d+); the same command with --resume goes on$", error, re.MULTILINE
    )
    assert said is not None, error
    assert 1 <= int(said[1]) < 30
    assert json.loads((out / "last.json").read_text())["rows"][-1]["epoch"] == int(said[1])
    assert run([*arguments, "--out", str(out), "--resume"]) == 0
    assert run([*arguments, "--out", str(tmp_path / "whole")]) == 0
    assert (out / "epochs.csv").read_text() == (tmp_path / "whole" / "epochs.csv").read_text()


def history(n_epochs):
    """Epochs of 1 + 2 + 3 + 0 + 4 = 10 seconds; the validation F1 falls."""
    found = History()
    for epoch in range(n_epochs + 1):
        trained = {"loss": 0.5, "base_loss": 0.25, "intervention_loss": 0.75, "active_fraction": 0.125}
        row = {"moved_classes": "a;b;c;d;e;f", **trained} if epoch else {}
        times = {"train": 1.0, "data": 0.5, "embed": 2.0, "intervene": 3.0, "save": 4.0}
        found.add(row | ({} if epoch == 2 else {"validation_f1": 0.75 - epoch / 100}), times)
    return found


def test_a_line_tells_the_epoch():
    assert epoch_line(history(0), 50) == "epoch  0/50  validation F1 0.7500 (best 0.7500 in epoch 0)"
    assert epoch_line(history(1), 50) == (
        "epoch  1/50  loss 0.5000 (base 0.2500, interventions 0.7500)  12% of triplets active  "
        "validation F1 0.7400 (best 0.7500 in epoch 0)  moved a, b, c, d and 2 more"
    )
    assert "validation" not in epoch_line(history(2), 50)


def test_time_left_is_what_the_last_epochs_took():
    assert time_left(history(3), 13) == pytest.approx(100.0)
    assert time_left(history(0), 13) == 0.0


def test_a_terminal_shows_a_block_with_a_bar_and_keeps_the_last_state():
    from types import SimpleNamespace

    from rich.console import Console

    console = Console(file=StringIO(), force_terminal=True, width=100, color_system=None)
    with LiveDisplay(TrainSettings(max_epochs=50), console) as display:
        display.show(SimpleNamespace(history=history(2), finished=""))
        display.batch(3, 7)
        display._live.refresh()
        during = console.file.getvalue()
        display.show(SimpleNamespace(history=history(3), finished="all epochs are done"))
    assert "\x1b[" in during
    assert "3/7" in during
    assert "at most 0:08:00 left" in during
    assert "F1 0.7400 in epoch 1 (best 0.7500 in epoch 0)" in during
    final = console.file.getvalue()[len(during) :]
    assert "all epochs are done" in final
    assert "12% active" in final
    assert "a, b, c, d and 2 more" in final


@pytest.mark.parametrize(
    ("name", "content", "images"),
    [
        ("a.csv", b"path,label\nx.png,a\n", True),
        ("b.csv", b'\xef\xbb\xbf"label","path"\na,x.png\n', True),
        ("c.csv", b"label,0,1\na,1,2\n", False),
        ("d.csv", b"", False),
        ("e.npz", b"", False),
        ("f.npz", b"PK\x03\x04 cut off", False),
        ("g.h5ad", b"", False),
    ],
)
def test_tables_of_images_are_told_from_embeddings(tmp_path, name, content, images):
    (tmp_path / name).write_bytes(content)
    assert holds_images(tmp_path / name) is images
    assert holds_images(tmp_path)
