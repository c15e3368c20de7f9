"""The command ali dry-run: what it writes and how it fails."""

import numpy as np
import pandas as pd
import pytest

from ali_core import LabelledEmbedding, experiments
from ali_core.cli.app import run
from ali_core.experiments import SweepGrid, dry_run, folds_of_runs
from ali_core.files import read_csv
from ali_core.training import TrainSettings, train
from tests.ali_core.experiments.dry_run_samples import clouds
from tests.ali_core.training.samples import features, small

COLUMNS = [
    *("combination", "space", "sweep", "configuration", "contract", "rotate", "shift", "shift_mix", "criterion"),
    *("selection", "n_neighbours", "fold", "n_interventions", "oracle_f1", "transfer_f1"),
]
GRID = {"contract": (0.25, 0.5), "shift": (1.0,), "choices": (("product", "deterministic"),), "n_neighbours": 2}
TOML = """
contract = [0.25, 0.5]
shift = [1.0]
choices = [["product", "deterministic"]]
n_neighbours = 2
"""


@pytest.fixture
def paths(tmp_path):
    """Files by the name they have in the tests' commands; OUT is not there yet."""
    vectors, labels = clouds((24, 18, 15), seed=3)
    LabelledEmbedding(vectors, [f"class {label}" for label in labels]).save(tmp_path / "emb.npz")
    (tmp_path / "grid.toml").write_text(TOML)
    (tmp_path / "bad.toml").write_text("contracts = [0.5]")
    (tmp_path / "no.toml").write_text("contract = [0.5")
    (tmp_path / "empty").mkdir()
    names = {"EMB": "emb.npz", "GRID": "grid.toml", "BAD": "bad.toml", "NO": "no.toml", "EMPTY": "empty", "OUT": "out"}
    return {name: str(tmp_path / file) for name, file in names.items()}


def ali(paths, command):
    return run(["dry-run", *(paths.get(word, word) for word in command.split())])


SHORT = "--grid GRID --longest 3 --n-folds 3 --workers 1 --out OUT"


def test_it_writes_what_the_function_finds(paths, tmp_path, capsys):
    assert ali(paths, f"EMB --combination c,s {SHORT}") == 0
    out = tmp_path / "out"
    curves = read_csv(out / "curves.csv")
    assert list(curves) == COLUMNS
    data = LabelledEmbedding.load(paths["EMB"])
    expected = dry_run(data, combinations=["c,s"], grid=SweepGrid(**GRID), longest=3, n_folds=3, workers=1)
    pd.testing.assert_frame_equal(curves, expected.curves, check_exact=True, check_dtype=False)
    table = read_csv(out / "table1.csv")
    pd.testing.assert_frame_equal(table, expected.table1, check_exact=True, check_dtype=False)
    best = TrainSettings.read(out / "recommended.toml")
    assert (best.preset, best.interventions) == ("c,s", expected.recommendations["c,s"].settings)
    said = capsys.readouterr().out
    row = expected.table1.iloc[0]
    for words in (f"{row.oracle_f1:.4f}", f"{row.transfer_f1:.4f}", f"untouched: {row.untouched_f1:.4f}"):
        assert words in said
    assert f"--settings {out}/recommended.toml --control" in said
    assert "Neither score has foretold which settings gain most in training" in said


def test_it_says_where_nothing_is_gained(paths, tmp_path, capsys):
    labels = np.repeat([0, 1, 2], 20)
    apart = 100.0 * np.eye(3)[labels] + np.random.default_rng(0).normal(size=(60, 3))
    LabelledEmbedding(apart, [f"class {label}" for label in labels]).save(tmp_path / "emb.npz")
    assert ali(paths, f"EMB --combination c,s {SHORT}") == 0
    said = capsys.readouterr().out
    assert pd.read_csv(tmp_path / "out" / "table1.csv")["untouched_f1"][0] == 1.0
    assert "no intervention of c,s raises the oracle score: there is nothing to train with" in said


