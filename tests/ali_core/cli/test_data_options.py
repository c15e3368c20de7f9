"""The same options name columns on every command that reads data."""

import inspect

import numpy as np
import pandas as pd
import pytest
import typer

from ali_core import LabelledEmbedding
from ali_core.cli.app import app, run
from ali_core.columns import SHELL

READING = ("demo", "embed", "train", "dry-run", "experiment", "intervene", "replay", "panels", "studio", "lab")


@pytest.mark.parametrize("name", [*READING, "data check"])
def test_every_command_that_reads_data_has_all_of_them(name: str):
    command = typer.main.get_command(app)
    for part in name.split():
        command = command.commands[part]
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(SHELL.values()) <= options


@pytest.fixture
def table(tmp_path, rng):
    """Sixty cells with a class, a donor and a row number in columns of people's own names."""
    n = 60
    frame = pd.DataFrame(rng.normal(size=(n, 4)) + np.arange(n)[:, None] % 3, columns=[f"pc{i}" for i in range(4)])
    frame["kind"] = np.array(["blast", "band", "monocyte"])[np.arange(n) % 3]
    frame["donor"], frame["row"], frame["stain"] = [f"D{i % 7}" for i in range(n)], np.arange(n), "MGG"
    frame.to_csv(tmp_path / "cells.csv", index=False, sep=";", decimal=",")
    return tmp_path / "cells.csv"


def test_named_columns_lead_from_a_table_to_steps(table, capsys):
    out = table.parent / "out"
    named = ["--label-column", "kind", "--group-column", "donor", "--colours", "blast=#112233", "--iterations", "1"]
    assert run(["intervene", str(table), *named, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "60 samples, 4 dimensions (pc0 … pc3); label kind, group donor; kept as metadata: row, stain" in said
    assert "classes: band 20, blast 20, monocyte 20" in said
    written = LabelledEmbedding.load(out / "embedding.npz")
    assert written.colours == {"blast": "#112233"}
    assert written.metadata is not None
    assert written.metadata["stain"].unique().tolist() == ["MGG"]
    assert run(["replay", str(out / "session.json"), "--out", str(out / "again.npz")]) == 0
    np.testing.assert_array_equal(
        LabelledEmbedding.load(out / "again.npz").vectors, LabelledEmbedding.load(out / "after.npz").vectors
    )


def test_classes_are_one_list_or_an_option_each(table, capsys):
    each = ["--classes", "monocyte", "--classes", "band", "--classes", "blast"]
    for order in (each, ["--classes", "monocyte, band,blast"]):
        assert run(["data", "check", str(table), "--label-column", "kind", *order]) == 0
        assert "classes: monocyte 20, band 20, blast 20" in capsys.readouterr().out


def test_a_missing_name_and_a_wrong_form_are_told(table, capsys):
    assert run(["intervene", str(table)]) == 1
    assert "pc0 … pc3 (float64), kind (text), donor (text)" in capsys.readouterr().err
    assert run(["intervene", str(table), "--label-column", "kind", "--colours", "blue"]) == 2
    assert "CLASS=#rrggbb" in capsys.readouterr().err


def test_the_commands_keep_their_own_words():
    from ali_core.cli.interventions import intervene

    assert "embedding" in inspect.signature(intervene).parameters
    assert "columns" not in inspect.signature(intervene).parameters
