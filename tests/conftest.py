"""How tests are shared out among processes, fixtures for every test, and what becomes of those that lack data."""

import os
from collections import Counter
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # before numpy and torch are imported here and in the processes of xdist

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from xdist.scheduler import LoadScopeScheduling  # noqa: E402


class TogetherScheduling(LoadScopeScheduling):
    """Tests that one process runs: those of a file, for the sake of their fixtures, and all that share a JupyterLab."""

    def _split_scope(self, nodeid):
        if nodeid.startswith("tests/notebooks/"):
            return nodeid  # long, and nothing in common
        return "browser" if nodeid.startswith("tests/browser/") else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config, log):
    return TogetherScheduling(config, log)


def pytest_xdist_auto_num_workers(config):
    """One process for each core; none besides this one for single files, where starting it would take longer."""
    return 0 if any(".py" in argument for argument in config.args) else min(os.cpu_count() or 1, 8)


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, so that no process waits for another at the end."""
    weights = {"browser": 1000, "notebook": 100, "slow": 1}
    work = Counter()
    for item in items:
        work[item.path] += sum(weight for mark, weight in weights.items() if item.get_closest_marker(mark))
    items.sort(key=lambda item: -work[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With ALI_REQUIRE_ALL set, a skip because something is MISSING is a failure."""
    report = yield
    if os.environ.get("ALI_REQUIRE_ALL") and report.skipped and "MISSING" in str(report.longrepr):
        report.outcome = "failed"
    return report


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that starts the same for every test."""
    return np.random.default_rng(20220214)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real cells named by ALI_DATA; skips, saying so, without it."""
    folder = os.environ.get("ALI_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("REAL DATA MISSING: set ALI_DATA to the folder with pbc_dev_features/ and pbc_dev/")
    return Path(folder)
