"""Figures are made of what a folder holds, and what is missing is said with the way to get it."""

import json

import numpy as np
import pandas as pd
import pytest
import tomli_w

from ali_core import AliError, LabelledEmbedding, Session, preset
from ali_core.data import write_marrow
from ali_core.data.layouts import open_images
from ali_core.experiments.experiment import Experiment
from ali_core.experiments.sweep_grid import SweepGrid
from ali_core.files import read_csv
from ali_viz import figures
from ali_viz.figure_sources import FigureSources, TrainingRun
from ali_viz.figures import (
    FIGURES,
    dry_run_words,
    experiment_words,
    make_figures,
    sized,
    training_words,
)

KINDS = ("csv", "pdf", "png", "svg", "txt")
NAMES = ("blast", "monocyte", "own kind")


def write_json(content, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_run(folder, ids, labels, *, method="ali", source=None):
    """The files of a training run that figures read."""
    about = {"data": {"source": source, "n_samples": len(ids), "class_names": NAMES}, "device": "cpu"}
    write_json(about, folder / "run.json")
    (folder / "settings.toml").write_text(tomli_w.dumps({"method": method, "preset": "c,s"}))
    parts = pd.DataFrame({"id": ids, "label": np.array(NAMES)[labels], "part": "train"})
    parts.to_csv(folder / "parts.csv", index=False)
    times = pd.DataFrame({"epoch": [0, 1, 2], "train": [None, 2.0, 4.0], "intervene": [0.5, 0.1, 0.3]})
    times.to_csv(folder / "timing.csv", index=False)
    return folder


def keep_epochs(folder, ids, labels, last=4):
    """The training embedding of every epoch, and the interventions that followed all but the last."""
    rng = np.random.default_rng(7)
    for epoch in range(last + 1):
        vectors = rng.normal(size=(len(ids), 4)) + 2.0 * np.eye(4)[labels]
        embedding = LabelledEmbedding(vectors, labels, NAMES, ids=ids)
        path = folder / "embeddings" / f"epoch-{epoch:04d}.npz"
        path.parent.mkdir(exist_ok=True)
        embedding.save(path)
        if epoch < last:
            session = Session(embedding, preset("c,s", dim=4))
            session.run(epoch + 1)
            (folder / "interventions").mkdir(exist_ok=True)
            session.save(folder / "interventions" / f"epoch-{epoch:04d}.json")


@pytest.fixture
def labels():
    return np.repeat([0, 1, 2], [12, 9, 3])


@pytest.fixture
def ids(labels):
    return [f"cell-{number}" for number in range(len(labels))]


@pytest.fixture
def run(tmp_path, ids, labels):
    return write_run(tmp_path / "run", ids, labels, source="features.npz")


@pytest.fixture
def experiment(tmp_path, ids, labels):
    folder = tmp_path / "all" / "experiment"
    write_run(folder / "runs" / "tml" / "0-0", ids, labels, method="tml")
    (folder / "experiment.toml").write_text(tomli_w.dumps({"baseline": "tml", "n_folds": 5}))
    write_json({"data": "marrow.npz"}, folder / "data.json")
    rows = [
        (method, loss, name, False, weight, False, fold, 0, 0.6 + 0.01 * fold + weight / 10)
        for method, loss, name, weight in (("tml", "tml", "", 0.0), ("ali c", "ali", "c", 0.8))
        for fold in range(3)
    ]
    columns = [
        "method",
        "loss",
        "preset",
        "class_weights",
        "intervention_weight",
        "control",
        "fold",
        "seed",
        "macro_f1",
    ]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "results.csv", index=False)
    times = [
        (*row[:3], "nd", row[6], 0, stage, seconds)
        for row in rows
        for stage, seconds in (("train", 2.0), ("intervene", 0.1 * (row[1] == "ali")))
    ]
    columns = ["method", "loss", "preset", "space", "fold", "seed", "stage", "seconds"]
    pd.DataFrame(times, columns=columns).to_csv(folder / "timing.csv", index=False)
    return folder


@pytest.fixture
def dry_run(tmp_path):
    folder = tmp_path / "all" / "dry-run"
    data = {"name": "marrow.npz", "n_samples": 2400, "n_classes": 3}
    grid = {"contract": [0.5], "rotate": [0.02, 0.32], "shift": [1.0], "shift_mix": [0.0], "seed": 5}
    write_json({"seed": 11, "hold": 2, "longest": 40, "data": data, "grid": grid}, folder / "dry_run.json")
    curve = pd.DataFrame({"n_interventions": range(3), "oracle_f1": [0.5, 0.7, 0.9], "transfer_f1": [0.5, 0.6, 0.4]})
    settings = {"contract": 0.5, "rotate": 0.0, "shift": 0.0, "shift_mix": 1.0, "criterion": "product"}
    about = {"space": "nd", "combination": "c", "configuration": "one", "sweep": "strengths", "n_neighbours": 15}
    curves = [curve.assign(fold=fold, selection="deterministic", **about, **settings) for fold in (0, 1)]
    pd.concat(curves).to_csv(folder / "curves.csv", index=False)
    return folder


