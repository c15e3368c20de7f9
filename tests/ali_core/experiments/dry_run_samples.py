"""Overlapping classes that a dry run follows in a second, and what a careful reader would compute of them."""

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import f1_score
from sklearn.svm import SVC

from ali_core.experiments.fold_scorer import DryRunFold
from ali_core.experiments.sweep_grid import SweepGrid
from ali_core.experiments.transfer_map import TransferMap

GRID = SweepGrid(
    contract=(0.125, 0.5),
    rotate=(0.08, 0.32),
    shift=(0.5, 2.0),
    shift_mix=(0.25, 0.75),
    choices=(("product", "deterministic"), ("mean-std", "deterministic"), ("product", "probabilistic")),
    n_neighbours=3,
)
"""A few of everything."""


def clouds(counts, dim=4, seed=0, gap=1.0):
    """Vectors and labels of normal clouds, one a class, in random order."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    return (gap * rng.normal(size=(len(counts), dim)))[labels] + rng.normal(size=(len(labels), dim)), labels


def fold_of(number=0, train=(18, 14, 10, 8), validation=(8, 6, 5, 5), dim=4, seed=0, gap=1.0):
    """A fold whose parts come from the same clouds."""
    counts = np.add(train, validation)
    vectors, labels = clouds(counts, dim, seed=(seed, number), gap=gap)
    ranks = np.array([np.sum(labels[:row] == labels[row]) for row in range(len(labels))])
    held = ranks < np.asarray(validation)[labels]
    return DryRunFold(
        fold=number,
        train_vectors=vectors[~held],
        train_labels=labels[~held],
        validation_vectors=vectors[held],
        validation_labels=labels[held],
        n_classes=len(counts),
    )


def folds(n_folds=3, **options):
    return tuple(fold_of(number, **options) for number in range(n_folds))


def literal_scores(scorer, transforms):
    """Oracle and transfer F1, sample by sample and with scikit-learn's own answers."""
    data = scorer.data

    def each_by_its_class(vectors, labels):
        moved = np.empty_like(vectors)
        for row, (vector, label) in enumerate(zip(vectors, labels, strict=True)):
            theta = transforms[int(label)]
            rotation = np.eye(len(vector)) if theta.rotation is None else theta.rotation
            moved[row] = theta.scale * rotation @ vector + theta.offset
        return moved

    train = each_by_its_class(data.train_vectors, data.train_labels)
    unit = 1 / np.sum(train.var(axis=0))
    svm = SVC(C=scorer.C, gamma=scorer.gamma_multiple * unit, class_weight="balanced")
    svm.fit(train, data.train_labels)
    chosen = TransferMap.fit(data.train_vectors, data.train_labels, n_classes=data.n_classes)
    ridge = KernelRidge(kernel="rbf", gamma=chosen.gamma, alpha=chosen.ridge)
    ridge.fit(data.train_vectors, train - data.train_vectors)
    moved = (
        each_by_its_class(data.validation_vectors, data.validation_labels),
        data.validation_vectors + ridge.predict(data.validation_vectors),
    )
    return tuple(
        f1_score(data.validation_labels, svm.predict(vectors), average="macro", zero_division=0.0) for vectors in moved
    )
