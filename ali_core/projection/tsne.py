"""t-SNE by openTSNE: a first layout from scratch, and layouts that follow without jumping."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.projection.alignment import aligned
from ali_core.projection.linear import principal_plane
from ali_core.projection.supervision import DEFAULT_SUPERVISION, weaken_between_classes

__all__ = ["MIN_SAMPLES", "Progress", "TsneSettings", "check_enough", "first_layout", "fitted_layout", "next_layout"]

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]
"""Called with the iterations done and in all; an exception raised in it cancels the layout."""

MIN_SAMPLES = 4
EXACT_NEIGHBOURS_UP_TO = 10_000
EARLY_ITERATIONS, MAIN_ITERATIONS = 250, 500
ROUNDS, ROUND_ITERATIONS, SETTLING_ITERATIONS = 5, 50, 50
LOOSENED_ITERATIONS, FREE_ITERATIONS = 100, 250
PROGRESS_EVERY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TsneSettings:
    """What decides a t-SNE layout besides the vectors.

    Attributes
    ----------
    perplexity
        Effective number of neighbours; clipped to (N - 1) / 3.
    supervision
        How much affinities between classes are weakened, in [0, 1); only read where labels are
        given.
    seed
        Seed of the jitter of the first positions and of the approximate neighbour search above
        10,000 samples.
    n_jobs
        Threads; -1 for all. On a busy machine one is faster than two.
    """

    perplexity: float = 30.0
    supervision: float = DEFAULT_SUPERVISION
    seed: int = 0
    n_jobs: int = 1

    def __post_init__(self) -> None:
        """Check the one number that has no natural clip."""
        if not self.perplexity >= 1.0:
            raise AliError(f"perplexity is {self.perplexity}, but must be at least 1; 30 is the usual choice.")


def check_enough(n_samples: int) -> None:
    """Raise AliError when there are too few samples for neighbours to mean anything."""
    if n_samples < MIN_SAMPLES:
        raise AliError(f"t-SNE got {n_samples} samples, but needs at least {MIN_SAMPLES}; take the layout 'pca'.")


def first_layout(
    vectors: FloatArray,
    settings: TsneSettings,
    *,
    labels: NDArray[np.int64] | None = None,
    progress: Progress | None = None,
) -> FloatArray:
    """Lay out ``vectors`` (N, D) from scratch; returns positions (N, 2).

    Starts from the first two principal components at a standard deviation of 1e-4 with 1 % of
    seeded jitter, 250 iterations with exaggeration 12 and 500 without, learning rate N /
    exaggeration (Belkina et al., Nature Communications 10, 2019). With ``labels`` the layout is a
    supervised one.
    """
    iterations = EARLY_ITERATIONS, MAIN_ITERATIONS
    return fitted_layout(vectors, settings, labels=labels, iterations=iterations, progress=progress)[0]


def fitted_layout(
    vectors: FloatArray,
    settings: TsneSettings,
    *,
    labels: NDArray[np.int64] | None = None,
    start: FloatArray | None = None,
    iterations: tuple[int, int],
    progress: Progress | None = None,
) -> tuple[FloatArray, float]:
    """Lay out ``vectors`` (N, D) as `first_layout` does.

    Parameters
    ----------
    start
        Positions (N, 2) to go on from; by default those of `first_layout`.
    iterations
        With exaggeration 12, and without.

    Returns
    -------
    positions : numpy.ndarray
        Positions (N, 2).
    divergence : float
        Kullback-Leibler divergence of the layout from the affinities.
    """
    affinities = _affinities(vectors, settings, labels)
    report = _Report(progress, sum(iterations))
    positions = _start(vectors, settings.seed) if start is None else start
    divergence = np.inf
    for n, exaggeration, momentum in zip(iterations, (12.0, 1.0), (0.5, 0.8), strict=True):
        positions, divergence = _optimised(
            positions, affinities, settings, report, iterations=n, exaggeration=exaggeration, momentum=momentum
        )
    if progress is not None and report.done % PROGRESS_EVERY:
        progress(report.done, report.done)
    return positions, divergence


def next_layout(
    vectors: FloatArray,
    previous: FloatArray,
    anchors: NDArray[np.bool_],
    settings: TsneSettings,
    *,
    labels: NDArray[np.int64] | None = None,
    progress: Progress | None = None,
) -> FloatArray:
    """Lay out the state ``vectors`` (N, D) that follows the one laid out at ``previous`` (N, 2).

    Parameters
    ----------
    anchors
        Mask (N,) of the samples whose vectors did not move.

    Returns
    -------
    numpy.ndarray
        Positions (N, 2), aligned to ``previous``.

    Notes
    -----
    The previous positions are kept at their scale; shrinking them and exaggerating again, as from
    scratch, moves classes that did not move by a third of the layout's radius. While anchors exist,
    the layout is optimised in rounds; after each the anchors are laid over their old places and put
    back there, so that the moved samples find theirs. A last round of small steps lets all samples
    settle together. With too few anchors everything may move: a short exaggeration of 4 loosens the
    old clusters, then all samples are optimised and aligned as a whole.
    """
    affinities = _affinities(vectors, settings, labels)
    if anchors.sum() < max(3, 0.05 * len(anchors)):
        report = _Report(progress, LOOSENED_ITERATIONS + FREE_ITERATIONS)
        positions, _ = _optimised(
            previous,
            affinities,
            settings,
            report,
            iterations=LOOSENED_ITERATIONS,
            exaggeration=4.0,
            momentum=0.5,
        )
        positions, _ = _optimised(positions, affinities, settings, report, iterations=FREE_ITERATIONS)
        return aligned(positions, previous, anchors)
    report = _Report(progress, ROUNDS * ROUND_ITERATIONS + SETTLING_ITERATIONS)
    positions = previous
    for _ in range(ROUNDS):
        positions, _ = _optimised(positions, affinities, settings, report, iterations=ROUND_ITERATIONS)
        positions = np.where(anchors[:, None], previous, aligned(positions, previous, anchors))
    positions, _ = _optimised(
        positions,
        affinities,
        settings,
        report,
        iterations=SETTLING_ITERATIONS,
        learning_rate=len(vectors) / 10,
    )
    return aligned(positions, previous, anchors)


class _Report:
    """Adds up the iterations of several optimisations for one progress callback."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress = progress
        self.total = total
        self.done = 0

    def __call__(self, iteration: int, _error: float, _positions: object) -> None:
        if self.progress is not None:
            self.progress(self.done + iteration, self.total)


