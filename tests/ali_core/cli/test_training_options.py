"""Options follow ``TrainSettings``: one each, with its bounds, and no two facts apart."""

import inspect
from typing import get_args

from ali_core.cli.app import run
from ali_core.cli.train import train
from ali_core.cli.training_options import WORDS
from ali_core.training import TrainSettings


def test_every_option_is_a_setting_and_takes_what_the_setting_takes():
    parameters = inspect.signature(train).parameters
    options = {name: get_args(parameters[name].annotation) for name in WORDS}  # (type, what typer makes of it)
    assert set(WORDS) <= set(TrainSettings.model_fields)
    assert options["n_folds"][0] == int | None
    assert options["n_folds"][1].min == 3
    assert (options["intervention_weight"][1].min, options["intervention_weight"][1].max) == (0.0, 1.0)
    assert options["class_weights"][0] == bool | None
    assert options["long_tail"][1].metavar == "LARGEST:SMALLEST"
    assert all(parameters[name].default is None for name in WORDS)  # what is not given leaves a settings file alone


def test_a_base_loss_that_does_not_exist_is_a_wrong_use(tmp_path, capsys):
    (tmp_path / "x.npz").touch()
    assert run(["train", str(tmp_path / "x.npz"), "--base", "cross"]) == 2
    assert "'cross' is none of tml | ce" in capsys.readouterr().err
