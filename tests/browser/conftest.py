"""A JupyterLab for the tests that need one."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.jupyter import JupyterLab, NotebookPage, write_notebook


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """The JupyterLab of this process, which takes seconds to start."""
    folder = tmp_path_factory.mktemp("lab")
    lab = JupyterLab(folder, write_notebook(folder / "work" / "notebooks" / "empty.ipynb", []))
    yield lab
    lab.stop()


@pytest.fixture
def app(chromium: Browser, shared_lab: JupyterLab, tmp_path: Path) -> Iterator[Callable[..., NotebookPage]]:
    """Open a notebook, given by its code cells or its file, and run it in the kernel that these tests share.

    With ``path``, which ``ali lab`` passes on in the environment, it has a JupyterLab and a kernel of its own.
    """
    opened: list[NotebookPage] = []
    own: list[JupyterLab] = []

    def start(cells: list[str] | Path, path: Path | None = None, notebook_7: bool = False) -> NotebookPage:
        work = shared_lab.folder if path is None else tmp_path / f"lab-{len(own)}"
        notebook = work / "work" / "notebooks" / f"{tmp_path.name}-{len(opened)}.ipynb"
        if isinstance(cells, Path):
            notebook.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(cells, notebook)
        else:
            write_notebook(notebook, cells)
        if path is None:
            lab = shared_lab.shared(notebook)
        else:
            lab = JupyterLab(work, notebook, path=path)
            own.append(lab)
        page = NotebookPage(chromium, lab)
        opened.append(page)
        if notebook_7:
            page.open_in_notebook_7()
        else:
            page.open()
            page.hide_sidebar()
        page.run_all()
        page.plot().wait_for(timeout=120_000, state="attached")
        page.plot().scroll_into_view_if_needed()
        page.page.locator(".ali-class").first.wait_for(timeout=30_000)
        return page

    yield start
    for page in opened:
        if os.environ.get("ALI_KEEP_PICTURES"):
            page.picture(Path(os.environ["ALI_KEEP_PICTURES"]) / f"{page.lab.notebook.stem}.png")
        page.ask("[one.close() for one in __import__('gc').get_objects() if type(one).__name__ == 'Studio']")
        page.close()
    for lab in own:
        lab.stop()
