"""What untouched features are worth, against scikit-learn written out."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ali_core.training import train
from ali_core.training.scoring import untrained_scores
from tests.ali_core.training.samples import features, small


@pytest.fixture
def parts(rng):
    data = features(gap=0.7)
    which = rng.permutation(len(data)) % 3
    return [
        {part: values[which == number] for number, part in enumerate(("train", "validation", "test"))}
        for values in (data.vectors, data.labels)
    ]


def test_discriminants_are_those_of_scikit_learn_on_standardised_features(parts):
    vectors, labels = parts
    model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    model.fit(vectors["train"], labels["train"])
    expected = f1_score(labels["test"], model.predict(vectors["test"]), average="macro")
    table = untrained_scores(vectors, labels, 4).set_index("classifier")
    assert table.test_f1["shrinkage LDA"] == pytest.approx(expected)


def test_labels_of_the_test_choose_nothing(parts, rng):
    """With the test labels permuted, all that is known of validation stays."""
    vectors, labels = parts
    table = untrained_scores(vectors, labels, 4)
    other = untrained_scores(vectors, labels | {"test": rng.permutation(labels["test"])}, 4)
    assert table.validation_f1.equals(other.validation_f1)
    assert not table.test_f1.equals(other.test_f1)


def test_a_class_of_one_training_sample_is_taken_along(parts):
    vectors, labels = parts
    single = np.flatnonzero(labels["train"] == 3)[1:]
    vectors["train"], labels["train"] = (np.delete(values["train"], single, axis=0) for values in (vectors, labels))
    assert untrained_scores(vectors, labels, 4).test_f1.between(0.0, 1.0).all()


def test_a_run_on_features_tells_what_they_are_worth_untouched(tmp_path):
    result = train(features(gap=6.0), small(max_epochs=0), out=tmp_path / "run")
    assert (result.reference.test_f1 > 0.9).all()
    assert (tmp_path / "run" / "reference.csv").is_file()
