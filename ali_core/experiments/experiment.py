"""A cross-validated experiment: which methods, on which folds, with which seeds; read from one TOML file.

Synopsis::

    experiment = Experiment.read("mine.toml")
    [variant.label for variant in experiment.methods]

A file::

    name = "contract or shift"
    data = "features.npz"               # relative to this file
    seeds = [0, 1]

    [common]                            # any setting of ali train
    max_epochs = 60

    [[runs]]
    method = "tml"

    [[runs]]                            # lists are choices: four methods
    method = "ali"
    preset = ["c", "c,s"]
    class_weights = [false, true]
"""

from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from ali_core.columns import Columns
from ali_core.data.decoding import White
from ali_core.errors import AliError
from ali_core.experiments.data_source import ImageTable, LongTail, Preparation
from ali_core.experiments.variants import Variant, expanded
from ali_core.files import write_text
from ali_core.foreign import read_toml
from ali_core.interventions.settings import Record

__all__ = ["Experiment", "paper_file"]

Whole = Annotated[int, Field(ge=0)]


class Experiment(Record):
    """Methods that are trained on the same folds with the same seeds.

    Parameters
    ----------
    name
        What tables say.
    data
        Features or images, as ``ali train`` takes them.
    exclude
        Classes that are left out.
    columns
        What is what in the data: a table with ``label``, ``group``, ``id``, ``split``, ``vectors``, ``drop``, …
    images
        The same for a table of images, in older words.
    long_tail
        Thinning of the classes, after the exclusion.
    white
        How images of more than 8 bits are scaled; see :func:`~ali_core.data.decoding.decode_image`.
    ignore_groups
        Whether folds may split a group.
    folds
        Which folds are tests; None for all.
    n_folds, fold_seed
        How samples are divided; see :func:`ali_core.data.grouped_folds`.
    seeds
        One run a method, fold and seed.
    baseline
        Label of the method that the others are compared with.
    common
        Settings of all runs: fields of :class:`~ali_core.training.TrainSettings`. With ``skip_unreadable``, images that
        are missing are left out as well.
    runs
        Tables of settings; see :func:`ali_core.experiments.variants.expanded`.

    Raises
    ------
    AliError
        For values out of their range and settings that contradict each other; the table and the field are named.
    """

    name: str = "experiment"
    data: Path | None = None
    exclude: tuple[str, ...] = ()
    columns: Columns | None = None
    images: ImageTable | None = None
    long_tail: LongTail | None = None
    white: White = None
    ignore_groups: bool = False
    folds: tuple[Whole, ...] | None = None
    n_folds: Annotated[int, Field(ge=3, le=1_000)] = 6
    fold_seed: Whole = 0
    seeds: Annotated[tuple[Whole, ...], Field(min_length=1)] = (0,)
    baseline: str = "tml"
    common: Annotated[dict[str, Any], Field(default_factory=dict)]
    runs: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]

    @property
    def preparation(self) -> Preparation:
        """How its data is opened, whichever way the file says it."""
        if self.columns is not None and self.images is not None:
            raise AliError("give columns or images, which is the older word for it; not both")
        return Preparation(
            exclude=self.exclude,
            columns=self.columns or (Columns() if self.images is None else self.images.columns),
            long_tail=self.long_tail,
            skip_unreadable=bool(self.common.get("skip_unreadable")),
            white=self.white,
        )

    @field_validator("columns", "images", "long_tail", mode="wrap")
    @classmethod
    def _say_which_table(cls, value: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:  # noqa: ANN401
        try:
            return check(value)
        except ValidationError as error:
            first = error.errors()[0]
            raise AliError(f"{info.field_name}: {first.get('ctx', {}).get('error', first['msg'])}") from None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        labels = [variant.label for variant in self.methods]
        if self.baseline not in labels:
            raise AliError(f"baseline {self.baseline!r} is no run; the runs are {', '.join(labels)}")
        for name, numbers in (("folds", self.all_folds), ("seeds", self.seeds)):
            if len(set(numbers)) < len(numbers) or not numbers:
                raise AliError(f"{name} must be at least one number, each once; got {list(numbers)}")
        if max(self.all_folds) >= self.n_folds:
            raise AliError(f"folds must lie below n_folds = {self.n_folds}; got {max(self.all_folds)}")
        return self

    @cached_property
    def methods(self) -> tuple[Variant, ...]:
        """The methods, in the order of the file."""
        return expanded(self.common, self.runs)

    @property
    def all_folds(self) -> tuple[int, ...]:
        """The folds that are tests."""
        return tuple(range(self.n_folds)) if self.folds is None else self.folds

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read an experiment from a TOML file; paths in it are relative to it. AliError says what is wrong in it."""
        path = Path(path)
        content = read_toml(path, "experiment file")
        try:
            return cls(**_anchored(content, path.absolute().parent))
        except AliError as error:
            raise AliError(f"{path.name}: {error}") from None

    def write(self, path: str | Path) -> Path:
        """Write a TOML file that :meth:`read` reads, whole or not at all, and return the path."""
        return write_text(tomli_w.dumps(self.model_dump(mode="json", exclude_none=True)), path)


def _anchored(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the content with ``data`` and ``steps`` as absolute paths."""
    found = dict(content)
    if isinstance(found.get("data"), str):
        found["data"] = folder / found["data"]
    if isinstance(found.get("common"), dict):
        found["common"] = _with_steps(found["common"], folder)
    if isinstance(found.get("runs"), list):
        found["runs"] = [_with_steps(table, folder) if isinstance(table, dict) else table for table in found["runs"]]
    return found


def _with_steps(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    steps = table.get("steps")
    if isinstance(steps, list):
        return table | {"steps": [str(folder / str(one)) for one in steps]}
    return table if steps is None else table | {"steps": str(folder / str(steps))}


def paper_file() -> Path:
    """Return the file of the paper's experiment, which is installed with this package."""
    return Path(str(resources.files("ali_core.experiments") / "paper.toml"))
