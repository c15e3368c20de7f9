"""A dry run as a whole: where its folds come from, what it writes, and that it goes on where it was stopped."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ali_core import AliError, LabelledEmbedding
from ali_core.data import FoldWarning, grouped_folds
from ali_core.experiments import SweepGrid, dry_run, folds_of_embedding, folds_of_runs, forecast
from ali_core.experiments.fold_scorer import FoldScorer
from ali_core.experiments.recommendation import CURVE_COLUMNS
from ali_core.files import read_csv
from ali_core.training import TrainSettings, train
from tests.ali_core.experiments.dry_run_samples import clouds, fold_of, folds
from tests.ali_core.training.samples import features, small
from tests.killing import run_killed

TABLES = ("curves.csv", "table1.csv", "recommended.toml")
LITTLE = SweepGrid(contract=(0.5,), shift=(1.0, 2.0), choices=(("product", "deterministic"),), n_neighbours=2)
OPTIONS = {"combinations": ["c,s"], "grid": LITTLE, "longest": 4, "workers": 1}


def embedding(counts=(30, 24, 18), **options):
    vectors, labels = clouds(counts, seed=3)
    return LabelledEmbedding(vectors, [f"class {label}" for label in labels], **options)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def texts(folder):
    return {str(name): data for name, data in files(folder).items() if name.suffix in (".csv", ".toml")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("finished")
    return dry_run(folds(2), search="full", out=out, **OPTIONS), out


def test_what_is_returned_is_what_is_written(finished):
    found, out = finished
    assert list(found.curves) == CURVE_COLUMNS
    for name in ("curves", "table1", "criteria"):
        written = read_csv(out / f"{name}.csv")
        pd.testing.assert_frame_equal(written, getattr(found, name), check_dtype=False, check_exact=True)
    assert {path.name for path in out.iterdir()} == {
        *("dry_run.json", "scorers", "parts", "curves.csv", "table1.csv", "table1.md", "table1.tex", "criteria.csv"),
        *("recommended.toml", "recommended"),
    }
    table = (out / "table1.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^\| (?!combination|---)", table, flags=re.MULTILINE)) == len(found.recommendations)


def test_no_more_neighbours_are_recommended_than_there_are():  # four classes
    found = dry_run(folds(2), **OPTIONS | {"combinations": ["c", "c,s"], "grid": LITTLE.changed(n_neighbours=15)})
    assert found.table1["n_neighbours"].max() == 4 - 1
    assert all(one.settings.n_neighbours <= 3 for one in found.recommendations.values())


def test_of_many_samples_a_part_is_tried_and_what_it_takes_is_said_before(monkeypatch):
    vectors, labels = clouds((300, 200, 100), seed=3)
    data = LabelledEmbedding(
        np.vstack([vectors, vectors]), [*(f"class {label}" for label in labels), *[""] * 600], unlabelled="keep"
    )
    some = folds_of_embedding(data, n_folds=3, max_samples=60)
    assert np.bincount(np.concatenate([fold.validation_labels for fold in some])).tolist() == [30, 20, 10]
    assert some[0].source == "an embedding in memory, a stratified part of its 600 labelled samples"
    monkeypatch.setattr(forecast, "MEASURED", 10)
    told = []
    options = OPTIONS | {"report": told.append, "progress": lambda what, *_: told.append(what)}
    dry_run(data, n_folds=3, max_samples=60, **options)
    # (2 strengths + 2 numbers of neighbours) × 3 folds × (4 interventions + untouched)
    assert re.match(rf"{some[0].source}: about .* s a score: about .* for 3 folds and 60 scores ", told[0])
    assert len(told) > 1
    assert sum("about" in line for line in told) == 1
    told.clear()
    dry_run(data, n_folds=3, max_samples=600, **options)  # as many as have a label
    assert not any("about" in line for line in told)


def test_a_part_of_a_given_split_has_its_classes_in_each_part():
    vectors, labels = clouds((300, 40), seed=3)
    split = np.empty(340, dtype="<U10")
    split[np.argsort(labels)] = np.repeat(["train", "validation", "test"] * 2, [180, 60, 60, 34, 3, 3])
    (fold,) = folds_of_embedding(LabelledEmbedding(vectors, labels, split=split), max_samples=68)
    # a fifth; of three samples all
    assert np.bincount(fold.train_labels).tolist() == [36, 7]
    assert np.bincount(fold.validation_labels).tolist() == [12, 3]


def test_curves_are_those_of_the_scorers(finished):
    found, _ = finished
    for fold in folds(2):
        scorer = FoldScorer.of(fold)
        for one in LITTLE.configurations("c,s"):
            (expected,) = scorer.curves([one], longest=[4])
            rows = found.curves[(found.curves.fold == fold.fold) & (found.curves["shift"] == one.shift)]
            rows = rows[(rows.sweep == "strengths")].reset_index(drop=True)
            pd.testing.assert_frame_equal(rows[list(expected)], expected, check_exact=True)


def test_the_recommended_settings_are_read_by_training_with_as_many_iterations_as_it_took(finished):
    found, out = finished
    settings = TrainSettings.read(out / "recommended.toml").intervention_settings()
    row = found.table1[found.table1["rank"] == 1].iloc[0]
    assert settings.n_iterations == row.n_interventions
    for field in ("contract", "rotate", "shift", "shift_mix", "n_neighbours", "criterion", "selection"):
        assert getattr(settings, field) == row[field]
    best = found.curves[
        (found.curves[["shift", "n_neighbours"]] == row[["shift", "n_neighbours"]]).all(axis=1)
        & (found.curves.sweep == "neighbours")
    ].pivot(index="fold", columns="n_interventions", values="oracle_f1")
    mean = best.ffill(axis=1).mean()
    assert mean.max() == pytest.approx(row.oracle_f1)
    assert mean.round(12).idxmax() == row.n_interventions


def test_without_a_folder_nothing_is_written_and_the_same_is_found(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = dry_run(folds(2), search="full", **OPTIONS)
    pd.testing.assert_frame_equal(found.curves, finished[0].curves)
    assert not list(tmp_path.iterdir())


def test_a_second_call_follows_nothing_and_changes_no_byte(tmp_path, monkeypatch):
    dry_run(folds(2), out=tmp_path, **OPTIONS)
    before = files(tmp_path)
    monkeypatch.setattr(FoldScorer, "curves", lambda *_, **__: pytest.fail("followed again"))
    monkeypatch.setattr(FoldScorer, "of", lambda *_: pytest.fail("fitted again"))
    dry_run(folds(2), out=tmp_path, **OPTIONS)
    assert files(tmp_path) == before


def test_interrupted_it_goes_on_to_the_same_bytes(tmp_path):
    def stop(what, done, of):
        if (what, done) == ("neighbours", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dry_run(folds(2), out=tmp_path / "stopped", progress=stop, **OPTIONS)
    assert not (tmp_path / "stopped" / "curves.csv").exists()
    for name in ("stopped", "straight"):
        dry_run(folds(2), out=tmp_path / name, **OPTIONS)
    assert files(tmp_path / "stopped").keys() == files(tmp_path / "straight").keys()
    assert texts(tmp_path / "stopped") == texts(tmp_path / "straight")


@pytest.mark.slow
def test_killed_at_random_moments_it_arrives_at_the_same_bytes(tmp_path):
    run_killed("experiments/kill_dry_run.py", tmp_path, "1")
    straight, killed = texts(tmp_path / "straight"), texts(tmp_path / "killed")
    assert set(TABLES) <= straight.keys()
    assert {name: data for name, data in killed.items() if not Path(name).name.startswith(".")} == straight


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"data": folds(2, seed=1)}, "folds"),
        ({"data": folds(3)}, "folds, data"),
        ({"grid": LITTLE.changed(shift=(1.0,))}, "grid"),
        ({"longest": 5}, "longest"),
        ({"hold": None}, "hold"),
        ({"seed": 1, "longest": 5}, "longest, seed"),
    ],
)
def test_another_dry_run_in_the_same_folder_is_refused(finished, change, named):
    _, out = finished
    before = files(out)
    change = {"data": folds(2)} | OPTIONS | change
    with pytest.raises(AliError, match=f"holds a dry run with other {named}; choose another folder"):
        dry_run(change.pop("data"), out=out, **change)
    assert files(out) == before


def test_more_combinations_join_the_tables_in_one_folder(tmp_path):
    both = dry_run(folds(2), out=tmp_path / "both", **OPTIONS | {"combinations": ["c", "c,s"]})
    parts = {
        name: dry_run(folds(2), out=tmp_path / "one", **OPTIONS | {"combinations": [name]}) for name in ["c", "c,s"]
    }
    table = read_csv(tmp_path / "one" / "table1.csv")
    expected = pd.concat([found.table1 for found in parts.values()], ignore_index=True)
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, check_exact=True)
    joined = texts(tmp_path / "one")
    assert joined["curves.csv"] == texts(tmp_path / "both")["curves.csv"]  # one criterion: nothing to choose jointly
    assert set(both.recommendations) == {"c", "c,s"}
    dry_run(folds(2), out=tmp_path / "one", **OPTIONS | {"combinations": ["c,s"]})
    assert texts(tmp_path / "one") == joined


def test_the_recommended_file_is_the_best_combination_of_all_that_were_run(tmp_path):
    """In whatever order: a later call for a worse combination does not take its place."""
    orders = {}
    for order in (["c", "c,s"], ["c,s", "c"]):
        out = tmp_path / order[0]
        for name in order:
            dry_run(folds(2), out=out, **OPTIONS | {"combinations": [name]})
        orders[order[0]] = (out / "recommended.toml").read_text()
        table = pd.read_csv(out / "table1.csv")
        best = table[table["rank"] == 1].sort_values(
            ["oracle_f1", "n_interventions", "transfer_f1"], ascending=[False, True, False]
        )
        assert TrainSettings.read(out / "recommended.toml").preset == best.combination.iloc[0]
    assert orders["c"] == orders["c,s"]


def test_folds_of_an_embedding_are_the_grouped_folds_without_the_test_part():
    groups = [f"g{number % 12}" for number in range(72)]
    data = embedding(groups=groups)
    found = folds_of_embedding(data, n_folds=4, seed=5)
    for fold, split in zip(found, grouped_folds(data.labels, groups=groups, n_folds=4, seed=5), strict=True):
        np.testing.assert_array_equal(fold.train_vectors, data.vectors[split.train])
        np.testing.assert_array_equal(fold.validation_vectors, data.vectors[split.validation])
        np.testing.assert_array_equal(fold.train_labels, data.labels[split.train])
        np.testing.assert_array_equal(fold.validation_labels, data.labels[split.validation])
        assert not {groups[row] for row in split.train} & {groups[row] for row in split.validation}
    np.testing.assert_array_equal(
        np.sort(np.concatenate([fold.validation_vectors for fold in found]), axis=0), np.sort(data.vectors, axis=0)
    )


def test_fewer_groups_than_folds_are_refused_as_training_refuses_them():
    groups = [f"g{number % 3}" for number in range(72)]
    with pytest.raises(AliError, match=r"3 groups cannot be kept whole in 4 folds; .*\(--n-folds 3\)"):
        folds_of_embedding(embedding(groups=groups), n_folds=4)
    cut = folds_of_embedding(embedding(groups=groups), n_folds=3)
    expected = grouped_folds(embedding().labels, groups=groups, n_folds=3)
    for found, split in zip(cut, expected, strict=True):
        np.testing.assert_array_equal(found.train_vectors, embedding().vectors[split.train])


def test_two_groups_are_not_looked_at():
    vectors = embedding()
    few = embedding(groups=[f"g{number % 2}" for number in range(72)])
    with pytest.warns(FoldWarning, match="Groups could not be kept whole, because there are only 2"):
        cut = folds_of_embedding(few, n_folds=4)
    for with_groups, without in zip(cut, folds_of_embedding(vectors, n_folds=4), strict=True):
        np.testing.assert_array_equal(with_groups.train_vectors, without.train_vectors)
        np.testing.assert_array_equal(with_groups.validation_labels, without.validation_labels)


def test_a_class_with_one_sample_only_trains_and_this_is_told():
    with pytest.warns(FoldWarning, match="Fewer than 3 samples, so they only train .*: class 2"):
        cut = folds_of_embedding(embedding((30, 20, 1)), n_folds=3)
    for fold in cut:
        assert (fold.train_labels == 2).sum() == 1
        assert not (fold.validation_labels == 2).any()


def test_a_class_with_one_sample_that_trains_in_each_fold_is_no_obstacle():
    data = [fold_of(number, train=(15, 10, 1), validation=(6, 5, 0)) for number in range(2)]
    found = dry_run(data, **OPTIONS)
    assert found.table1.oracle_f1.iloc[0] >= found.table1.untouched_f1.iloc[0]


def test_two_classes_have_one_number_of_neighbours():
    data = embedding((30, 30))
    found = dry_run(data, n_folds=3, **OPTIONS)
    assert set(found.curves[found.curves.sweep == "neighbours"].n_neighbours) == {1}
    assert found.curves.fold.nunique() == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"combinations": ["c,o"]}, "there is no combination 'c,o'"),
        ({"combinations": []}, "at least one fold and one combination"),
        ({"data": []}, "at least one fold and one combination"),
        ({"longest": 0}, "longest and hold must be at least 1; got 0 and 3"),
        ({"hold": 0}, "longest and hold must be at least 1; got 4 and 0"),
        ({"data": embedding((5, 5)), "n_folds": 6}, "a score needs at least two classes of 6 samples or more"),
    ],
)
@pytest.mark.filterwarnings("ignore::ali_core.data.FoldWarning")
def test_what_cannot_be_run_is_refused_before_anything_is_written(tmp_path, change, message):
    options = {"data": folds(1)} | OPTIONS | change
    with pytest.raises(AliError, match=re.escape(message)):
        dry_run(options.pop("data"), out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_in_the_plane_the_layout_is_kept_and_both_spaces_join(tmp_path):
    data = folds(1, train=(20, 16, 12), validation=(8, 6, 6))
    for space in ("nd", "2d"):
        dry_run(data, out=tmp_path, space=space, **OPTIONS)
    before = texts(tmp_path)
    curves, table = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("curves", "table1"))
    assert curves.space.unique().tolist() == table.space.unique().tolist() == ["nd", "2d"]
    assert TrainSettings.read(tmp_path / "recommended.toml").method == "pali"
    for fold in data:
        scorer = FoldScorer.read(tmp_path / "scorers" / f"2d-{fold.fold}.npz", fold)
        assert scorer.data.train_vectors.shape == (48, 2)
        own = curves[(curves.space == "2d") & (curves.fold == fold.fold) & (curves.n_interventions == 0)]
        np.testing.assert_allclose(own.oracle_f1, scorer.untouched[0])
    (tmp_path / "curves.csv").unlink()
    (tmp_path / "table1.csv").unlink()
    for part in (tmp_path / "parts").rglob("*.csv"):
        part.unlink()
    for space in ("nd", "2d"):
        dry_run(data, out=tmp_path, space=space, **OPTIONS)
    assert texts(tmp_path) == before  # scored anew, in the layout that was kept


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    for fold in range(2):
        train(features(), small(method="tml", max_epochs=1, fold=fold), out=out / f"{fold}-0")
    return [out / f"{fold}-0" for fold in (1, 0)]


def test_folds_of_runs_are_the_parts_that_each_was_trained_with(runs):
    found = folds_of_runs(runs)
    assert [fold.fold for fold in found] == [0, 1]
    for fold, run in zip(found, reversed(runs), strict=True):
        data = LabelledEmbedding.load(run / "embedding.npz")
        parts = pd.read_csv(run / "parts.csv", dtype=str).set_index("id").part
        for part in ("train", "validation"):
            ids = set(parts.index[parts == part])
            rows = [row for row, name in enumerate(data.sample_names) if name in ids]
            np.testing.assert_array_equal(getattr(fold, f"{part}_vectors"), data.vectors[rows].astype(np.float64))
            np.testing.assert_array_equal(getattr(fold, f"{part}_labels"), data.labels[rows])
        split = grouped_folds(features().labels, n_folds=3)[fold.fold]
        assert (len(fold.train_labels), len(fold.validation_labels)) == (len(split.train), len(split.validation))
    assert dry_run(found, **OPTIONS).curves.fold.unique().tolist() == [0, 1]


def test_runs_that_do_not_fit_are_refused(runs, tmp_path):
    with pytest.raises(AliError, match="has fold 1, which another run has already"):
        folds_of_runs([runs[0], runs[0]])
    with pytest.raises(AliError, match="holds no finished training run"):
        folds_of_runs([*runs, tmp_path])
    for name in ("settings.toml", "embedding.npz", "parts.csv"):
        (tmp_path / name).write_bytes((runs[0] / name).read_bytes())
    with pytest.raises(AliError, match="holds no finished training run"):
        folds_of_runs([tmp_path])
    other = train(features((30, 20, 20)), small(method="tml", max_epochs=1, fold=2), out=tmp_path / "other")
    assert other.epoch >= 0
    with pytest.raises(AliError, match="other has other data or folds than"):
        folds_of_runs([*runs, tmp_path / "other"])