def made(folder):
    """Names of the figures whose five files are there."""
    names = {path.stem for path in folder.iterdir()}
    assert {path.name for path in folder.iterdir()} == {f"{name}.{kind}" for name in names for kind in KINDS}
    return names


def test_a_folder_of_everything_gives_all_that_it_holds(experiment, dry_run, tmp_path):
    said = []
    files = make_figures(experiment.parent, tmp_path / "out", report=said.append)
    assert made(tmp_path / "out") == {"fig2", "fig4", "fig5", "fig7"}
    assert len(files) == 20
    assert [line.split(":")[0].split()[0] for line in said] == list(FIGURES)
    reasons = dict(zip(FIGURES, said, strict=True))
    assert "ali figures DIR --images IMAGES" in reasons["fig1"]
    for name in ("fig3", "fig6"):
        assert "--keep-embeddings" in reasons[name]
    assert "\n" not in "".join(said)


def test_each_figure_is_made_of_its_own_files(experiment, dry_run, tmp_path):
    out = tmp_path / "out"
    make_figures(experiment.parent, out)
    counts = pd.read_csv(out / "fig2.csv").set_index("class_name")["n_samples"]
    assert counts.to_dict() == {"blast": 12, "monocyte": 9, "own kind": 3}
    bars = pd.read_csv(out / "fig5.csv").set_index("kind")
    assert bars.loc["bar", "mean"] == pytest.approx(0.61 + 0.08)
    assert "(1/n + 1/3)" in (out / "fig5.txt").read_text("utf-8")
    assert "marrow.npz (24 samples of 3 classes), on cpu" in (out / "fig7.txt").read_text("utf-8")
    assert pd.read_csv(out / "fig4.csv")["f1"].max() == pytest.approx(0.9)


def test_captions_name_data_size_settings_and_seeds(experiment, dry_run, tmp_path):
    settings = {"name": "short", "seeds": [3, 4], "fold_seed": 9, "exclude": ["artefact"], "ignore_groups": True}
    settings |= {"baseline": "tml", "n_folds": 5, "folds": [0, 2, 3]}
    settings |= {"long_tail": {"largest": 90, "smallest": 7, "seed": 8}}
    (experiment / "experiment.toml").write_text(tomli_w.dumps(settings))
    run = experiment / "runs" / "tml" / "0-0"
    (run / "settings.toml").write_text(tomli_w.dumps({"method": "tml", "max_epochs": 17, "patience": 6}))
    make_figures(experiment.parent, tmp_path / "out", only=["fig4", "fig5", "fig7"])
    captions = {name: (tmp_path / "out" / f"{name}.txt").read_text("utf-8") for name in ("fig4", "fig5", "fig7")}
    expected = (
        "marrow.npz (2,400 samples of 3 classes)",
        "λ_r 0.02, 0.32;",
        "at most 40 interventions",
        "seed 11 (folds",
    )
    for words in (*expected, "seed 5 (probabilistic", "1 for 2 numbers in a row", "use the labels"):
        assert words in captions["fig4"]
    for name in ("fig5", "fig7"):
        for words in (
            "marrow.npz (24 samples of 3 classes)",
            "“short”; without artefact; thinned to a long tail of 90 to 7 samples a class (seed 8)",
            "3 of 5 folds (fold seed 9, groups not kept whole); training seeds 3, 4.",
            "Trained for at most 17 epochs, stopped after 6 without a better validation F1.",
            "labels of the training fold",
        ):
            assert words in captions[name]


def test_a_dry_run_without_a_record_of_its_data_is_drawn(dry_run, tmp_path):
    write_json({"seed": 11, "hold": None}, dry_run / "dry_run.json")
    make_figures(dry_run, tmp_path, only=["fig4"])
    caption = (tmp_path / "fig4.txt").read_text("utf-8")
    assert "embedding of samples of unknown origin: macro F1" in caption
    assert "Seed 11 (folds and layout)." in caption
    assert "in a row" not in caption


