"""``ali studio PATH --app`` in a real browser: the picture, the buttons, the lasso, and how it ends."""

import os
import time
import urllib.request

import numpy as np
import pytest

from ali_core import LabelledEmbedding, Session
from tests.browser.voila import AppPage, StandaloneApp

pytestmark = [pytest.mark.browser, pytest.mark.slow]

N = 5000
# Of every sample on each side (ghosts and marks do not hover): is the canvas painted where plotly's axes put it?
PAINTED = """() => {
  const plot = document.querySelector('.js-plotly-plot'), layout = plot._fullLayout;
  const canvas = plot.querySelector('canvas.gl-canvas-context'), copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext('2d');
  pen.drawImage(canvas, 0, 0);
  const data = pen.getImageData(0, 0, copy.width, copy.height).data;
  const [across, down] = [copy.width / layout.width, copy.height / layout.height];
  const count = {};
  for (const trace of plot._fullData) {
    if (trace.type !== 'scattergl' || trace.visible !== true || trace.hoverinfo === 'skip') continue;
    if (!trace.x.length) continue;
    const x = layout[trace.xaxis.replace('x', 'xaxis')], y = layout[trace.yaxis.replace('y', 'yaxis')];
    const side = count[trace.xaxis] ??= {points: 0, painted: 0};
    for (let i = 0; i < trace.x.length; i++) {
      const left = Math.round((x._offset + x.l2p(trace.x[i])) * across);
      const top = Math.round((y._offset + y.l2p(trace.y[i])) * down);
      side.points += 1;
      side.painted += data[4 * (top * copy.width + left) + 3] > 0;
    }
  }
  return count;
}"""


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


def gone(pid, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_every_point_is_painted_buttons_work_and_the_kernel_ends_with_the_page(app, cells, chromium):
    page = AppPage(chromium, app)
    page.open()
    page.page.wait_for_function(f"() => Object.values(({PAINTED})()).every(side => side.painted > 0)", timeout=30_000)
    sides = page.page.evaluate(PAINTED)
    assert [side["points"] for side in sides.values()] == [N, N]
    assert all(side["painted"] > 0.99 * N for side in sides.values()), sides
    assert page.page.get_by_text("Run All Cells").count() == 0
    page.button("Step").click()
    page.wait_for("studio.session.cursor", 1)
    vectors = page.ask("studio.session.after.vectors.tolist()")
    session = Session(LabelledEmbedding.load(cells))
    session.step()
    np.testing.assert_array_equal(np.asarray(vectors, np.float32), session.after.vectors)
    page.button("Undo").click()
    page.wait_for("studio.session.cursor", 0)
    plot = page.page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    inner = {"x": plot["x"] + 12, "y": plot["y"] + 12, "width": plot["width"] - 24, "height": plot["height"] - 24}
    page.drag_around(inner)  # corners and edges of the plot drag its axes
    page.wait_for("len(studio.selected)", 5)
    assert (page.strangers, page.errors) == ([], [])
    kernel = page.ask("__import__('os').getpid()")
    page.leave()
    assert gone(kernel)
    page.close()
    assert app.interrupt() == 0
    assert "Traceback" not in app.log.read_text()


def test_without_the_token_there_is_only_a_login_page(app):
    address, token = app.address.split("?token=")
    assert address.startswith("http://127.0.0.1:")
    assert len(token) >= 32
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert "/login" in answer.url
    assert app.interrupt() == 0
    assert "Traceback" not in app.log.read_text()
    assert not list((app.folder / "tmp").iterdir())
