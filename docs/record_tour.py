"""Record the tour through the app: real cells, real JupyterLab, headless Chromium, every stage checked and kept.

ALI_DATA=… uv run python docs/record_tour.py [FOLDER]

Writes into docs/tour/: a picture of each stage, tour.csv (what was done, what the kernel then said, seconds), and
tour.png, the animated picture of the README.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import pandas as pd
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.jupyter import JupyterLab, NotebookPage, find_chromium, open_browser, write_notebook

MAX_BYTES = 500_000
FRAME_WIDTH, FRAME_SECONDS = 1000, 1.6
OPEN = "from ali_viz import Studio\nstudio = Studio({path!r}, images={images!r})\nstudio"
TRAIN = """from ali_core import LabelledEmbedding
from ali_core.data import long_tail
from ali_core.training import TrainSettings, epochs
from ali_viz import Studio
found = LabelledEmbedding.load({path!r})
found = found.without_classes([name for name in found.class_names if name.endswith("_unspecified")])
data = long_tail(found, largest=300, smallest=24, seed=0)
settings = TrainSettings(method="ali", preset="c,s", class_weights=True, width=32, max_epochs=8, evaluate_every=1,
                         patience=0, groups="ignore", keep_checkpoints=True, device="cpu")
training = epochs(data, settings, out={out!r} + "/run")
control = epochs(data, settings.changed(control=True), out={out!r} + "/control")
studio = Studio(training, control=control, images={images!r})
studio"""


@dataclass
class Tour:
    """The page, and what has been recorded so far."""

    page: NotebookPage
    out: Path
    rows: list[dict[str, object]] = field(default_factory=list)
    frames: list[Path] = field(default_factory=list)

    def stage(self, name: str, what: str, do: Callable[[], object], asked: str, *, animated: bool = True) -> None:
        """Do something, keep a picture, and note what the kernel says of it."""
        begin = time.perf_counter()
        do()
        seconds = time.perf_counter() - begin
        path = keep(self.page, self.out / f"{name}.png")
        said = self.page.ask(asked)
        self.rows.append({"stage": name, "done": what, "asked": asked, "answer": said, "seconds": round(seconds, 2)})
        if animated:
            self.frames.append(path)
        print(f"{name}: {asked} = {said} ({seconds:.1f} s)", flush=True)


def main() -> None:
    """Record all stages."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "tour")
    out.mkdir(parents=True, exist_ok=True)
    data, executable = os.environ.get("ALI_DATA"), find_chromium()
    if not data or executable is None:
        sys.exit("set ALI_DATA to the folder with pbc_dev/ and pbc_dev_features/, and install Chromium or Chrome")
    path = str(Path(data) / "pbc_dev_features" / "densenet121_160px.npz")
    images = str(Path(data) / "pbc_dev" / "labels.csv")
    rows, frames = [], []
    with open_browser(executable) as browser:
        for theme, cell, walk in (
            ("Light", OPEN.format(path=path, images=images), walk_light),
            ("Light", None, walk_training),
            ("Dark", OPEN.format(path=path, images=images), walk_dark),
        ):
            with tempfile.TemporaryDirectory() as folder:
                code = cell or TRAIN.format(path=path, images=images, out=folder)
                with opened(browser, Path(folder), code, theme) as page:
                    tour = Tour(page, out)
                    walk(tour)
                    problems = [*page.strangers, *page.errors]
                    if problems:
                        sys.exit(f"requests to other hosts or errors in the page: {problems}")
                rows += tour.rows
                frames += tour.frames
    pd.DataFrame(rows).to_csv(out / "tour.csv", index=False)
    animate(frames, out / "tour.png")


@contextmanager
def opened(browser: Browser, folder: Path, code: str, theme: str) -> Iterator[NotebookPage]:
    """Open a notebook with one cell in a JupyterLab of its own and wait for the app."""
    notebook = write_notebook(folder / "work" / "notebooks" / "app.ipynb", [code])
    lab = JupyterLab(folder, notebook, theme=f"JupyterLab {theme}")
    page = NotebookPage(browser, lab)
    try:
        page.open()
        page.hide_sidebar()
        page.run_all()
        page.plot().wait_for(timeout=120_000)
        page.page.locator(".js-plotly-plot .legend .traces").first.wait_for(timeout=60_000)
        page.button("Step").scroll_into_view_if_needed()
        yield page
    finally:
        page.close()
        lab.stop()


def keep(page: NotebookPage, path: Path) -> Path:
    """Keep a picture as a palette PNG that a repository can carry."""
    page.page.mouse.move(2, 2)
    page.picture(path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        sys.exit(f"{path} has {path.stat().st_size} bytes, more than {MAX_BYTES}")
    return path


def animate(frames: list[Path], path: Path) -> None:
    """Write the pictures as one animated PNG, scaled down, in colours that they share."""
    pictures = []
    for frame in frames:
        with Image.open(frame) as picture:
            height = round(picture.height * FRAME_WIDTH / picture.width)
            pictures.append(picture.convert("RGB").resize((FRAME_WIDTH, height), Image.Resampling.LANCZOS))
    palette = pictures[len(pictures) // 2].quantize(128, method=Image.Quantize.MEDIANCUT)
    small = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    duration = round(1000 * FRAME_SECONDS)
    small[0].save(path, save_all=True, append_images=small[1:], duration=duration, loop=0, optimize=True)
    print(f"{path}: {len(small)} frames, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
