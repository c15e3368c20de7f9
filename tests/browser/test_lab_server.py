"""``open_lab`` starts a real server: only with the token, only on this machine, and Ctrl-C ends it cleanly."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from ali_core import LabelledEmbedding
from ali_viz.server import ONLY_THIS_HOST
from ali_viz.studio_notebook import write_studio_notebook

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
]

ROOT = Path(__file__).parents[2]
# A process that a shell starts in the background ignores Ctrl-C, and so would the one started here.
START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from ali_viz.lab import open_lab; sys.exit(open_lab(sys.argv[1], browser=False, port=None))"
)


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def wait_for_server(runtime, process, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                return json.loads(file.read_text())
            except json.JSONDecodeError:
                continue  # being written
        time.sleep(0.1)
    raise TimeoutError("the server did not come up")


def test_a_server_with_a_token_on_this_machine_that_ctrl_c_ends(tmp_path):
    own = {name: str(tmp_path / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    runtime = tmp_path / "runtime"
    environment = os.environ | own | {"JUPYTER_RUNTIME_DIR": str(runtime), "PYTHONPATH": str(ROOT)}
    environment.pop("JUPYTER_TOKEN", None)
    command = [sys.executable, "-c", START, str(tmp_path)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            server = wait_for_server(runtime, process)
            assert server["url"].startswith("http://127.0.0.1:")
            assert len(server["token"]) >= 32
            assert status_of(f"{server['url']}api/contents") == 403
            assert status_of(f"{server['url']}api/contents?token={server['token']}") == 200
            with urllib.request.urlopen(f"{server['url']}lab?token={server['token']}", timeout=30) as page:
                assert page.headers["Content-Security-Policy"] == ONLY_THIS_HOST
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(timeout=60) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


def test_the_notebook_of_ali_studio_runs(app, tmp_path):
    labels = np.repeat(np.arange(3), 20)
    vectors = 6.0 * np.eye(3)[labels] + np.random.default_rng(1).normal(size=(60, 3))
    path = LabelledEmbedding(vectors, labels, ("blast", "monocyte", "platelet")).save(tmp_path / "three cells.npz")
    page = app(write_studio_notebook(path, tmp_path))
    page.button("Step").click()
    page.wait_for("[len(studio.session.embedding), studio.session.cursor]", [60, 1])
    assert (page.strangers, page.errors) == ([], [])
