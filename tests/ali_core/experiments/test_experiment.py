"""From a file to runs: which there are, what they are called, and how mistakes are told."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ali_core import AliError
from ali_core.columns import Columns
from ali_core.experiments.data_source import Preparation
from ali_core.experiments.experiment import Experiment, paper_file
from ali_core.experiments.planned_runs import planned_runs
from ali_core.experiments.variants import Variant, expanded
from ali_core.interventions import PRESETS, InterventionSettings
from ali_core.training import TrainSettings

EXAMPLE = """
name = "mine"
data = "cells/features.npz"
n_folds = 4
folds = [2, 0]
seeds = [0, 5]
ignore_groups = true
exclude = ["debris"]

[long_tail]
largest = 300

[common]
max_epochs = 7
learning_rate = 0.01

[[runs]]
method = "tml"

[[runs]]
method = "ali"
preset = ["c", "c,s"]
class_weights = [false, true]
intervention_weight = [0.8, 1.0]

[[runs]]
method = "pali"
preset = "c,s"
learning_rate = [0.001, 0.01]

[[runs]]
method = "ali"
start = "tml"
control = [false, true]
class_weights = true
max_epochs = 3

[[runs]]
method = "ali"
name = "mine {width} {label}"
[[runs.interventions]]
contract = 0.25
[[runs.interventions]]
contract = 0.5
shift = 2.0

