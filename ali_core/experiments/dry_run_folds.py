"""Where the folds of a dry run come from: one embedding that is cut, or training runs that have folds of their own."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.data import FoldWarning
from ali_core.data.folds import group_codes
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.evaluation.folds import LEAST_FOLDS, scoring_folds
from ali_core.experiments.fold_scorer import DryRunFold
from ali_core.foreign import read_json
from ali_core.sampling import stratified_part
from ali_core.training import TrainSettings

__all__ = ["folds_of_embedding", "folds_of_runs"]


def folds_of_embedding(
    embedding: LabelledEmbedding, *, n_folds: int = 6, seed: int = 0, max_samples: int = 5_000
) -> tuple[DryRunFold, ...]:
    """Cut an embedding into folds; see :func:`~ali_core.evaluation.folds.scoring_folds`. Their test parts are left out.

    Of more than ``max_samples`` samples with a label a stratified part is cut.

    Warns
    -----
    FoldWarning
        When groups are not kept whole, or classes have too few samples to be in every part.

    Raises
    ------
    AliError
        For fewer groups than folds, unless there are fewer than three, which are not looked at.
    """
    known = embedding.source.name if embedding.source else "an embedding in memory"
    source = embedding.description or known
    n_labelled = int(embedding.counts.sum())
    if n_labelled > max_samples:
        source = f"{source}, a stratified part of its {n_labelled:,} labelled samples"
        embedding = embedding.subset(stratified_part(embedding, max_samples, seed=seed))
    groups = None if embedding.split is not None else embedding.groups
    if groups is not None and len(np.unique(groups)) >= LEAST_FOLDS:
        group_codes(groups, n_folds)  # refused as training refuses it
    splits, (of_groups, *of_classes) = scoring_folds(embedding, n_folds=n_folds, seed=seed)
    kept_whole = of_groups.startswith("No group")
    for sentence in [*([] if kept_whole else [of_groups]), *of_classes]:
        warnings.warn(sentence, FoldWarning, stacklevel=2)
    source += "" if embedding.split is None else f", {splits[0].origin}"
    return tuple(_fold(embedding, split.fold, split.train, split.validation, source) for split in splits)


def folds_of_runs(runs: Sequence[str | Path]) -> tuple[DryRunFold, ...]:
    """Take each fold's embedding from the network that was trained on its training part.

    Parameters
    ----------
    runs
        Finished training runs, one a fold, each with the parts that it was trained with.

    Raises
    ------
    AliError
        When a folder holds no finished run, two runs have the same fold, or their data or folds differ.
    """
    folds, first = {}, None
    for run in map(Path, runs):
        embedding, parts = _run(run)
        settings = TrainSettings.read(run / "settings.toml")
        about = read_json(run / "run.json", "record")
        kind = (about["fingerprint"], settings.n_folds, settings.fold_seed, settings.groups)
        first = first or kind
        if kind != first:
            raise AliError(f"{run} has other data or folds than {runs[0]}; give the folds of one experiment")
        if settings.fold in folds:
            raise AliError(f"{run} has fold {settings.fold}, which another run has already; give one run a fold")
        rows = {part: np.flatnonzero(parts == part) for part in ("train", "validation")}
        source = Path(about.get("data", {}).get("source") or run).name
        folds[settings.fold] = _fold(embedding, settings.fold, rows["train"], rows["validation"], source)
    return tuple(folds[number] for number in sorted(folds))


def _run(run: Path) -> tuple[LabelledEmbedding, NDArray[np.str_]]:
    """Return all samples of a finished run, and the part of each."""
    if not (run / "result.json").is_file():
        raise AliError(f"{run} holds no finished training run; train with ali train, or give an embedding file")
    embedding = LabelledEmbedding.load(run / "embedding.npz")
    parts = pd.read_csv(run / "parts.csv", dtype=str, keep_default_na=False).set_index("id")["part"]
    return embedding, parts.loc[embedding.sample_names.tolist()].to_numpy(dtype=np.str_)


def _fold(
    embedding: LabelledEmbedding, number: int, train: NDArray[np.int64], validation: NDArray[np.int64], source: str
) -> DryRunFold:
    vectors = embedding.vectors.astype(np.float64)
    return DryRunFold(
        fold=number,
        train_vectors=vectors[train],
        train_labels=embedding.labels[train],
        validation_vectors=vectors[validation],
        validation_labels=embedding.labels[validation],
        n_classes=embedding.n_classes,
        source=source,
    )
