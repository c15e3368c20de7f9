"""Scores of an embedding by an RBF-SVM: trained on the training fold, chosen on validation, scored on test."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.evaluation import ClassificationScores, search_svm

__all__ = ["Scores", "score_folds", "untrained_scores"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Scores of one embedding.

    Parameters
    ----------
    validation, test
        Confusion and F1 in the two folds; the test fold chose nothing.
    regularisation, gamma
        C and gamma that were best on the validation fold.
    validation_predicted, test_predicted
        Codes that the SVM gave to the samples of the two folds, shape (n,).
    """

    validation: ClassificationScores
    test: ClassificationScores
    regularisation: float
    gamma: float
    validation_predicted: NDArray[np.int64]
    test_predicted: NDArray[np.int64]

    def row(self) -> dict[str, float]:
        """Return the numbers for the table of epochs."""
        return {
            "validation_f1": self.validation.macro_f1,
            "test_f1": self.test.macro_f1,
            "regularisation": self.regularisation,
            "gamma": self.gamma,
        }

    def tables(self, class_names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
        """Return F1 per class, and the confusion matrices in long form."""
        both = {"validation": self.validation, "test": self.test}
        names = np.asarray(class_names)
        classes = [
            pd.DataFrame({"part": part, "class": names, "f1": found.class_f1, "n": found.confusion.sum(axis=1)})
            for part, found in both.items()
        ]
        true, predicted = np.indices((len(names), len(names)))
        confusion = [
            pd.DataFrame(
                {
                    "part": part,
                    "true": names[true.ravel()],
                    "predicted": names[predicted.ravel()],
                    "n": found.confusion.ravel(),
                }
            )
            for part, found in both.items()
        ]
        return {"classes": pd.concat(classes), "confusion": pd.concat(confusion)}


def score_folds(
    vectors: dict[str, NDArray[np.float32]], labels: dict[str, NDArray[np.int64]], n_classes: int
) -> Scores:
    """Train, choose and score; both dictionaries have ``train``, ``validation`` and ``test``: (n, D) and (n,)."""
    search = search_svm(
        vectors["train"], labels["train"], vectors["validation"], labels["validation"], n_classes=n_classes
    )
    predicted = {part: search.predict(vectors[part]) for part in ("validation", "test")}
    scores = {part: ClassificationScores.of(labels[part], codes, n_classes) for part, codes in predicted.items()}
    return Scores(
        **scores,
        regularisation=search.C,
        gamma=search.gamma,
        validation_predicted=predicted["validation"],
        test_predicted=predicted["test"],
    )


def untrained_scores(
    features: dict[str, NDArray[np.float32]], labels: dict[str, NDArray[np.int64]], n_classes: int
) -> pd.DataFrame:
    """Score classifiers on untouched features: what any training has to be better than.

    Parameters
    ----------
    features, labels
        Both have ``train``, ``validation`` and ``test``: shapes (n, F) and (n,). Features are standardised by the
        training fold.
    n_classes
        Number of classes C.

    Returns
    -------
    pandas.DataFrame
        Columns ``classifier``, ``validation_f1``, ``test_f1`` (macro F1). ``shrinkage LDA``: linear discriminants with
        the covariance of O. Ledoit and M. Wolf (2004), nothing is chosen; ``RBF-SVM``: as a trained embedding is
        scored, C and gamma chosen on validation.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # noqa: PLC0415  # slow to import
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    scaler = StandardScaler().fit(features["train"])
    vectors = {part: scaler.transform(values) for part, values in features.items()}
    with warnings.catch_warnings():
        # A class of one training sample has no covariance of its own; that of the others is shared.
        warnings.filterwarnings("ignore", message="Only one sample available", category=UserWarning)
        lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(vectors["train"], labels["train"])
    svm = search_svm(
        vectors["train"], labels["train"], vectors["validation"], labels["validation"], n_classes=n_classes
    )
    rows = []
    for name, model in (("shrinkage LDA", lda), ("RBF-SVM", svm)):
        row: dict[str, str | float] = {"classifier": name}
        for part in ("validation", "test"):
            predicted = np.asarray(model.predict(vectors[part]), dtype=np.int64)
            row[f"{part}_f1"] = ClassificationScores.of(labels[part], predicted, n_classes).macro_f1
        rows.append(row)
    return pd.DataFrame(rows)
