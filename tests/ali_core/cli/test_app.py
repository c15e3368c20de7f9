"""The command line: what it writes, and how it fails."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import ali_core
from ali_core import LabelledEmbedding, Session, preset
from ali_core.cli.app import run


@pytest.fixture
def embedding_file(rng, tmp_path):
    labels = np.repeat(["blast", "monocyte", "lymphocyte"], [12, 9, 15])
    vectors = rng.normal(size=(36, 5)) + 2 * (labels == "blast")[:, None]
    return LabelledEmbedding(vectors, labels).save(tmp_path / "emb.npz")


def test_intervene_writes_what_a_session_does(embedding_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["intervene", str(embedding_file), "--preset", "all", "--iterations", "7", "--out", str(out)]) == 0
    embedding = LabelledEmbedding.load(embedding_file)
    session = Session(embedding, preset("all", 5))
    session.run(7)
    np.testing.assert_array_equal(LabelledEmbedding.load(out / "after.npz").vectors, session.after.vectors)
    assert Session.load(out / "session.json", embedding).steps == session.steps
    assert len((out / "steps.csv").read_text().splitlines()) == 8
    assert capsys.readouterr().out.count("away from") == 7


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_replay_gives_the_same_numbers(embedding_file, tmp_path, suffix):
    out, moved = tmp_path / "out", tmp_path / f"moved.{suffix}"
    assert run(["intervene", str(embedding_file), "--probabilistic", "--seed", "3", "--out", str(out)]) == 0
    code = run(["replay", str(out / "session.json"), "--embedding", str(embedding_file), "--out", str(moved)])
    assert code == 0
    expected = LabelledEmbedding.load(out / "after.npz").vectors
    np.testing.assert_array_equal(LabelledEmbedding.load(moved).vectors, expected)


def test_excluded_classes_are_gone(embedding_file, tmp_path):
    out = tmp_path / "out"
    assert run(["intervene", str(embedding_file), "--exclude", "blast", "--out", str(out)]) == 0
    assert LabelledEmbedding.load(out / "after.npz").class_names == ("lymphocyte", "monocyte")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["intervene", "missing.npz"], "missing.npz"),
        (["intervene", "EMB", "--preset", "shift"], "c | c,s | c,r | c,s,os | c,s,r | all"),
        (["intervene", "EMB", "--criterion", "largest"], "closest | mean-std | mean-all | product"),
        (["intervene", "EMB", "--iterations", "-1"], "iterations"),
        (["intervene", "EMB", "--strength", "2"], "--strength"),
        (["panels", "EMB", "--view", "umap", "--out", "figures"], "dims | pca | discriminant"),
        (["intervene"], "EMB"),
        (["replay", "EMB"], "--out"),
        (["embed", "EMB"], "--weights"),
        (["data", "synthetic"], "OUT"),
        (["demo", "--n", "3"], "150"),
        (["demo", "--weights", "EMB", "--out", "OUT"], "--data FOLDER"),
        (["demo", "--data", "EMB", "--weights", "EMB", "--out", "OUT"], "an embedding already"),
        (["lab", "missing"], "missing"),
        (["fly"], "fly"),
    ],
)
def test_wrong_use_is_told_in_one_line_with_code_2(embedding_file, tmp_path, capsys, arguments, message):
    paths = {"EMB": str(embedding_file), "OUT": str(tmp_path / "out")}
    arguments = [paths.get(part, part) for part in arguments]
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("ali: ")


def test_failed_work_is_told_in_one_line_with_code_1(embedding_file, tmp_path, capsys, rng):
    other = LabelledEmbedding(rng.normal(size=(4, 5)), [0, 0, 1, 1]).save(tmp_path / "other.npz")
    out = tmp_path / "out"
    run(["intervene", str(embedding_file), "--out", str(out)])
    capsys.readouterr()
    arguments = ["replay", str(out / "session.json"), "--embedding", str(other), "--out", str(tmp_path / "m.npz")]
    assert run(arguments) == 1
    error = capsys.readouterr().err
    assert "another embedding" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "m.npz").exists()
    bad = tmp_path / "nan.npz"
    np.savez(bad, X=[[np.nan], [1]], y=["a", "b"])
    assert run(["intervene", str(bad), "--out", str(out)]) == 1
    assert "rows 0" in capsys.readouterr().err
    assert run(["intervene", str(embedding_file), "--exclude", "platelet"]) == 1
    assert "blast, lymphocyte, monocyte" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        *("", "demo", "data", "data synthetic", "embed", "dry-run", "experiment", "figures", "intervene", "replay"),
        *("panels", "studio", "lab"),
    ],
)
def test_every_command_explains_itself(command, capsys):
    assert run([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert "Usage: ali" in text
    assert len(text.splitlines()) > 8


def test_panels_draws_a_session(embedding_file, tmp_path):
    out, figures = tmp_path / "out", tmp_path / "figures"
    assert run(["intervene", str(embedding_file), "--iterations", "3", "--out", str(out)]) == 0
    session = str(out / "session.json")
    assert run(["panels", session, "--embedding", str(embedding_file), "--view", "pca", "--out", str(figures)]) == 0
    assert set(pd.read_csv(figures / "fig6.csv")["view"]) == {"pca"}
    names = {path.name for path in figures.iterdir()}
    assert names == {f"fig{n}.{kind}" for n in (3, 6) for kind in ("pdf", "svg", "png", "csv", "txt")}
    assert json.loads((out / "session.json").read_text())["format"] == "ali-session"


@pytest.fixture
def network_file(tmp_path):
    from ali_core.networks import EmbeddingNet, save_network

    return save_network(EmbeddingNet("mobilenet_v3_small", width=4), tmp_path / "net.safetensors")


@pytest.mark.parametrize("layout", ["table", "folders", "medmnist"])
def test_embed_takes_every_layout_of_images(tmp_path, network_file, layout, rng):
    from PIL import Image

    from ali_core.data import write_marrow

    if layout == "table":
        data = tmp_path / "cells"
        write_marrow(data, n=15, px=32, seed=0)
    elif layout == "folders":
        data = tmp_path / "folders"
        for name in ("a", "b"):
            (data / name).mkdir(parents=True)
            for index in range(2):
                pixels = rng.integers(0, 255, size=(32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(data / name / f"{index}.png")
    else:
        data = tmp_path / "med.npz"
        pixels = rng.integers(0, 255, size=(6, 32, 32, 3), dtype=np.uint8)
        np.savez(data, train_images=pixels, train_labels=np.array([[0], [1]] * 3))
    out = tmp_path / "emb.npz"
    assert run(["embed", str(data), "--weights", str(network_file), "--px", "32", "--out", str(out)]) == 0
    assert LabelledEmbedding.load(out).dim == 4


def test_an_interrupt_is_told_with_code_130(embedding_file, monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "run", interrupted)
    assert run(["intervene", str(embedding_file), "--out", str(embedding_file.parent / "o")]) == 130
    assert capsys.readouterr().err.startswith("ali: interrupted")


def test_help_and_refused_calls_load_nothing_slow(embedding_file, tmp_path):
    calls = [
        *([command, "--help"] for command in ("train", "experiment", "dry-run", "demo", "studio", "notebooks")),
        *(
            ["--version"],
            [],
            ["nothing"],
            ["train", str(tmp_path / "none.npz")],
            ["replay", str(tmp_path / "none.json")],
        ),
        *([command, str(embedding_file), "--preset", "none"] for command in ("train", "intervene")),
    ]
    code = (
        "import sys; from ali_core.cli.app import run\n"
        f"for call in {calls!r}: run(call)\n"
        "slow = {'torch', 'lightning', 'sklearn', 'scipy', 'pandas', 'matplotlib', 'plotly', 'joblib', 'rich.live'}\n"
        "sys.exit(' '.join(slow & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: ali train")
    assert f"ali {ali_core.__version__}\n" in done.stdout


def test_the_package_is_the_command_too():
    done = subprocess.run([sys.executable, "-m", "ali_core", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ali {ali_core.__version__}\n", "")
