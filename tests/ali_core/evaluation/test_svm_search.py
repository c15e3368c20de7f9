"""The search against plain scikit-learn, cell by cell."""

import pickle

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score
from sklearn.svm import SVC

from ali_core.errors import AliError
from ali_core.evaluation import SvmGrid, search_svm, svm_search
from ali_core.sampling import stratified_rows

GRID = SvmGrid(Cs=(10.0, 1.0), gammas=(4.0, 0.25, 1.0))


def blobs(rng, sizes, dim=5, offset=100.0):
    """Overlapping classes far from the origin, in float32 as a network gives them."""
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centers = np.random.default_rng(1).normal(size=(len(sizes), dim))
    return (centers[labels] + rng.normal(size=(len(labels), dim)) + offset).astype(np.float32), labels


@pytest.fixture
def parts(rng):
    return [blobs(rng, sizes) for sizes in ([80, 40, 20, 10], [20, 10, 5, 3], [30, 15, 8, 4])]


@pytest.mark.parametrize("block", [1 << 25, 400])
@pytest.mark.parametrize("class_weight", ["balanced", None])
def test_every_cell_and_the_choice_equal_the_plain_svm(monkeypatch, parts, block, class_weight):
    monkeypatch.setattr(svm_search, "BLOCK", block)
    (train, y), (validation, y_validation), (test, y_test) = parts
    grid = SvmGrid(Cs=GRID.Cs, gammas=GRID.gammas, class_weight=class_weight)
    search = search_svm(train, y, validation, y_validation, n_classes=5, grid=grid)
    centered = train.astype(float) - train.astype(float).mean(axis=0)
    unit = 1 / (5 * centered.var(axis=0).mean())
    best = None
    cells = [(c, multiple) for c in (1.0, 10.0) for multiple in (0.25, 1.0, 4.0)]
    for row, (c, multiple) in zip(search.table.itertuples(), cells, strict=True):
        plain = SVC(C=c, gamma=multiple * unit, class_weight=class_weight).fit(train.astype(float), y)
        f1 = f1_score(y_validation, plain.predict(validation), average="macro", zero_division=0.0)
        assert (row.C, row.gamma_multiple) == (c, multiple)
        assert row.gamma == pytest.approx(multiple * unit, rel=1e-9)
        assert row.macro_f1 == pytest.approx(f1, abs=1e-12)
        if best is None or f1 > best[0] + 1e-12:
            best = (f1, c, multiple, plain)
    assert search.macro_f1 == pytest.approx(best[0], abs=1e-12)
    assert (search.C, search.gamma) == (best[1], pytest.approx(best[2] * unit, rel=1e-9))
    predicted = best[3].predict(test)
    assert np.array_equal(search.predict(test), predicted)
    assert np.array_equal(search.score(test, y_test).confusion, confusion_matrix(y_test, predicted, labels=range(5)))


def test_of_many_samples_a_stratified_part_trains_and_chooses_and_all_are_scored(monkeypatch, parts):
    (train, y), (validation, y_validation), (test, y_test) = parts
    monkeypatch.setattr(svm_search, "MOST_TRAINING", 75)
    monkeypatch.setattr(svm_search, "MOST_CHOOSING", 20)
    some, few = stratified_rows(y, 75, seed=0), stratified_rows(y_validation, 20, seed=0)
    assert np.bincount(y[some]).tolist() == [40, 20, 10, 6]
    found = search_svm(train, y, validation, y_validation, n_classes=4, grid=GRID)
    monkeypatch.undo()
    plain = search_svm(train[some], y[some], validation[few], y_validation[few], n_classes=4, grid=GRID)
    assert plain.protocol == svm_search.PROTOCOL
    assert f"; a stratified part of {len(some)} of the {len(y)} training samples trains; " in found.protocol
    assert found.protocol.endswith(f"of {len(few)} of the {len(y_validation)} validation samples chooses")
    assert found.table.equals(plain.table)
    assert np.array_equal(found.predict(test), plain.predict(test))
    assert found.score(test, y_test).confusion.sum() == len(test)


