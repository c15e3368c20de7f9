"""Macro F1 of an RBF-SVM in folds, with what the labels were used for stated beside every number."""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import Session

__all__ = ["svm_scores"]

UNTOUCHED = "labels train the SVM only"
ORACLE = "every sample, validation included, was moved by the map of its true class; not a score on unseen samples"


def svm_scores(session: Session, *, n_folds: int = 6, seed: int = 0, regularisation: float = 10.0) -> pd.DataFrame:
    """Score the embedding before and after the steps of a session by cross-validated RBF-SVM.

    Parameters
    ----------
    session
        Its ``before`` is scored as ``untouched``, its ``after`` (if there are steps) as ``oracle``.
    n_folds
        Folds, stratified by class. No group is split when there are at least as many groups as folds; with fewer
        groups they are ignored, and the table says so.
    seed
        Of the assignment to folds.
    regularisation
        C of the SVM, on standardised dimensions (the scale comes from the training folds); gamma is
        1 / (dimensions · variance).

    Returns
    -------
    pandas.DataFrame
        One row a condition and fold: ``condition`` (``untouched`` or ``oracle``), ``fold``, ``macro_f1``,
        ``n_train``, ``n_validation``, ``labels_move_points``, ``labels_used`` and ``folds`` (both in words).

    Raises
    ------
    AliError
        When there are fewer than two folds, more folds than samples in the largest class, or a fold whose training
        part holds one class only.

    Notes
    -----
    The oracle score is the one of the paper's dry run (Sec. III-F-2): it saturates at 1, since a sample's own label
    has moved it. It ranks interventions; it does not estimate accuracy. The interventions themselves were planned on
    all samples. Classes with fewer samples than folds are missing from some validation folds; a macro F1 is taken
    over the classes that are in the fold or predicted for it.
    """
    folds, words = _folds(session.before, n_folds, seed)
    rows = []
    for fold, (train, _) in enumerate(folds):
        if len(np.unique(session.before.labels[train])) < 2:
            raise AliError(
                f"the training part of fold {fold} holds one class only, so no classifier can be trained; merge or add "
                "classes, or give smaller groups"
            )
    conditions = [("untouched", session.before, False, UNTOUCHED)]
    if session.steps:
        conditions.append(("oracle", session.after, True, ORACLE))
    for condition, embedding, moved, used in conditions:
        for fold, (train, validation) in enumerate(folds):
            rows.append(
                {
                    "condition": condition,
                    "fold": fold,
                    "macro_f1": _macro_f1(embedding, train, validation, regularisation),
                    "n_train": len(train),
                    "n_validation": len(validation),
                    "labels_move_points": moved,
                    "labels_used": used,
                    "folds": words,
                }
            )
    return pd.DataFrame(rows)


def _folds(
    embedding: LabelledEmbedding, n_folds: int, seed: int
) -> tuple[list[tuple[NDArray[np.int64], NDArray[np.int64]]], str]:
    """Return (train, validation) rows of each fold, and in words how the folds were made."""
    largest = int(embedding.counts.max())
    if n_folds < 2 or largest < n_folds:
        raise AliError(
            f"n_folds must lie between 2 and the size of the largest class, which is {largest}; got {n_folds}"
        )
    groups = embedding.groups
    n_groups = 0 if groups is None else len(np.unique(groups))
    kept_whole = n_groups >= n_folds
    words = f"{n_folds} stratified folds"
    if kept_whole:
        words += f", {n_groups} groups kept whole"
    elif n_groups:
        words += f"; {n_groups} groups are too few to be kept whole"
    folds = (StratifiedGroupKFold if kept_whole else StratifiedKFold)(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # scikit-learn warns of classes with fewer samples than folds; the docstring says what becomes of them.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        return list(folds.split(embedding.vectors, embedding.labels, groups if kept_whole else None)), words


def _macro_f1(
    embedding: LabelledEmbedding, train: NDArray[np.int64], validation: NDArray[np.int64], regularisation: float
) -> float:
    model = make_pipeline(StandardScaler(), SVC(C=regularisation, class_weight="balanced"))
    model.fit(embedding.vectors[train], embedding.labels[train])
    predicted = model.predict(embedding.vectors[validation])
    return float(f1_score(embedding.labels[validation], predicted, average="macro", zero_division=0.0))
