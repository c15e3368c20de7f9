"""Automatic interventions as a scikit-learn estimator."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions.class_transforms import ClassTransforms
from ali_core.interventions.confusion import experiment
from ali_core.interventions.criteria import Criterion
from ali_core.interventions.plan import plan
from ali_core.interventions.settings import InterventionSettings, preset
from ali_core.interventions.statistics import ClassStatistics
from ali_core.interventions.steps import InterventionStep

__all__ = ["AutomaticLatentInterventions"]


class AutomaticLatentInterventions(BaseEstimator):  # type: ignore[misc]  # scikit-learn is not annotated
    """Plan interventions on labelled vectors and move vectors by their class.

    Parameters
    ----------
    settings
        Strengths and choices; a preset name (``c,s`` by default) is resolved with the dimension of the data in
        ``fit``.
    criterion
        Your own criterion instead of the one that the settings name.

    Attributes
    ----------
    classes_ : numpy.ndarray of shape (C,)
        The labels, sorted.
    settings_ : InterventionSettings
        The settings that were used.
    transforms_ : ClassTransforms
        θ of each class.
    steps_ : tuple of InterventionStep
        What was done, in order.
    n_features_in_ : int
        Dimensions D.

    Notes
    -----
    ``transform`` needs the labels of what it moves. Scores computed on vectors that were moved by their true class
    are oracle scores: they say how well the classes were pulled apart, not how well unseen samples are classified.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [2.0, 0.0], [5.0, 0.0], [7.0, 0.0]])
    >>> y = np.array(["a", "a", "b", "b"])
    >>> moved = AutomaticLatentInterventions("c").fit_transform(X, y)
    >>> bool(np.isclose(np.sum(moved**2), np.sum(X**2)))
    True
    """

    classes_: NDArray[Any]
    settings_: InterventionSettings
    transforms_: ClassTransforms
    steps_: tuple[InterventionStep, ...]
    n_features_in_: int

    def __init__(self, settings: InterventionSettings | str = "c,s", *, criterion: Criterion | None = None) -> None:
        self.settings = settings
        self.criterion = criterion

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Plan the interventions for vectors ``X`` (N, D) with labels ``y`` (N,)."""
        classes, codes = np.unique(np.asarray(y), return_inverse=True)
        embedding = LabelledEmbedding(_floats(X), codes, tuple(str(label) for label in classes))
        settings = self.settings
        self.settings_ = preset(settings, embedding.dim) if isinstance(settings, str) else settings
        statistics = ClassStatistics.from_samples(
            embedding.vectors, embedding.labels, len(classes), spread=self.settings_.spread
        )
        made = experiment(self.settings_.criterion, embedding.vectors, embedding.labels, len(classes))
        planned = plan(statistics, self.settings_, criterion=self.criterion or made)
        self.classes_, self.n_features_in_ = classes, embedding.dim
        self.transforms_, self.steps_ = planned.transforms, planned.steps
        return self

    def transform(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.floating[Any]]:
        """Move vectors ``X`` (N, D) by the maps of their labels ``y`` (N,); AliError for a label unknown to ``fit``."""
        check_is_fitted(self)
        if y is None:
            raise AliError(
                "transform needs the labels y, since each sample moves by the map of its class; for samples without "
                "a label there is no such map"
            )
        vectors, labels = _floats(X), np.asarray(y)
        codes = np.searchsorted(self.classes_, labels).clip(max=len(self.classes_) - 1)
        unknown = labels[self.classes_[codes] != labels]
        if len(unknown):
            raise AliError(
                f"label {str(unknown[0])!r} was not seen in fit; the classes are {', '.join(map(str, self.classes_))}"
            )
        return self.transforms_.apply(vectors, codes)

    def fit_transform(self, X: ArrayLike, y: ArrayLike) -> NDArray[np.floating[Any]]:
        """Plan the interventions and move the same vectors."""
        return self.fit(X, y).transform(X, y)


def _floats(X: ArrayLike) -> NDArray[np.floating[Any]]:
    vectors = np.asarray(X)
    return vectors if vectors.dtype in (np.float32, np.float64) else vectors.astype(np.float64)
