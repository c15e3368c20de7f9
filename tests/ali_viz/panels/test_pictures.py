"""Each kind of print figure still looks as in pictures/, but for what fonts and antialiasing may change.

After a change that is meant, look at the figures and write the pictures anew, then look at what git shows::

    ALI_RENEW_PICTURES=1 uv run pytest tests/ali_viz/panels/test_pictures.py

A new kind of figure needs one line in CASES and its picture.
"""

import io
import itertools
import os
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ali_core import LabelledEmbedding, ManualStep, Session, preset
from ali_core.data import CellImages
from ali_viz.panels import (
    TrainedEpoch,
    cells_panel,
    distribution_panel,
    draw_dry_run,
    draw_states,
    dry_run_panel,
    epoch_panel,
    results_panel,
    state_panel,
    step_panel,
    timing_panel,
)
from ali_viz.panels.print_style import print_style

PICTURES = Path(__file__).parent / "pictures"
LARGEST_FILE = 30_000
DPI, FINER = 36, 8
"""Figures are drawn finer than they are kept, without hinting, and averaged over squares of pixels."""

TILE, TOLERANCE = 8, 13.0
"""The tile of 8 × 8 reduced pixels that differs most may differ by this root mean square, of 255."""

NAMES = ("blast", "lymphocyte", "monocyte", "platelet", "unheard of")


def session(*, steps=4):
    rng = np.random.default_rng(11)
    labels = np.repeat(np.arange(5), [40, 25, 20, 10, 5])
    vectors = rng.normal(size=(100, 4)) + 3.0 * rng.normal(size=(5, 4))[labels]
    found = Session(LabelledEmbedding(vectors, labels, NAMES), preset("c,s,os", dim=4))
    found.run(steps)
    return found


def states():
    found = session()
    return state_panel({"Before": found.before, "After 4 interventions": found.after}, ["dims", "pca"], data="made-up")


def epoch():
    found = session()
    following = found.before.with_vectors(0.5 * (found.before.vectors + found.after.vectors))
    return epoch_panel(TrainedEpoch(session=found, following=following, epoch=4, data="made-up"), ["dims"])


def step():
    return step_panel(session(), 2, data="made-up")


def step_close_up():
    found = session(steps=0)
    found.apply(ManualStep(classes=("blast",), contract=0.5, shift=0.6, shift_mix=0.5))
    return step_panel(found, 1, data="made-up", width="single")


def curves():
    """Two combinations in two spaces whose curves rise the faster, the stronger they contract."""
    parts = []
    looks = itertools.product(
        ("nd", "2d"), ("c", "c,s"), (0.125, 0.25, 0.5), ("mean-std", "closest"), ("deterministic", "probabilistic")
    )
    for space, combination, contract, criterion, selection in looks:
        n = np.arange(16)
        speed = contract * (0.6 if selection == "probabilistic" else 1.0) * (0.7 if criterion == "closest" else 1.0)
        rows = {
            "n_interventions": n,
            "oracle_f1": np.minimum(0.6 + 0.5 * (1.0 - np.exp(-speed * n)), 1.0),
            "transfer_f1": 0.6 + contract * 0.1 * np.sin(n / 4.0),
        }
        look = {"contract": contract, "rotate": 0.0, "shift": 0.0, "shift_mix": 1.0, "n_neighbours": 15, "fold": 0}
        name = f"{contract} {criterion} {selection}"
        look |= {"space": space, "combination": combination, "criterion": criterion, "selection": selection}
        parts.append(pd.DataFrame(rows).assign(configuration=name, sweep="strengths", **look))
    return pd.concat(parts, ignore_index=True)


def dry_run():
    return dry_run_panel(curves(), score="oracle", data="made-up")


def cells():
    """Discs on a pink ground, one hue a class."""
    y, x = np.mgrid[:48, :48] - 23.5
    images = np.full((4, 48, 48, 3), (235, 205, 215), dtype=np.uint8)
    hues = [(90, 60, 140), (150, 90, 170), (60, 90, 150), (200, 80, 90)]
    for number, (hue, radius) in enumerate(zip(hues, (18, 15, 12, 9), strict=True)):
        images[number][x**2 + y**2 < radius**2] = hue
    found = CellImages(labels=np.arange(4), class_names=NAMES[:4], ids=np.array([*"abcd"]), pixels=images)
    return cells_panel(found, data="made-up")


def distribution():
    return distribution_panel(np.repeat(np.arange(5), [400, 125, 30, 10, 3]), NAMES, data="made-up")


