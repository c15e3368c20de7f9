"""The scikit-learn face."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ali_core import AliError, AutomaticLatentInterventions, LabelledEmbedding, Session, preset


@pytest.fixture
def samples(rng):
    y = np.repeat(["lymphocyte", "blast", "monocyte"], [10, 20, 5])
    return rng.normal(size=(35, 4)) + 2 * (y == "blast")[:, None], y


def test_it_moves_as_a_session_does(samples):
    X, y = samples
    session = Session(LabelledEmbedding(X, y), preset("c,s", 4))
    session.run()
    moved = AutomaticLatentInterventions("c,s").fit_transform(X, y)
    np.testing.assert_array_equal(moved, session.after.vectors)


def test_the_experiment_that_looks_at_samples_moves_as_in_a_session(samples):
    X, y = samples
    settings = preset("c,s", 4).changed(criterion="confusion")
    session = Session(LabelledEmbedding(X, y), settings)
    session.run()
    other = Session(session.embedding, preset("c,s", 4))
    other.run()
    assert [step.classes for step in session.steps] != [step.classes for step in other.steps]
    np.testing.assert_array_equal(AutomaticLatentInterventions(settings).fit_transform(X, y), session.after.vectors)


def test_new_samples_move_by_the_map_of_their_label(samples):
    X, y = samples
    fitted = AutomaticLatentInterventions(preset("all", 4)).fit(X, y)
    new = np.ones((1, 4))
    theta = fitted.transforms_[fitted.classes_.tolist().index("monocyte")]
    expected = theta.linear @ new[0] + theta.offset
    np.testing.assert_allclose(fitted.transform(new, ["monocyte"])[0], expected, atol=1e-12)


def test_integers_are_vectors_and_labels_too():
    X, y = np.array([[0, 0], [2, 1], [9, 9], [8, 7]]), [7, 7, -3, -3]
    fitted = AutomaticLatentInterventions("c").fit(X, y)
    assert fitted.classes_.tolist() == [-3, 7]
    assert fitted.transform(X, y).dtype == np.float64


def test_it_is_cloned_and_fails_as_estimators_do(samples):
    X, y = samples
    estimator = AutomaticLatentInterventions("c,r")
    assert clone(estimator).settings == "c,r"
    with pytest.raises(NotFittedError):
        estimator.transform(X, y)
    with pytest.raises(AliError, match="label 'platelet' was not seen"):
        estimator.fit(X, y).transform(X[:1], ["platelet"])
    with pytest.raises(AliError, match="at least two classes"):
        estimator.fit(X, ["blast"] * 35)