[[runs]]
method = "pli"
steps = "by_hand.json"
"""
LABELS = [
    "tml",
    "ali c",
    "ali c w=1",
    "ali c +cw",
    "ali c w=1 +cw",
    "ali c,s",
    "ali c,s w=1",
    "ali c,s +cw",
    "ali c,s w=1 +cw",
    "pali c,s learning_rate=0.001",
    "pali c,s learning_rate=0.01",
    "tml, then ali c,s +cw",
    "tml, then ali c,s +cw control",
    "mine 256 ali contract=0.25",
    "mine 256 ali contract=0.5,shift=2",
    "pli",
]


@pytest.fixture
def example(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(EXAMPLE)
    return Experiment.read(path)


def test_lists_are_choices_and_each_has_a_name(example):
    assert [variant.label for variant in example.methods] == LABELS


def test_each_run_has_its_settings(example, tmp_path):
    runs = {run.key: run for run in planned_runs(example, tmp_path / "out")}
    assert len(runs) == len(LABELS) * 4
    shared = {"n_folds": 4, "groups": "ignore", "learning_rate": 0.01, "max_epochs": 7}
    cases = {
        ("tml", 2, 5): {"method": "tml"},
        ("ali c,s w=1 +cw", 0, 0): {"method": "ali", "class_weights": True, "intervention_weight": 1.0},
        ("pali c,s learning_rate=0.001", 0, 5): {"method": "pali", "learning_rate": 0.001},
        ("mine 256 ali contract=0.5,shift=2", 0, 0): {
            "method": "ali",
            "interventions": InterventionSettings(contract=0.5, shift=2.0),
        },
        ("pli", 2, 0): {"method": "pli", "steps": tmp_path / "by_hand.json"},
        ("tml, then ali c,s +cw control", 2, 5): {
            "method": "ali",
            "class_weights": True,
            "control": True,
            "max_epochs": 3,
            "start": tmp_path / "out" / "runs" / "tml" / "2-5",
        },
    }
    for (label, fold, seed), values in cases.items():
        run = runs[label, fold, seed]
        assert run.settings == TrainSettings(**(shared | values), fold=fold, seed=seed)
        assert run.folder.name == f"{fold}-{seed}"
        assert run.wave == ("then" in label)
        assert run.starts_others == (label == "tml")
    assert len({run.folder for run in runs.values()}) == len(runs)


def test_runs_come_in_one_order(example, tmp_path):
    keys = [run.key for run in planned_runs(example, tmp_path)]
    assert keys == [(label, fold, seed) for label in LABELS for seed in (0, 5) for fold in (2, 0)]


def test_a_choice_of_methods_brings_what_it_starts_from(example, tmp_path):
    def chosen(*only):
        return list(dict.fromkeys(run.label for run in planned_runs(example, tmp_path, only)))

    assert chosen("tml, then*") == ["tml", *LABELS[11:13]]
    assert chosen("pli", "ali c *") == [*LABELS[2:5], "pli"]
    assert chosen("ali c,s") == ["ali c,s"]
    with pytest.raises(AliError, match="no run matches 'tmk'; the runs are tml, ali c,"):
        chosen("tmk")


def test_paths_are_relative_to_the_file(example, tmp_path):
    assert example.data == tmp_path / "cells" / "features.npz"
    again = Experiment.read(example.write(tmp_path / "elsewhere" / "experiment.toml"))
    assert again == example


def test_the_experiment_of_the_paper():
    paper = Experiment.read(paper_file())
    cells = {
        f"{first} {preset}{last}"
        for preset, (first, last), weighted in itertools.product(
            PRESETS, (("pali", ""), ("ali", ""), ("ali", " w=1")), (False, True)
        )
        for last in [last + " +cw" * weighted]
    }
    assert len(cells) == 36
    assert {variant.label for variant in paper.methods} == cells | {"tml"}
    runs = planned_runs(paper, "out")
    assert len(runs) == 37 * 6
    weights = {run.label: run.settings.weight for run in runs}
    assert (weights["pali c"], weights["ali all +cw"], weights["ali c,s w=1"], weights["tml"]) == (0.9, 0.8, 1.0, 0.0)
    assert {run.settings.max_epochs for run in runs} == {200}
    # What is commented out is right, too.
    text = paper_file().read_text()
    pli = re.search(r'# (\[\[runs\]\])\n# (method = "pli")\n# (steps = "manual.json").*\n# (control = .*?) #', text)
    tail = re.search(r"# (\[long_tail\])\n# (largest = 500)\n# (smallest = 24)\n# (seed = 0)", text)
    assert tail
    runs = tomllib.loads("\n".join(pli.groups()))["runs"]
    assert [variant.label for variant in expanded({}, runs)] == ["pli", "pli control"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("runs = 3", "bad.toml: runs: .*tuple; got 3"),
        (
            "[[runs]]\nmethod = 'tml'\n[[runs]]\nmethod = 'ali'\nmargn = 1",
            "runs 2: there is no setting 'margn'; did you",
        ),
        ("[[runs]]\nmethod = ['tml', 'tmm']", r"runs 1 \(method = 'tmm'\): method 'tmm' is none of"),
        ("sead = 1\n[[runs]]\nmethod = 'tml'", "there is no setting 'sead'; did you mean seeds"),
        ("[common]\nmargin = -1\n[[runs]]\nmethod = 'tml'", "runs 1: margin: .*got -1"),
        ("[common]\nfold = 1\n[[runs]]\nmethod = 'tml'", "common: fold is the same for all methods; set folds"),
        ("[common]\nstart = 'a'\n[[runs]]\nmethod = 'tml'", "common: start and name belong to single runs"),
        ("[[runs]]\nmethod = 'tml'\ngroups = 'keep'", "runs 1: groups is .* set ignore_groups"),
        ("[[runs]]\nmethod = 'tml'\ndevices = 2", "runs 1: devices must be 1"),
        ("[[runs]]\nmethod = []", "runs 1: method is a list without a choice"),
        ("[[runs]]\nmethod = 'tml'\n[[runs]]\nmethod = 'tml'\nmargin = 0.1", "two runs are called 'tml'; give one"),
        ("[[runs]]\nmethod = 'tml'\n[[runs]]\nmethod = 'ce'\nname = 'TML'", "'tml' is too like 'TML'"),
        ("[[runs]]\nmethod = 'tml'\nname = '{wide}'", "name '{wide}' may hold fields"),
        ("[[runs]]\nmethod = 'tml'\nname = ' '", "a label is one line of text"),
        ("[[runs]]\nmethod = 'tml'\n[[runs]]\nmethod = 'ali'\nstart = 'ce'", "starts from 'ce', which is no run"),
        (
            "[[runs]]\nmethod = 'tml'\nname = 'a'\nstart = 'b'\n[[runs]]\nmethod = 'tml'\nname = 'b'\nstart = 'a'",
            "'a' starts from itself, by way of 'b'",
        ),
        ("[[runs]]\nmethod = 'ali'", "baseline 'tml' is no run; the runs are ali c,s"),
        (
            "n_folds = 18446744073709551616\n[[runs]]\nmethod = 'tml'",
            "n_folds: input should be less than or equal to 1",
        ),
        ("folds = [6]\n[[runs]]\nmethod = 'tml'", "folds must lie below n_folds = 6; got 6"),
        ("folds = [1, 1]\n[[runs]]\nmethod = 'tml'", "folds must be at least one number, each once"),
        ("seeds = [0, 0]\n[[runs]]\nmethod = 'tml'", "seeds must be at least one number, each once"),
        ("[long_tail]\nlargest = 0\n[[runs]]\nmethod = 'tml'", "long_tail: largest: .*got 0"),
        ("[images]\nwhere = ['a']\n[[runs]]\nmethod = 'tml'", "images: where"),
        ("long_tail = 3\n[[runs]]\nmethod = 'tml'", "long_tail: .*dictionary"),
        ("[[runs]", "bad.toml is not a readable TOML file"),
    ],
)
def test_mistakes_name_file_table_and_field(tmp_path, content, message):
    (tmp_path / "bad.toml").write_text(content)
    with pytest.raises(AliError, match=message) as told:
        Experiment.read(tmp_path / "bad.toml")
    assert str(told.value).startswith("bad.toml")
    assert "\n" not in str(told.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(AliError, match="there is no experiment file"):
        Experiment.read(tmp_path / "none.toml")


def test_columns_in_older_words_name_any_data():
    runs = [{"method": "tml"}]
    older = Experiment(runs=runs, images={"label_column": "kind", "where": ["stain", "MGG"]})
    newer = Experiment(runs=runs, columns={"label": "kind", "where": ["stain", "MGG"]})
    assert older.preparation == newer.preparation == Preparation(columns=Columns(label="kind", where=("stain", "MGG")))
    both = Experiment(runs=runs, images={"label_column": "kind"}, columns={"label": "kind"})
    with pytest.raises(AliError, match="give columns or images"):
        _ = both.preparation


@given(st.text(min_size=1, max_size=120))
def test_folders_are_plain_names(label):
    folder = Variant(label=label, values={}).folder
    assert re.fullmatch(r"[A-Za-z0-9_+=,-][A-Za-z0-9_+=.,-]{0,79}|-[0-9a-f]{8}", folder)
    assert Path(folder).name == folder


@given(st.lists(st.text("abA .._/\\é", min_size=1, max_size=4), min_size=2, max_size=6, unique=True))
def test_no_two_methods_share_a_folder(labels):
    runs = [{"method": "tml", "name": label.replace("{", "")} for label in labels]
    try:
        variants = expanded({}, runs)
    except AliError:
        return  # refused
    assert len({variant.folder.casefold() for variant in variants}) == len(labels)
