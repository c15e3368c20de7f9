"""Fewer samples with every class kept."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding

__all__ = ["stratified_part", "stratified_rows"]


def stratified_rows(
    labels: NDArray[np.integer[Any]], n_rows: int, *, seed: int, at_least: int = 6
) -> NDArray[np.int64]:
    """Choose about ``n_rows`` rows in proportion to the classes, rare classes kept.

    Parameters
    ----------
    labels
        Class codes, shape (N,).
    n_rows
        Rows wanted; all rows are returned when there are no more. Keeping rare classes can exceed it a little.
    seed
        The same seed chooses the same rows.
    at_least
        Rows that each class keeps, as far as it has them.

    Returns
    -------
    numpy.ndarray
        Row numbers, ascending.
    """
    if n_rows >= len(labels):
        return np.arange(len(labels))
    rng = np.random.default_rng(seed)
    chosen = []
    for code in np.unique(labels):
        rows = np.flatnonzero(labels == code)
        share = max(round(n_rows * len(rows) / len(labels)), min(at_least, len(rows)))
        chosen.append(rng.permutation(rows)[:share])
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def stratified_part(embedding: LabelledEmbedding, n_rows: int, *, seed: int, at_least: int = 6) -> NDArray[np.int64]:
    """Choose about ``n_rows`` of the samples with a label, in proportion to the classes in each part of a given split.

    Parameters
    ----------
    embedding
        Samples without a label are neither counted nor chosen.
    n_rows, seed
        See :func:`stratified_rows`.
    at_least
        Rows that each class keeps, in each part of a given split, as far as it has them.

    Returns
    -------
    numpy.ndarray
        Row numbers, int64, ascending.
    """
    rows = np.flatnonzero(embedding.labelled)
    strata = embedding.labels[rows]
    if embedding.split is not None:
        parts, part = np.unique(embedding.split[rows], return_inverse=True)
        strata = strata * len(parts) + part
    return rows[stratified_rows(strata, n_rows, seed=seed, at_least=at_least)]