def test_settings_of_a_run_beside_an_experiment_are_not_those_of_the_experiment(experiment, tmp_path, ids, labels):
    for folder, epochs in ((experiment / "runs" / "tml" / "0-0", 17), (experiment.parent / "run", 99)):
        write_run(folder, ids, labels)
        (folder / "settings.toml").write_text(tomli_w.dumps({"method": "ali", "max_epochs": epochs, "patience": 0}))
    make_figures(experiment.parent, tmp_path / "out", only=["fig5", "fig7"])
    for name in ("fig5", "fig7"):
        caption = (tmp_path / "out" / f"{name}.txt").read_text("utf-8")
        assert "at most 17 epochs, no early stop." in caption


def test_a_single_run_gives_what_it_has_and_tells_what_makes_the_rest(run, tmp_path):
    said = []
    make_figures(run, tmp_path / "out", report=said.append)
    assert made(tmp_path / "out") == {"fig2", "fig7"}
    reasons = dict(zip(FIGURES, said, strict=True))
    assert "ali dry-run EMB" in reasons["fig4"]
    assert "ali experiment FILE.toml" in reasons["fig5"]
    assert "features.npz" in reasons["fig1"]
    cost = pd.read_csv(tmp_path / "out" / "fig7.csv").set_index("stage")
    np.testing.assert_allclose(cost.loc["intervene", ["mean", "low", "high", "n"]].astype(float), [0.2, 0.1, 0.3, 2])
    assert "2 epochs" in (tmp_path / "out" / "fig7.txt").read_text("utf-8")


@pytest.mark.parametrize(("last", "epoch"), [(5, 3), (2, 1)])
def test_kept_epochs_give_one_step_and_the_states_around_it(run, ids, labels, tmp_path, last, epoch):
    keep_epochs(run, ids, labels, last=last)
    out = tmp_path / "out"
    make_figures(run, out, only=["fig3", "fig6"])
    assert made(out) == {"fig3", "fig6"}
    drawn = read_csv(out / "fig6.csv")
    drawn = drawn[drawn["view"] == "dims"]
    states = [f"After {epoch + 1} interventions", "After one more epoch"]
    assert list(drawn["state"].unique()) == ["Before", *states]
    for state, number in (("Before", epoch), (states[1], epoch + 1)):
        kept = LabelledEmbedding.load(run / "embeddings" / f"epoch-{number:04d}.npz")
        np.testing.assert_array_equal(drawn.loc[drawn["state"] == state, ["x", "y"]], kept.vectors[:, :2])
    assert "Intervention 1 on the embedding of features.npz" in (out / "fig3.txt").read_text("utf-8")


def test_an_epoch_without_the_embedding_that_followed_is_not_shown(run, ids, labels, tmp_path):
    keep_epochs(run, ids, labels, last=4)
    (run / "embeddings" / "epoch-0004.npz").unlink()  # as after an interruption
    make_figures(run, tmp_path, only=["fig6"])
    assert "after epoch 2, and epoch 3, the last of 3" in (tmp_path / "fig6.txt").read_text("utf-8")


def test_other_methods_have_no_epoch_to_show(run, ids, labels, tmp_path):
    keep_epochs(run, ids, labels)
    (run / "settings.toml").write_text(tomli_w.dumps({"method": "pali"}))
    with pytest.raises(AliError, match="no run with ali kept"):
        make_figures(run, tmp_path / "out", only=["fig6"])


def test_a_large_embedding_is_drawn_in_part(run, ids, labels, tmp_path, monkeypatch):
    keep_epochs(run, ids, labels)
    monkeypatch.setattr(figures, "MAX_DRAWN", 15)
    make_figures(run, tmp_path, only=["fig3", "fig6"])
    for name in ("fig3.txt", "fig6.txt"):
        assert "24 samples of 3 classes, 17 of them drawn" in (tmp_path / name).read_text("utf-8")


def test_classes_that_no_record_names_stand_in_natural_order(run):
    write_json({}, run / "run.json")
    names = ["stage 10", "stage 2", "stage 1"]
    pd.DataFrame({"id": ["a", "b", "c"], "label": names, "part": "train"}).to_csv(run / "parts.csv", index=False)
    assert TrainingRun(run).class_names == ("stage 1", "stage 2", "stage 10")


def test_colours_of_the_data_that_was_trained_on_are_those_of_its_figures(run, tmp_path):
    about = json.loads((run / "run.json").read_text())
    about["data"]["colours"] = {"monocyte": "#123456"}
    write_json(about, run / "run.json")
    make_figures(run, tmp_path / "out", only=["fig2"])
    table = pd.read_csv(tmp_path / "out" / "fig2.csv").set_index("class_name")
    assert table.loc["monocyte", "colour"] == "#123456"


