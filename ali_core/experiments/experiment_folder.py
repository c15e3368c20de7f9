"""The folder of an experiment: what it may hold, and the tables that are written into it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from ali_core.errors import AliError
from ali_core.experiments.data_source import Data
from ali_core.experiments.experiment import Experiment
from ali_core.experiments.planned_runs import PlannedRun, planned_runs
from ali_core.experiments.result_tables import caption, table_two, table_two_latex, table_two_markdown
from ali_core.experiments.run_results import Row, compared, results_table, timing_rows
from ali_core.experiments.run_work import RunState, is_finished
from ali_core.experiments.table_files import as_latex, as_markdown
from ali_core.files import write_csv, write_text
from ali_core.training import TrainSettings

__all__ = ["ExperimentFolder"]

COMPARED = ("method", "mean", "baseline_mean", "difference", "low", "high", "p", "p_holm", "n_pairs")
"""Columns of the comparison that are printed."""

Key = tuple[str, int, int]


class ExperimentFolder:
    """Where an experiment keeps everything; :mod:`ali_core.experiments.runner` lists the files.

    Parameters
    ----------
    path
        Its place.
    experiment
        What is in it.
    data_name
        What the data is called in captions.
    """

    def __init__(self, path: Path, experiment: Experiment, data_name: str) -> None:
        self.path, self.experiment, self.data_name = path, experiment, data_name

    def check(self, samples: Data, runs: Iterable[PlannedRun]) -> None:
        """Check that the experiment can be carried out here; nothing is written.

        Raises
        ------
        AliError
            When the folder holds an experiment on other data, or a run that was begun with other settings, the number
            of epochs included: a table must not mix them.
        """
        about = self.path / "data.json"
        if about.is_file() and json.loads(about.read_text(encoding="utf-8"))["fingerprint"] != samples.fingerprint:
            raise AliError(f"{self.path} holds an experiment on other data; choose another --out")
        begun = [run for run in runs if (run.folder / "last.json").is_file()]
        if begun:
            from ali_core.training.run_folder import RunFolder  # noqa: PLC0415  # torch takes seconds

            for run in begun:
                RunFolder(run.folder, keep_checkpoints=False).claim(run.settings, resume=True)
                old = TrainSettings.read(run.folder / "settings.toml").max_epochs
                if old != run.settings.max_epochs:
                    raise AliError(
                        f"{run.folder} holds a run with other settings (max_epochs was {old}); give these again, or "
                        "choose another --out"
                    )

    def claim(self, samples: Data, runs: Iterable[PlannedRun]) -> None:
        """Check as :meth:`check`, and write down the experiment."""
        self.check(samples, runs)
        about = {
            "fingerprint": samples.fingerprint,
            "data": self.data_name,
            "n_samples": len(samples),
            "class_names": samples.class_names,
        }
        try:
            write_text(json.dumps(about, indent=1) + "\n", self.path / "data.json")
            self.experiment.write(self.path / "experiment.toml")
        except OSError as error:
            raise AliError(f"{self.path} cannot be written ({error}); choose another folder with --out") from None

    def finished(self) -> list[PlannedRun]:
        """Return the runs that need no more training."""
        return [run for run in planned_runs(self.experiment, self.path) if is_finished(run)]

    def write(self, rows: Mapping[Key, Row], failures: Sequence[RunState]) -> pd.DataFrame:
        """Write all tables, each whole or not at all; return that of the results.

        Parameters
        ----------
        rows
            Of the finished runs, by label, fold and seed.
        failures
            Of this call.
        """
        order = [run.key for run in planned_runs(self.experiment, self.path)]
        results = results_table(rows[key] for key in order if key in rows)
        write_csv(results, self.path / "results.csv")
        write_csv(timing_rows(results), self.path / "timing.csv")
        failed = [(*state.run.key, state.error) for state in failures]
        write_csv(pd.DataFrame(failed, columns=["method", "fold", "seed", "error"]), self.path / "failures.csv")
        self._write_comparison(results)
        return results

    def _write_comparison(self, results: pd.DataFrame) -> None:
        experiment = self.experiment
        labels = [variant.label for variant in experiment.methods]
        comparison, note = compared(results, labels, baseline=experiment.baseline, n_folds=experiment.n_folds)
        if comparison is None:
            for name in ("comparison.csv", "comparison.md", "comparison.tex"):
                (self.path / name).unlink(missing_ok=True)
        else:
            about = self._about(comparison, note)
            write_csv(comparison, self.path / "comparison.csv")
            write_text(as_markdown(comparison[list(COMPARED)], caption=about), self.path / "comparison.md")
            write_text(as_latex(comparison[list(COMPARED)], caption=about), self.path / "comparison.tex")
        self._write_table_two(results, comparison)

    def _about(self, comparison: pd.DataFrame, note: str) -> str:
        several = f"the {len(comparison)} comparisons" if len(comparison) > 1 else "the one comparison"
        adjusted = f"p_holm is adjusted for {several} made here"
        return (
            f"{self.experiment.name}: macro F1 on test folds of {self.data_name} against {self.experiment.baseline} on "
            f"the same folds and seeds, with the 95 % interval of the difference; {adjusted}, intervals are not."
            f"{f' {note[0].upper()}{note[1:]}.' if note else ''}"
        )

    def _write_table_two(self, results: pd.DataFrame, comparison: pd.DataFrame | None) -> None:
        table = table_two(results, comparison)
        about = caption(
            table,
            results,
            name=self.experiment.name,
            data=self.data_name,
            n_folds=self.experiment.n_folds,
            planned=len(planned_runs(self.experiment, self.path)),
        )
        write_csv(table, self.path / "table2.csv")
        write_text(table_two_markdown(table, about), self.path / "table2.md")
        write_text(table_two_latex(table, about), self.path / "table2.tex")
