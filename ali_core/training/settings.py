"""Everything that decides what a training run does, as one frozen record and as a TOML file."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import Field, model_validator

from ali_core.errors import AliError
from ali_core.files import write_text
from ali_core.foreign import read_toml
from ali_core.interventions import PRESETS, InterventionSettings, preset
from ali_core.interventions.settings import Record
from ali_core.training.methods import BASES, METHODS, SPECS, MethodSpec

__all__ = ["TrainSettings", "thinning"]

Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
AtLeastZero = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Above = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class TrainSettings(Record):
    """All that decides a training run besides its data.

    Parameters
    ----------
    method
        ``tml``: triplet margin loss; ``ali``: the same with interventions in the embedding space (Eq. 1 of the paper);
        ``pali``: with interventions in a parametric t-SNE (Eq. 5); ``pli``: cross entropy and the fixed targets of
        recorded manual steps; ``ce``, ``logit-adjusted``, ``supcon``, ``proxyanchor``: cross entropy, the same with
        logits adjusted by class frequency, supervised contrastive, proxy anchor.
    base
        The loss of labels under the interventions of ``ali``, ``pali`` and ``pli``: ``tml``, ``ce``,
        ``logit-adjusted``, ``supcon`` or ``proxyanchor``; None for ``tml`` (``ali``, ``pali``) and ``ce`` (``pli``).
    preset
        Combination of transforms of the paper's Table I; the column follows the space, 2-D for ``pali``.
    interventions
        Strengths and choices of your own instead of a preset.
    criterion
        Ω in place of that of the preset or of ``interventions``: ``closest``, ``mean-std``, ``mean-all``, ``product``,
        the experiment ``confusion``, or the name of a function that is given beside
        (:func:`~ali_core.training.epochs`).
    steps
        Session file with the manual steps of ``pli``.
    class_weights
        Whether classes are weighted by their inverse frequency: in the L1 term of ``ali`` and ``pali``, in the
        base loss of ``pli``, and in the loss of the others.
    intervention_weight
        w of Eq. 1; None for the paper's 0.8 (``ali``) and 0.9 (``pali``), and 0.5 (``pli``).
    reduction
        Whether L1 is the ``mean`` or the ``sum`` over dimensions.
    control
        Train without the interventions of ``method`` and without stopping early: what the same epochs are worth alone.
    intervene_from
        Epochs that are trained on the base loss alone before interventions set in.
    start
        A finished run of the same network, whose best state this one starts from.
    margin
        Of the triplet margin loss, in units of the distance of embeddings.
    temperature
        Of ``supcon``, and the divisor of the logits of ``ce`` and ``logit-adjusted``, as methods or as ``base``.
    proxy_margin, proxy_scale
        δ and α of ``proxyanchor``.
    width
        Dimensions of the embedding.
    normalise
        Whether embeddings are divided by their L2 norm: for loss, statistics, interventions and SVM alike.
    backbone, weights
        torchvision name, and ``imagenet``, ``none`` or a weights file; for images only.
    px
        Height and width at which images are seen.
    dropout
        Share of the pixels that are blackened in training.
    learning_rate, weight_decay, batch_size
        Of AdamW. The rate is constant.
    sampler, samples_per_class
        ``shuffle`` takes every sample once an epoch; ``m-per-class`` fills a batch with that many of each drawn class.
    max_epochs, patience, evaluate_every
        Training ends after so many epochs, or so many without a better validation F1 (0: never), which is computed
        every few epochs.
    n_folds, fold, fold_seed, groups
        Folds, which of them is the test, and whether groups are kept whole (``keep``) or not looked at (``ignore``).
    long_tail
        ``LARGEST:SMALLEST``: thin the classes so that their sizes fall off log-uniformly between the two
        (:func:`~ali_core.data.long_tail_split`). ``fold`` is then the number of the draw; one of ``n_folds`` parts of
        what is kept validates, the others train, and all that is left out is the test.
    seed
        Of weights, batches, augmentation and draws.
    device, precision, devices
        ``auto``, ``cpu``, ``cuda``, ``mps``; ``auto`` (bfloat16 where the device has it), ``32-true``, ``bf16-mixed``;
        number of processes or GPUs.
    workers
        Threads that decode images; 0 takes one a core.
    skip_unreadable
        Leave damaged images out, and say which, instead of stopping.
    keep_embeddings, keep_checkpoints
        Keep the training embedding, or the state, of every epoch; the second lets a run go back.

    Raises
    ------
    AliError
        For values outside their range, and for settings that contradict each other.

    Notes
    -----
    The paper gives neither optimiser nor learning rate, batch size or margin. Margin and learning rate are the best of
    six pairs on validation folds of real features (``benchmarks/README.md``); temperature, proxy margin and scale are
    the usual values of their losses. A run that is continued with more ``max_epochs`` keeps the score of its old last
    epoch, even where that is off the schedule of ``evaluate_every``.
    """

    method: str = "ali"
    base: str | None = None
    preset: str = "c,s"
    interventions: InterventionSettings | None = None
    criterion: str | None = None
    steps: Path | None = None
    class_weights: bool = False
    intervention_weight: Share | None = None
    reduction: Literal["mean", "sum"] = "mean"
    control: bool = False
    intervene_from: Whole = 0
    start: Path | None = None
    margin: AtLeastZero = 0.5
    temperature: Above = 0.1
    proxy_margin: AtLeastZero = 0.1
    proxy_scale: Above = 32.0
    width: Count = 256
    normalise: bool = True
    backbone: str = "densenet121"
    weights: str = "imagenet"
    px: Annotated[int, Field(ge=32)] = 224
    dropout: Share = 0.05
    learning_rate: Above = 1e-3
    weight_decay: AtLeastZero = 1e-4
    batch_size: Annotated[int, Field(ge=2)] = 128
    sampler: Literal["shuffle", "m-per-class"] = "shuffle"
    samples_per_class: Annotated[int, Field(ge=2)] = 4
    max_epochs: Whole = 200
    patience: Whole = 50
    evaluate_every: Count = 5
    n_folds: Annotated[int, Field(ge=3, le=1_000)] = 6
    fold: Whole = 0
    fold_seed: Whole = 0
    groups: Literal["keep", "ignore"] = "keep"
    long_tail: str | None = None
    seed: Whole = 0
    device: str = "auto"
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    devices: Count = 1
    workers: Whole = 0
    skip_unreadable: bool = False
    keep_embeddings: bool = False
    keep_checkpoints: bool = False

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.method not in SPECS:
            raise AliError(f"method {self.method!r} is none of {' | '.join(METHODS)}")
        spec = self.spec
        intervening = ", ".join(name for name, other in SPECS.items() if other.intervenes)
        planning = ", ".join(name for name, other in SPECS.items() if other.planned)
        problems = {
            f"preset {self.preset!r} is none of {' | '.join(PRESETS)}": self.preset not in PRESETS,
            f"base {self.base!r} is none of {' | '.join(BASES)}": self.base is not None and self.base not in BASES,
            f"{self.method} has no interventions, and is a base loss itself; base goes with {intervening}": (
                self.base is not None and not spec.intervenes
            ),
            f"fold must lie below n_folds = {self.n_folds}; got {self.fold}": (
                self.long_tail is None and self.fold >= self.n_folds
            ),
            f"{self.method} has no interventions; control goes with {intervening}": (
                self.control and not spec.intervenes
            ),
            f"{self.method} replays manual steps; give the session file with steps (--steps FILE)": (
                spec.recorded and self.steps is None
            ),
            f"{self.method} plans no interventions; criterion goes with {planning}": (
                self.criterion is not None and not spec.planned
            ),
            f"steps are replayed by pli only, not by {self.method}": not spec.recorded and self.steps is not None,
            "m-per-class fills whole batches, which several devices would share out; use one device": (
                self.sampler == "m-per-class" and self.devices > 1
            ),
            f"batch_size must hold two classes; got {self.batch_size} with {self.samples_per_class} samples a class": (
                self.sampler == "m-per-class" and self.batch_size < 2 * self.samples_per_class
            ),
        }
        for problem, there in problems.items():
            if there:
                raise AliError(problem)
        if self.long_tail is not None:
            thinning(self.long_tail)
        return self

    @property
    def spec(self) -> MethodSpec:
        """What is known of the method."""
        return SPECS[self.method]

    @property
    def base_loss(self) -> str:
        """The loss of labels in force, a key of :data:`~ali_core.training.methods.BASES`."""
        return self.base or self.spec.base

    @property
    def weight(self) -> float:
        """The intervention weight w in force: 0 for a control and for methods without interventions."""
        if self.control or not self.spec.intervenes:
            return 0.0
        return self.spec.weight if self.intervention_weight is None else self.intervention_weight

    @property
    def plane(self) -> bool:
        """Whether interventions happen in a 2-D projection."""
        return self.spec.space == "2d"

    def intervention_settings(self) -> InterventionSettings:
        """Return what is planned before each epoch; draws follow the seed of the run."""
        chosen = self.interventions or preset(self.preset, dim=2 if self.plane else self.width)
        seed = self.seed if self.interventions is None else chosen.seed
        return chosen.changed(seed=seed, criterion=self.criterion or chosen.criterion)

    @classmethod
    def read(cls, path: str | Path, **changes: Any) -> Self:  # noqa: ANN401  # values of any field
        """Read settings from a TOML file, with some of them replaced; AliError says what is wrong in it."""
        content = read_toml(Path(path), "settings file")
        try:
            return cls(**(content | changes))
        except AliError as error:
            raise AliError(f"{Path(path).name}: {error}") from None

    def write(self, path: str | Path) -> Path:
        """Write a TOML file that :meth:`read` reads, whole or not at all, and return the path."""
        return write_text(tomli_w.dumps(self.model_dump(mode="json", exclude_none=True)), path)


def thinning(text: str) -> tuple[int, int]:
    """Return the sizes of the largest and the smallest class from ``LARGEST:SMALLEST``; AliError for another text."""
    largest, _, smallest = text.partition(":")
    if not (largest.isdecimal() and smallest.isdecimal() and 1 <= int(smallest) <= int(largest)):
        raise AliError(
            "long_tail is LARGEST:SMALLEST, two whole numbers with 1 ≤ SMALLEST ≤ LARGEST, such as 500:24; "
            f"got {text!r}"
        )
    return int(largest), int(smallest)
