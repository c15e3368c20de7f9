"""An RBF-SVM whose C and gamma are chosen on a validation set.

Synopsis::

    search = search_svm(train_vectors, train_labels, validation_vectors, validation_labels, n_classes=15)
    search.C, search.gamma, search.macro_f1, search.table
    search.score(test_vectors, test_labels).class_f1
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.svm import SVC

from ali_core.errors import AliError
from ali_core.evaluation.scores import ClassificationScores
from ali_core.sampling import stratified_rows

__all__ = ["PROTOCOL", "SvmGrid", "SvmSearch", "predict_one_against_one", "search_svm", "trained_predictions"]

MOST_TRAINING, MOST_CHOOSING = 20_000, 5_000
"""Of more samples a stratified part trains the SVM, or chooses C and gamma; all are scored. N training samples take
kernel matrices of 8 N² bytes, two at a time."""
PROTOCOL = "RBF-SVM on the vectors as they are, classes balanced, C and gamma chosen on the validation part"
"""How every score of an embedding is made; `benchmarks/svm_protocol.py` compares it with others."""
BLOCK = 1 << 25
"""Numbers of a kernel matrix that are computed at a time when samples are classified."""


@dataclass(frozen=True, kw_only=True)
class SvmGrid:
    """The combinations that are tried.

    Parameters
    ----------
    Cs
        Values of C.
    gammas
        Values of gamma, as multiples of 1 / (D · variance per axis of the training vectors); D times that variance is
        the mean squared distance to their mean, which neither rotation nor translation changes.
    class_weight
        ``balanced``: C of a class times N / (C · N_c), so that rare classes count as much; None: equal.

    Raises
    ------
    AliError
        An empty list, or values that are not positive and finite.
    """

    Cs: tuple[float, ...] = (1.0, 10.0, 100.0)
    gammas: tuple[float, ...] = (0.0625, 0.25, 1.0)
    class_weight: Literal["balanced"] | None = "balanced"

    def __post_init__(self) -> None:
        for name, values in (("Cs", self.Cs), ("gammas", self.gammas)):
            if not values or not all(np.isfinite(value) and value > 0 for value in values):
                raise AliError(f"{name} must be one or more positive, finite numbers; got {values}")
        if self.class_weight not in ("balanced", None):
            raise AliError(f"class_weight must be 'balanced' or None; got {self.class_weight!r}")


@dataclass(frozen=True, kw_only=True, eq=False)
class SvmSearch:
    """The SVM that was best on the validation set.

    Parameters
    ----------
    C, gamma_multiple, gamma
        Those chosen; see :class:`SvmGrid` for the multiple.
    macro_f1
        Its macro F1 on the validation set.
    table
        One row a combination: ``C``, ``gamma_multiple``, ``gamma``, ``macro_f1`` (validation).
    n_classes
        Number of classes C.
    protocol
        How it was made, in words; with many samples, which part of them trained it or chose it.
    kernel
        What turns vectors into the input of ``model``.
    model
        The trained classifier.
    """

    C: float
    gamma_multiple: float
    gamma: float
    macro_f1: float
    table: pd.DataFrame
    n_classes: int
    protocol: str
    kernel: "_TrainingVectors" = field(repr=False)
    model: SVC = field(repr=False)

    def predict(self, vectors: ArrayLike) -> NDArray[np.int64]:
        """Return the class codes, shape (N,), of ``vectors`` (N, D); AliError when they do not fit."""
        checked = _checked_vectors(vectors, "vectors", self.kernel.vectors.shape[1])
        n_rows = max(1, BLOCK // len(self.kernel.vectors))
        blocks = (checked[start : start + n_rows] - self.kernel.mean for start in range(0, len(checked), n_rows))
        kernels = (self.kernel.inputs(self.kernel.distances_of(block), self.gamma) for block in blocks)
        return np.concatenate([self.model.predict(kernel) for kernel in kernels]).astype(np.int64)

    def score(self, vectors: ArrayLike, labels: ArrayLike) -> ClassificationScores:
        """Return the scores of ``vectors`` (N, D) with true codes ``labels`` (N,); AliError when they do not fit."""
        predicted = self.predict(vectors)
        true = _checked_labels(labels, "labels", len(predicted), self.n_classes)
        return ClassificationScores.of(true, predicted, self.n_classes)


@dataclass(frozen=True, eq=False)
class _TrainingVectors:
    """Training vectors around their mean, and the kernel between them and others.

    Squared distances come from scalar products, |a|² + |b|² - 2ab; around the mean these lose fewest digits.
    """

    vectors: NDArray[np.float64]
    mean: NDArray[np.float64]

    @classmethod
    def of(cls, vectors: NDArray[np.float64]) -> "_TrainingVectors":
        mean = vectors.mean(axis=0)
        return cls(vectors - mean, mean)

    def distances_of(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return squared distances of vectors around the mean."""
        return np.asarray(euclidean_distances(vectors, self.vectors, squared=True))

    def inputs(self, distances: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
        """Return what the classifier takes: the kernel :math:`e^{-gamma |a - b|^2}`."""
        kernel = distances * -gamma
        return np.exp(kernel, out=kernel)


def search_svm(
    train_vectors: ArrayLike,
    train_labels: ArrayLike,
    validation_vectors: ArrayLike,
    validation_labels: ArrayLike,
    *,
    n_classes: int,
    grid: SvmGrid | None = None,
) -> SvmSearch:
    r"""Train an RBF-SVM for every combination of the grid and keep the best on the validation set.

    The kernel is :math:`k(a, b) = e^{-\gamma |a - b|^2}`; classes are separated one against one.

    Parameters
    ----------
    train_vectors, train_labels
        Shapes (N, D) and (N,); codes from 0 to ``n_classes`` - 1, at least two of them.
    validation_vectors, validation_labels
        Shapes (M, D) and (M,); they choose C and gamma by macro F1 and train nothing.
    n_classes
        Number of classes C, those without samples included.
    grid
        The combinations; those of :class:`SvmGrid` by default.

    Returns
    -------
    SvmSearch
        Of equal scores, the one with the smaller C, then the smaller gamma.

    Raises
    ------
    AliError
        Shapes that do not fit, NaN or infinity, labels outside the classes, one class only among the training labels,
        or training vectors that are all equal.

    Notes
    -----
    The paper searches C and gamma on the validation fold (Sec. III-F). Vectors enter as they are, without
    standardisation, so that loss, statistics and SVM see the same space. All combinations share one matrix of squared
    distances, and those of one gamma one kernel matrix: O(N²) memory. Of more than 20,000 training samples a
    stratified part trains, of more than 5,000 validation samples one chooses.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.arange(60) % 2
    >>> vectors = np.random.default_rng(0).normal(size=(60, 4)) + 4.0 * labels[:, None]
    >>> search = search_svm(vectors[:40], labels[:40], vectors[40:50], labels[40:50], n_classes=2)
    >>> search.score(vectors[50:], labels[50:]).macro_f1
    1.0
    """
    grid = grid or SvmGrid()
    vectors = _checked_vectors(train_vectors, "train_vectors")
    codes = _checked_labels(train_labels, "train_labels", len(vectors), n_classes)
    others = _checked_vectors(validation_vectors, "validation_vectors", vectors.shape[1])
    true = _checked_labels(validation_labels, "validation_labels", len(others), n_classes)
    if len(np.unique(codes)) < 2:
        raise AliError(f"training needs samples of at least two classes; all {len(codes)} are of class {codes[0]}")
    if np.array_equal(vectors.min(axis=0), vectors.max(axis=0)):
        raise AliError("all training vectors are equal, so nothing can be learnt; check where they come from")
    training, choosing = stratified_rows(codes, MOST_TRAINING, seed=0), stratified_rows(true, MOST_CHOOSING, seed=0)
    taken = (("training", training, codes, "trains"), ("validation", choosing, true, "chooses"))
    parts = [
        f"a stratified part of {len(part):,} of the {len(whole):,} {name} samples {does}"
        for name, part, whole, does in taken
        if len(part) < len(whole)
    ]
    kernel = _TrainingVectors.of(vectors[training])
    fitted = _fitted(kernel, codes[training], others[choosing], true[choosing], n_classes=n_classes, grid=grid)
    best, model = max(fitted, key=lambda cell: cell[0]["macro_f1"])  # the first of equals
    table = pd.DataFrame([row for row, _ in fitted])
    protocol = "; ".join([PROTOCOL, *parts])
    return SvmSearch(**best, table=table, n_classes=n_classes, protocol=protocol, kernel=kernel, model=model)


def _fitted(
    kernel: _TrainingVectors,
    codes: NDArray[np.int64],
    others: NDArray[np.float64],
    true: NDArray[np.int64],
    *,
    n_classes: int,
    grid: SvmGrid,
) -> list[tuple[dict[str, float], SVC]]:
    """Return every row of the table with its trained classifier, by C, then gamma."""
    within, across = kernel.distances_of(kernel.vectors), kernel.distances_of(others - kernel.mean)
    unit = 1 / float(np.mean(np.sum(kernel.vectors**2, axis=1)))
    fitted = []
    for multiple in grid.gammas:
        gamma = multiple * unit
        train_inputs, inputs = kernel.inputs(within, gamma), kernel.inputs(across, gamma)
        for C in grid.Cs:
            model = SVC(C=C, kernel="precomputed", class_weight=grid.class_weight, cache_size=500)  # MB
            model.fit(train_inputs, codes)
            macro_f1 = ClassificationScores.of(true, model.predict(inputs), n_classes).macro_f1
            row = {"C": C, "gamma_multiple": multiple, "gamma": gamma, "macro_f1": macro_f1}
            fitted.append((row, model))
    return sorted(fitted, key=lambda cell: (cell[0]["C"], cell[0]["gamma"]))


def _checked_vectors(vectors: Any, name: str, dim: int | None = None) -> NDArray[np.float64]:  # noqa: ANN401
    array = np.asarray(vectors)
    if array.ndim != 2 or 0 in array.shape or (dim is not None and array.shape[1] != dim):
        raise AliError(f"{name} must have the shape (samples, {dim or 'dimensions'}); got {array.shape}")
    array = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise AliError(
            f"{name} must be finite; {len(bad)} rows hold NaN or infinity (first: row {bad[0]}): repair them"
        )
    return array


def _checked_labels(labels: ArrayLike, name: str, n_samples: int, n_classes: int) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if array.shape != (n_samples,) or not np.issubdtype(array.dtype, np.integer):
        raise AliError(
            f"{name} must be integer codes, one per sample, shape ({n_samples},); got {array.shape}, {array.dtype}"
        )
    if array.min() < 0 or array.max() >= n_classes:
        raise AliError(
            f"{name} must lie from 0 to {n_classes - 1} (n_classes - 1); got values from {array.min()} to {array.max()}"
        )
    return array.astype(np.int64)


def trained_predictions(
    vectors: NDArray[np.floating[Any]],
    labels: NDArray[np.int64],
    others: NDArray[np.floating[Any]],
    *,
    C: float,
    gamma_multiple: float,
) -> NDArray[np.int64]:
    """Train the SVM of :data:`PROTOCOL` with C and gamma as they are given, and let it classify others.

    Parameters
    ----------
    vectors, labels
        Shapes (N, D), not all equal, and (N,): they train.
    others
        Shape (M, D).
    C, gamma_multiple
        See :class:`SvmGrid`.

    Returns
    -------
    numpy.ndarray
        Class codes, shape (M,).
    """
    spread = float(np.mean(np.sum((vectors - vectors.mean(axis=0)) ** 2, axis=1)))
    model = SVC(C=C, gamma=gamma_multiple / spread, class_weight="balanced", cache_size=500).fit(vectors, labels)
    return predict_one_against_one(model, others)


def predict_one_against_one(model: SVC, vectors: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
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
