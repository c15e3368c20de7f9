"""A dry run on disk.

=====================  ============================================================================================
``dry_run.json``       what was asked: data (samples are those of all validation parts), fingerprints, grid, limits
``scorers/``           of each fold: its vectors (in 2-D, the layout), the choice of the SVM, the transfer weights
``parts/``             finished pieces of work, from which a stopped dry run goes on
``curves.csv``         one row a configuration, fold and number of interventions
``table1.csv``         recommended settings and the next best, by combination and space
``table1.md``,         the recommended ones and the paper's
``table1.tex``
``criteria.csv``       the best configuration of each criterion, after a full search
``recommended.toml``   the best combination of the space that was run last, for ``ali train --settings``;
                       ``recommended/`` has each of them
=====================  ============================================================================================

The tables hold all combinations and both spaces that have been run into the folder.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ali_core.errors import AliError
from ali_core.experiments.fold_scorer import DryRunFold, Space
from ali_core.experiments.sweep_grid import SweepGrid
from ali_core.experiments.table_files import as_latex, as_markdown
from ali_core.files import read_csv, write_csv, write_text

if TYPE_CHECKING:
    from ali_core.experiments.sweeps import DryRun

__all__ = ["DryRunFolder"]


class DryRunFolder:
    """Where a dry run keeps everything; see the module for the files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def claim(self, folds: Sequence[DryRunFold], *, grid: SweepGrid, longest: int, hold: int | None, seed: int) -> None:
        """Write down what is asked; AliError when another dry run is here."""
        asked = {
            "folds": [_fingerprint(fold) for fold in folds],
            "grid": grid.model_dump(mode="json"),
            "longest": longest,
            "hold": hold,
            "seed": seed,
            "data": {
                "name": folds[0].source,
                "n_samples": sum(len(fold.validation_labels) for fold in folds),
                "n_classes": folds[0].n_classes,
            },
        }
        place = self.folder / "dry_run.json"
        if not place.is_file():
            write_text(json.dumps(asked, indent=1) + "\n", place)
            return
        found = json.loads(place.read_text(encoding="utf-8"))
        changed = [name for name, value in asked.items() if found.get(name) != value]
        if changed:
            raise AliError(
                f"{self.folder} holds a dry run with other {', '.join(changed)}; choose another folder with --out"
            )

    def parts(self, space: Space) -> Path:
        """Return the folder for finished pieces of work in one space."""
        return self.folder / "parts" / space

    def scorer(self, fold: int, space: Space) -> Path:
        """Return where a scorer is kept."""
        return self.folder / "scorers" / f"{space}-{fold}.npz"

    def write(self, found: "DryRun", space: Space) -> None:
        """Write the tables, with what earlier calls found for other combinations and the other space."""
        for name in ("table1", "criteria", "curves"):
            table = getattr(found, name)
            if table is not None:
                write_csv(self._joined(table, self.folder / f"{name}.csv"), self.folder / f"{name}.csv")
        self._write_table_one()
        for name, recommended in found.recommendations.items():
            write_text(recommended.toml(space), self._recommended(space, name))
        best = self._recommended(space, _best_combination(self.folder / "table1.csv", space))
        write_text(best.read_text(encoding="utf-8"), self.folder / "recommended.toml")

    def _recommended(self, space: Space, combination: str) -> Path:
        return self.folder / "recommended" / f"{space}-{combination.replace(',', '-')}.toml"

    def _write_table_one(self) -> None:
        """Write the recommended settings of all combinations, with the paper's, as one reads a Table I."""
        table = read_csv(self.folder / "table1.csv")
        best = table[table["rank"] == 1].drop(columns=["rank", "behind_f1", "behind_interventions"])
        about = json.loads((self.folder / "dry_run.json").read_text(encoding="utf-8"))["data"]
        caption = (
            f"Settings that a dry run of {about['name']} recommends ({about['n_samples']} samples of "
            f"{about['n_classes']} classes), and those of the paper. oracle_f1: macro F1 of an SVM whose validation "
            "samples were moved by their true class; transfer_f1: moved without labels; both after n_interventions."
        )
        write_text(as_markdown(best, caption=caption), self.folder / "table1.md")
        write_text(as_latex(best, caption=caption), self.folder / "table1.tex")

    def _joined(self, table: pd.DataFrame, file: Path) -> pd.DataFrame:
        if not file.is_file():
            return table
        keys = ["space", "combination"]
        old = read_csv(file)
        again = old.set_index(keys).index.isin(table.set_index(keys).index)
        return pd.concat([old[~again], table], ignore_index=True)


def _best_combination(table1: Path, space: Space) -> str:
    """Return the combination that is best in a space: by oracle score, number of interventions, transfer score."""
    table = read_csv(table1)
    ranked = table[(table["rank"] == 1) & (table["space"] == space)].sort_values(
        ["oracle_f1", "n_interventions", "transfer_f1"], ascending=[False, True, False], kind="stable"
    )
    return str(ranked["combination"].iloc[0])


def _fingerprint(fold: DryRunFold) -> str:
    digest = hashlib.sha256()
    for array in (fold.train_vectors, fold.train_labels, fold.validation_vectors, fold.validation_labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"{fold.fold}:{digest.hexdigest()[:16]}"
