"""The options that set how a network is trained: names, types, bounds and defaults are those of ``TrainSettings``.

Synopsis::

    @reads_settings
    def command(data: Path, *, given: dict[str, Any]) -> None: ...      # gets --method, --base, … as one dictionary
"""

import inspect
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import typer

from ali_core.cli.options import PRESET_HELP, in_place_of, one_of
from ali_core.interventions import PRESETS
from ali_core.interventions.confusion import EXPERIMENTS_HELP
from ali_core.interventions.criteria import CRITERIA_HELP
from ali_core.training import METHODS, TrainSettings
from ali_core.training.methods import BASES, SPECS

__all__ = ["reads_settings"]

WORDS: dict[str, str] = {
    "method": "; ".join(f"{name}: {spec.words}" for name, spec in SPECS.items()) + ".",
    "base": f"Loss of labels under interventions: {' | '.join(BASES)} (tml; pli: ce).",
    "preset": PRESET_HELP,
    "criterion": "How the next class is chosen, instead of the preset's way: "
    + "; ".join(f"{name}: {words}" for name, words in (CRITERIA_HELP | EXPERIMENTS_HELP).items())
    + ".",
    "class_weights": "Weigh classes by inverse frequency.",
    "intervention_weight": "Weight of the interventions in the loss (ali 0.8, pali 0.9, pli 0.5).",
    "intervene_from": "Epochs on the base loss alone before interventions set in.",
    "steps": "Session with the manual steps of pli.",
    "start": "Run whose best network this one starts from.",
    "margin": "Of the triplet margin loss.",
    "temperature": "Of supcon, and the divisor of the logits of cross entropy.",
    "width": "Dimensions of the embedding.",
    "learning_rate": "Of AdamW.",
    "batch_size": "Samples in a batch.",
    "max_epochs": "Epochs at most.",
    "patience": "Epochs without a better validation F1; 0 never stops.",
    "evaluate_every": "Epochs from one score to the next.",
    "fold": "Fold that is the test; with --long-tail, the number of the draw.",
    "n_folds": "Number of folds.",
    "long_tail": "Thin the classes log-uniformly between two sizes, such as 500:24, and test on all that is left out.",
    "groups": "Whether folds may split a group (kept whole).",
    "seed": "Of weights, batches, augmentation and draws.",
    "backbone": "torchvision name of the network for images.",
    "weights": "What the backbone starts from: torchvision's weights, fetched once; random; or a local file, which "
    "needs no network.",
    "px": "Images are resized to this.",
    "dropout": "Share of the pixels of an image that become black in training; try 0 on small images.",
    "skip_unreadable": "Whether damaged images are left out (stop).",
    "workers": "Threads that decode images; 0 takes one a core.",
    "device": "auto | cpu | cuda | mps.",
    "devices": "Number of GPUs, or of processes on a CPU.",
    "precision": "auto | 32-true | bf16-mixed.",
    "keep_embeddings": "Keep the training embedding of every epoch (drop).",
    "keep_checkpoints": "Keep the state of every epoch (drop).",
}
"""The settings that the shell offers, in the order of ``--help``; a file given as ``--settings`` has all of them."""

NAMES = {
    "max_epochs": "--epochs",
    "groups": "--ignore-groups/--keep-groups",
    "skip_unreadable": "--skip-unreadable/--stop-at-unreadable",
    "keep_embeddings": "--keep-embeddings/--drop-embeddings",
    "keep_checkpoints": "--keep-checkpoints/--drop-checkpoints",
}
CHOICES = {"method": METHODS, "preset": PRESETS, "base": tuple(BASES), "criterion": (*CRITERIA_HELP, *EXPERIMENTS_HELP)}
METAVARS = {
    "weights": "imagenet|none|FILE",
    "start": "RUN",
    "steps": "SESSION",
    "long_tail": "LARGEST:SMALLEST",
}
PATHS: dict[str, dict[str, Any]] = {
    "start": {"exists": True, "file_okay": False},
    "steps": {"exists": True, "dir_okay": False},
}


def reads_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each setting in place of its parameter ``given``, which holds those that are set."""
    options = {
        name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_option(name))
        for name in WORDS
    }
    return in_place_of("given", options, _given)(command)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in values.items() if value is not None}
    if "groups" in given:
        given["groups"] = "ignore" if given["groups"] else "keep"
    return given


def _option(name: str) -> Any:  # noqa: ANN401  # an annotation
    """Return the annotation of the option of a setting."""
    field = TrainSettings.model_fields[name]
    read, rules = _plain_type(field.annotation)
    kind = bool if name == "groups" else read
    bounds = {
        {"Ge": "min", "Le": "max"}[type(rule).__name__]: getattr(rule, type(rule).__name__.lower())
        for rule in [*field.metadata, *rules]
        if isinstance(rule, (annotated_types.Ge, annotated_types.Le))
    }
    told = "" if kind is bool or field.default is None else f" ({field.default})"
    flag = f"--{name.replace('_', '-')}"
    return Annotated[
        kind | None,
        typer.Option(
            NAMES.get(name, f"{flag}/--no-{flag[2:]}" if kind is bool else flag),
            help=WORDS[name].removesuffix(".") + f"{told}.",
            metavar=METAVARS.get(name),
            callback=one_of(CHOICES[name]) if name in CHOICES else None,
            **bounds,
            **PATHS.get(name, {}),
        ),
    ]


def _plain_type(annotation: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401
    """Return the type that the shell reads, text where one of several words is meant, and the rules of an optional."""
    rules: list[Any] = []
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Annotated:
        annotation, about = get_args(annotation)
        rules = about.metadata
    return (str if get_origin(annotation) is Literal else annotation), rules
