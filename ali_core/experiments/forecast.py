"""What a dry run will take, from one score on a small part of a fold."""

import time
from collections.abc import Sequence
from dataclasses import replace

from ali_core.experiments.fold_scorer import DryRunFold, FoldScorer
from ali_core.sampling import stratified_rows
from ali_core.training.forecast import in_words

__all__ = ["forecast"]

MEASURED = 1_000
"""About how many training samples are measured on."""


def forecast(folds: Sequence[DryRunFold], *, n_scores: int) -> str:
    """Say in one line what a dry run will take, as the time of one process.

    Parameters
    ----------
    folds
        Of about the same size.
    n_scores
        Of all configurations, in all folds, after every number of interventions.

    Notes
    -----
    A fold is prepared once, with the third power of its N training samples (the eigenvectors of a kernel matrix); a
    score takes the second power. Memory is that of six matrices of N × N, and of N × pairs of classes.
    """
    whole = folds[0]
    train = stratified_rows(whole.train_labels, MEASURED, seed=0)
    grown = len(whole.train_labels) / len(train)
    validation = stratified_rows(whole.validation_labels, round(len(whole.validation_labels) / grown), seed=0)
    start = time.perf_counter()
    part = FoldScorer.of(
        replace(
            whole,
            train_vectors=whole.train_vectors[train],
            train_labels=whole.train_labels[train],
            validation_vectors=whole.validation_vectors[validation],
            validation_labels=whole.validation_labels[validation],
        )
    )
    prepared = grown**3 * (time.perf_counter() - start)
    start = time.perf_counter()
    _ = part.untouched
    score = grown**2 * (time.perf_counter() - start)
    n_rows, n_pairs = len(whole.train_labels), whole.n_classes * (whole.n_classes - 1) // 2
    total = len(folds) * prepared + n_scores * score
    n_bytes = 8 * n_rows * (6 * n_rows + n_pairs)
    return (
        f"{whole.source}: about {in_words(prepared)} to prepare a fold and {in_words(score)} a score: about "
        f"{in_words(total)} of one process for {len(folds)} fold{'s' * (len(folds) != 1)} and {n_scores:,} scores "
        f"(a race needs a part of them), and {n_bytes / 1e9:.1f} GB for each process; "
        "fewer samples take less: max_samples (--max-samples)"
    )
