"""Options follow ``TrainSettings``: one each, with its bounds, and no two facts apart."""

import click
import pytest
import typer

from ali_core.cli.app import app, run
from ali_core.cli.training_options import WORDS
from ali_core.training import TrainSettings


@pytest.fixture(scope="module")
def options():
    command = typer.main.get_command(app).commands["train"]
    return {option.name: option for option in command.params if isinstance(option, click.Option) or option.opts}


def test_every_option_is_a_setting_and_takes_what_the_setting_takes(options):
    assert set(WORDS) <= set(TrainSettings.model_fields)
    assert options["n_folds"].type.min == 3
    assert (options["intervention_weight"].type.min, options["intervention_weight"].type.max) == (0.0, 1.0)
    assert "--epochs" in options["max_epochs"].opts
    assert options["long_tail"].metavar == "LARGEST:SMALLEST"
    assert all(options[name].default is None for name in WORDS)  # what is not given leaves a settings file alone


def test_a_base_loss_that_does_not_exist_is_a_wrong_use(tmp_path, capsys):
    (tmp_path / "x.npz").touch()
    assert run(["train", str(tmp_path / "x.npz"), "--base", "cross"]) == 2
    assert "'cross' is none of tml | ce" in capsys.readouterr().err
