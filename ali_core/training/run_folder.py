"""A run on disk.

=============================  =====================================================================================
``settings.toml``              the settings, as ``ali train --settings`` reads them
``run.json``                   data (file, classes, fingerprint), what the settings amount to, versions, commit, device
``parts.csv``                  id, class and part (train, validation, test) of every sample
``skipped.csv``                images that were left out, and why; if there are any
``steps.json``                 the manual steps that pli follows
``epochs.csv``, ``timing.csv`` one row an epoch; see :mod:`ali_core.training.history`
``last.json``                  the epochs so far, and which checkpoints belong to them; what a run continues from
``checkpoints/``               safetensors: the last state, and the network of the best epoch
``interventions/``             the session that each epoch followed
``embeddings/``                the training fold at the start of each epoch, on request
``reference.csv``              what classifiers make of the untouched features, which training has to better
``result.json``                the scores of the best epoch; its presence says that the run is finished
``classes.csv``,               per class and part: F1; and the confusion matrices
``confusion.csv``
``embedding.npz``              all samples, embedded by the best network
``network.safetensors``        that network
``in-use.lock``                held by the process that trains here; it says nothing when no process holds it
=============================  =====================================================================================

``last.json`` is replaced in one move after everything it names is written, so it is the moment an epoch is done.
"""

import hashlib
import importlib.metadata
import json
import logging
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pandas as pd
from torch import Tensor

from ali_core.data import FoldSplit
from ali_core.data.folds import OURS
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.files import write_csv, write_text
from ali_core.foreign import read_json
from ali_core.interventions import InterventionStep, SavedSession, Session
from ali_core.networks import EmbeddingNet, save_network
from ali_core.networks.feature_net import FeatureNet
from ali_core.training.checkpoint import read_tensors, write_tensors
from ali_core.training.history import History
from ali_core.training.inputs import FeatureInputs, ImageInputs
from ali_core.training.scoring import Scores
from ali_core.training.settings import TrainSettings

__all__ = ["RunFolder", "starting_tensors"]

log = logging.getLogger(__name__)

FREE_TO_CHANGE = ("max_epochs", "device", "workers", "keep_embeddings", "keep_checkpoints")
"""Settings that a continued run may have changed."""

PACKAGES = ("ali-interventions", "torch", "torchvision", "numpy", "scikit-learn", "lightning", "openTSNE")


OWN = {
    "checkpoints": re.compile(r"(epoch|best)-(\d{4,})\.safetensors"),
    "interventions": re.compile(r"(epoch)-(\d{4,})\.json"),
    "embeddings": re.compile(r"(epoch)-(\d{4,})\.npz"),
}
"""The folders in a run, and the names of the files that it writes there: no other file is ever removed."""

LOCK = "in-use.lock"


