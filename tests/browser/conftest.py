"""A Chromium and a JupyterLab for the tests that need them."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.jupyter import JupyterLab, NotebookPage, find_chromium, open_browser, write_notebook


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("CHROMIUM MISSING: install Chromium or Chrome, or name it in ALI_CHROMIUM")
    with open_browser(executable) as browser:
        yield browser


@pytest.fixture
def app(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., NotebookPage]]:
    """Open a notebook, given by its code cells or its file, in a JupyterLab of its own, and run it."""
    opened: list[tuple[NotebookPage, JupyterLab]] = []

    def start(cells: list[str] | Path, path: Path | None = None) -> NotebookPage:
        folder = tmp_path / f"lab-{len(opened)}"
        notebook = folder / "work" / "notebooks" / "app.ipynb"
        if isinstance(cells, Path):
            notebook.parent.mkdir(parents=True)
            shutil.copyfile(cells, notebook)
        else:
            write_notebook(notebook, cells)
        lab = JupyterLab(folder, notebook, path=path)
        page = NotebookPage(chromium, lab)
        opened.append((page, lab))
        page.open()
        page.hide_sidebar()
        page.run_all()
        page.plot().wait_for(timeout=120_000, state="attached")
        page.plot().scroll_into_view_if_needed()
        page.page.locator(".ali-class").first.wait_for(timeout=30_000)
        return page

    yield start
    for page, lab in opened:
        if os.environ.get("ALI_KEEP_PICTURES"):
            page.picture(Path(os.environ["ALI_KEEP_PICTURES"]) / f"{lab.folder.parent.name}.png")
        page.close()
        lab.stop()
