"""The stages of a run, in the order in which :mod:`ali_core.training.loop` calls them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from ali_core.data import CellImages, FoldSplit, grouped_folds, long_tail_split
from ali_core.data.folds import group_codes
from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.files import write_csv
from ali_core.interventions import ClassStatistics, Criterion, InterventionSettings, InterventionStep, Session
from ali_core.interventions.confusion import EXPERIMENTS
from ali_core.interventions.criteria import own_criterion
from ali_core.interventions.settings import named_criterion
from ali_core.losses.reduction import merged_over_ranks
from ali_core.networks.devices import choose_device
from ali_core.training.checkpoint import (
    optimiser_tensors,
    prefixed,
    restore_optimiser,
    text_of,
    text_tensor,
    under,
)
from ali_core.training.history import History
from ali_core.training.inputs import FeatureInputs, ImageInputs, open_inputs
from ali_core.training.interveners import InSpace, Intervener, make_intervener
from ali_core.training.learner import make_learner
from ali_core.training.run_folder import RunFolder, starting_tensors
from ali_core.training.scoring import Scores, score_folds, untrained_scores
from ali_core.training.settings import TrainSettings, thinning
from ali_core.training.worker import EpochLosses, Worker, make_fabric

__all__ = ["Run"]

PARTS = ("train", "validation", "test")
CHOSEN = "chosen.interventions"
"""Name in a checkpoint of the strengths that a person has set while the run went on."""


class Run:
    """Everything that a run holds between epochs; made by :meth:`open`.

    Attributes
    ----------
    epoch
        Epochs that are finished.
    history
        A row for each of them, and one for the state at the start.
    out
        The folder of the run, or None.
    reference
        At the end of a run on features, what classifiers make of them untouched; else None.
    """

    def __init__(
        self,
        worker: Worker,
        split: FoldSplit,
        settings: TrainSettings,
        *,
        criterion: Criterion | None,
        out: Path | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.worker, self.split, self.settings = worker, split, settings
        self.out, self.progress = out, progress
        self.intervener = make_intervener(settings, worker.learner.objective, worker.inputs.class_names)
        if self.intervener is not None:
            self.intervener.criterion = criterion
        self.folder = None if out is None else RunFolder(out, keep_checkpoints=settings.keep_checkpoints)
        self._written = self.folder if worker.fabric.is_global_zero else None  # one of several processes writes
        self.history, self.epoch = History(), 0
        self.best: tuple[int, dict[str, Tensor]] = (0, {})
        self._seconds: dict[str, float] = {}
        self._losses: EpochLosses | None = None
        self._steps: tuple[InterventionStep, ...] = ()
        self.reference: pd.DataFrame | None = None
        self._moment = 0  # changes with the network

    @classmethod
    def open(
        cls,
        data: LabelledEmbedding | CellImages,
        settings: TrainSettings,
        *,
        criterion: Criterion | None = None,
        out: str | Path | None,
        resume: bool,
        loggers: Sequence[Any],
        progress: Callable[[int, int], None] | None,
    ) -> Self:
        """Set up a run; see :func:`ali_core.training.loop.epochs`."""
        # What can be refused is refused before anything is loaded.
        if data.split is None:
            _check_groups(data.groups, settings)
        if settings.spec.planned:
            _check_criterion(settings.intervention_settings(), criterion, settings)
        choose_device(settings.device)
        if out is not None:
            RunFolder(Path(out), keep_checkpoints=settings.keep_checkpoints).claim(settings, resume=resume)
        fabric = make_fabric(settings, loggers)
        inputs, run = open_inputs(data, settings, fabric.device), None
        try:
            split = _split(inputs, settings)
            learner = make_learner(inputs, settings, split)
            if settings.start is not None:
                learner.start_from(starting_tensors(settings, inputs.fingerprint, split), str(settings.start))
            place = None if out is None else Path(out)
            worker = Worker(fabric, learner, inputs, settings)
            run = cls(worker, split, settings, criterion=criterion, out=place, progress=progress)
            if run.folder is not None:
                if fabric.is_global_zero:
                    try:
                        run.folder.lock()
                        run.folder.claim(settings, resume=resume)  # another process may have been here since
                        run.folder.start(inputs, split, getattr(data, "source", None), settings, str(fabric.device))
                        run.folder.write_parts(inputs, split)
                    except OSError as error:
                        raise AliError(f"{out} cannot be written ({error}); choose another folder (--out)") from None
                fabric.barrier()
                run._continue()
        except BaseException:
            inputs.close()
            if run is not None and run.folder is not None:
                run.folder.release()
            raise
        return run

    # One epoch, move by move ---------------------------------------------------------------------------------------

    def embedder(self) -> Callable[[], LabelledEmbedding]:
        """Return a function that embeds the training fold with the present network, once, and keeps the result.

        The fold is embedded in evaluation mode; of several processes, each its own samples. AliError when the function
        is first called after the network has been trained on.
        """
        moment, epoch = self._moment, self.epoch
        known: list[LabelledEmbedding] = []

        def embed() -> LabelledEmbedding:
            if known:
                return known[0]
            if moment != self._moment:
                raise AliError(
                    f"the embedding of epoch {epoch} was not needed and is gone, since training has gone on; ask "
                    "for state.embedding before the next state"
                )
            with self._stage("embed", epoch):
                rows = self.worker.own(self.split.train)
                known.append(self._embedding(rows, self.worker.embed(rows)))
            if self.settings.keep_embeddings and self.folder is not None:
                with self._stage("save", epoch):
                    whole = self._whole(known[0])
                    if self._written is not None:
                        self._written.write_embedding(epoch, whole)
            return known[0]

        if self.settings.keep_embeddings:
            embed()
        return embed

    def is_due(self) -> bool:
        """Whether this epoch is to be scored, and is not yet."""
        due = self.epoch % self.settings.evaluate_every == 0 or self.epoch >= self.settings.max_epochs
        return due and self.history.epoch < self.epoch

    def evaluate(self, embedding: LabelledEmbedding) -> Scores | None:
        """Score the training fold's ``embedding`` and the other folds; None on all processes but the first."""
        with self._stage("evaluate", self.epoch):
            vectors = {"train": self.worker.gathered(embedding.vectors, len(self.split.train))}
            for part in PARTS[1:]:
                rows = getattr(self.split, part)
                vectors[part] = self.worker.gathered(self.worker.embed(self.worker.own(rows)), len(rows))
            return self._score(vectors) if self.worker.fabric.is_global_zero else None

    def record(self, scores: Scores | None) -> None:
        """Add the epoch to the history and write its state; nothing when it is there already."""
        if self.history.epoch >= self.epoch:
            return
        row = self._row() | self.worker.fabric.broadcast({} if scores is None else scores.row(), src=0)
        self.history.add(row, self._times())
        best = self.history.best()
        if best is None or best["epoch"] == self.epoch:
            self.best = (self.epoch, prefixed(self.worker.learner.state_dict(), "learner"))
        self.worker.fabric.log_dict(
            {name: value for name, value in self.history.rows[-1].items() if isinstance(value, (int, float))},
            step=self.epoch,
        )
        self._save()

    def finished(self) -> str:
        """Return why the run ends at this epoch, or an empty text."""
        settings, best = self.settings, self.history.best()
        if self.epoch >= settings.max_epochs:
            return f"all {settings.max_epochs} epochs are done"
        waited = 0 if best is None else self.epoch - int(best["epoch"])
        scored = self.history.rows[-1]["validation_f1"] is not None
        if scored and settings.patience and not settings.control and waited >= settings.patience:
            return f"no better validation F1 for {waited} epochs"
        return ""

    def propose(self, embed: Callable[[], LabelledEmbedding]) -> Session | None:
        """Return the interventions that the next epoch is to follow, if the method has any.

        None, too, before ``intervene_from``, and where several processes share the training fold: :meth:`follow` then
        plans on merged statistics.
        """
        if not self._intervenes() or self.intervener is None or self.worker.fabric.world_size > 1:
            return None
        embedding = embed()
        with self._stage("intervene", self.epoch + 1):
            return self.intervener.propose(embedding)

    def follow(self, session: Session | None, embed: Callable[[], LabelledEmbedding]) -> None:
        """Tell the loss to follow the steps in force in ``session``, and write them down."""
        self.worker.learner.objective.intervening = self._intervenes()
        if not self._intervenes() or self.intervener is None:
            return
        embedding = embed()
        with self._stage("intervene", self.epoch + 1):
            if session is None and not self.settings.plane and isinstance(self.intervener, InSpace):
                self._steps = self._follow_together(self.intervener, embedding)
            else:
                session = session or self.intervener.propose(self._whole(embedding))
                self.intervener.use(session)
                self._steps = session.steps
        if self.folder is not None:
            with self._stage("save", self.epoch + 1):
                self._write_session(session, embedding)

    def train_epoch(self) -> None:
        """Train on the training fold once."""
        if self._written is not None:
            self._written.unfinish()
        self._moment += 1
        with self._stage("train", self.epoch + 1):
            self._losses = self.worker.run_epoch(self.split.train, self.epoch, self.progress)
        self.epoch += 1

    def end(self) -> tuple[int, Scores, LabelledEmbedding]:
        """Score the network of the best epoch, write the result; return epoch, scores and all samples embedded."""
        epoch, tensors = self.best
        with self._stage("end", self.epoch):
            self._moment += 1
            self.worker.learner.load_state_dict(under(tensors, "learner"))
            everything = np.arange(len(self.worker.inputs.labels))
            vectors = self.worker.gathered(self.worker.embed(self.worker.own(everything)), len(everything))
            scores = self._score({part: vectors[getattr(self.split, part)] for part in PARTS})
            embedding = self._embedding(everything, vectors)
            self.reference = self._untrained()
            if self._written is not None:
                if self.reference is not None:
                    write_csv(self.reference, self._written.folder / "reference.csv")
                self._written.write_end(epoch, self.epoch, scores, embedding, self.worker.learner.net)
        return epoch, scores, embedding

    def rewind(self, epoch: int) -> None:
        """Go back to the state after ``epoch``; AliError when it is not kept."""
        if self.folder is None:
            raise AliError("a run without a folder keeps no earlier states; give out, and keep_checkpoints")
        history, best = self.history.until(epoch), self._best_until(epoch)
        tensors, best_tensors = self.folder.at(epoch), self.folder.network(best)
        self.history, self.epoch = history, epoch
        self.best = (best, prefixed(under(best_tensors, "learner"), "learner"))
        self._restore(tensors)
        self._save()
        if self._written is not None:
            self._written.forget_after(epoch)

    def recover(self) -> None:
        """Go back to the last state that is safe, as a run that is continued does; AliError when there is none."""
        if self.folder is None:
            raise AliError("a run without a folder keeps no state to go back to; give out")
        self._continue()

    def kept(self) -> tuple[int, ...]:
        """Return the epochs, up to the present one, whose states and the best networks until then are on disk."""
        if self.folder is None:
            return ()
        networks = self.folder.networks()
        there = (epoch for epoch in self.folder.kept() if epoch <= self.epoch)
        return tuple(epoch for epoch in there if self._best_until(epoch) in networks)

    def check_interventions(self, interventions: InterventionSettings) -> Intervener:
        """Return who proposes, if it can propose with ``interventions``.

        Raises
        ------
        AliError
            When the method proposes nothing that settings decide, the spread is another one, or the criterion is
            known neither by its name nor as the function that the run was given.
        """
        if self.intervener is None or self.settings.spec.recorded:
            what = (
                f"{self.settings.method} replays recorded steps" if self.intervener else "this run has no interventions"
            )
            raise AliError(f"{what}; there are no strengths to change")
        fixed = self.intervener.interventions.spread
        if interventions.spread != fixed:
            raise AliError(f"spread is fixed to {fixed!r} in this run; start a new one to change it")
        _check_criterion(interventions, self.intervener.criterion, self.settings)
        return self.intervener

    def intervene_with(self, interventions: InterventionSettings) -> None:
        """Propose with other strengths and choices from now on, and write them beside the last safe state.

        Raises
        ------
        AliError
            As :meth:`check_interventions`, and when they cannot be written: nothing has changed then.
        """
        intervener = self.check_interventions(interventions)
        if self._written is not None:
            with self._stage("save", self.epoch):
                self._written.amend(CHOSEN, self._chosen(interventions))
        intervener.interventions = interventions

    def close(self) -> None:
        """Release the data and the folder."""
        self.worker.inputs.close()
        if self.folder is not None:
            self.folder.release()

    def _intervenes(self) -> bool:
        """Whether the next epoch follows interventions."""
        return self.intervener is not None and self.epoch >= self.settings.intervene_from

    # Inside --------------------------------------------------------------------------------------------------------

    def _embedding(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> LabelledEmbedding:
        inputs = self.worker.inputs
        return inputs.samples.subset(rows).with_vectors(vectors)

    def _whole(self, embedding: LabelledEmbedding) -> LabelledEmbedding:
        """Return the training fold of all processes."""
        if self.worker.fabric.world_size == 1:
            return embedding
        return self._embedding(self.split.train, self.worker.gathered(embedding.vectors, len(self.split.train)))

    def _follow_together(self, intervener: InSpace, embedding: LabelledEmbedding) -> tuple[InterventionStep, ...]:
        own = ClassStatistics.from_samples(
            embedding.vectors,
            embedding.labels,
            embedding.n_classes,
            spread=self.settings.intervention_settings().spread,
        )
        planned = intervener.follow(merged_over_ranks(own, self.worker.fabric.all_gather))
        return planned.steps

    def _write_session(self, session: Session | None, embedding: LabelledEmbedding) -> None:
        """Write the steps that the epoch follows, with the training fold of all processes as what they move."""
        if session is None:
            session = Session(self._whole(embedding), self.settings.intervention_settings())
            session.replay(self._steps)
        if self._written is not None:
            self._written.write_session(self.epoch, session)

    def _untrained(self) -> pd.DataFrame | None:
        """Return the scores of classifiers on untouched features; None for images."""
        inputs = self.worker.inputs
        if not isinstance(inputs, FeatureInputs):
            return None
        rows = {part: getattr(self.split, part) for part in PARTS}
        features = inputs.features.cpu().numpy()
        return untrained_scores(
            {part: features[own] for part, own in rows.items()},
            {part: inputs.labels[own] for part, own in rows.items()},
            len(inputs.class_names),
        )

    def _score(self, vectors: Mapping[str, NDArray[np.float32]]) -> Scores:
        labels = {part: self.worker.inputs.labels[getattr(self.split, part)] for part in PARTS}
        return score_folds(dict(vectors), labels, len(self.worker.inputs.class_names))

    def _row(self) -> dict[str, Any]:
        names = self.worker.inputs.class_names
        moved = dict.fromkeys(names[code] for step in self._steps for code in step.moved)
        row: dict[str, Any] = {"n_steps": sum(not step.skipped for step in self._steps)} if moved else {}
        row |= {"moved_classes": ";".join(moved)} if moved else {}
        if self._losses is not None:
            parts = ("loss", "base_loss", "intervention_loss", "active_fraction")
            row |= {name: getattr(self._losses, name) for name in parts}
        return row

    def _times(self) -> dict[str, Any]:
        times: dict[str, Any] = dict(self._seconds)
        if self._losses is not None:
            times["data"] = self._losses.seconds_data
            times["samples_per_second"] = self._losses.n_samples / times["train"]
        self._seconds = {}
        return times

    def _save(self) -> None:
        if self._written is None:
            return
        with self._stage("save", self.epoch):
            tensors = prefixed(self.worker.learner.state_dict(), "learner")
            tensors |= prefixed(optimiser_tensors(self.worker.optimiser), "optimiser")
            tensors |= prefixed({} if self.intervener is None else self.intervener.state(), "intervener")
            tensors |= {} if self.intervener is None else self._chosen(self.intervener.interventions)
            self._written.save(self.history, tensors, self.best)

    def _best_until(self, epoch: int) -> int:
        """Return the best epoch as it was after ``epoch``."""
        return int((self.history.until(epoch).best() or {"epoch": epoch})["epoch"])

    def _chosen(self, interventions: InterventionSettings) -> dict[str, Tensor]:
        """Return ``interventions`` to be written, unless they are those of the settings."""
        if interventions == self.settings.intervention_settings():
            return {}
        return {CHOSEN: text_tensor(interventions.model_dump_json())}

    def _continue(self) -> None:
        found = None if self.folder is None else self.folder.load()
        if found is None:
            return
        self.history, tensors, best = found
        self.epoch = self.history.epoch
        self.best = (int((self.history.best() or {"epoch": 0})["epoch"]), best)
        self._restore(tensors)
        if self._written is not None:
            with self._stage("save", self.epoch):
                self._written.write_tables(self.history)  # a run killed between two files lacks the last row there

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        self._moment += 1
        self.worker.learner.load_state_dict(under(tensors, "learner"))
        restore_optimiser(self.worker.optimiser, under(tensors, "optimiser"))
        if self.intervener is not None:
            self.intervener.restore(under(tensors, "intervener"))
            chosen = InterventionSettings.model_validate_json(text_of(tensors[CHOSEN])) if CHOSEN in tensors else None
            self.intervener.interventions = chosen or self.settings.intervention_settings()

    @contextmanager
    def _stage(self, name: str, epoch: int) -> Iterator[None]:
        """Add the seconds of the block to ``name``; of a failure, say in which epoch it was and what is safe."""
        start = time.perf_counter()
        try:
            yield
        except (AliError, OSError) as error:
            kept = "nothing is kept, since the run has no folder"
            if self.folder is not None:
                kept = (
                    f"epochs up to {self.folder.saved_epoch()} are kept in {self.out}, and --resume goes on from there"
                )
            raise AliError(f"epoch {epoch}: {error}; {kept}") from error
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - start


def _check_criterion(interventions: InterventionSettings, criterion: Criterion | None, settings: TrainSettings) -> None:
    """Raise AliError unless the criterion is ``criterion``, the user's own, or known by its name."""
    name = interventions.criterion
    alone = settings.devices == 1 or settings.plane  # in the plane, one process plans for all
    if own_criterion(criterion, name) is None and not (name in EXPERIMENTS and alone):
        named_criterion(name)


def _check_groups(groups: NDArray[np.str_] | None, settings: TrainSettings) -> None:
    if settings.long_tail is not None and groups is not None and settings.groups == "keep":
        raise AliError(
            "long_tail tests on the samples left out, which come from the groups that are trained on; give "
            "--ignore-groups (groups='ignore') if that may be, or folds instead of --long-tail (long_tail)"
        )
    if groups is not None and settings.groups == "keep":
        group_codes(groups, settings.n_folds)


def _split(inputs: FeatureInputs | ImageInputs, settings: TrainSettings) -> FoldSplit:
    if settings.long_tail is not None:
        largest, smallest = thinning(settings.long_tail)
        return long_tail_split(
            inputs.labels, largest=largest, smallest=smallest, draw=settings.fold, n_parts=settings.n_folds
        )
    folds = grouped_folds(
        inputs.labels,
        groups=inputs.groups if settings.groups == "keep" else None,
        split=inputs.samples.split,
        n_folds=settings.n_folds,
        seed=settings.fold_seed,
        class_names=inputs.class_names,
    )
    if settings.fold >= len(folds):
        raise AliError(
            f"fold must be below {len(folds)}, because {folds[0].origin} is used; got {settings.fold} (--fold), or "
            "leave the split out with drop= (--drop-column NAME)"
        )
    return folds[settings.fold]
