"""Take the pictures of the app in docs/screenshots/: real cells, real JupyterLab, headless Chromium.

ALI_DATA=… uv run python docs/take_screenshots.py [FOLDER]
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from playwright.sync_api import Browser

from tests.browser.jupyter import JupyterLab, NotebookPage, find_chromium, open_browser, write_notebook

MAX_BYTES = 400_000
CELL = "from ali_viz import Studio\nstudio = Studio({path!r})\nstudio"


def main() -> None:
    """Take all pictures."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "screenshots")
    data = os.environ.get("ALI_DATA")
    executable = find_chromium()
    if not data or executable is None:
        sys.exit("set ALI_DATA to the folder with pbc_dev_features/, and install Chromium or Chrome")
    path = Path(data) / "pbc_dev_features" / "densenet121_160px.npz"
    with open_browser(executable) as browser:
        for theme in ("Light", "Dark"):
            with tempfile.TemporaryDirectory() as folder:
                _stages(browser, Path(folder), path, out, theme)
    for picture in sorted(out.glob("*.png")):
        print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB")


def _stages(browser: Browser, folder: Path, path: Path, out: Path, theme: str) -> None:
    notebook = write_notebook(folder / "work" / "notebooks" / "app.ipynb", [CELL.format(path=str(path))])
    lab = JupyterLab(folder, notebook, theme=f"JupyterLab {theme}")
    page = NotebookPage(browser, lab)
    try:
        page.open()
        page.hide_sidebar()
        page.run_all()
        page.plot().wait_for(timeout=90_000)
        page.page.locator(".js-plotly-plot .legend .traces").first.wait_for(timeout=30_000)
        page.button("Step").scroll_into_view_if_needed()
        (_light if theme == "Light" else _dark)(page, out)
    finally:
        page.close()
        lab.stop()


def _light(page: NotebookPage, out: Path) -> None:
    keep(page, out / "1-start.png")
    page.button("Run 25").click()
    page.wait_for("studio.session.cursor", 25)
    keep(page, out / "2-after-25-steps.png")
    page.button("t-SNE").click()
    wait_for_layout(page)
    keep(page, out / "3-t-sne.png")
    page.button("Manual").click()
    right = page.page.locator(".js-plotly-plot .nsewdrag").nth(1).bounding_box()
    assert right is not None
    page.drag_around(
        {
            "x": right["x"] + 6,
            "y": right["y"] + 6,
            "width": right["width"] * 0.45,
            "height": right["height"] * 0.45,
        }
    )
    page.page.get_by_role("status").filter(has_text="selected by a lasso").wait_for(timeout=30_000)
    keep(page, out / "4-lasso.png")
    page.button("previous step").click()
    page.button("Apply to selected classes").click()
    page.wait_for("studio.session.cursor", 26)
    wait_for_layout(page)
    keep(page, out / "5-manual-step.png")


def _dark(page: NotebookPage, out: Path) -> None:
    page.button("Run 25").click()
    page.wait_for("studio.session.cursor", 25)
    page.button("Supervised t-SNE").click()
    wait_for_layout(page)
    keep(page, out / "6-dark-supervised-t-sne.png")


def wait_for_layout(page: NotebookPage) -> None:
    """Wait until the status line says what the layout took."""
    page.page.get_by_role("status").filter(has_text=" took ").wait_for(timeout=120_000)


def keep(page: NotebookPage, path: Path) -> None:
    """Keep a picture as a palette PNG that a repository can carry."""
    page.page.mouse.move(2, 2)
    page.picture(path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(
            256, method=Image.Quantize.MEDIANCUT, kmeans=8, dither=Image.Dither.NONE
        )
        small.save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        sys.exit(f"{path} has {path.stat().st_size} bytes, more than {MAX_BYTES}")


if __name__ == "__main__":
    main()