class RunFolder:
    """Where a run keeps everything; see the module for the files.

    Parameters
    ----------
    folder
        Its place.
    keep_checkpoints
        Keep the state of every epoch, not of the last alone.
    """

    def __init__(self, folder: Path, *, keep_checkpoints: bool) -> None:
        self.folder, self.keep_checkpoints = folder, keep_checkpoints
        self._lock = filelock.FileLock(folder / LOCK, timeout=0, thread_local=False)

    def lock(self) -> None:
        """Keep other processes from this run until :meth:`release`; the system releases it when the process dies.

        Raises
        ------
        AliError
            When another process trains here, or another run of this one.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except filelock.Timeout:
            raise AliError(
                f"{self.folder} is being trained by another process or run; wait for its end, or choose another --out"
            ) from None
        except NotImplementedError:
            log.warning("%s lies on a system without locks: start no second run there", self.folder)

    def release(self) -> None:
        """Let others continue the run."""
        self._lock.release()

    def claim(self, settings: TrainSettings, *, resume: bool) -> None:
        """Check that a run can begin here, or that the one that is here can be continued; nothing is written.

        Raises
        ------
        AliError
            When the folder holds a run and ``resume`` is false; when that run had other settings, or other manual
            steps; when the folder cannot be written; when a folder in it is a link to another place.
        """
        self._refuse_links()
        if self._begun():
            self._check(settings, resume=resume)
        there = next(place for place in (self.folder, *self.folder.absolute().parents) if place.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise AliError(
                f"{self.folder} cannot be written ({there} is no folder that may be); choose another folder with --out"
            )

    def start(
        self,
        inputs: FeatureInputs | ImageInputs,
        split: FoldSplit,
        source: Path | None,
        settings: TrainSettings,
        device: str,
    ) -> None:
        """Write down what the run is made on and with; AliError when the run here is one on other data."""
        about = self.folder / "run.json"
        if self._begun():
            begun = _read_json(about)
            if begun["fingerprint"] != inputs.fingerprint or begun.get("parts", parts_of(split)) != parts_of(split):
                raise AliError(f"{self.folder} holds a run on other data, or split otherwise; choose another --out")
        settings.write(self.folder / "settings.toml")
        if self._begun():
            return
        if settings.steps is not None:
            SavedSession.read(settings.steps).write(self.folder / "steps.json")
        data = {
            "source": None if source is None else str(source),
            "n_samples": len(inputs.labels),
            "class_names": inputs.class_names,
            "colours": dict(inputs.samples.colours),
        }
        in_force: dict[str, Any] = {"intervention_weight": settings.weight}
        if settings.spec.planned and not settings.control:
            in_force["interventions"] = settings.intervention_settings().model_dump(mode="json")
        known = {
            "fingerprint": inputs.fingerprint,
            "split": split.origin,
            "parts": parts_of(split),
            "data": data,
            "in_force": in_force,
            "device": device,
        }
        _write_json({**known, **_provenance()}, about)

    def _refuse_links(self) -> None:
        for place in OWN:
            if (self.folder / place).is_symlink():
                raise AliError(
                    f"{self.folder / place} is a link to another place; a run writes into its own folder only"
                )

    def _own(self, place: str) -> Iterator[tuple[Path, str, int]]:
        """Yield the files that a run writes into ``place``, with their kind and epoch; of links, none."""
        self._refuse_links()
        for file in sorted((self.folder / place).glob("*")):
            named = OWN[place].fullmatch(file.name)
            if named and file.is_file() and not file.is_symlink():
                yield file, named[1], int(named[2])

    def _begun(self) -> bool:
        """Whether a state of this run is safe; before that, nothing in the folder counts."""
        return (self.folder / "last.json").is_file()

    def _check(self, settings: TrainSettings, *, resume: bool) -> None:
        if not resume:
            raise AliError(f"{self.folder} holds a run already; continue it with --resume, or choose another --out")
        old = TrainSettings.read(self.folder / "settings.toml").model_dump()
        changed = [
            name for name, value in settings.model_dump().items() if value != old[name] and name not in FREE_TO_CHANGE
        ]
        if changed:
            was = ", ".join(
                f"{name} was {old[name] if isinstance(old[name], Path) else repr(old[name])}" for name in changed
            )
            raise AliError(
                f"{self.folder} holds a run with other settings ({was}); give these again, or choose another --out"
            )
        if settings.steps and SavedSession.read(settings.steps) != SavedSession.read(self.folder / "steps.json"):
            raise AliError(f"{settings.steps} is not what the run in {self.folder} follows; choose another --out")

    # What a run continues from -------------------------------------------------------------------------------------

    def save(self, history: History, tensors: Mapping[str, Tensor], best: tuple[int, Mapping[str, Tensor]]) -> None:
        """Write the state after an epoch; when this returns, the epoch is safe."""
        self._refuse_links()
        epoch, (best_epoch, best_tensors) = history.epoch, best
        last, best_file = f"epoch-{epoch:04d}.safetensors", f"best-{best_epoch:04d}.safetensors"
        write_tensors(tensors, self.folder / "checkpoints" / last)
        # A file of this epoch may be left from an attempt that ended before the epoch was safe.
        if best_epoch == epoch or not (self.folder / "checkpoints" / best_file).is_file():
            write_tensors(best_tensors, self.folder / "checkpoints" / best_file)
        record = {"last": last, "best": best_file, "rows": history.rows, "times": history.times}
        _write_json(record, self.folder / "last.json")
        self.write_tables(history)
        for file, kind, _ in self._own("checkpoints"):
            if file.name not in (last, best_file) and not (self.keep_checkpoints and kind == "epoch"):
                file.unlink(missing_ok=True)

    def write_tables(self, history: History) -> None:
        """Write the tables that people read; they repeat what ``last.json`` holds."""
        write_csv(history.table(), self.folder / "epochs.csv")
        write_csv(history.timing(), self.folder / "timing.csv")

    def load(self) -> tuple[History, dict[str, Tensor], dict[str, Tensor]] | None:
        """Return the epochs, the last state and the best network; None when no epoch was finished."""
        path = self.folder / "last.json"
        if not path.is_file():
            return None
        record = _read_json(path)
        history = History(record["rows"], record["times"])
        last, best = record["last"], record["best"]
        checkpoints = self.folder / "checkpoints"
        return history, read_tensors(checkpoints / last), read_tensors(checkpoints / best)

    def saved_epoch(self) -> int | str:
        """Return the last epoch that is safe, ``none`` before there is one."""
        path = self.folder / "last.json"
        return int(_read_json(path)["rows"][-1]["epoch"]) if path.is_file() else "none"

    def unfinish(self) -> None:
        """Remove the result: the run goes on."""
        (self.folder / "result.json").unlink(missing_ok=True)

    def forget_after(self, epoch: int) -> None:
        """Remove what belongs to later epochs, the result included."""
        self.unfinish()
        for place in OWN:
            for file, _, number in self._own(place):
                if number > epoch - (place == "interventions"):
                    file.unlink(missing_ok=True)

    def forget_states(self) -> None:
        """Remove the states: no run can be continued here, or start from this one. What is not ours stays."""
        self._refuse_links()
        for number in count():
            removed = self.folder / f"removed{f'-{number}' if number else ''}"
            if not removed.exists() and not removed.is_symlink():
                break
        (self.folder / "checkpoints").rename(removed)  # in one move, so that states are there or not
        for file in removed.iterdir():
            if OWN["checkpoints"].fullmatch(file.name) and not file.is_symlink():
                file.unlink()
        with suppress(OSError):  # a file of somebody else is in it
            removed.rmdir()

    def followed(self, epoch: int) -> tuple[InterventionStep, ...]:
        """Return the steps that the epoch after ``epoch`` followed; none when it was not trained, or followed none."""
        path = self.folder / "interventions" / f"epoch-{epoch:04d}.json"
        if not path.is_file():
            return ()
        saved = SavedSession.read(path)
        return saved.steps[: saved.cursor]

    def at(self, epoch: int) -> dict[str, Tensor]:
        """Return the state after ``epoch``; AliError tells which are kept."""
        path = self.folder / "checkpoints" / f"epoch-{epoch:04d}.safetensors"
        if not path.is_file():
            raise AliError(
                f"the state of epoch {epoch} is not kept; kept are {self.kept()} (keep_checkpoints keeps all)"
            )
        return read_tensors(path)

    def network(self, epoch: int) -> dict[str, Tensor]:
        """Return what holds the network of ``epoch``: the state after it, or the file of the best epoch."""
        best = self.folder / "checkpoints" / f"best-{epoch:04d}.safetensors"
        return read_tensors(best) if epoch not in self.kept() and best.is_file() else self.at(epoch)

    def networks(self) -> set[int]:
        """Return the epochs whose networks are here."""
        return {number for _, _, number in self._own("checkpoints")}

    def kept(self) -> list[int]:
        """Return the epochs whose states are here, in order."""
        return sorted(number for _, kind, number in self._own("checkpoints") if kind == "epoch")

    def amend(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Replace what the last safe state holds under ``name`` by ``tensors``; nothing when none is safe yet."""
        epoch = self.saved_epoch()
        if isinstance(epoch, int):
            held = {key: tensor for key, tensor in self.at(epoch).items() if key != name}
            write_tensors({**held, **tensors}, self.folder / "checkpoints" / f"epoch-{epoch:04d}.safetensors")

    # What people read ----------------------------------------------------------------------------------------------

    def write_parts(self, inputs: FeatureInputs | ImageInputs, split: FoldSplit) -> None:
        """Write which sample is in which part, and which images were left out."""
        part = np.full(len(inputs.labels), "", dtype=object)
        for name in ("train", "validation", "test"):
            part[getattr(split, name)] = name
        label = np.array([*inputs.class_names, ""])[inputs.labels]
        names = inputs.samples.sample_names if inputs.ids is None else inputs.ids
        write_csv(pd.DataFrame({"id": names, "label": label, "part": part}), self.folder / "parts.csv")
        if inputs.skipped:
            write_csv(pd.DataFrame(inputs.skipped, columns=["id", "reason"]), self.folder / "skipped.csv")

    def write_session(self, epoch: int, session: Session) -> None:
        """Write the session that the epoch after ``epoch`` follows."""
        session.save(self.folder / "interventions" / f"epoch-{epoch:04d}.json")

    def write_embedding(self, epoch: int, embedding: LabelledEmbedding) -> None:
        """Write the training fold after ``epoch``."""
        embedding.save(self.folder / "embeddings" / f"epoch-{epoch:04d}.npz")

    def write_end(
        self, epoch: int, n_epochs: int, scores: Scores, embedding: LabelledEmbedding, net: EmbeddingNet | FeatureNet
    ) -> None:
        """Write the scores and the embedding of the best network; the run counts as finished from then on."""
        for name, table in scores.tables(embedding.class_names).items():
            write_csv(table, self.folder / f"{name}.csv")
        embedding.save(self.folder / "embedding.npz")
        save_network(net, self.folder / "network.safetensors")
        origin = _read_json(self.folder / "run.json").get("split", OURS)
        told = {"best_epoch": epoch, "n_epochs": n_epochs, **scores.row(), "split": origin}
        _write_json(told, self.folder / "result.json")


