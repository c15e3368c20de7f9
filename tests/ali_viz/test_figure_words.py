"""What captions say of settings is what the records hold, and nothing where they are silent."""

import pytest

from ali_core.experiments.experiment import Experiment
from ali_core.experiments.sweep_grid import SweepGrid
from ali_viz.figure_sources import FigureSources, TrainingRun
from ali_viz.figure_words import dry_run_words, experiment_words, sized, training_words


@pytest.fixture
def run_with(tmp_path):
    def make(name, text):
        (tmp_path / name).mkdir()
        (tmp_path / name / "settings.toml").write_text(text)
        return TrainingRun(tmp_path / name)

    return make


def test_the_size_of_data_stands_behind_its_name_if_it_is_known():
    assert sized("cells", 12345, 7) == "cells (12,345 samples of 7 classes)"
    assert sized("cells", None, 7) == sized("cells", 5, None) == "cells"


def test_a_dry_run_is_described_by_its_whole_grid():
    grid = SweepGrid(contract=(0.5, 0.125), shift=(4.0,), seed=3)
    name, settings = dry_run_words({"grid": grid.model_dump(mode="json"), "longest": 50, "hold": 3, "seed": 1})
    assert name == "samples of unknown origin"
    assert settings == (
        "Grid: λ_c 0.125, 0.5; λ_r 0.02, 0.04, 0.08, 0.16, 0.32; λ_s 4; γ 0, 0.25, 0.5, 0.75; "
        "at most 50 interventions; seed 1 (folds and layout); seed 3 (probabilistic choice)"
    )
    assert dry_run_words({}) == (name, "")


def test_an_experiment_is_described_by_the_file_that_it_writes(tmp_path):
    experiment = Experiment(name="plain", folds=(1, 2), seeds=(0, 5), runs=({"method": "tml"},))
    experiment.write(tmp_path / "experiment.toml")
    settings = FigureSources(experiment=tmp_path).settings
    assert experiment_words(settings) == "Experiment “plain”; 2 of 6 folds (fold seed 0); training seeds 0, 5"
    assert experiment_words({}) == ""


def test_limits_of_training_are_those_of_all_runs(run_with):
    short = run_with("short", "max_epochs = 30\npatience = 0\n")
    long = run_with("long", "max_epochs = 200\npatience = 50\n")
    assert training_words([short, short]) == "Trained for at most 30 epochs, no early stop"
    assert training_words([long, short]) == (
        "Trained for at most 30 or 200 epochs, stopped after 0, 50 without a better validation F1 (0: never)"
    )
    assert training_words([run_with("silent", "")]) == training_words([]) == ""
