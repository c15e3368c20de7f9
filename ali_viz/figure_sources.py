"""What a folder holds that figures can be made of: an experiment, a dry run, training runs and their data."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ali_core.columns import natural_key
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.foreign import read_json, read_toml, reading
from ali_core.interventions import Session
from ali_viz.panels import TrainedEpoch

__all__ = ["FigureSources", "TrainingRun", "read_record"]

MARKS = {"experiment": "experiment.toml", "dry_run": "dry_run.json", "run": "run.json"}
"""The file that shows what a folder is."""
PAPERS_EPOCH = 3
"""The epoch whose interventions the paper draws."""


@dataclass(frozen=True)
class TrainingRun:
    """A run of ``ali train``, or of an experiment.

    Parameters
    ----------
    folder
        Its place; it holds ``run.json``.
    """

    folder: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """What ``run.json`` says."""
        return read_record(self.folder / "run.json")

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What ``settings.toml`` says."""
        path = self.folder / "settings.toml"
        return read_toml(path, "settings file") if path.is_file() else {}

    @property
    def source(self) -> Path | None:
        """The file of its data, if it is known."""
        found = self.about.get("data", {}).get("source")
        return None if found is None else Path(found)

    @cached_property
    def parts(self) -> pd.DataFrame:
        """Id, class and part of every sample; AliError without the file."""
        path = self.folder / "parts.csv"
        if not path.is_file():
            raise AliError(f"{path} is missing; start the run again: ali train DATA --out {self.folder}")
        with reading(path, "table"):
            return pd.read_csv(path, dtype=str, keep_default_na=False)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of their codes."""
        named = self.about.get("data", {}).get("class_names")
        return tuple(sorted(self.parts["label"].unique(), key=natural_key) if named is None else named)

    @property
    def colours(self) -> dict[str, str]:
        """``#rrggbb`` by class name, of those that somebody chose."""
        return dict(self.about.get("data", {}).get("colours", {}))

    @property
    def labels(self) -> NDArray[np.int64]:
        """The code of each sample, shape (N,), in the order of ``parts``."""
        codes = {name: code for code, name in enumerate(self.class_names)}
        return np.array([codes[name] for name in self.parts["label"]], dtype=np.int64)

    @property
    def kept_epochs(self) -> list[int]:
        """Epochs whose training embedding was kept, with the interventions that followed and the next embedding."""
        files = {int(path.stem[6:]) for path in (self.folder / "embeddings").glob("epoch-*.npz")}
        steps = {int(path.stem[6:]) for path in (self.folder / "interventions").glob("epoch-*.json")}
        return sorted(epoch for epoch in steps if {epoch, epoch + 1} <= files)

    def trained(self, data: str) -> TrainedEpoch:
        """Return the interventions after epoch 3 and the epoch that followed, or the nearest before, or the first."""
        kept = self.kept_epochs
        epoch = max((one for one in kept if one <= PAPERS_EPOCH), default=kept[0])
        before, after = (
            LabelledEmbedding.load(self.folder / "embeddings" / f"epoch-{one:04d}.npz") for one in (epoch, epoch + 1)
        )
        session = Session.load(self.folder / "interventions" / f"epoch-{epoch:04d}.json", before)
        return TrainedEpoch(session=session, following=after, epoch=epoch + 1, data=data)


@dataclass(frozen=True)
class FigureSources:
    """The folders that figures are made of.

    Parameters
    ----------
    experiment, dry_run, run
        Folder of each kind; None where there is none.
    """

    experiment: Path | None = None
    dry_run: Path | None = None
    run: Path | None = None

    @classmethod
    def find(cls, folder: Path) -> "FigureSources":
        """Look at a folder and the folders in it.

        Raises
        ------
        AliError
            When it holds nothing that figures are made of, or several of one kind.
        """
        if not folder.is_dir():
            raise AliError(f"there is no folder {folder}; give one that ali experiment, dry-run or train wrote")
        found = {kind: list(_of_kind(folder, mark)) for kind, mark in MARKS.items()}
        if not any(found.values()):
            raise AliError(f"{folder} holds no experiment, dry run or training run; give a folder that ali wrote")
        for kind, places in found.items():
            if len(places) > 1:
                raise AliError(
                    f"{folder} holds several folders of the kind {kind.replace('_', ' ')}: "
                    f"{', '.join(place.name for place in places)}; give one of them"
                )
        return cls(**{kind: places[0] for kind, places in found.items() if places})

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What ``experiment.toml`` says; empty without an experiment."""
        if self.experiment is None:
            return {}
        return read_toml(self.experiment / "experiment.toml", "experiment file")

    @cached_property
    def experiment_runs(self) -> list[TrainingRun]:
        """The training runs of the experiment."""
        paths = [] if self.experiment is None else sorted(self.experiment.glob("runs/*/*/run.json"))
        return [TrainingRun(path.parent) for path in paths]

    @cached_property
    def runs(self) -> list[TrainingRun]:
        """All training runs: those of the experiment, then the single one."""
        return [*self.experiment_runs, *([] if self.run is None else [TrainingRun(self.run)])]

    @property
    def any_run(self) -> TrainingRun:
        """One of the runs, whose samples stand for those of all; AliError without one."""
        if not self.runs:
            raise AliError("there is no training run; make one: ali train DATA --out DIR")
        return self.runs[0]

    @property
    def data_name(self) -> str:
        """What captions call the data."""
        if self.experiment is not None and (self.experiment / "data.json").is_file():
            return str(read_record(self.experiment / "data.json")["data"])
        run = self.runs[0] if self.runs else None
        source = None if run is None else run.source
        return "samples of unknown origin" if source is None else source.name

    @property
    def data_size(self) -> tuple[int | None, int | None]:
        """Number of samples and of classes of the experiment or the run; None where no record says it."""
        file = None if self.experiment is None else self.experiment / "data.json"
        record = read_record(file) if file is not None and file.is_file() else {}
        if "n_samples" not in record and self.runs:
            record = self.runs[0].about.get("data", {})
        names = record.get("class_names")
        return record.get("n_samples"), None if names is None else len(names)

    def trained(self) -> TrainedEpoch:
        """Return an epoch of a run with ali that kept its embeddings, one with contraction and shift if there is."""
        kept = [run for run in self.runs if run.kept_epochs and run.settings.get("method") == "ali"]
        if not kept:
            raise AliError(
                "no run with ali kept its embeddings; train one that does: "
                "ali train DATA --method ali --keep-embeddings --out DIR"
            )
        return min(kept, key=lambda run: run.settings.get("preset") != "c,s").trained(self.data_name)


def _of_kind(folder: Path, mark: str) -> Iterator[Path]:
    if (folder / mark).is_file():
        yield folder
        return
    yield from (path.parent for path in sorted(folder.glob(f"*/{mark}")))


def read_record(path: Path) -> dict[str, Any]:
    """Read a JSON object; AliError when the file is missing or holds something else."""
    try:
        content = read_json(path, "record")
    except AliError as error:
        raise AliError(f"{path} is missing or damaged ({error}); make it again") from None
    if not isinstance(content, dict):
        raise AliError(f"{path} is damaged; make it again")
    return content
