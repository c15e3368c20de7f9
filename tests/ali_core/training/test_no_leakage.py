"""What is learnt from the training fold does not know the labels of the others."""

import numpy as np
import torch

from ali_core import LabelledEmbedding
from ali_core.data import grouped_folds
from ali_core.training import run as run_module
from ali_core.training.run import Run
from tests.ali_core.training.samples import features, small

DATA = features()
SPLIT = grouped_folds(DATA.labels, n_folds=3)


def trained(data, settings):
    """Everything that two epochs leave behind, except for scores."""
    run = Run.open(data, settings, out=None, resume=False, loggers=(), progress=None)
    kept = {}
    for _ in range(2):
        embed = run.embedder()
        run.record(run.evaluate(embed()))
        session = run.propose(embed)
        kept[f"embedding {run.epoch}"] = embed().vectors
        kept[f"steps {run.epoch}"] = () if session is None else session.steps
        run.follow(session, embed)
        run.train_epoch()
    objective = run.worker.learner.objective
    weights = objective.class_weights if objective.pull is None else objective.pull.loss.class_weights
    kept["class weights"] = None if weights is None else weights.numpy()
    kept |= {name: tensor.numpy().copy() for name, tensor in run.worker.learner.state_dict().items()}
    scores = [row["test_f1"] for row in run.history.rows]
    run.close()
    return kept, scores


def test_nothing_learnt_changes_when_validation_and_test_are_labelled_otherwise(monkeypatch):
    monkeypatch.setattr(run_module, "grouped_folds", lambda *_, **__: SPLIT)  # folds are stratified by label
    labels = DATA.labels.copy()
    for rows in (SPLIT[0].validation, SPLIT[0].test):
        labels[rows] = np.random.default_rng(1).permutation(labels[rows])
    other = LabelledEmbedding(DATA.vectors, labels, DATA.class_names)
    for method in ("ali", "pali", "tml", "ce"):
        settings = small(method=method, class_weights=True, evaluate_every=1)
        (kept, scores), (again, other_scores) = trained(DATA, settings), trained(other, settings)
        assert kept.keys() == again.keys()
        for name, value in kept.items():
            assert value == again[name] if isinstance(value, tuple) else np.array_equal(value, again[name]), name
        assert scores != other_scores  # the labels did matter where they may


def test_nothing_learnt_changes_when_validation_and_test_look_otherwise(monkeypatch):
    monkeypatch.setattr(run_module, "grouped_folds", lambda *_, **__: SPLIT)
    vectors = DATA.vectors.copy()
    for rows in (SPLIT[0].validation, SPLIT[0].test):
        vectors[rows] = 9.0 * vectors[rows] + 3.0
    other = LabelledEmbedding(vectors, DATA.labels, DATA.class_names)
    kept, again = (trained(data, small(class_weights=True))[0] for data in (DATA, other))
    for name, value in kept.items():
        assert value == again[name] if isinstance(value, tuple) else np.array_equal(value, again[name]), name


def test_class_weights_and_scale_are_those_of_the_training_fold():
    train_rows = SPLIT[0].train
    kept, _ = trained(DATA, small(class_weights=True))
    counts = np.bincount(DATA.labels[train_rows])
    np.testing.assert_allclose(kept["class weights"], len(train_rows) / (4 * counts), rtol=1e-6)
    np.testing.assert_allclose(kept["net.mean"], DATA.vectors[train_rows].mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(kept["net.std"], DATA.vectors[train_rows].std(axis=0), rtol=1e-5)
    assert isinstance(kept["net.linear.weight"], np.ndarray)
    assert torch.as_tensor(kept["net.linear.weight"]).shape == (6, 8)