def test_the_answer_needs_no_particular_place_scale_or_direction(rng, parts):
    """A similarity of the space changes no distance ratio, so it changes no prediction."""
    (train, y), (validation, y_validation), (test, y_test) = parts
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    moved = [3 * part.astype(float) @ rotation - 7 for part in (train, validation, test)]
    here = search_svm(train, y, validation, y_validation, n_classes=4, grid=GRID)
    there = search_svm(moved[0], y, moved[1], y_validation, n_classes=4, grid=GRID)
    assert np.allclose(here.table.macro_f1, there.table.macro_f1)
    assert np.array_equal(here.score(test, y_test).confusion, there.score(moved[2], y_test).confusion)


def test_of_equal_scores_the_smallest_c_then_gamma_is_taken(rng):
    train = np.concatenate([rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + 50])
    y = np.repeat([0, 1], 20)
    search = search_svm(train, y, train, y, n_classes=2, grid=GRID)
    assert (search.table.macro_f1 == 1).all()
    assert search.C == 1.0
    assert search.gamma == search.table.gamma.min()


def test_the_validation_set_chooses_and_never_trains(parts):
    """Validation labels decide between cells; a cell's classifier is the same whatever they are."""
    (train, y), (validation, y_validation), (test, _) = parts
    one = SvmGrid(Cs=(1.0,), gammas=(1.0,))
    right = search_svm(train, y, validation, y_validation, n_classes=4, grid=one)
    wrong = search_svm(train, y, validation, (y_validation + 1) % 4, n_classes=4, grid=one)
    assert right.macro_f1 > wrong.macro_f1
    assert np.array_equal(right.predict(test), wrong.predict(test))


def test_a_search_survives_the_way_to_another_process(parts):
    (train, y), (validation, y_validation), (test, y_test) = parts
    search = search_svm(train, y, validation, y_validation, n_classes=4, grid=GRID)
    again = pickle.loads(pickle.dumps(search))
    assert np.array_equal(again.score(test, y_test).confusion, search.score(test, y_test).confusion)


def nan_at(vectors):
    return np.where(np.arange(len(vectors))[:, None] == 3, np.nan, vectors)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: {"train_vectors": nan_at(p[0])}, r"train_vectors must be finite; 1 rows.*row 3"),
        (lambda p: {"validation_vectors": nan_at(p[2])}, "validation_vectors must be finite"),
        (
            lambda p: {"train_vectors": p[0][0]},
            r"the shape \(samples, dimensions\); got \(5,\)",
        ),
        (lambda p: {"validation_vectors": p[2][:, :3]}, r"\(samples, 5\); got \(38, 3\)"),
        (lambda p: {"train_labels": p[1][:-1]}, r"shape \(150,\); got \(149,\)"),
        (lambda p: {"train_labels": p[1] * 0}, "at least two classes; all 150 are of class 0"),
        (lambda p: {"train_labels": p[1] + 1}, "from 0 to 3 .*; got values from 1 to 4"),
        (lambda p: {"validation_labels": p[3] * 0.5}, "validation_labels must be integer codes.*float64"),
        (lambda p: {"train_vectors": np.tile(np.arange(5.0), (150, 1))}, "all training vectors are equal"),
    ],
)
def test_bad_input_is_refused(parts, change, message):
    (train, y), (validation, y_validation), _ = parts
    names = ("train_vectors", "train_labels", "validation_vectors", "validation_labels")
    values = (train, y, validation, y_validation)
    with pytest.raises(AliError, match=message):
        search_svm(**(dict(zip(names, values, strict=True)) | change(values)), n_classes=4, grid=GRID)


def test_what_cannot_be_scored_is_refused(parts):
    (train, y), (validation, y_validation), _ = parts
    search = search_svm(train, y, validation, y_validation, n_classes=4, grid=GRID)
    with pytest.raises(AliError, match=r"vectors must have the shape \(samples, 5\); got \(38, 4\)"):
        search.score(validation[:, :4], y_validation)
    with pytest.raises(AliError, match=r"labels must be integer codes.*got \(37,\)"):
        search.score(validation, y_validation[1:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"Cs": ()}, "Cs must be one or more"),
        ({"gammas": (1.0, -1.0)}, r"gammas must be .* got \(1.0, -1.0\)"),
        ({"gammas": (float("inf"),)}, "gammas must be"),
        ({"class_weight": "equal"}, "'balanced' or None; got 'equal'"),
    ],
)
def test_impossible_grids_are_refused(arguments, message):
    with pytest.raises(AliError, match=message):
        SvmGrid(**arguments)
