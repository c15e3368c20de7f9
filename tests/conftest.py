"""How tests are shared out among processes, fixtures for every test, and what becomes of those that lack data."""

import os
import signal
from collections import Counter
from pathlib import Path

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell hands on to what it starts in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests of Ctrl-C, and the processes they start, need it
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # before numpy and torch are imported here and in the processes of xdist

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402
from xdist.scheduler import LoadScopeScheduling  # noqa: E402

settings.register_profile("any machine")  # a first example can import much, or the machine be busy
settings.load_profile("any machine")

LIGHTNING = (
    "tests/ali_core/cli/test_train.py",
    "tests/ali_core/training/test_lightning_callback.py",
    "tests/ali_core/training/test_one_process.py",
    "tests/docs/test_own_training_loop.py",
)
"""Files that import Lightning, which takes as long as many tests: one process does it."""


class TogetherScheduling(LoadScopeScheduling):
    """Tests that one process runs: those of a file with its fixtures, or of files that share a page or an import."""

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        folder = file.rpartition("/")[0]
        if folder in {"tests/browser", "tests/ali_viz/picture"}:
            return folder
        if folder == "tests/notebooks":
            return nodeid  # long, and nothing in common
        return "lightning" if file in LIGHTNING else file


def pytest_addoption(parser):
    """Options of the tests in ``hostile/``: how long they go on, and with which seed."""
    group = parser.getgroup("hostile")
    group.addoption("--hostile-mutations", type=int, default=300, help="damaged files in all")
    group.addoption("--hostile-seed", type=int, default=0, help="seed of the damage")
    group.addoption("--hostile-seconds", type=float, default=2.0, help="seconds that threads hammer one session")


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


@pytest.fixture(scope="session")
def chromium():
    """The browser of this process; skips, saying so, where there is none."""
    from tests.browser.jupyter import find_chromium, open_browser

    executable = find_chromium()
    if executable is None:
        pytest.skip("CHROMIUM MISSING: install Chromium or Chrome, or name it in ALI_CHROMIUM")
    with open_browser(executable) as browser:
        yield browser
