"""Fixtures that every test may use, and what becomes of tests that lack data or a browser."""

import os
from pathlib import Path

import numpy as np
import pytest


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
