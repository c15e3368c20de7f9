"""What a training run on many features will take, from an epoch on a small part of them."""

import warnings
from math import ceil

from ali_core.data import FoldSplit
from ali_core.embedding import LabelledEmbedding
from ali_core.evaluation.svm_search import MOST_CHOOSING, MOST_TRAINING, SvmGrid
from ali_core.sampling import stratified_part
from ali_core.training.loop import epochs
from ali_core.training.settings import TrainSettings

__all__ = ["forecast", "in_words"]

MEASURED = 2_000
"""About how many samples are trained on to measure."""


def forecast(data: LabelledEmbedding, settings: TrainSettings) -> str:
    """Say in one line what a run will take; measured by an epoch on a stratified part of the samples.

    Parameters
    ----------
    data
        Features.
    settings
        Of the run. Nothing is written.

    Raises
    ------
    AliError
        When the part has too few samples for the folds, or cannot be trained on; the run itself may be possible.

    Notes
    -----
    An epoch grows with the number of samples, a scoring with the numbers in the kernel matrices of the SVM. Memory is
    that of vectors and kernel matrices.
    """
    part = data.subset(stratified_part(data, MEASURED, seed=0))
    brief = settings.changed(max_epochs=1, start=None, control=False, long_tail=None, groups="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that are too small in the part
        with epochs(part, brief) as training:
            for _ in training:
                times = training.run.history.times[-1]
    split, grown = training.run.split, int(data.counts.sum()) / len(part)
    epoch = grown * sum(times[stage] or 0.0 for stage in ("train", "embed", "intervene"))
    train, choose, _ = _asked(split, grown)
    scoring = times["evaluate"] * _numbers(*_asked(split, grown)) / _numbers(*_asked(split, 1.0))
    n_scorings = 3 + ceil(settings.max_epochs / settings.evaluate_every)  # at the start, of the best, of the features
    total = settings.max_epochs * epoch + n_scorings * scoring
    n_bytes = 16 * train * (train + choose) + 8 * len(data) * (data.dim + settings.width)
    return (
        f"about {in_words(epoch)} an epoch and {in_words(scoring)} a scoring: about {in_words(total)} for "
        f"{settings.max_epochs} epoch{'s' * (settings.max_epochs != 1)} and {n_scorings} scorings, "
        f"and {n_bytes / 1e9:.1f} GB of memory"
    )


def in_words(seconds: float) -> str:
    """Return a duration in its largest unit, such as ``12 min``."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 2 else f"{seconds:.2g} s"


def _asked(split: FoldSplit, grown: float) -> tuple[float, float, float]:
    """Return how many samples train the SVM, choose it, and are classified, in data ``grown`` times as large."""
    train, validation, test = (grown * len(part) for part in (split.train, split.validation, split.test))
    return min(train, MOST_TRAINING), min(validation, MOST_CHOOSING), validation + test


def _numbers(train: float, choose: float, classified: float) -> float:
    grid = SvmGrid()
    return train * (len(grid.Cs) * len(grid.gammas) * (train + choose) + classified)