def test_options_reach_the_function(paths, monkeypatch):
    asked = {}

    def remembered(data, **options):
        asked.update(options, n_classes=data.n_classes)
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "dry_run", remembered, raising=False)
    words = "--combination c --combination all --space 2d --search full --seed 4 --exclude class-0"
    given = dict(paths)
    given["class-0"] = "class 0"
    assert ali(given, f"EMB {words} {SHORT}") == 130
    assert asked["n_classes"] == 2
    assert asked["combinations"] == ["c", "all"]
    assert (asked["space"], asked["search"], asked["seed"]) == ("2d", "full", 4)
    assert (asked["longest"], asked["n_folds"], asked["workers"], asked["scheduler"]) == (3, 3, 1, None)
    assert asked["grid"] == SweepGrid(**GRID)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("EMB --combination c,o", "'c,o' is none of c | c,s | c,r | c,s,os | c,s,r | all"),
        ("EMB --space 3d", "'3d' is none of nd | 2d"),
        ("EMB --search best", "'best' is none of race | full"),
        ("EMB --longest 0", "--longest"),
        ("EMB --n-folds 2", "--n-folds"),
        ("EMB --workers 0", "--workers"),
        ("EMB --grid missing.toml", "missing.toml"),
        ("EMB EMB", "one embedding file, or one training run a fold"),
        ("EMB EMPTY", "one embedding file, or one training run a fold"),
        ("EMPTY --exclude blast", "--exclude, and names of columns, go with an embedding file"),
        ("missing.npz", "missing.npz"),
        ("", "EMB"),
        ("EMB --fast", "--fast"),
    ],
)
def test_wrong_use_is_told_in_one_line_with_code_2(paths, tmp_path, capsys, command, message):
    assert ali(paths, f"{command} --out OUT") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("ali: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("EMB --grid BAD", "bad.toml: there is no setting 'contracts'; did you mean contract?"),
        ("EMB --grid NO", "no.toml: "),
        ("EMB --exclude platelet", "platelet"),
        ("EMPTY", "holds no finished training run"),
        ("EMB --workers 2 --scheduler tcp://127.0.0.1:9", "give one of the two"),
    ],
)
def test_failed_work_is_told_in_one_line_with_code_1(paths, tmp_path, capsys, command, message):
    assert ali(paths, f"{command} --out OUT") == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out" / "curves.csv").exists()


def test_another_dry_run_in_the_folder_is_told(paths, capsys):
    assert ali(paths, f"EMB --combination c {SHORT}") == 0
    capsys.readouterr()
    assert ali(paths, f"EMB --combination c {SHORT} --longest 4") == 1
    assert "other longest; choose another folder with --out" in capsys.readouterr().err


def test_an_interrupt_says_how_to_go_on_and_the_same_command_does(paths, tmp_path, capsys, monkeypatch):
    command = f"EMB --combination c,s {SHORT}"
    plain = experiments.dry_run

    def stopped(data, **options):
        def stop(what, done, of):
            if what == "neighbours":
                raise KeyboardInterrupt

        return plain(data, **options | {"progress": stop})

    with monkeypatch.context() as patched:
        patched.setattr(experiments, "dry_run", stopped, raising=False)
        assert ali(paths, command) == 130
    error = capsys.readouterr().err
    assert error == "ali: interrupted; what is finished is kept, and the same command goes on\n"
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "parts").rglob("*.csv")}
    assert kept
    assert ali(paths, command) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert (tmp_path / "out" / "curves.csv").is_file()


def test_training_runs_are_taken_with_their_own_folds(paths, tmp_path, capsys):
    runs = []
    for fold in range(2):
        runs.append(tmp_path / f"run-{fold}")
        train(features(), small(method="ce", max_epochs=1, fold=fold), out=runs[-1])
    words = " ".join(map(str, runs))
    assert ali(paths, f"{words} --combination c {SHORT}") == 0
    assert "/recommended.toml --base ce " in capsys.readouterr().out
    curves = read_csv(tmp_path / "out" / "curves.csv")
    expected = dry_run(folds_of_runs(runs), combinations=["c"], grid=SweepGrid(**GRID), longest=3, workers=1)
    pd.testing.assert_frame_equal(curves, expected.curves, check_exact=True, check_dtype=False)


def test_it_explains_itself(capsys):
    assert run(["dry-run", "--help"]) == 0
    text = capsys.readouterr().out
    for option in ("--combination", "--space", "--search", "--grid", "--out", "--workers", "--scheduler"):
        assert option in text