def _start(vectors: FloatArray, seed: int) -> FloatArray:
    positions = principal_plane(vectors).project(vectors)
    scale = positions[:, 0].std()
    start = positions * (1e-4 / scale) if scale > 0 else np.zeros_like(positions)
    return start + np.random.default_rng(seed).normal(0.0, 1e-6, start.shape)


def _affinities(vectors: FloatArray, settings: TsneSettings, labels: NDArray[np.int64] | None) -> object:
    from openTSNE.affinity import (  # noqa: PLC0415 - slow to import
        PerplexityBasedNN,
        PrecomputedAffinities,
    )

    n_samples = len(vectors)
    check_enough(n_samples)
    affinities = PerplexityBasedNN(
        vectors,
        perplexity=min(settings.perplexity, (n_samples - 1) / 3),
        method="exact" if n_samples <= EXACT_NEIGHBOURS_UP_TO else "annoy",
        n_jobs=settings.n_jobs,
        random_state=settings.seed,
    )
    if labels is None:
        return affinities
    return PrecomputedAffinities(weaken_between_classes(affinities.P, labels, settings.supervision), normalize=False)


def _optimised(
    positions: FloatArray,
    affinities: object,
    settings: TsneSettings,
    report: _Report,
    *,
    iterations: int,
    exaggeration: float = 1.0,
    momentum: float = 0.8,
    learning_rate: float | str = "auto",
) -> tuple[FloatArray, float]:
    from openTSNE import TSNEEmbedding  # noqa: PLC0415 - slow to import

    layout = TSNEEmbedding(positions, affinities, n_jobs=settings.n_jobs, random_state=settings.seed).optimize(
        iterations,
        exaggeration=exaggeration,
        momentum=momentum,
        learning_rate=learning_rate,
        callbacks=None if report.progress is None else [report],
        callbacks_every_iters=PROGRESS_EVERY,
        use_callbacks=report.progress is not None,
        inplace=True,
        propagate_exception=True,
    )
    report.done += iterations
    return np.array(layout, dtype=np.float64), float(layout.kl_divergence)
