"""Scores of a fold, and their curves, against the same things done one by one with scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from sklearn.svm import SVC

from ali_core import AliError
from ali_core.evaluation import svm_search
from ali_core.evaluation.svm_search import predict_one_against_one
from ali_core.experiments.fold_scorer import DryRunFold, FoldScorer
from ali_core.interventions import InterventionSettings, plan
from tests.ali_core.experiments.dry_run_samples import GRID, clouds, fold_of, literal_scores

MANY = GRID.configurations("c,s") + GRID.configurations("all")[::5]


@pytest.fixture(scope="module")
def scorer():
    return FoldScorer.of(fold_of())


def counting(scorer, monkeypatch):
    """Count what is scored from now on."""
    calls = []
    plain = FoldScorer.scores

    def scores(self, transforms):
        calls.append(1)
        return plain(self, transforms)

    monkeypatch.setattr(FoldScorer, "scores", scores)
    return calls


def as_lists(curves):
    return [curve.to_numpy().tolist() for curve in curves]


@given(
    seed=st.integers(0, 10_000),
    n_classes=st.integers(2, 6),
    missing=st.integers(0, 2),
    regularisation=st.sampled_from([0.1, 1.0, 10.0, 100.0]),
    gamma=st.sampled_from([0.01, 0.1, 1.0, 10.0]),
)
@settings(max_examples=40)
def test_matrix_products_predict_what_the_svm_predicts(seed, n_classes, missing, regularisation, gamma):
    vectors, labels = clouds([12 - n for n in range(n_classes)], seed=seed)
    kept = labels < max(2, n_classes - missing)
    names = 2 * labels + 1  # codes with gaps
    model = SVC(C=regularisation, gamma=gamma, class_weight="balanced").fit(vectors[kept], names[kept])
    others = 1.5 * np.random.default_rng(seed).normal(size=(80, vectors.shape[1]))
    np.testing.assert_array_equal(predict_one_against_one(model, others), model.predict(others))


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize(("train", "validation"), [((18, 14, 10, 8), (8, 6, 5, 5)), ((20, 16), (9, 7))])
def test_scores_are_those_of_a_literal_computation(count, train, validation):
    for seed in range(2):
        scorer = FoldScorer.of(fold_of(train=train, validation=validation, seed=seed))
        for one in MANY[::6]:
            transforms = plan(scorer.statistics, one.changed(n_iterations=count)).transforms
            assert scorer.scores(transforms) == pytest.approx(literal_scores(scorer, transforms), abs=1e-12)


def test_before_any_intervention_both_scores_are_the_best_of_the_searched_svms(scorer):
    data = scorer.data
    unit = 1 / np.sum(data.train_vectors.var(axis=0))
    expected = {}
    for regularisation in (1.0, 10.0, 100.0):
        for multiple in (0.0625, 0.25, 1.0):
            model = SVC(C=regularisation, gamma=multiple * unit, class_weight="balanced")
            predicted = model.fit(data.train_vectors, data.train_labels).predict(data.validation_vectors)
            expected[regularisation, multiple] = f1_score(data.validation_labels, predicted, average="macro")
    assert scorer.untouched == pytest.approx([max(expected.values())] * 2)
    assert expected[scorer.C, scorer.gamma_multiple] == pytest.approx(max(expected.values()))


def test_curves_equal_a_loop_over_plans(scorer):
    for one, curve in zip(MANY, scorer.curves(MANY, longest=[5] * len(MANY), hold=None), strict=True):
        assert curve.n_interventions.tolist() == list(range(6))
        for count, oracle, transfer in curve.itertuples(index=False):
            planned = plan(scorer.statistics, one.changed(n_iterations=count))
            assert (oracle, transfer) == scorer.scores(planned.transforms)


def test_sharing_states_changes_no_score_and_saves_some(scorer, monkeypatch):
    calls = counting(scorer, monkeypatch)
    alone = [scorer.curves([one], longest=[12])[0] for one in MANY]
    n_alone = len(calls)
    together = scorer.curves(MANY, longest=[12] * len(MANY))
    assert as_lists(together) == as_lists(alone)
    assert len(calls) - n_alone < n_alone


def test_choosing_the_same_classes_is_scored_once(scorer, monkeypatch):
    one = MANY[0]
    draws = [one.changed(seed=seed) for seed in range(3)]  # a deterministic choice draws nothing
    expected = scorer.curves([one], longest=[9], hold=None)[0]
    calls = counting(scorer, monkeypatch)
    found = scorer.curves(draws, longest=[9, 4, 9], hold=None)
    assert len(calls) == 9
    assert as_lists(found) == as_lists([expected, expected[:5], expected])


@pytest.mark.parametrize("hold", [1, 2, 3])
def test_a_curve_ends_after_so_many_ones_in_a_row(scorer, monkeypatch, hold):
    told = iter([0.5, 1.0, 0.9, 1.0, 1.0, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0])
    expected = {1: 2, 2: 5, 3: 9}[hold]
    monkeypatch.setattr(FoldScorer, "scores", lambda *_: (next(told), 0.0))
    fresh = replace(scorer)  # without the score of the untouched state
    curve = fresh.curves([InterventionSettings(contract=0.25)], longest=[10], hold=hold)[0]
    assert len(curve) == expected


def test_without_hold_a_curve_goes_on_to_the_end(scorer):
    strong = InterventionSettings(contract=0.5, shift=8.0)
    curve = scorer.curves([strong], longest=[40], hold=None)[0]
    assert len(curve) == 41
    assert (curve.oracle_f1.tail(5) == 1.0).all()
    short = scorer.curves([strong], longest=[40], hold=3)[0]
    assert as_lists([short]) == as_lists([curve[: len(short)]])
    assert (short.oracle_f1 == 1.0).tolist()[-4:] == [False, True, True, True]


def test_transfer_predictions_never_look_at_validation_labels(scorer, monkeypatch):
    """With the labels of the validation part exchanged, the same answers are scored."""
    asked = []

    def remembered(model, vectors):
        asked.append(predict_one_against_one(model, vectors))
        return asked[-1]

    monkeypatch.setattr(svm_search, "predict_one_against_one", remembered)
    data = scorer.data
    exchanged = np.random.default_rng(0).permutation(data.validation_labels)
    others = (data.validation_labels + 1) % data.n_classes
    transforms = plan(scorer.statistics, MANY[0].changed(n_iterations=5)).transforms
    for labels in (data.validation_labels, exchanged, others):
        other = replace(scorer, data=replace(data, validation_labels=labels))
        _, transfer = other.scores(transforms)
        half = asked[-1][len(labels) :]
        np.testing.assert_array_equal(half, asked[0][len(labels) :])
        assert transfer == pytest.approx(f1_score(labels, half, average="macro", zero_division=0.0))
    assert not np.array_equal(asked[0][: len(others)], asked[-1][: len(others)])  # the oracle does look


def test_neither_statistics_nor_transfer_weights_depend_on_the_validation_part(scorer):
    data = scorer.data
    half = replace(data, validation_vectors=data.validation_vectors[::2], validation_labels=data.validation_labels[::2])
    other = FoldScorer.of(half)
    np.testing.assert_array_equal(other.statistics.centers, scorer.statistics.centers)
    np.testing.assert_allclose(other.transfer_weights, scorer.transfer_weights[::2], rtol=0, atol=1e-12)


def test_what_was_written_scores_the_same(scorer, tmp_path):
    scorer.write(tmp_path / "scorers" / "nd-0.npz")
    again = FoldScorer.read(tmp_path / "scorers" / "nd-0.npz", scorer.data)
    for name in ("C", "gamma_multiple"):
        assert getattr(again, name) == getattr(scorer, name)
    np.testing.assert_array_equal(again.transfer_weights, scorer.transfer_weights)
    np.testing.assert_array_equal(again.statistics.squares, scorer.statistics.squares)
    longest = [5] * len(MANY[:6])
    assert as_lists(again.curves(MANY[:6], longest=longest)) == as_lists(scorer.curves(MANY[:6], longest=longest))


def test_a_class_with_one_training_sample_and_one_without_validation_samples_are_scored():
    fold = fold_of(train=(18, 12, 9, 1), validation=(8, 6, 0, 3))
    scorer = FoldScorer.of(fold)
    for one in MANY[::6]:
        transforms = plan(scorer.statistics, one.changed(n_iterations=6)).transforms
        assert scorer.scores(transforms) == pytest.approx(literal_scores(scorer, transforms), abs=1e-12)


def test_all_samples_in_one_point_are_refused(scorer):
    transforms = plan(scorer.statistics, InterventionSettings(n_iterations=0)).transforms
    point = replace(transforms, scales=np.zeros(4), offsets=np.full((4, 4), 0.1))
    with pytest.raises(AliError, match="to one point"):
        scorer.scores(point)


@pytest.mark.parametrize(("part", "message"), [("train", "at least two classes"), ("validation", "is empty")])
def test_parts_that_cannot_be_scored_are_refused(part, message):
    fold = fold_of()
    kept = fold.train_labels == 0 if part == "train" else np.zeros(len(fold.validation_labels), dtype=bool)
    values = {name: getattr(fold, name) for name in DryRunFold.__dataclass_fields__}
    values |= {f"{part}_{name}": values[f"{part}_{name}"][kept] for name in ("vectors", "labels")}
    with pytest.raises(AliError, match=f"fold 0.*{message}"):
        DryRunFold(**values)
