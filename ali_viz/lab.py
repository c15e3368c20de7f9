"""Open the app from the shell: JupyterLab on a notebook, or the app alone."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ali_core.columns import Columns
from ali_core.errors import AliError
from ali_core.files import atomic_path
from ali_viz.server import ONLY_THIS_HOST, private_folder, run_server
from ali_viz.studio_notebook import is_own, keep_own, write_studio_notebook
from ali_viz.views.sources import open_session
from ali_viz.voila_app import open_app

__all__ = [
    "PATH_VARIABLE",
    "copy_notebooks",
    "lab_command",
    "lab_environment",
    "notebook_file",
    "open_lab",
    "open_studio",
]

PATH_VARIABLE = "ALI_PATH"
"""Environment variable in which the notebook finds what to load."""

COLUMNS_VARIABLE = "ALI_COLUMNS"
"""Environment variable with what is what in it, as JSON."""

NOTEBOOK = "01-step-through-interventions.ipynb"
QUIET_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
"""JupyterLab asks nobody for news or updates; a person who has set it otherwise keeps that."""


def open_lab(
    path: str | Path | None = None,
    *,
    columns: Mapping[str, Any] | None = None,
    browser: bool = True,
    port: int | None = None,
    arguments: Sequence[str] = (),
) -> int:
    """Start JupyterLab on the notebook that steps through interventions, and wait until it ends.

    Parameters
    ----------
    path
        Embedding file, session file or folder that the notebook loads; None for its own default.
    columns
        What is what in it; see :class:`~ali_core.columns.Columns`.
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
        return run_server(command, lab_environment(path, configuration, columns))


def open_studio(
    path: str | Path,
    *,
    app: bool = False,
    images: str | Path | None = None,
    columns: Mapping[str, Any] | None = None,
    folder: str | Path | None = None,
    browser: bool = True,
    port: int | None = None,
    arguments: Sequence[str] = (),
) -> int:
    """Open a Studio on ``path``, in a notebook of its own, and wait until the server ends.

    Parameters
    ----------
    path, images, columns, folder
        What the notebook shows and where it lies, see :func:`~ali_viz.studio_notebook.write_studio_notebook`.
    app
        Serve the notebook without its code, by Voilà, instead of opening it in JupyterLab.
    browser, port
        See :func:`open_lab`; with ``app`` None takes a free port.
    arguments
        More arguments for ``jupyter lab``.

    Returns
    -------
    int
        Exit status of the server; 0 when it was stopped with Ctrl-C.

    Raises
    ------
    AliError
        When a path does not exist, ``columns`` name what is not in it, the notebook cannot be written, or ``app`` is
        asked for and Voilà is missing.
    """
    if columns:  # a name that is not there is told here, and not by a cell of the notebook
        open_session(path, Columns(**columns))
    if app:
        for given in (path, *([] if images is None else [images])):
            if not Path(given).exists():
                raise AliError(f"there is no file or folder {given}")
        return open_app(path, images=images, columns=columns, folder=folder, browser=browser, port=port)
    notebook = write_studio_notebook(path, folder, images=images, columns=columns).absolute()
    command = lab_command(notebook, root=notebook.parent, browser=browser, port=port, arguments=arguments)
    with _quiet_configuration() as configuration:
        return run_server(command, lab_environment(None, configuration))


def notebook_file(working_folder: Path | None = None) -> Path:
    """Return the notebook to open.

    Parameters
    ----------
    working_folder
        Where an installed package puts its copy, in ``notebooks/``; by default the current folder. A copy that is
        there already is opened as it is, if nobody but this person can have written it; otherwise a fresh one is put
        beside it. In a clone of the repository the notebook is opened where it is.
    """
    source = _notebooks()
    if source.parent != Path(__file__).parent:
        return source / NOTEBOOK
    copy = (Path.cwd() if working_folder is None else working_folder) / "notebooks" / NOTEBOOK
    number = 1
    while os.path.lexists(copy) and not is_own(copy):
        number += 1
        copy = copy.with_name(NOTEBOOK.replace(".ipynb", f"-{number}.ipynb"))
    if not copy.exists():
        _copy(source / NOTEBOOK, copy)
        keep_own(copy)
    return copy


def copy_notebooks(folder: str | Path) -> list[Path]:
    """Copy all notebooks into ``folder`` and return where they are; one that is there already stays as it is.

    Raises
    ------
    AliError
        When the package lacks its notebooks.
    OSError
        When ``folder`` cannot be written.
    """
    copies = {source: Path(folder) / source.name for source in sorted(_notebooks().glob("*.ipynb"))}
    for source, copy in copies.items():
        if not copy.exists():
            _copy(source, copy)
    return list(copies.values())


def _notebooks() -> Path:
    """Return the folder of the notebooks: of the clone, or in the installed package."""
    package = Path(__file__).parent
    in_clone = (package.parent / "notebooks" / NOTEBOOK).exists() and (package.parent / "pyproject.toml").exists()
    found = (package.parent if in_clone else package) / "notebooks"
    if not (found / NOTEBOOK).exists():
        raise AliError(f"the notebook {found / NOTEBOOK} is missing; install the package again")
    return found


def _copy(source: Path, copy: Path) -> None:
    with atomic_path(copy) as temporary:
        shutil.copyfile(source, temporary)


def lab_command(
    notebook: Path,
    *,
    root: Path | None = None,
    browser: bool = True,
    port: int | None = None,
    arguments: Sequence[str] = (),
) -> list[str]:
    """Return the command that opens ``notebook`` in a JupyterLab that only this machine can reach, with a token.

    ``root`` is the folder that its file browser shows; by default the one above that of the notebook.
    """
    root = notebook.parent.parent if root is None else root
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.relative_to(root).as_posix())}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={root}",
        "--ServerApp.answer_yes=True",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # as in containers; only this machine can reach the server, with its token
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    return [*command, *arguments]


def lab_environment(
    path: str | Path | None, configuration: Path, columns: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return the environment of that command: what to load, and where the quiet configuration lies."""
    environment = dict(os.environ)
    environment.pop(PATH_VARIABLE, None)
    environment.pop(COLUMNS_VARIABLE, None)
    if columns:
        environment[COLUMNS_VARIABLE] = json.dumps(columns, default=str)
    if path is not None:
        environment[PATH_VARIABLE] = str(Path(path).absolute())
    known = environment.get("JUPYTER_CONFIG_PATH", "")
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [str(configuration), known]))
    return environment


@contextmanager
def _quiet_configuration() -> Iterator[Path]:
    with private_folder("ali-lab-") as folder:
        settings = folder / "labconfig"
        settings.mkdir()
        (settings / "default_setting_overrides.json").write_text(json.dumps(QUIET_SETTINGS), encoding="utf-8")
        server = {"ServerApp": {"tornado_settings": {"headers": {"Content-Security-Policy": ONLY_THIS_HOST}}}}
        (folder / "jupyter_server_config.json").write_text(json.dumps(server), encoding="utf-8")
        yield folder
