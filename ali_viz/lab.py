"""Open JupyterLab on the first notebook, with an embedding or a session loaded."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ali_core.errors import AliError
from ali_core.files import atomic_path

__all__ = ["PATH_VARIABLE", "lab_command", "lab_environment", "notebook_file", "open_lab"]

PATH_VARIABLE = "ALI_PATH"
"""Environment variable in which the notebook finds what to load."""

NOTEBOOK = "01-step-through-interventions.ipynb"
QUIET_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
"""JupyterLab asks nobody for news or updates; a person who has set it otherwise keeps that."""

STOP_SECONDS = 5


def open_lab(
    path: str | Path | None = None,
    *,
    browser: bool = True,
    port: int | None = None,
    arguments: Sequence[str] = (),
) -> int:
    """Start JupyterLab on the notebook that steps through interventions, and wait until it ends.

    Parameters
    ----------
    path
        Embedding file, session file or folder that the notebook loads; None for its own default.
    browser
        Open a page; otherwise only the address is printed.
    port
        On this machine; None takes the first free one from 8888 on.
    arguments
        More arguments for ``jupyter lab``.

    Returns
    -------
    int
        Exit status of JupyterLab; 0 when it was stopped with Ctrl-C.

    Raises
    ------
    AliError
        When ``path`` does not exist, or the notebook cannot be found.
    """
    if path is not None and not Path(path).exists():
        raise AliError(f"there is no file or folder {path}")
    notebook = notebook_file()
    command = lab_command(notebook, browser=browser, port=port, arguments=arguments)
    with _quiet_configuration() as configuration:
        process = subprocess.Popen(command, env=lab_environment(path, configuration))  # noqa: S603  # our own command
        try:
            return process.wait()
        except KeyboardInterrupt:
            return _stopped(process)


def notebook_file(working_folder: Path | None = None) -> Path:
    """Return the notebook to open.

    Parameters
    ----------
    working_folder
        Where an installed package puts its copy, in ``notebooks/``; by default the current folder. A copy that is
        there already is opened as it is. In a clone of the repository the notebook is opened where it is.
    """
    package = Path(__file__).parent
    in_clone = package.parent / "notebooks" / NOTEBOOK
    if in_clone.exists() and (package.parent / "pyproject.toml").exists():
        return in_clone
    copy = (Path.cwd() if working_folder is None else working_folder) / "notebooks" / NOTEBOOK
    packaged = package / "notebooks" / NOTEBOOK
    if not copy.exists():
        if not packaged.exists():
            raise AliError(f"the notebook {packaged} is missing; install the package again")
        with atomic_path(copy) as temporary:
            shutil.copyfile(packaged, temporary)
    return copy


def lab_command(
    notebook: Path, *, browser: bool = True, port: int | None = None, arguments: Sequence[str] = ()
) -> list[str]:
    """Return the command that opens ``notebook`` in a JupyterLab that only this machine can reach, with a token."""
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--LabApp.default_url=/lab/tree/{notebook.relative_to(notebook.parent.parent).as_posix()}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={notebook.parent.parent}",
        "--ServerApp.answer_yes=True",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # as in containers; only this machine can reach the server, with its token
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    return [*command, *arguments]


def lab_environment(path: str | Path | None, configuration: Path) -> dict[str, str]:
    """Return the environment of that command: what to load, and where the quiet configuration lies."""
    environment = dict(os.environ)
    environment.pop(PATH_VARIABLE, None)
    if path is not None:
        environment[PATH_VARIABLE] = str(Path(path).absolute())
    known = environment.get("JUPYTER_CONFIG_PATH", "")
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [str(configuration), known]))
    return environment


@contextmanager
def _quiet_configuration() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ali-lab-") as folder:
        settings = Path(folder) / "labconfig"
        settings.mkdir()
        (settings / "default_setting_overrides.json").write_text(json.dumps(QUIET_SETTINGS), encoding="utf-8")
        yield Path(folder)


def _stopped(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end after Ctrl-C, which JupyterLab has heard as well; insist when it does not come."""
    for insist in (lambda: None, lambda: process.send_signal(signal.SIGTERM), process.kill):
        insist()
        try:
            process.wait(timeout=STOP_SECONDS)
            break
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue
    return 0
