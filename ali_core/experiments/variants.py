"""Tables of settings, with lists of choices, become named variants of training.

Synopsis::

    expanded({"width": 128}, [{"method": "ali", "preset": ["c", "c,s"], "class_weights": [False, True]}])
    # ali c · ali c +cw · ali c,s · ali c,s +cw
"""

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ali_core.errors import AliError
from ali_core.interventions import InterventionSettings
from ali_core.training import TrainSettings

__all__ = ["Variant", "expanded"]

Values = Mapping[str, Any]

OF_THE_EXPERIMENT = {
    "fold": "folds",
    "seed": "seeds",
    "n_folds": "n_folds",
    "fold_seed": "fold_seed",
    "groups": "ignore_groups",
}
"""Settings that an experiment gives to its runs, and the names it has for them."""

IN_LABEL = (
    "method",
    "base",
    "preset",
    "interventions",
    "intervention_weight",
    "class_weights",
    "control",
    "start",
    "name",
)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What the runs of one method have in common.

    Parameters
    ----------
    label
        Its name in tables; unique in an experiment.
    values
        Fields of :class:`~ali_core.training.TrainSettings`, without fold, seed and start.
    start
        Label of the variant whose run of the same fold and seed it starts from.
    """

    label: str
    values: Values = field(repr=False)
    start: str | None = None

    @property
    def settings(self) -> TrainSettings:
        """Its settings; fold, seed and start are those of no run in particular."""
        return TrainSettings(**self.values)

    @property
    def folder(self) -> str:
        """A name for the folder of its runs that any file system takes, the same in every experiment."""
        plain = re.sub(r"[^A-Za-z0-9+=.,-]", "_", self.label)
        kept = plain == self.label.replace(" ", "_") and len(plain) <= 80 and not plain.startswith(".")
        digest = hashlib.sha256(self.label.encode()).hexdigest()[:8]
        return plain if kept else f"{plain.lstrip('.')[:70]}-{digest}"


def expanded(common: Values, tables: Sequence[Values]) -> tuple[Variant, ...]:
    """Return the variants that the tables describe, in their order.

    Parameters
    ----------
    common
        Fields of :class:`~ali_core.training.TrainSettings` for all.
    tables
        Likewise for some, and above ``common``. A list is a choice, of which each gives a variant; several lists are
        combined. ``start`` is the label of another variant, ``name`` a template for the label with any field in
        braces, and ``{label}`` for what the label would be.

    Returns
    -------
    tuple of Variant
        Each is checked.

    Raises
    ------
    AliError
        For a field that does not exist or belongs to the experiment, a value out of range, labels that are not unique,
        a start that is no other variant, or in a circle; tables are counted from 1.
    """
    _check_names("common", common)
    if "start" in common or "name" in common:
        raise AliError("common: start and name belong to single runs; put them into [[runs]]")
    variants = [
        variant for number, table in enumerate(tables, 1) for variant in _of_table(f"runs {number}", common, table)
    ]
    _check_unique(variants)
    _check_starts(variants)
    return tuple(variants)


def _of_table(where: str, common: Values, table: Values) -> Iterator[Variant]:
    _check_names(where, table)
    swept = [name for name, value in table.items() if isinstance(value, (list, tuple))]
    for name in swept:
        if not table[name]:
            raise AliError(f"{where}: {name} is a list without a choice; give at least one")
    for choice in itertools.product(*(table[name] for name in swept)):
        values = {**common, **table, **dict(zip(swept, choice, strict=True))}
        start, template = values.pop("start", None), values.pop("name", "{label}")
        try:
            settings = _checked(values)
            label = _named(template, settings, _label(settings, values, start, swept))
        except AliError as error:
            chosen = ", ".join(f"{name} = {value!r:.40}" for name, value in zip(swept, choice, strict=True))
            raise AliError(f"{where}{f' ({chosen})' if chosen else ''}: {error}") from None
        yield Variant(label=label, values=values, start=start)


def _checked(values: Values) -> TrainSettings:
    settings = TrainSettings(**values)
    if settings.devices > 1:
        raise AliError("devices must be 1, since runs are trained side by side; use ali train for more")
    return settings


def _check_names(where: str, table: Values) -> None:
    for name, own in OF_THE_EXPERIMENT.items():
        if name in table:
            raise AliError(f"{where}: {name} is the same for all methods; set {own} at the top of the file")


def _label(settings: TrainSettings, values: Values, start: str | None, swept: Sequence[str]) -> str:
    words: list[str] = [settings.method]
    if settings.spec.planned:
        given = values.get("interventions")
        words.append(settings.preset if given is None else _in_words(given))
    words += [f"on {settings.base}"] * (settings.base is not None)
    usual = settings.changed(intervention_weight=None).weight
    if settings.weight not in (0.0, usual) or (settings.intervention_weight == 0.0 and usual):
        words.append(f"w={settings.weight:g}")
    words += ["+cw"] * settings.class_weights + ["control"] * settings.control
    words += [f"{name}={_plain(values[name])}" for name in swept if name not in IN_LABEL]
    return f"{start}, then {' '.join(words)}" if start else " ".join(words)


def _in_words(interventions: Any) -> str:  # noqa: ANN401  # a table, or the record itself
    if isinstance(interventions, InterventionSettings):
        interventions = interventions.model_dump(exclude_defaults=True)
    return ",".join(f"{name}={_plain(value)}" for name, value in interventions.items()) or "interventions"


def _plain(value: Any) -> str:  # noqa: ANN401  # of any field
    return f"{value:g}" if isinstance(value, float) else Path(value).name if isinstance(value, Path) else str(value)


def _named(template: Any, settings: TrainSettings, label: str) -> str:  # noqa: ANN401  # as it was read
    try:
        named = str(template).format(**settings.model_dump(), label=label).strip()
    except (KeyError, IndexError, ValueError) as error:
        raise AliError(
            f"name {template!r} may hold fields of the settings and label, in braces; {error} is none"
        ) from None
    if not named or not named.isprintable():
        raise AliError(f"name {template!r} gives {named!r}; a label is one line of text")
    return named


def _check_unique(variants: Sequence[Variant]) -> None:
    labels: dict[str, str] = {}
    for variant in variants:
        folder = variant.folder.casefold()
        if folder in labels:
            same = labels[folder] == variant.label
            two = "two runs are called" if same else f"{labels[folder]!r} is too like"
            raise AliError(f"{two} {variant.label!r}; give one of them another name")
        labels[folder] = variant.label


def _check_starts(variants: Sequence[Variant]) -> None:
    starts = {variant.label: variant.start for variant in variants}
    for label, start in starts.items():
        if start is not None and start not in starts:
            raise AliError(f"{label!r} starts from {start!r}, which is no run; the runs are {', '.join(starts)}")
    for label, start in starts.items():
        before, passed = start, {label}
        while before is not None and before not in passed:
            passed.add(before)
            before = starts[before]
        if before is not None:
            raise AliError(f"{label!r} starts from itself, by way of {start!r}; leave out one start")
