"""A real JupyterLab in a headless Chromium: start it, run a notebook, find controls, ask the kernel."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import nbformat
from jupyter_client import BlockingKernelClient
from playwright.sync_api import Browser, Locator, Page, Route, sync_playwright

from ali_viz.lab import QUIET_SETTINGS, lab_command, lab_environment

TOKEN = "a-token-for-this-test-only"  # a server on this machine that lives for minutes
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
SECONDS = 1000


def find_chromium() -> str | None:
    """Return the browser that ALI_CHROMIUM names, or the first one installed."""
    named = os.environ.get("ALI_CHROMIUM")
    return named or next((path for name in BROWSER_NAMES if (path := shutil.which(name))), None)


@contextmanager
def open_browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, chromium_sandbox=os.geteuid() != 0, args=list(FLAGS)
        )
        try:
            yield browser
        finally:
            browser.close()


def write_notebook(path: Path, cells: list[str]) -> Path:
    """Write a notebook of code cells whose sources are folded away."""
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for source in cells:
        cell = nbformat.v4.new_code_cell(source)
        cell.metadata["jupyter"] = {"source_hidden": True}
        notebook.cells.append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


class JupyterLab:
    """A JupyterLab server of its own, with its own settings, started by the command that ``ali lab`` uses."""

    def __init__(
        self, folder: Path, notebook: Path, *, path: Path | None = None, theme: str = "JupyterLab Light"
    ) -> None:
        self.folder, self.notebook, self._warm = folder, notebook, ""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        configuration = folder / "config"
        (configuration / "labconfig").mkdir(parents=True)
        settings = QUIET_SETTINGS | {"@jupyterlab/apputils-extension:themes": {"theme": theme}}
        (configuration / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(settings))
        own = {
            "JUPYTER_TOKEN": TOKEN,
            "JUPYTER_CONFIG_DIR": str(configuration),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "IPYTHONDIR": str(folder / "ipython"),
            "OMP_NUM_THREADS": "1",
        }
        command = lab_command(notebook, browser=False, port=self.port)
        self._log = (folder / "server.log").open("wb")
        environment = lab_environment(path, configuration) | own
        root = str(Path(__file__).parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(command, env=environment, stdout=self._log, stderr=subprocess.STDOUT)
        self._wait_until_up()

    def _wait_until_up(self, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(OSError):
                self._api("")
                return
            time.sleep(0.1)
        self.stop()
        raise TimeoutError(f"JupyterLab did not come up; its log: {(self.folder / 'server.log').read_text()[-2000:]}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def kernel(self) -> BlockingKernelClient:
        """Connect to the kernel of the notebook."""
        (session,) = self.sessions()
        client = BlockingKernelClient(
            connection_file=str(self.folder / "runtime" / f"kernel-{session['kernel']['id']}.json")
        )
        client.load_connection_file()
        client.start_channels()
        return client

    def shared(self, notebook: Path) -> "JupyterLab":
        """Return the same server with another notebook of its folder, which has the kernel of those before it."""
        if not self._warm:
            self._warm = json.loads(self._api("kernels", {"name": "python3", "path": notebook.parent.name}))["id"]
        other = copy(self)
        other.notebook = notebook
        name = {"path": other._where, "name": notebook.name, "type": "notebook"}
        self._api("sessions", {**name, "kernel": {"id": self._warm}})
        return other

    @property
    def _where(self) -> str:
        return self.notebook.relative_to(self.notebook.parent.parent).as_posix()

    def sessions(self) -> list[dict[str, Any]]:
        """Return what the server says about the kernel of the notebook, if it has one."""
        return [one for one in json.loads(self._api("sessions")) if one["path"] == self._where]

    def _api(self, what: str, posted: dict[str, Any] | None = None) -> bytes:
        data = None if posted is None else json.dumps(posted).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/{what}?token={TOKEN}", data=data)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()


class NotebookPage:
    """The page of one notebook; every request to another host is blocked and remembered."""

    def __init__(self, browser: Browser, lab: JupyterLab, *, width: int = 1400, height: int = 900) -> None:
        self.lab = lab
        self.strangers: list[str] = []
        self.errors: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.context.route("**/*", self._guard)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self._client: BlockingKernelClient | None = None

    def _guard(self, route: Route) -> None:
        address = urlparse(route.request.url)
        if address.scheme in ("data", "blob") or address.hostname in ("127.0.0.1", "localhost"):
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()

    def open(self) -> None:
        """Open the notebook and wait for its kernel."""
        where = self.lab.notebook.relative_to(self.lab.notebook.parent.parent)
        name = f"auto-{time.monotonic_ns()}"
        self.page.goto(f"http://127.0.0.1:{self.lab.port}/lab/workspaces/{name}/tree/{where}?reset&token={TOKEN}")
        self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(timeout=90 * SECONDS)
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=60 * SECONDS)

    def hide_sidebar(self) -> None:
        if self.page.locator("#jp-left-stack:visible").count():
            self.page.keyboard.press("Control+b")
            self.page.locator("#jp-left-stack").wait_for(state="hidden", timeout=10 * SECONDS)

    def open_in_notebook_7(self) -> None:
        """Open the notebook in Notebook 7, which the same server has, and wait for its kernel."""
        where = self.lab.notebook.relative_to(self.lab.notebook.parent.parent)
        self.page.goto(f"http://127.0.0.1:{self.lab.port}/notebooks/{where}?token={TOKEN}")
        self.wait_until(
            lambda: [one["kernel"]["execution_state"] for one in self.lab.sessions()] == ["idle"],
            lambda: f"the kernel of {where} is not ready",
            seconds=90,
        )

    def run_all(self) -> None:
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()

    def ask(self, expression: str) -> object:
        """Return the value of a JSON-able expression in the kernel."""
        if self._client is None:
            self._client = self.lab.kernel()
        reply = self._client.execute_interactive(
            "", user_expressions={"value": f"__import__('json').dumps({expression})"}, timeout=60, silent=True
        )
        value = reply["content"]["user_expressions"]["value"]
        if value["status"] != "ok":
            raise RuntimeError(f"{expression}: {value['ename']}: {value['evalue']}")
        return json.loads(eval(value["data"]["text/plain"], {"__builtins__": {}}))  # the repr of a string

    def forget_kernel(self) -> None:
        """Connect anew at the next question."""
        if self._client is not None:
            self._client.stop_channels()
        self._client = None

    def wait_for(self, expression: str, expected: object, seconds: float = 30) -> None:
        """Wait until ``expression`` in the kernel has the value ``expected``."""
        value: object = None

        def reached() -> bool:
            nonlocal value
            value = self.ask(expression)
            return value == expected

        self.wait_until(reached, lambda: f"{expression} is {value!r}, not {expected!r}", seconds)

    def wait_until(self, reached: Callable[[], bool], otherwise: Callable[[], str], seconds: float = 30) -> None:
        """Wait until ``reached`` says so; the failure says ``otherwise``."""
        deadline = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > deadline:
                raise AssertionError(f"{otherwise()} after {seconds} s")
            self.page.wait_for_timeout(100)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def title(self, text: str) -> Locator:
        """Return the title of a picture."""
        return self.page.locator(".ali-picture-title").filter(has_text=text)

    def plot(self) -> Locator:
        return self.page.locator(".ali-picture canvas").first

    def pane(self, side: int) -> Locator:
        """Return one picture, from 0 on the left."""
        return self.page.locator(f'.ali-picture [data-pane="{side}"]')

    def drag_around(self, box: dict[str, float]) -> None:
        """Draw a lasso around a box of the page."""
        mouse = self.page.mouse
        left, top = box["x"], box["y"]
        right, bottom = left + box["width"], top + box["height"]
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top + 2)]
        mouse.move(*corners[0])
        mouse.down()
        for corner in corners[1:]:
            mouse.move(*corner, steps=12)
        mouse.up()

    def picture(self, path: Path) -> Path:
        """Take screenshots until two in a row are equal, and keep that."""
        path.parent.mkdir(parents=True, exist_ok=True)
        last, deadline = b"", time.monotonic() + 20
        while time.monotonic() < deadline:
            shot = self.page.screenshot()
            if shot == last:
                break
            last = shot
            self.page.wait_for_timeout(250)
        path.write_bytes(last)
        return path

    def close(self) -> None:
        self.forget_kernel()
        self.context.close()
