"""In which order samples are trained on."""

import numpy as np
from numpy.typing import NDArray

from ali_core.training.settings import TrainSettings

__all__ = ["batch_order"]


def batch_order(labels: NDArray[np.int64], settings: TrainSettings, seed: int) -> NDArray[np.int64]:
    """Return the rows of each batch of an epoch, shape (batches, batch size).

    Parameters
    ----------
    labels
        Class codes of the training samples, shape (N,).
    settings
        ``batch_size``, ``sampler``, ``samples_per_class``.
    seed
        The same seed gives the same order.

    Notes
    -----
    ``shuffle``: every sample once, in random order; the last, incomplete batch is left out, unless it is the only one.
    ``m-per-class``: each batch draws classes without regard to their size and m samples of each, twice the same only
    where a class has fewer than m. An epoch has as many batches as with ``shuffle``, so rare samples come up often.
    """
    rng = np.random.default_rng(seed)
    size = min(settings.batch_size, len(labels))
    n_batches = len(labels) // size
    if settings.sampler == "shuffle":
        return rng.permutation(len(labels))[: n_batches * size].reshape(n_batches, size)
    m = settings.samples_per_class
    members = [np.flatnonzero(labels == code) for code in np.unique(labels)]
    n_drawn = min(size // m, len(members))
    batches = [
        np.concatenate(
            [rng.choice(members[c], m, replace=len(members[c]) < m) for c in rng.permutation(len(members))[:n_drawn]]
        )
        for _ in range(n_batches)
    ]
    return np.stack(batches)
