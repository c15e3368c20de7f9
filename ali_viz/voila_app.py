"""The app without code: a notebook served by Voilà, to this machine only, with nothing asked of the internet."""

import json
import os
import secrets
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ali_core.errors import AliError
from ali_viz.server import ONLY_THIS_HOST, free_port, private_folder, run_server
from ali_viz.studio_notebook import LAB_ONLY, studio_notebook

__all__ = ["app_address", "open_app", "voila_command", "voila_environment", "write_page_files"]

TEMPLATE = "ali"
TEMPLATES = Path(__file__).parent / "app_page"
"""Voilà's own page asks a server on the internet for a font; the template in here does not."""

START_SECONDS = 60
OPENER = "ali-open-browser"
# Reading the token sets the cookie without which the server refuses Voilà's own message that a page was closed, and
# the kernel of the page would go on for ever.
CONFIGURATION = """
def give_cookie(page, **_):
    page.xsrf_token

c.VoilaConfiguration.prelaunch_hook = give_cookie
c.Voila.tornado_settings = {{"headers": {{"Content-Security-Policy": "{policy}"}}}}
"""
CULL_SECONDS = 120
"""A kernel without a page ends after so long: a page that is left without notice leaves none behind."""

REDIRECT = '<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={address}">'


def open_app(
    path: str | Path,
    *,
    images: str | Path | None = None,
    columns: Mapping[str, Any] | None = None,
    folder: str | Path | None = None,
    browser: bool = True,
    port: int | None = None,
) -> int:
    """Serve a Studio without code until Ctrl-C.

    Parameters
    ----------
    path, images, columns
        What it shows; see :func:`~ali_viz.studio_notebook.studio_notebook`. The notebook is written anew into a
        private folder: one that lies beside the data is never run. It runs in a kernel of its own for every page,
        which ends with the page.
    folder
        Where the app works, and so where it writes what a person saves; by default the current folder.
    browser
        Open a page; otherwise only the address is printed.
    port
        On this machine; None takes a free one.

    Returns
    -------
    int
        Exit status of Voilà; 0 when it was stopped with Ctrl-C.

    Raises
    ------
    AliError
        When Voilà is not installed.

    Notes
    -----
    The address carries a token, without which the server answers nobody. Whoever lists processes does not see it: it
    travels in the environment, and to the browser in a file that only this person can read.
    """
    if find_spec("voila") is None:
        raise AliError(
            "the app without code needs Voilà, which is not installed; install the extra app "
            "(pip install 'ali-interventions[app]'), or open it in JupyterLab, without --app"
        )
    port, token = port or free_port(), secrets.token_hex(24)
    address = app_address(port, token)

    def started() -> None:
        print(f"The app is at {address}\nStop it with Ctrl-C.", flush=True)
        if browser:
            threading.Thread(target=_open_when_up, args=(port, page), name=OPENER, daemon=True).start()

    with private_folder("ali-app-") as private:
        page = write_page_files(private, address)
        notebook = private / f"studio-{Path(path).absolute().stem}.ipynb"
        content = studio_notebook(path, images, columns, folder=Path.cwd() if folder is None else folder)
        notebook.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        return run_server(voila_command(notebook, private, port=port), voila_environment(token), started)


def app_address(port: int, token: str) -> str:
    """Return where the app is."""
    return f"http://127.0.0.1:{port}/?token={token}"


def voila_command(notebook: Path, configuration: Path, *, port: int) -> list[str]:
    """Return the command that serves ``notebook`` on a port that only this machine can reach, with a token.

    ``configuration`` is the folder with the one configuration file that is read.
    """
    return [
        sys.executable,
        "-m",
        "voila",
        str(notebook),
        "--no-browser",
        "--Voila.ip=127.0.0.1",
        f"--Voila.port={port}",
        "--Voila.port_retries=0",
        "--Voila.auto_token=True",  # the one in the environment
        f"--Voila.config_file_paths={configuration}",
        f"--TagRemovePreprocessor.remove_cell_tags={LAB_ONLY}",
        f"--VoilaConfiguration.template={TEMPLATE}",
        "--VoilaConfiguration.allow_template_override=NO",
        "--VoilaConfiguration.show_tracebacks=True",  # the person at this machine owns the data
        "--Voila.log_level=WARN",
        f"--MappingKernelManager.cull_idle_timeout={CULL_SECONDS}",
        f"--MappingKernelManager.cull_interval={CULL_SECONDS // 4}",
    ]


def voila_environment(token: str) -> dict[str, str]:
    """Return the environment of that command: the token, and where the page's template lies."""
    environment = dict(os.environ)
    known = environment.get("JUPYTER_PATH", "")
    environment["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(TEMPLATES), known]))
    environment["JUPYTER_TOKEN"] = token
    return environment


def write_page_files(folder: Path, address: str) -> Path:
    """Write Voilà's configuration into ``folder``, and the page that leads to ``address``; return that page."""
    (folder / "voila.py").write_text(CONFIGURATION.format(policy=ONLY_THIS_HOST), encoding="utf-8")
    page = folder / "open.html"
    page.write_text(REDIRECT.format(address=address), encoding="utf-8")
    return page


def _open_when_up(port: int, page: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=2):
                webbrowser.open(page.as_uri())
                return
        except OSError:
            time.sleep(0.2)
