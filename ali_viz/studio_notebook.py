"""The notebook that ``ali studio`` opens: one sentence and one cell with the app."""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ali_core.errors import AliError
from ali_core.files import write_text

__all__ = ["LAB_ONLY", "is_own", "keep_own", "studio_notebook", "write_studio_notebook"]

LAB_ONLY = "lab-only"
"""Tag of cells that speak of JupyterLab's menus; Voilà does not show them."""

OWNER = "ali"
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH if os.name == "posix" else 0
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
TEXT = """# Studio on {name}

**Run ▸ Run All Cells** opens the app below. Everything a click does is a method of `studio` as well, in cells of your \
own: `studio.session` holds the steps."""
FOLDER = """import os

os.chdir({folder})

"""
CODE = """from ali_viz import Studio

studio = Studio({arguments})
studio"""


def studio_notebook(
    path: str | Path,
    images: str | Path | None = None,
    columns: Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
) -> dict[str, Any]:
    """Return a notebook (nbformat 4.5) whose code cell is a Studio on ``path``.

    Parameters
    ----------
    path
        Embedding file, session file or folder. It is written absolute, so that the notebook opens from anywhere.
    images
        Folder with the images of the samples; None for none.
    columns
        What is what in the file, as keywords of :class:`~ali_viz.Studio`.
    folder
        Where the notebook works; None for the folder in which it lies.

    Notes
    -----
    The metadata name what the notebook was written for, so that it is recognised later.
    """
    sources = _sources(path, images, columns)
    arguments = [_quoted(sources["path"])] + [
        f"images={_quoted(sources['images'])}" for _ in range("images" in sources)
    ]
    arguments += [f"{name}={value!r}" for name, value in sources.get("columns", {}).items()]
    start = "" if folder is None else FOLDER.format(folder=_quoted(str(Path(folder).absolute())))
    code: dict[str, Any] = {"cell_type": "code", "id": "studio", "metadata": {}, "execution_count": None, "outputs": []}
    text = {"cell_type": "markdown", "id": "about", "metadata": {"tags": [LAB_ONLY]}}
    return {
        "cells": [
            text | {"source": TEXT.format(name=f"`{Path(path).name}`")},
            code | {"source": start + CODE.format(arguments=", ".join(arguments))},
        ],
        "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}, OWNER: sources},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def write_studio_notebook(
    path: str | Path,
    folder: str | Path | None = None,
    *,
    images: str | Path | None = None,
    columns: Mapping[str, Any] | None = None,
) -> Path:
    """Write that notebook into ``folder``, unless it is there already, and return the file.

    Parameters
    ----------
    path, images, columns
        See :func:`studio_notebook`.
    folder
        By default the current one.

    Returns
    -------
    pathlib.Path
        ``studio-NAME.ipynb`` with the name of ``path``. A notebook that was written for the same ``path`` and
        ``images``, and that nobody but this person can have changed, is kept as it is, with whatever was added to it;
        any other file of that name is left alone, and the notebook is called ``studio-NAME-2.ipynb``, and so on.

    Raises
    ------
    AliError
        When ``path`` or ``images`` does not exist, or the folder cannot be written to.
    """
    for given in (path, *([] if images is None else [images])):
        if not Path(given).exists():
            raise AliError(f"there is no file or folder {given}")
    where = Path.cwd() if folder is None else Path(folder)
    file, number = where / f"studio-{_name(path)}.ipynb", 1
    sources = _sources(path, images, columns)
    while os.path.lexists(file) and not (is_own(file) and _written_for(file) == sources):
        number += 1
        file = where / f"studio-{_name(path)}-{number}.ipynb"
    if not file.exists():
        try:
            write_text(json.dumps(studio_notebook(path, images, columns), indent=1, ensure_ascii=False), file)
        except OSError as error:
            raise AliError(f"cannot write {file} ({error.strerror}); go to a folder of your own") from None
        keep_own(file)
    return file


def is_own(file: Path) -> bool:
    """Whether ``file`` is a regular file, no link, of this person, that nobody else can write to."""
    about = file.lstat()
    own = about.st_uid == os.getuid() if hasattr(os, "getuid") else True
    return stat.S_ISREG(about.st_mode) and own and not about.st_mode & OTHERS_WRITE


def keep_own(file: Path) -> None:
    """Let nobody but this person write to ``file``."""
    file.chmod(stat.S_IMODE(file.stat().st_mode) & ~OTHERS_WRITE)


def _sources(path: str | Path, images: str | Path | None, columns: Mapping[str, Any] | None) -> dict[str, Any]:
    named = {"path": path} | ({} if images is None else {"images": images})
    found: dict[str, Any] = {name: str(Path(value).absolute()) for name, value in named.items()}
    return found | ({"columns": json.loads(json.dumps(columns, default=str))} if columns else {})


def _written_for(file: Path) -> object:
    """Return what the notebook in ``file`` was written for; None when it is not one of ours."""
    try:
        return json.loads(file.read_text("utf-8"))["metadata"].get(OWNER)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _name(path: str | Path) -> str:
    absolute = Path(path).absolute()
    return absolute.name if absolute.is_dir() else absolute.stem


def _quoted(text: str) -> str:
    """Return ``text`` as a Python string in double quotes."""
    return json.dumps(text, ensure_ascii=False)
