"""``ali studio PATH --app`` in a real browser: the picture, the buttons, the lasso, and how it ends."""

import io
import os
import re
import subprocess
import time
import urllib.request
from functools import partial

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from ali_core import LabelledEmbedding, Session
from ali_viz.server import ONLY_THIS_HOST
from tests.browser.voila import AppPage, StandaloneApp

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
]

N = 5000


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Write 5,000 points of five classes."""
    rng = np.random.default_rng(3)
    labels = rng.integers(5, size=N)
    vectors = (4 * rng.normal(size=(5, 16))[labels] + rng.normal(size=(N, 16))).astype(np.float32)
    names = ("blast", "monocyte", "lymphocyte", "platelet", "basophil")
    return LabelledEmbedding(vectors, labels, names).save(tmp_path_factory.mktemp("cells") / "cells.npz")


@pytest.fixture
def app(tmp_path, cells):
    started = StandaloneApp(tmp_path, cells)
    yield started
    started.stop()


def painted(page, side):
    """How many pixels of a picture are coloured."""
    with Image.open(io.BytesIO(page.pane(side).screenshot())) as shot:
        pixels = np.asarray(shot.convert("RGB")).astype(int)
    return int((np.ptp(pixels, axis=2) > 40).sum())


def gone(pid, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_the_points_are_painted_buttons_work_and_the_kernel_ends_with_the_page(app, cells, chromium):
    page = AppPage(chromium, app)
    page.open()
    expect(page.page.locator(".ali-picture")).to_have_attribute("data-drawn", str(N), timeout=30_000)
    assert painted(page, 0) > 1000
    assert painted(page, 1) > 1000
    assert page.page.get_by_text("Run All Cells").count() == 0
    page.button("Step").click()
    page.wait_for("studio.session.cursor", 1)
    vectors = page.ask("studio.session.after.vectors.tolist()")
    session = Session(LabelledEmbedding.load(cells))
    session.step()
    np.testing.assert_array_equal(np.asarray(vectors, np.float32), session.after.vectors)
    page.button("Undo").click()
    page.wait_for("studio.session.cursor", 0)
    plot = page.pane(0).bounding_box()
    page.drag_around({"x": plot["x"] + 3, "y": plot["y"] + 3, "width": plot["width"] - 6, "height": plot["height"] - 6})
    page.wait_for("len(studio.selected)", 5)
    assert (page.strangers, page.errors) == ([], [])
    kernel = page.ask("__import__('os').getpid()")
    page.leave()
    assert gone(kernel)
    page.close()
    assert app.interrupt() == 0
    assert "Traceback" not in app.log.read_text()


def answer_of(address, seconds=60):
    """Read the page as soon as the server is up: its address, text and headers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=seconds) as answer:
                return answer.url, answer.read().decode(), answer.headers
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_kernel_whose_page_is_gone_without_a_word_ends(tmp_path, cells):
    app = StandaloneApp(tmp_path, cells, cull_seconds=10)
    try:
        page, headers = answer_of(app.address)[1:]  # which nobody shows
        assert headers["Content-Security-Policy"] == ONLY_THIS_HOST
        kernel = re.search(r'"kernelId": "([0-9a-f-]{36})"', page)[1]
        processes = partial(subprocess.run, ["ps", "-ewwo", "args"], capture_output=True, text=True, check=True)
        assert kernel in processes().stdout
        deadline = time.monotonic() + 120
        while kernel in processes().stdout:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert app.process.poll() is None
    finally:
        app.stop()


def test_without_the_token_there_is_only_a_login_page(app):
    address, token = app.address.split("?token=")
    assert address.startswith("http://127.0.0.1:")
    assert len(token) >= 32
    assert "/login" in answer_of(address)[0]
    assert app.interrupt() == 0
    assert "Traceback" not in app.log.read_text()
    assert not list((app.folder / "tmp").iterdir())
