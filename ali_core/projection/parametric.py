"""Parametric t-SNE: a map to the plane that is fit once and then takes any sample, and gradients back."""

from collections.abc import Mapping
from copy import copy
from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from ali_core.errors import AliError
from ali_core.networks.devices import choose_device
from ali_core.networks.parametric_tsne import TsneNetwork
from ali_core.projection.alignment import rigid_motion
from ali_core.projection.landmarks import landmark_network, principal_axes
from ali_core.projection.tsne import MIN_SAMPLES, Progress, TsneSettings, fitted_layout

__all__ = ["ParametricTSNE"]

COLLAPSED = 0.5
"""A layout below this width shows nothing; neighbours in a layout lie about 1 apart."""
TOGETHER = 1000
"""Samples that are laid out at a time: each takes 50 kB."""


class ParametricTSNE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    r"""t-SNE as a map, which also lays out unseen samples and lets gradients through.

    Samples drawn as landmarks are laid out by t-SNE; any sample lies where the landmarks near to it say, see
    `TsneNetwork`.

    Parameters
    ----------
    n_landmarks
        Landmarks at most, at least 4; all samples when there are fewer. A fit takes time in proportion.
    perplexity
        Effective number of neighbours among the landmarks, at least 1; clipped to a third of them.
    n_iterations
        Steps of a first fit: the first third, in tens, with exaggeration 12.
    refit_iterations
        Steps of a later fit under ``warm_start``.
    warm_start
        Whether ``fit`` goes on from the map of the last fit, where there is one.
    hold_votes
        Whether the gradient of `forward` leaves out that votes change: a sample then moves along the slope of the whole
        layout, A B of `TsneNetwork`, which is the same for all.
    random_state
        Seed of the draw of landmarks, the jitter of their first positions, and the approximate neighbour search above
        10,000 landmarks.
    device
        Where to lay out samples: ``auto``, ``cpu``, ``cuda``, ``mps``. t-SNE itself runs on the CPU.

    Attributes
    ----------
    network_ : TsneNetwork
        In evaluation mode; it has buffers and no parameters.
    kl_divergence_ : float
        Of the layout of the landmarks from their affinities after the last fit, as openTSNE estimates it: it can be
        below 0 where many samples lie close together.
    n_features_in_ : int
        Dimensions D.
    n_iter_ : int
        Steps of the last fit.

    Notes
    -----
    Neighbours are looked for in the first 50 principal components. A few samples that lie very far out (up to 5 %, ten
    times as far as half of the samples) do not count in these.

    A refit takes landmarks from the samples as they are now (of equally many samples the same ones), puts them where
    the map so far says when center and size are as they were, makes a few steps of t-SNE without exaggeration, and lays
    the result over where they were by a rigid motion. So the picture does not change when an embedding grows or moves
    as a whole. Old and new samples need not correspond.

    PALI and PLI train with ``hold_votes``, which departs from the paper: its gradient is that of the map. Votes change
    within a fraction of the distance to the next sample, and a pull along them trains worse (``benchmarks/README.md``).

    A perceptron (D-300-100-2) fit to the divergence by batches was used before. On features of blood cells it kept far
    fewer neighbours, of unseen samples above all: with a few thousand samples in many dimensions it learns them by
    heart. ``benchmarks/README.md`` has the figures.

    Computation is in float32; ``transform`` returns the dtype it got.

    References
    ----------
    L. van der Maaten, "Learning a parametric embedding by preserving local structure", AISTATS 2009.
    A. Gisbrecht, A. Schulz, B. Hammer, "Parametric nonlinear dimensionality reduction using kernel t-SNE",
    Neurocomputing 147 (2015): landmarks and a weighted mean of their places, without votes.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> ParametricTSNE(n_iterations=10).fit(X).transform(X[:3]).shape
    (3, 2)
    """

    network_: TsneNetwork
    kl_divergence_: float
    n_features_in_: int
    n_iter_: int

    def __init__(
        self,
        *,
        n_landmarks: int = 5000,
        perplexity: float = 30.0,
        n_iterations: int = 300,
        refit_iterations: int = 25,
        warm_start: bool = False,
        hold_votes: bool = False,
        random_state: int = 0,
        device: str = "cpu",
    ) -> None:
        self.n_landmarks = n_landmarks
        self.perplexity = perplexity
        self.n_iterations = n_iterations
        self.refit_iterations = refit_iterations
        self.warm_start = warm_start
        self.hold_votes = hold_votes
        self.random_state = random_state
        self.device = device

    @property
    def _n_features_out(self) -> int:
        return 2

    def fit(self, X: ArrayLike, y: object = None, *, progress: Progress | None = None) -> Self:  # noqa: ARG002  # scikit-learn's signature
        """Fit the network to samples ``X`` (N, D), N >= 4; ``y`` is not read.

        ``progress`` is called with the steps done and in all; an exception raised in it ends the fit and leaves the
        estimator as it was.

        Raises
        ------
        AliError
            For values that are not finite, fewer than four different samples, samples that are all equal, and
            parameters out of range. The estimator is then as it was.
        """
        fitted = copy(self)
        fitted._fit(X, progress)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(self, X: ArrayLike, progress: Progress | None) -> None:
        _check_parameters(self)
        warm = bool(self.warm_start) and hasattr(self, "network_")
        device = choose_device(self.device)
        settings = TsneSettings(perplexity=self.perplexity, seed=int(self.random_state))
        vectors = self._checked(X, reset=not warm)
        drawn = np.random.default_rng(settings.seed).permutation(len(vectors))[: self.n_landmarks]
        landmarks = np.unique(vectors[drawn], axis=0)
        center, axes = principal_axes(landmarks)
        inputs = (landmarks - center) @ axes
        if warm:
            start, iterations = self._positions(self._as_before(landmarks, center, axes)), (0, self.refit_iterations)
        else:
            exaggerated = int(self.n_iterations) // 30 * 10
            start, iterations = None, (exaggerated, self.n_iterations - exaggerated)
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(inputs.astype(np.float32)).sum(axis=1) + landmarks.astype(np.float32).sum(axis=1)
        if not np.isfinite(squares).all():
            raise AliError(
                f"a sample is as large as {np.abs(vectors).max():.3g}, too far from the others for float32; "
                "leave it out, or scale the samples"
            )
        places, self.kl_divergence_ = fitted_layout(
            inputs, settings, start=start, iterations=iterations, progress=progress
        )
        if start is None and np.ptp(places) < COLLAPSED:  # exaggeration can pull few samples into one point
            places, self.kl_divergence_ = fitted_layout(
                inputs, settings, iterations=(0, self.n_iterations), progress=progress
            )
        if start is not None:
            places = rigid_motion(places, start).apply(places)
        self.network_ = landmark_network(center, axes, inputs, places).to(device)
        self.n_iter_ = sum(iterations)

    def _as_before(
        self, vectors: NDArray[np.float64], center: NDArray[np.float64], axes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return ``vectors`` at the center and in the size that samples had when the map was fitted."""
        old_center, old_axes = (tensor.double().cpu().numpy() for tensor in (self.network_.center, self.network_.axes))
        scale = np.linalg.norm(axes, axis=0).mean() / np.linalg.norm(old_axes, axis=0).mean()
        moved: NDArray[np.float64] = old_center + scale * (vectors - center)
        return moved

    def transform(self, X: ArrayLike) -> NDArray[np.floating[Any]]:
        """Lay out samples ``X`` (n, D), also such that ``fit`` has not seen; returns positions (n, 2)."""
        check_is_fitted(self, "network_")
        positions = self._positions(self._checked(X, reset=False, fewest=1))
        return positions.astype(np.float32) if getattr(X, "dtype", None) == np.float32 else positions

    @torch.no_grad()
    def _positions(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        samples = torch.tensor(vectors, dtype=torch.float32, device=self.network_.center.device)
        parts = torch.split(samples, TOGETHER)
        positions: NDArray[np.float64] = torch.cat([self.network_(part) for part in parts]).double().cpu().numpy()
        return positions

    def forward(self, vectors: Tensor) -> Tensor:
        """Lay out ``vectors`` (n, D), differentiably; returns (n, 2) of the same dtype, on the same device.

        The network is moved to the device of ``vectors``, and computes in float32 even under autocast.
        """
        check_is_fitted(self, "network_")
        network = self.network_.to(vectors.device)
        with torch.autocast(vectors.device.type, enabled=False):
            positions: Tensor = network(vectors.to(network.center.dtype), hold_votes=self.hold_votes).to(vectors.dtype)
        return positions

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that was learnt, as tensors: with it a warm start in another process gives the same numbers."""
        check_is_fitted(self, "network_")
        state = {f"network.{name}": tensor.clone() for name, tensor in self.network_.state_dict().items()}
        return state | {
            "kl_divergence": torch.tensor(self.kl_divergence_, dtype=torch.float64),
            "n_iter": torch.tensor(self.n_iter_),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` returned.

        Raises
        ------
        AliError
            When something is missing.
        """
        names = {f"network.{name}": name for name in TsneNetwork.__annotations__}
        missing = {*names, "kl_divergence", "n_iter"} - set(state)
        if missing:
            raise AliError(
                f"the state lacks {', '.join(sorted(missing))}; take what ParametricTSNE.state_dict() returned"
            )
        network = TsneNetwork(**{name: state[saved].clone() for saved, name in names.items()})
        self.network_ = network.to(choose_device(self.device)).eval()
        self.n_features_in_ = len(network.center)
        self.kl_divergence_, self.n_iter_ = float(state["kl_divergence"]), int(state["n_iter"])

    def _checked(self, X: ArrayLike, *, reset: bool, fewest: int = MIN_SAMPLES) -> NDArray[np.float64]:
        """Return ``X`` as scikit-learn takes it, finite and with enough rows."""
        vectors: NDArray[np.float64] = validate_data(
            self, X, reset=reset, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=0
        )
        if len(vectors) < fewest:
            raise AliError(f"X has {len(vectors)} sample(s), but at least {fewest} are needed; add samples")
        finite = np.isfinite(vectors)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise AliError(
                f"X[{row}, {column}] is {vectors[row, column]}, but NaN and infinity have no place in a layout; "
                "leave such samples out"
            )
        return vectors


def _check_parameters(model: ParametricTSNE) -> None:
    whole = {"n_landmarks": MIN_SAMPLES, "n_iterations": 1, "refit_iterations": 1, "random_state": 0}
    for name, lowest in whole.items():
        value = getattr(model, name)
        if not isinstance(value, Integral) or value < lowest:
            raise AliError(f"{name} is {value!r}, but must be a whole number of at least {lowest}")
