"""Dry runs and cross-validated experiments.

Names are looked up when first used, so that importing this package imports neither scikit-learn nor torch.
"""

from typing import TYPE_CHECKING

from ali_core.lazy import lazy_names

if TYPE_CHECKING:
    from ali_core.experiments.dry_run_folds import folds_of_embedding, folds_of_runs
    from ali_core.experiments.experiment import Experiment
    from ali_core.experiments.fold_scorer import DryRunFold
    from ali_core.experiments.parallel import in_parallel
    from ali_core.experiments.runner import run_experiment
    from ali_core.experiments.sweep_grid import SweepGrid
    from ali_core.experiments.sweeps import DryRun, dry_run
    from ali_core.experiments.transfer_map import TransferMap
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "DryRun": "sweeps",
            "DryRunFold": "fold_scorer",
            "Experiment": "experiment",
            "SweepGrid": "sweep_grid",
            "TransferMap": "transfer_map",
            "dry_run": "sweeps",
            "folds_of_embedding": "dry_run_folds",
            "folds_of_runs": "dry_run_folds",
            "in_parallel": "parallel",
            "run_experiment": "runner",
        },
    )

__all__ = [
    "DryRun",
    "DryRunFold",
    "Experiment",
    "SweepGrid",
    "TransferMap",
    "dry_run",
    "folds_of_embedding",
    "folds_of_runs",
    "in_parallel",
    "run_experiment",
]
