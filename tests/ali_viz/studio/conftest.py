"""The app that most tests of it begin with."""

import pytest

from tests.ali_viz.studio.hands import opened


@pytest.fixture
def studio():
    studio = opened()
    yield studio
    studio.close()
