"""Parametric t-SNE: a map to the plane that is fit once and then takes any sample, and gradients back."""

from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
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
from ali_core.networks.parametric_tsne import TsneNetwork, drawn_in
from ali_core.projection.parametric_fit import Descent, near, plane, sparse_affinities, standard
from ali_core.projection.tsne import MIN_SAMPLES, Progress

__all__ = ["ParametricTSNE"]


class ParametricTSNE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    r"""t-SNE by a network, which also lays out unseen samples and lets gradients through.

    Minimises the divergence of layout similarities from affinities (van der Maaten 2009) over batches, with the
    affinities divided by their sum within each batch. After a fit the network is frozen.

    Parameters
    ----------
    hidden
        Widths of the hidden layers.
    perplexity
        Effective number of neighbours, at least 1; clipped to (N - 1) / 3.
    n_iterations
        Steps of a first fit, one batch each: the first third with exaggeration 2.
    refit_iterations
        Steps of a later fit under ``warm_start``.
    batch_size
        Batches hold this many samples to less than twice as many; all when there are fewer.
    learning_rate
        Of Adam at the start of a first fit; it falls to a fifth. A refit starts where the first fit ended.
    anchoring
        Weight a of the anchor of a refit, :math:`a\,\mathrm{mean}_i |z_i - z^0_i|^2 / r^2`, where :math:`z^0` are
        the positions that the network before the refit gives the samples, and r their RMS distance from their mean.
        The default makes a move of all samples by a tenth of r as dear as 0.1 of divergence.
    warm_start
        Whether ``fit`` goes on from the network of the last fit, where there is one.
    random_state
        Seed of the weights, the batches, and the approximate neighbour search above 10,000 samples.
    device
        Where to fit: ``auto``, ``cpu``, ``cuda``, ``mps``.

    Attributes
    ----------
    network_ : TsneNetwork
        In evaluation mode; its parameters require no gradient.
    kl_divergence_ : float
        Of the layout of all samples from their affinities after the last fit.
    n_features_in_ : int
        Dimensions D.
    n_iter_ : int
        Steps of the last fit.

    Notes
    -----
    The network's first layer receives samples less their mean, divided by one scalar such that the RMS per axis is 4:
    no axis is stretched against another, and scale and position of the input do not matter. Both numbers are taken
    anew in every fit, so the picture does not change when an embedding grows or moves as a whole during training. A few
    samples that lie very far out (up to 5 %, ten times as far as half of the samples) do not count in either, and are
    drawn in: they would shrink all others to a point.

    A first fit starts by regression on the first two principal components at a standard deviation of 1. The
    exaggeration is 2, not the 12 of t-SNE: under 12 with Adam the layout collapses to a point that batches do not
    leave. The anchor compares with what the old network says of the new samples, not with old positions: it needs no
    correspondence between them, and it is the map as a whole that should not jump.

    Computation is in float32; ``transform`` returns the dtype it got.

    References
    ----------
    L. van der Maaten, "Learning a parametric embedding by preserving local structure", AISTATS 2009.

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
    _generator_state: Tensor

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (300, 100),
        perplexity: float = 30.0,
        n_iterations: int = 250,
        refit_iterations: int = 25,
        batch_size: int = 500,
        learning_rate: float = 5e-3,
        anchoring: float = 10.0,
        warm_start: bool = False,
        random_state: int = 0,
        device: str = "cpu",
    ) -> None:
        self.hidden = hidden
        self.perplexity = perplexity
        self.n_iterations = n_iterations
        self.refit_iterations = refit_iterations
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.anchoring = anchoring
        self.warm_start = warm_start
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
            For values that are not finite, fewer than four samples, samples that are all equal, parameters out of
            range, and a layout that collapsed. The estimator is then as it was.
        """
        fitted = copy(self)
        fitted._fit(X, progress)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(self, X: ArrayLike, progress: Progress | None) -> None:
        _check_parameters(self)
        warm = bool(self.warm_start) and hasattr(self, "network_")
        vectors = self._checked(X, reset=not warm)
        kept = near(vectors)
        center, scale = standard(vectors if kept.all() else vectors[kept])
        generator = torch.Generator()
        if warm:
            generator.set_state(self._generator_state)
            network = deepcopy(self.network_)
        else:
            generator.manual_seed(int(self.random_state))
            network = TsneNetwork(vectors.shape[1], self.hidden, generator=generator)
        network.standardise(torch.tensor(center), torch.tensor(scale))
        device = choose_device(self.device)
        inputs = (vectors - center) / scale
        if not kept.all():
            inputs = drawn_in(torch.tensor(inputs)).numpy()
        affinities = sparse_affinities(inputs, perplexity=self.perplexity, seed=int(self.random_state), device=device)
        samples = torch.tensor(vectors, dtype=torch.float32, device=device)
        descent = Descent(
            network.to(device),
            samples,
            affinities,
            batch_size=self.batch_size,
            generator=generator,
            progress=progress,
        )
        if warm:
            descent.follow(self.refit_iterations, self.learning_rate, self.anchoring)
        else:
            targets = torch.tensor(plane(vectors if kept.all() else inputs, kept), dtype=torch.float32, device=device)
            descent.begin(targets, self.n_iterations, self.learning_rate)
        positions = descent.finish()
        self.network_, self._generator_state = network, generator.get_state()
        self.kl_divergence_ = affinities.kl_divergence(positions)
        self.n_iter_ = self.refit_iterations if warm else self.n_iterations

    def transform(self, X: ArrayLike) -> NDArray[np.floating[Any]]:
        """Lay out samples ``X`` (n, D), also such that ``fit`` has not seen; returns positions (n, 2)."""
        check_is_fitted(self, "network_")
        vectors = self._checked(X, reset=False, fewest=1)
        with torch.no_grad():
            positions = self.network_(torch.tensor(vectors, dtype=torch.float32, device=self.network_.center.device))
        kept = np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
        layout: NDArray[np.floating[Any]] = positions.cpu().numpy().astype(kept)
        return layout

    def forward(self, vectors: Tensor) -> Tensor:
        """Lay out ``vectors`` (n, D), differentiably; returns (n, 2) of the same dtype, on the same device.

        The network is moved to the device of ``vectors``, and computes in float32 even under autocast.
        """
        check_is_fitted(self, "network_")
        network = self.network_.to(vectors.device)
        with torch.autocast(vectors.device.type, enabled=False):
            positions: Tensor = network(vectors.to(network.center.dtype)).to(vectors.dtype)
        return positions

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that was learnt, as tensors: with it a warm start in another process gives the same numbers."""
        check_is_fitted(self, "network_")
        state = {f"network.{name}": tensor.clone() for name, tensor in self.network_.state_dict().items()}
        return state | {
            "generator": self._generator_state.clone(),
            "kl_divergence": torch.tensor(self.kl_divergence_, dtype=torch.float64),
            "n_iter": torch.tensor(self.n_iter_),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` returned for an estimator with the same ``hidden``.

        Raises
        ------
        AliError
            When names or shapes do not fit.
        """
        weights = {name.removeprefix("network."): state[name] for name in state if name.startswith("network.")}
        rest = {"center"} - set(weights) | {"generator", "kl_divergence", "n_iter"} - set(state)
        if rest:
            raise AliError(f"the state lacks {', '.join(sorted(rest))}; take what ParametricTSNE.state_dict() returned")
        dim = len(weights["center"])
        network = TsneNetwork(dim, self.hidden, generator=torch.Generator())
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise AliError(
                f"the state is not one of a network with hidden layers {tuple(self.hidden)}; "
                "load it into an estimator with the hidden layers it was saved from"
            ) from error
        self.network_ = network.to(choose_device(self.device)).eval().requires_grad_(False)
        self.n_features_in_, self._generator_state = dim, state["generator"].cpu().clone()
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
    whole = {"n_iterations": 1, "refit_iterations": 1, "batch_size": 2, "random_state": 0}
    for name, lowest in whole.items():
        value = getattr(model, name)
        if not isinstance(value, Integral) or value < lowest:
            raise AliError(f"{name} is {value!r}, but must be a whole number of at least {lowest}")
    if not all(isinstance(width, Integral) and width > 0 for width in model.hidden):
        raise AliError(f"hidden is {model.hidden!r}, but every layer needs at least one unit; (300, 100) is usual")
    if not model.perplexity >= 1:
        raise AliError(f"perplexity is {model.perplexity}, but must be at least 1; 30 is the usual choice")
    if not (np.isfinite(model.learning_rate) and model.learning_rate > 0):
        raise AliError(f"learning_rate is {model.learning_rate}, but must be above 0; 0.005 is the usual choice")
    if not (np.isfinite(model.anchoring) and model.anchoring >= 0):
        raise AliError(f"anchoring is {model.anchoring}, but must not be negative; 0 lets the layout move freely")
