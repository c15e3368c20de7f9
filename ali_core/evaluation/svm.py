"""Macro F1 of an RBF-SVM in folds, with what the labels were used for stated beside every number."""

import numpy as np
import pandas as pd

from ali_core.evaluation.folds import N_FOLDS, scoring_folds
from ali_core.evaluation.svm_search import SvmGrid, search_svm
from ali_core.interventions import Session

__all__ = ["svm_scores"]

UNTOUCHED = "labels train the SVM and choose C and gamma"
ORACLE = "every sample, test included, was moved by the map of its true class; not a score on unseen samples"


def svm_scores(session: Session, *, n_folds: int = N_FOLDS, seed: int = 0, grid: SvmGrid | None = None) -> pd.DataFrame:
    """Score the embedding before and after the steps of a session by cross-validated RBF-SVM.

    Parameters
    ----------
    session
        Its ``before`` is scored as ``untouched``, its ``after`` (if there are steps) as ``oracle``.
    n_folds, seed
        See :func:`~ali_core.evaluation.folds.scoring_folds`.
    grid
        The C and gamma to choose from; see :func:`~ali_core.evaluation.search_svm`.

    Returns
    -------
    pandas.DataFrame
        One row a condition and fold: ``condition`` (``untouched`` or ``oracle``), ``fold``, ``macro_f1`` (test),
        ``C``, ``gamma_multiple``, ``n_train``, ``n_validation``, ``n_test``, ``labels_move_points``, ``labels_used``,
        ``folds`` and ``protocol`` (all three in words).

    Raises
    ------
    AliError
        See :func:`~ali_core.evaluation.folds.scoring_folds`.

    Notes
    -----
    The oracle score is the one of the paper's dry run (Sec. III-F-2): it saturates at 1, since a sample's own label
    has moved it. It ranks interventions; it does not estimate accuracy. The interventions themselves were planned on
    all samples. Macro F1 is taken over the classes that are in the test part or predicted for it.

    Examples
    --------
    >>> import numpy as np
    >>> from ali_core import LabelledEmbedding, Session
    >>> vectors, labels = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2
    >>> session = Session(LabelledEmbedding(vectors + 8.0 * labels[:, None], labels))
    >>> svm_scores(session, n_folds=3).groupby("condition")["macro_f1"].mean().to_dict()
    {'untouched': 1.0}
    """
    splits, words = scoring_folds(session.before, n_folds=n_folds, seed=seed)
    conditions = [("untouched", session.before, False, UNTOUCHED)]
    if session.steps:
        conditions.append(("oracle", session.after, True, ORACLE))
    rows = []
    for condition, embedding, moved, used in conditions:
        vectors, labels = embedding.vectors.astype(np.float64), embedding.labels
        for split in splits:
            train, validation, test = split.train, split.validation, split.test
            found = search_svm(
                vectors[train],
                labels[train],
                vectors[validation],
                labels[validation],
                n_classes=embedding.n_classes,
                grid=grid,
            )
            rows.append(
                {
                    "condition": condition,
                    "fold": split.fold,
                    "macro_f1": found.score(vectors[test], labels[test]).macro_f1,
                    "C": found.C,
                    "gamma_multiple": found.gamma_multiple,
                    "n_train": len(train),
                    "n_validation": len(validation),
                    "n_test": len(test),
                    "labels_move_points": moved,
                    "labels_used": used,
                    "folds": f"{len(splits)} folds. {' '.join(words)}",
                    "protocol": found.protocol,
                }
            )
    return pd.DataFrame(rows)