def test_cells_are_those_that_were_trained_on_with_the_classes_of_the_run(tmp_path, ids):
    write_marrow(tmp_path / "cells", n=60, seed=2, px=16)
    images = open_images(tmp_path / "cells")
    chosen = np.arange(5, 50)
    labels = np.arange(45) % 3
    folder = write_run(tmp_path / "run", images.ids[chosen], labels)
    with pytest.raises(AliError, match="nothing says where the images are"):
        make_figures(folder, tmp_path / "out", only=["fig1"])
    make_figures(folder, tmp_path / "out", only=["fig1"], images=tmp_path / "cells")
    table = pd.read_csv(tmp_path / "out" / "fig1.csv")
    assert list(table["class_name"]) == list(NAMES)
    codes = dict(zip(images.ids[chosen], labels, strict=True))
    assert [codes[name] for name in table["id"]] == [0, 1, 2]
    write_run(folder, ["elsewhere", *images.ids[chosen][1:]], labels)
    with pytest.raises(AliError, match="lacks 1 of the 45 images"):
        make_figures(folder, tmp_path / "out", only=["fig1"], images=tmp_path / "cells")


def test_an_experiment_says_where_its_images_are_and_how_to_read_them(experiment, tmp_path):
    write_marrow(tmp_path / "cells", n=30, seed=2, px=16)
    table = pd.read_csv(tmp_path / "cells" / "labels.csv").rename(columns={"label": "kind"})
    table.to_csv(tmp_path / "cells" / "labels.csv", index=False)
    settings = {"baseline": "tml", "n_folds": 5, "data": str(tmp_path / "cells"), "images": {"label_column": "kind"}}
    (experiment / "experiment.toml").write_text(tomli_w.dumps(settings))
    ids = open_images(tmp_path / "cells", label_column="kind").ids
    write_run(experiment / "runs" / "tml" / "0-0", ids, np.arange(30) % 3)
    make_figures(experiment, tmp_path / "out", only=["fig1"])
    assert set(pd.read_csv(tmp_path / "out" / "fig1.csv")["id"]) <= set(ids)


def test_a_figure_that_was_asked_for_and_cannot_be_made_is_an_error_after_the_others(run, tmp_path):
    with pytest.raises(AliError, match=r"fig5 is not made: .*ali experiment"):
        make_figures(run, tmp_path / "out", only=["fig5", "fig2"])
    assert made(tmp_path / "out") == {"fig2"}


def test_names_and_folders_that_are_none_are_refused(run, tmp_path):
    with pytest.raises(AliError, match=r"'fig8' is no figure; they are fig1: .*fig7"):
        make_figures(run, tmp_path / "out", only=["fig8"])
    with pytest.raises(AliError, match="no folder"):
        make_figures(tmp_path / "absent", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AliError, match="holds no experiment, dry run or training run"):
        make_figures(tmp_path / "empty", tmp_path / "out")
    for name in "ab":
        write_json({}, tmp_path / "two" / name / "run.json")
    with pytest.raises(AliError, match="several folders of the kind run: a, b"):
        make_figures(tmp_path / "two", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damaged_files_are_named(run, tmp_path):
    (run / "run.json").write_text("{")
    with pytest.raises(AliError, match=r"run\.json is missing or damaged"):
        make_figures(run, tmp_path / "out", only=["fig2"])


@pytest.mark.slow
def test_a_real_experiment_gives_its_figures(tmp_path, rng):
    from ali_core.experiments.experiment import Experiment
    from ali_core.experiments.runner import run_experiment

    labels = np.repeat(NAMES, [30, 24, 18])
    features = LabelledEmbedding(rng.normal(size=(72, 6)) + 2 * (labels == "blast")[:, None], labels)
    common = {"max_epochs": 2, "width": 4, "evaluate_every": 1, "keep_embeddings": True}
    runs = ({"method": "tml"}, {"method": "ali", "preset": "c,s"})
    experiment = Experiment(n_folds=3, folds=(0, 1), common=common, runs=runs)
    results = run_experiment(experiment, features, out=tmp_path / "out", workers=1)
    make_figures(tmp_path / "out", tmp_path / "figures")
    assert made(tmp_path / "figures") == {"fig2", "fig3", "fig5", "fig6", "fig7"}
    drawn = pd.read_csv(tmp_path / "figures" / "fig5.csv").query("kind == 'run'")
    np.testing.assert_allclose(np.sort(drawn["mean"]), np.sort(results["macro_f1"]))


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