def parts_of(split: FoldSplit) -> str:
    """Return the SHA-256 (hex) of the rows of the training, validation and test part."""
    rows = (split.train, split.validation, split.test)
    return hashlib.sha256(b";".join(part.astype("<i8").tobytes() for part in rows)).hexdigest()


def starting_tensors(settings: TrainSettings, fingerprint: str, split: FoldSplit) -> dict[str, Tensor]:
    """Return the best network of the run ``settings.start``, which must have had the same folds of the same data.

    Raises
    ------
    AliError
        When there is no such run, or its training fold may hold samples that are test or validation now.
    """
    folder = Path(str(settings.start))
    found = RunFolder(folder, keep_checkpoints=False).load()
    if found is None:
        raise AliError(f"{folder} holds no run with a finished epoch; give a folder that ali train wrote")
    old = TrainSettings.read(folder / "settings.toml")
    folds = ("n_folds", "fold", "fold_seed", "groups", "long_tail")
    differing = [name for name in folds if getattr(old, name) != getattr(settings, name)]
    about = _read_json(folder / "run.json")
    if not differing and about["fingerprint"] == fingerprint and about.get("parts", parts_of(split)) != parts_of(split):
        differing = ["split"]
    if differing or about["fingerprint"] != fingerprint:
        what = ", ".join(differing) or "data"
        raise AliError(
            f"{folder} was trained with other {what}, so it may have learnt from what is test or validation now; "
            "start from a run of the same folds and data"
        )
    return found[2]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path, "record")
    except AliError as error:
        raise AliError(f"{path} is missing or damaged ({error}); start the run again in another folder") from None
    if not isinstance(content, dict):
        raise AliError(f"{path} is damaged; start the run again in another folder")
    return content


def _write_json(content: Mapping[str, Any], path: Path) -> None:
    write_text(json.dumps(content, indent=1) + "\n", path)


def _provenance() -> dict[str, Any]:
    """Versions and commit."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return {"versions": versions, "python": platform.python_version(), "commit": _commit()}


def _commit() -> str | None:
    """Return the commit of the source, with + when files differ from it; None outside a clone."""
    here = Path(__file__).parent
    said = []
    for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"]):
        try:
            done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=True)  # noqa: S603, S607
        except (OSError, subprocess.CalledProcessError):
            return None
        said.append(done.stdout.strip())
    return said[0] + ("+" if said[1] else "")
