"""Scores against scikit-learn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score

from ali_core.evaluation import ClassificationScores


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_scores_are_those_of_scikit_learn(pairs):
    true, predicted = np.array(pairs).T
    scores = ClassificationScores.of(true, predicted, 6)
    assert np.array_equal(scores.confusion, confusion_matrix(true, predicted, labels=range(6)))
    assert np.isclose(scores.macro_f1, f1_score(true, predicted, average="macro", zero_division=0.0), rtol=1e-12)
    each = f1_score(true, predicted, average=None, labels=range(6), zero_division=np.nan)
    assert np.allclose(scores.class_f1, each, rtol=1e-12, equal_nan=True)
    assert np.isnan(scores.class_f1[5])
