"""One fold of a dry run: the scores of an RBF-SVM after every intervention.

Synopsis::

    scorer = FoldScorer.of(fold)
    curves = scorer.curves([preset("c,s", dim=256)], longest=50)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.errors import AliError
from ali_core.evaluation import ClassificationScores, SvmGrid, search_svm
from ali_core.evaluation.svm_search import trained_predictions
from ali_core.experiments.transfer_map import TransferMap
from ali_core.files import atomic_path
from ali_core.interventions import (
    ClassStatistics,
    ClassTransforms,
    InterventionSettings,
    InterventionState,
)
from ali_core.interventions.steps import automatic_steps

__all__ = ["DryRunFold", "FoldScorer", "Space"]

Space = Literal["nd", "2d"]
"""Where interventions happen: in the embedding, or in a parametric t-SNE of it."""

GRIDS = {"nd": SvmGrid(), "2d": SvmGrid(gammas=(1.0, 4.0, 16.0, 64.0))}


@dataclass(frozen=True, kw_only=True, eq=False)
class DryRunFold:
    """A training and a validation part, embedded.

    Parameters
    ----------
    fold
        Its number.
    train_vectors, train_labels
        Shapes (N, D), float64, and (N,), int64.
    validation_vectors, validation_labels
        Shapes (M, D), float64, and (M,), int64.
    n_classes
        Number of classes C.
    source
        What captions call the data.
    """

    fold: int
    train_vectors: NDArray[np.float64]
    train_labels: NDArray[np.int64]
    validation_vectors: NDArray[np.float64]
    validation_labels: NDArray[np.int64]
    n_classes: int
    source: str = "samples in memory"

    def __post_init__(self) -> None:
        if len(np.unique(self.train_labels)) < 2:
            raise AliError(f"the training part of fold {self.fold} needs samples of at least two classes")
        if not len(self.validation_labels):
            raise AliError(f"the validation part of fold {self.fold} is empty; give more samples, or fewer folds")

    def in_plane(self, *, seed: int) -> "DryRunFold":
        """Return the fold in a parametric t-SNE that was fitted to its training part, without labels."""
        from ali_core.projection import ParametricTSNE  # noqa: PLC0415  # torch and openTSNE take seconds

        projection = ParametricTSNE(random_state=seed).fit(self.train_vectors)
        train, validation = (
            np.asarray(projection.transform(vectors), dtype=np.float64)
            for vectors in (self.train_vectors, self.validation_vectors)
        )
        return replace(self, train_vectors=train, validation_vectors=validation)


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldScorer:
    """A fold with everything that its scores need and that interventions leave unchanged.

    Parameters
    ----------
    data
        The samples.
    statistics
        Of the training part; the validation part has no share in any plan.
    C, gamma_multiple
        Of the SVM; see :class:`~ali_core.evaluation.SvmGrid`.
    transfer_weights
        What :meth:`TransferMap.weights` gives for the validation part, shape (M, N).
    """

    data: DryRunFold
    statistics: ClassStatistics
    C: float
    gamma_multiple: float
    transfer_weights: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        data: DryRunFold,
        space: Space = "nd",
        progress: Callable[[str], None] | None = None,
        *,
        tuning: tuple[NDArray[np.float64], NDArray[np.int64]] | None = None,
    ) -> Self:
        """Choose C and gamma of the SVM on the untouched embedding, and fit the transfer map; tell what comes next.

        Parameters
        ----------
        data
            The samples that train and that are scored.
        space
            Where they lie: it decides which gammas are tried.
        progress
            Told in words what comes next.
        tuning
            Vectors (n, D), float64, and labels (n,), int64, of the samples that choose; by default the validation part.

        Notes
        -----
        C and the multiple of gamma are those that classify the untouched ``tuning`` samples best, and stay the same
        for all interventions. By default, as in the dry run, the untouched score is therefore the best of a grid, and
        the others are not chosen.
        """
        tell = progress or (lambda _: None)
        tell("choosing the SVM")
        search = search_svm(
            data.train_vectors,
            data.train_labels,
            *(tuning or (data.validation_vectors, data.validation_labels)),
            n_classes=data.n_classes,
            grid=GRIDS[space],
        )
        tell("fitting the transfer map")
        transfer = TransferMap.fit(data.train_vectors, data.train_labels, n_classes=data.n_classes)
        return cls(
            data=data,
            statistics=ClassStatistics.from_samples(data.train_vectors, data.train_labels, data.n_classes),
            C=search.C,
            gamma_multiple=search.gamma_multiple,
            transfer_weights=transfer.weights(data.validation_vectors),
        )

    def write(self, file: Path) -> None:
        """Write what takes time to make, whole or not at all."""
        with atomic_path(file) as temporary:
            np.savez(
                temporary,
                train=self.data.train_vectors,
                validation=self.data.validation_vectors,
                svm=np.array([self.C, self.gamma_multiple]),
                transfer=self.transfer_weights,
            )

    @classmethod
    def read(cls, file: Path, data: DryRunFold) -> Self:
        """Read what :meth:`write` wrote; ``data`` has the labels."""
        with np.load(file, allow_pickle=False) as arrays:
            data = replace(data, train_vectors=arrays["train"], validation_vectors=arrays["validation"])
            C, gamma_multiple = map(float, arrays["svm"])
            transfer = arrays["transfer"]
        return cls(
            data=data,
            statistics=ClassStatistics.from_samples(data.train_vectors, data.train_labels, data.n_classes),
            C=C,
            gamma_multiple=gamma_multiple,
            transfer_weights=transfer,
        )

    @cached_property
    def untouched(self) -> tuple[float, float]:
        """The scores before any intervention; both are the same number."""
        return self.scores(InterventionState.untouched(self.statistics).transforms)

    def scores(self, transforms: ClassTransforms) -> tuple[float, float]:
        r"""Return the oracle and the transfer macro F1 after the class-wise maps θ; see :meth:`classified`."""
        oracle, transfer = self.classified(transforms)
        return oracle.macro_f1, transfer.macro_f1

    def classified(self, transforms: ClassTransforms) -> tuple[ClassificationScores, ClassificationScores]:
        r"""Return how the validation part is classified after the class-wise maps θ: oracle and transfer.

        The SVM learns the training part moved by θ of its labels. ``oracle``: validation samples moved by θ of their
        true class, as in the paper (Sec. III-F-2). ``transfer``: validation samples moved without labels, by
        :class:`TransferMap`. AliError when θ moves all samples to one point.
        """
        data = self.data
        moved = transforms.apply(data.train_vectors, data.train_labels)
        oracle = transforms.apply(data.validation_vectors, data.validation_labels)
        transfer = data.validation_vectors + self.transfer_weights @ (moved - data.train_vectors)
        if np.array_equal(moved.min(axis=0), moved.max(axis=0)):
            raise AliError("the interventions have moved all samples to one point; lower the strengths")
        predicted = trained_predictions(
            moved,
            data.train_labels,
            np.concatenate([oracle, transfer]),
            C=self.C,
            gamma_multiple=self.gamma_multiple,
        )
        halves = predicted[: len(oracle)], predicted[len(oracle) :]
        first, second = (ClassificationScores.of(data.validation_labels, half, data.n_classes) for half in halves)
        return first, second

    def curves(
        self, configurations: Sequence[InterventionSettings], *, longest: Sequence[int], hold: int | None = 3
    ) -> list[pd.DataFrame]:
        """Return the scores of each configuration after 0, 1, 2, … interventions.

        Parameters
        ----------
        configurations
            Settings; those that differ in criterion and selection alone share states where they chose the same classes.
        longest
            Number of interventions after which each is left at the latest.
        hold
            A curve ends once the oracle score has been 1 for so many interventions in a row; None follows it to the
            end.

        Returns
        -------
        list of pandas.DataFrame
            One a configuration: ``n_interventions``, ``oracle_f1``, ``transfer_f1``.
        """
        known: dict[tuple[object, ...], tuple[float, float]] = {}
        return [
            self._curve(settings, limit, hold, known) for settings, limit in zip(configurations, longest, strict=True)
        ]

    def _curve(
        self,
        settings: InterventionSettings,
        longest: int,
        hold: int | None,
        known: dict[tuple[object, ...], tuple[float, float]],
    ) -> pd.DataFrame:
        state = InterventionState.untouched(self.statistics)
        ahead = automatic_steps(state, settings)
        # What a state is depends on these and on the classes that were chosen, in order.
        done: tuple[object, ...] = tuple(settings.changed(criterion="product", selection="deterministic", seed=0))
        rows, at_one = [], 0
        for count in range(longest + 1):
            if count:
                state, step = next(ahead)
                done = (*done, step.classes)
            if done not in known:
                known[done] = self.scores(state.transforms) if count else self.untouched
            oracle, transfer = known[done]
            rows.append((count, oracle, transfer))
            at_one = at_one + 1 if oracle >= 1.0 else 0
            if hold is not None and at_one >= hold:
                break
        return pd.DataFrame(rows, columns=["n_interventions", "oracle_f1", "transfer_f1"])
