"""The criterion that looks at samples: its errors beside scikit-learn's classifier, its scores by hand."""

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from ali_core import AliError, InterventionSettings, LabelledEmbedding, Session
from ali_core.interventions import ClassStatistics, plan
from ali_core.interventions.confusion import class_errors, confusion
from ali_core.interventions.criteria import mean_std


@pytest.mark.parametrize("k", [1, 4, 10])
def test_errors_are_those_of_a_classifier_that_leaves_each_sample_out(rng, k):
    labels = np.repeat([0, 1, 3], [30, 20, 5])
    vectors = rng.normal(size=(55, 4)) + labels[:, None]
    predicted = cross_val_predict(KNeighborsClassifier(k), vectors, labels, cv=LeaveOneOut())
    wrong = [np.mean(predicted[labels == code] != code) if code != 2 else 0.0 for code in range(4)]
    assert max(wrong) > 0.0
    np.testing.assert_allclose(class_errors(vectors, labels, 4, k=k), wrong)


def test_samples_without_a_label_neither_vote_nor_count(rng):
    labels, vectors = np.repeat([0, 1], 12), rng.normal(size=(24, 3))
    more = np.concatenate([vectors, vectors + 1e-3]), np.concatenate([labels, np.full(24, -1)])
    np.testing.assert_array_equal(class_errors(*more, 2), class_errors(vectors, labels, 2))


def test_few_samples_vote_as_far_as_they_go():
    vectors = np.array([[0.0], [1.0], [1.5]])
    np.testing.assert_array_equal(class_errors(vectors, np.array([0, 1, 1]), 2, k=1), [1.0, 0.0])
    np.testing.assert_array_equal(class_errors(vectors, np.array([0, 1, 1]), 2, k=50), [1.0, 1.0])  # ties: class 0
    np.testing.assert_array_equal(class_errors(vectors[:1], np.array([1]), 2), [0.0, 0.0])


def test_scores_by_hand():
    # Classes 0 and 1 mix, class 2 stands apart; 4 is absent.
    vectors = np.array([[0.0], [1.1], [1.0], [2.1], [9.0], [9.4], [0.1], [1.2]])
    labels = np.array([0, 0, 1, 1, 2, 2, 0, 0])
    now = ClassStatistics.from_samples(vectors, labels, 4)
    errors = class_errors(vectors, labels, 4)
    assert errors.any()
    scores = confusion(vectors, labels, 4)(now)
    np.testing.assert_allclose(scores, [*(errors[:3] * mean_std(now)[:3]), np.nan])


def test_where_no_class_is_confused_it_is_mean_std():
    vectors, labels = np.repeat([[0.0], [50.0], [90.0]], 12, axis=0), np.repeat([0, 1, 2], 12)
    vectors = vectors + np.tile(np.linspace(0.0, 3.0, 12), 3)[:, None] * (1.0 + labels[:, None])
    now = ClassStatistics.from_samples(vectors, labels, 3)
    np.testing.assert_array_equal(confusion(vectors, labels, 3)(now), mean_std(now))


def test_a_coincident_class_without_error_is_left_alone():
    now = ClassStatistics(counts=np.array([2, 2, 2]), centers=np.zeros((3, 1)), squares=np.ones(3))
    vectors, labels = np.array([[0.0], [0.1], [5.0], [5.1], [0.05], [0.06]]), np.array([0, 0, 1, 1, 2, 2])
    errors = class_errors(vectors, labels, 3, k=1)
    assert errors.tolist() == [1.0, 0.0, 0.0]
    assert not np.isnan(confusion(vectors, labels, 3)(now)).any()


def test_statistics_alone_cannot_tell_and_say_so():
    now = ClassStatistics(counts=np.array([2, 2]), centers=np.eye(2), squares=np.ones(2))
    with pytest.raises(AliError, match="criterion 'confusion' looks at samples"):
        plan(now, InterventionSettings(criterion="confusion"))


def test_a_session_chooses_the_class_that_is_mistaken_most(rng):
    # Class 2 is as wide and as near as class 1, but only class 1 has samples among those of class 0.
    labels = np.repeat([0, 1, 2], 40)
    vectors = rng.normal(size=(120, 2)) * 0.3 + np.array([[0.0, 0.0], [3.0, 0.0], [-3.0, 0.0]])[labels]
    vectors[40:52] -= [3.0, 0.0]
    session = Session(LabelledEmbedding(vectors, labels), InterventionSettings(criterion="confusion"))
    assert class_errors(vectors, labels, 3).argmax() == 1
    assert session.propose().step.classes == (1,)


def test_where_no_confused_class_has_a_spread_it_is_mean_std(rng):
    labels = np.repeat([0, 1, 2], [20, 1, 20])
    vectors = rng.normal(size=(41, 2)) * 0.1 + np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])[labels]
    now = ClassStatistics.from_samples(vectors, labels, 3)
    assert class_errors(vectors, labels, 3).tolist() == [0.0, 1.0, 0.0]  # the class of one has no neighbour of its own
    np.testing.assert_array_equal(confusion(vectors, labels, 3)(now), mean_std(now))
    assert mean_std(now)[1] == 0.0
