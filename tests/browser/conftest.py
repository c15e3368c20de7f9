"""A Chromium and a JupyterLab for the tests that need them."""

import os
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
    """Open a notebook of code cells in a JupyterLab of its own and run it: ``app(["cell", …])``."""
    opened: list[tuple[NotebookPage, JupyterLab]] = []

    def start(cells: list[str], **options: object) -> NotebookPage:
        folder = tmp_path / f"lab-{len(opened)}"
        folder.mkdir()
        notebook = write_notebook(folder / "work" / "notebooks" / "app.ipynb", cells)
        lab = JupyterLab(folder, notebook)
        page = NotebookPage(chromium, lab, **options)  # type: ignore[arg-type]
        opened.append((page, lab))
        page.open()
        page.hide_sidebar()
        page.run_all()
        page.plot().wait_for(timeout=60_000)
        page.page.locator(".js-plotly-plot .legend .traces").first.wait_for(timeout=30_000)
        return page

    yield start
    for page, lab in opened:
        if os.environ.get("ALI_KEEP_PICTURES"):
            page.picture(Path(os.environ["ALI_KEEP_PICTURES"]) / f"{lab.folder.parent.name}.png")
        page.close()
        lab.stop()