def runs():
    """The baseline and two combinations with and without class weights, in three folds."""
    rows = [
        {
            "method": f"{loss} {preset}".strip() + " +cw" * weighted,
            "loss": loss,
            "preset": preset,
            "class_weights": weighted,
            "intervention_weight": 0.8 if preset else 0.0,
            "control": False,
            "fold": fold,
            "seed": 0,
            "macro_f1": 0.6 + 0.02 * len(preset) + 0.03 * weighted + 0.01 * (fold - 1),
            "space": "nd",
        }
        for loss, preset in (("tml", ""), ("ali", "c"), ("ali", "c,s"))
        for weighted in (False, True)[: 1 + bool(preset)]
        for fold in range(3)
    ]
    return pd.DataFrame(rows)


def results():
    return results_panel(runs(), n_folds=3, data="made-up")


def timing():
    parts = [
        runs().assign(stage=stage, seconds=lambda rows, scale=scale: scale * (rows["preset"].str.len() + rows["fold"]))
        for stage, scale in (("intervene", 0.1), ("train", 2.0))
    ]
    return timing_panel(pd.concat(parts).query("preset != '' or stage == 'train'"), data="made-up")


CASES = {
    "cells": cells,
    "distribution": distribution,
    "results": results,
    "timing": timing,
    "states": states,
    "epoch": epoch,
    "step": step,
    "step_close_up": step_close_up,
    "dry_run": dry_run,
}


def picture(figure, *, finer=FINER):
    """Draw a figure ``finer`` times larger than it is kept, and average over squares of pixels."""
    buffer = io.BytesIO()
    with print_style(), mpl.rc_context({"text.hinting": "none"}):
        figure.savefig(buffer, format="png", dpi=DPI * finer)
    width, height = (round(inches * DPI) for inches in figure.get_size_inches())
    return Image.open(buffer).convert("RGB").resize((width, height), Image.Resampling.BOX)


def difference(one, other):
    """Root mean square of the tile that differs most; infinite for pictures of unequal size."""
    if one.size != other.size:
        return np.inf
    squares = np.square(np.asarray(one, dtype=np.float64) - np.asarray(other, dtype=np.float64)).mean(axis=2)
    rows, columns = (-(-length // TILE) for length in squares.shape)
    padded = np.zeros((rows * TILE, columns * TILE))
    padded[: squares.shape[0], : squares.shape[1]] = squares
    return float(np.sqrt(padded.reshape(rows, TILE, columns, TILE).mean(axis=(1, 3)).max()))


@pytest.mark.parametrize("name", CASES)
def test_the_figure_looks_as_in_its_picture(name):
    path, drawn = PICTURES / f"{name}.png", picture(CASES[name]().figure)
    if os.environ.get("ALI_RENEW_PICTURES"):
        path.parent.mkdir(exist_ok=True)
        drawn.save(path, optimize=True)
    assert path.stat().st_size <= LARGEST_FILE
    with Image.open(path) as kept:
        assert difference(drawn, kept.convert("RGB")) <= TOLERANCE


def test_every_picture_belongs_to_a_figure():
    assert {path.stem for path in PICTURES.glob("*.png")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_another_antialiasing_is_no_change(name):
    figure = CASES[name]().figure
    assert 0.0 < difference(picture(figure), picture(figure, finer=2 * FINER)) <= TOLERANCE


def moved(table):
    """A class in one panel, by a third of the way to the middle of all."""
    rows = (table["class_name"] == "blast") & (table["view"] == "dims") & (table["state"] == "Before")
    return table.assign(x=table["x"] + (table["x"].median() - table["x"]) / 3 * rows)


def recoloured(table):
    return table.assign(colour=table["colour"].where(table["class_name"] != "monocyte", "#d25bcb"))


def reshaped(table):
    return table.assign(symbol=table["symbol"].where(table["class_name"] != "monocyte", "square-open"))


def renamed(table):
    return table.assign(state=table["state"].replace("Before", "Behind"))


@pytest.mark.parametrize("change", [moved, recoloured, reshaped, renamed])
def test_a_changed_figure_is_told_from_its_picture(change):
    table = states().table
    assert difference(picture(draw_states(table)), picture(draw_states(change(table)))) > 1.5 * TOLERANCE


def test_a_changed_curve_is_told_from_its_picture():
    table = dry_run().table
    rows = table["is_best"] & (table["combination"] == "c") & (table["space"] == "nd")
    lower = table.assign(f1=table["f1"] - 0.05 * (rows & (table["n_interventions"] > 3)))
    assert difference(picture(draw_dry_run(table)), picture(draw_dry_run(lower))) > 1.5 * TOLERANCE


def test_another_size_is_another_picture():
    table = states().table
    assert difference(picture(draw_states(table)), picture(draw_states(table, width="single"))) == np.inf
