"""The app without code in a headless Chromium: start it as the shell does, look at its one page."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from jupyter_client import BlockingKernelClient
from playwright.sync_api import Browser

from ali_viz.voila_app import CULL_SECONDS
from tests.browser.jupyter import NotebookPage

ROOT = Path(__file__).parents[2]
# A process that a shell starts in the background ignores Ctrl-C, and so would the one started here.
START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "import ali_viz.voila_app; ali_viz.voila_app.CULL_SECONDS = int(sys.argv[2]); "
    "from ali_core.cli import main; main(['studio', sys.argv[1], '--app', '--no-browser'])"
)


class StandaloneApp:
    """``ali studio PATH --app`` in a folder of its own."""

    def __init__(self, folder: Path, path: Path, *, cull_seconds: int = CULL_SECONDS) -> None:
        self.folder = folder
        (folder / "tmp").mkdir(parents=True)
        own = {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
        own |= {"TMPDIR": str(folder / "tmp"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(path), str(cull_seconds)],
                env=os.environ | own,
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.address = self._wait_for_address()

    def _wait_for_address(self, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"The app is at (\S+)", self.log.read_text())
            if found:
                return found[1]
            time.sleep(0.1)
        self.stop()
        raise TimeoutError(f"the app did not come up; its log: {self.log.read_text()[-2000:]}")

    def interrupt(self) -> int:
        """Press Ctrl-C and return the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=60)

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def kernel(self) -> BlockingKernelClient:
        """Connect to the kernel that was started last."""
        files = sorted((self.folder / "tmp").glob("voila_*/kernel-*.json"), key=lambda file: file.stat().st_mtime)
        client = BlockingKernelClient(connection_file=str(files[-1]))
        client.load_connection_file()
        client.start_channels()
        return client


class AppPage(NotebookPage):
    """The page of the app; every request to another host is blocked and remembered."""

    lab: StandaloneApp

    def __init__(self, browser: Browser, app: StandaloneApp) -> None:
        super().__init__(browser, app)

    def open(self, seconds: float = 60) -> None:
        """Open the page, which Voilà sends while the notebook runs, and wait for the picture."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.page.goto(self.lab.address, timeout=120_000)
                break
            except Exception as error:  # the server is not up yet
                if "ERR_CONNECTION_REFUSED" not in str(error) or time.monotonic() > deadline:
                    raise
                self.page.wait_for_timeout(200)
        self.plot().wait_for(timeout=120_000)
        self.page.locator(".ali-class").first.wait_for(timeout=30_000)

    def leave(self) -> None:
        """Close the page as a person does, who lets it say goodbye."""
        self.page.close(run_before_unload=True)
