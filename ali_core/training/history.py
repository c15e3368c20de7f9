"""What is known of the epochs of a run: one row each, and what follows from them."""

import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

__all__ = ["COLUMNS", "TIMES", "History"]

COLUMNS = {
    "epoch": "epochs that were finished; 0 is the state at the start",
    "loss": "mean of the loss over the batches of the epoch",
    "base_loss": "its part without interventions: triplet margin loss or cross entropy",
    "intervention_loss": "its part that the interventions make",
    "active_fraction": "share of the triplets of the batches that violate the margin",
    "n_steps": "intervention steps that the epoch followed",
    "moved_classes": "the classes they moved, in the order of the first move, separated by ;",
    "validation_f1": "macro F1 of the SVM on the validation fold, which chooses it",
    "test_f1": "macro F1 of the same SVM on the test fold, which chooses nothing",
    "regularisation": "C of the SVM",
    "gamma": "gamma of the SVM",
}
"""Columns of ``epochs.csv``; empty where a method has no such part, or the SVM was not due."""

TIMES = {
    "epoch": "as in epochs.csv",
    "train": "seconds of the epoch, waiting for batches included",
    "data": "seconds of waiting for batches",
    "embed": "seconds of embedding the training fold",
    "intervene": "seconds of statistics, criterion and planning; with the fit of the projection for pali",
    "evaluate": "seconds of embedding the other folds and of the search for the SVM",
    "save": "seconds of writing files",
    "samples_per_second": "samples trained on per second of train",
}
"""Columns of ``timing.csv``."""

Row = dict[str, Any]


@dataclass
class History:
    """Rows of finished epochs, in order; ``rows[e]`` is epoch e.

    Parameters
    ----------
    rows
        Values by the names of :data:`COLUMNS`; None where there is none.
    times
        Values by the names of :data:`TIMES`.
    """

    rows: list[Row] = field(default_factory=list)
    times: list[Row] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """The last finished epoch; -1 before the state at the start is recorded."""
        return len(self.rows) - 1

    def add(self, row: Row, times: Row) -> None:
        """Append an epoch; numbers that are NaN count as none."""
        epoch = self.epoch + 1
        self.rows.append({"epoch": epoch} | {name: _known(row.get(name)) for name in COLUMNS if name != "epoch"})
        self.times.append({"epoch": epoch} | {name: _known(times.get(name)) for name in TIMES if name != "epoch"})

    def best(self) -> Row | None:
        """Return the row of the best validation F1, the earliest of equals; None before any evaluation."""
        scored = [row for row in self.rows if row["validation_f1"] is not None]
        return max(scored, key=lambda row: row["validation_f1"], default=None)

    def until(self, epoch: int) -> "History":
        """Return the history as it was after ``epoch``."""
        return History(self.rows[: epoch + 1], self.times[: epoch + 1])

    def table(self) -> pd.DataFrame:
        """Return the rows as a table with the columns of :data:`COLUMNS`."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS))

    def timing(self) -> pd.DataFrame:
        """Return the times as a table with the columns of :data:`TIMES`."""
        return pd.DataFrame(self.times, columns=list(TIMES))


def _known(value: Any) -> Any:  # noqa: ANN401  # numbers, texts or nothing
    return None if isinstance(value, float) and math.isnan(value) else value
