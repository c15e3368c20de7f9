"""An experiment of seconds."""

from ali_core.experiments.experiment import Experiment
from tests.ali_core.training.samples import features

DATA = features((40, 30, 24), dim=8)

COMMON = {
    "width": 6,
    "batch_size": 16,
    "max_epochs": 2,
    "evaluate_every": 1,
    "patience": 0,
    "learning_rate": 1e-2,
    "device": "cpu",
}
TML, ALI = {"method": "tml"}, {"method": "ali", "preset": "c"}
AFTER = {"method": "ali", "preset": "c", "start": "tml", "max_epochs": 1}


def small(*runs, **changes):
    """An experiment with three folds on :data:`DATA`."""
    values = {"name": "small", "n_folds": 3, "common": COMMON, "runs": runs or (TML, ALI)}
    return Experiment(**(values | changes))
