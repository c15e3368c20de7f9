"""Fixtures that every test may use."""

import os
from pathlib import Path

import numpy as np
import pytest


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
