"""The answers of an SVM with many support vectors to many questions, by matrix products."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.svm import SVC

__all__ = ["predict_one_against_one"]


def predict_one_against_one(model: SVC, vectors: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return what ``model.predict(vectors)`` returns, for an RBF kernel, through matrix products.

    Parameters
    ----------
    model
        Trained, with a number as ``gamma``.
    vectors
        Shape (M, D), float64.

    Returns
    -------
    numpy.ndarray
        Shape (M,): the class that wins most pairs, the first of equals.
    """
    kernel = np.exp(-model.gamma * euclidean_distances(vectors, model.support_vectors_, squared=True))
    starts = np.concatenate([[0], np.cumsum(model.n_support_)])
    n_classes = len(model.classes_)
    pairs = [(first, second) for first in range(n_classes) for second in range(first + 1, n_classes)]
    coefficients = np.zeros((len(model.support_), len(pairs)))
    for column, (first, second) in enumerate(pairs):
        own, other = slice(*starts[first : first + 2]), slice(*starts[second : second + 2])
        coefficients[own, column] = model.dual_coef_[second - 1, own]
        coefficients[other, column] = model.dual_coef_[first, other]
    decisions = kernel @ coefficients + model.intercept_
    if n_classes == 2:  # scikit-learn turns the sign of two classes round
        decisions = -decisions
    votes = np.zeros((len(vectors), n_classes), dtype=np.int64)
    for column, (first, second) in enumerate(pairs):
        wins = decisions[:, column] > 0
        votes[:, first] += wins
        votes[:, second] += ~wins
    return np.asarray(model.classes_[votes.argmax(axis=1)], dtype=np.int64)
