"""Where the folds of a dry run come from: one embedding that is cut, or training runs that have folds of their own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.data import grouped_folds
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.experiments.fold_scorer import DryRunFold
from ali_core.training import TrainSettings

__all__ = ["folds_of_embedding", "folds_of_runs"]


def folds_of_embedding(embedding: LabelledEmbedding, *, n_folds: int = 6, seed: int = 0) -> tuple[DryRunFold, ...]:
    """Cut an embedding into folds; see :func:`~ali_core.data.grouped_folds`.

    Groups are kept whole where there are at least as many of them as folds; with fewer they cannot be, and are not
    looked at. The test part of a fold is left out.
    """
    groups = embedding.groups
    if groups is not None and len(np.unique(groups)) < n_folds:
        groups = None
    splits = grouped_folds(
        embedding.labels, groups=groups, n_folds=n_folds, seed=seed, class_names=embedding.class_names
    )
    return tuple(_fold(embedding, split.fold, split.train, split.validation) for split in splits)


def folds_of_runs(runs: Sequence[str | Path]) -> tuple[DryRunFold, ...]:
    """Take each fold's embedding from the network that was trained on its training part.

    Parameters
    ----------
    runs
        Finished training runs, one a fold, each with the parts that it was trained with.

    Raises
    ------
    AliError
        When a folder holds no finished run, two runs have the same fold, or their classes differ.
    """
    folds, names = {}, None
    for run in map(Path, runs):
        embedding, parts = _run(run)
        names = names or embedding.class_names
        if embedding.class_names != names:
            raise AliError(f"{run} has other classes than {runs[0]}; give the folds of one experiment")
        number = int(TrainSettings.read(run / "settings.toml").fold)
        if number in folds:
            raise AliError(f"{run} has fold {number}, which another run has already; give one run a fold")
        rows = {part: np.flatnonzero(parts == part) for part in ("train", "validation")}
        folds[number] = _fold(embedding, number, rows["train"], rows["validation"])
    return tuple(folds[number] for number in sorted(folds))


def _run(run: Path) -> tuple[LabelledEmbedding, NDArray[np.str_]]:
    """Return all samples of a finished run, and the part of each."""
    if not (run / "result.json").is_file():
        raise AliError(f"{run} holds no finished training run; train with ali train, or give an embedding file")
    embedding = LabelledEmbedding.load(run / "embedding.npz")
    parts = pd.read_csv(run / "parts.csv", dtype=str).set_index("id")["part"]
    return embedding, parts.loc[embedding.ids.tolist()].to_numpy(dtype=np.str_)


def _fold(
    embedding: LabelledEmbedding, number: int, train: NDArray[np.int64], validation: NDArray[np.int64]
) -> DryRunFold:
    vectors = embedding.vectors.astype(np.float64)
    return DryRunFold(
        fold=number,
        train_vectors=vectors[train],
        train_labels=embedding.labels[train],
        validation_vectors=vectors[validation],
        validation_labels=embedding.labels[validation],
        n_classes=embedding.n_classes,
    )
