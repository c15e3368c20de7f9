"""Record the tour through the app: real cells, real JupyterLab, headless Chromium, every stage checked and kept.

ALI_DATA=… uv run python docs/record_tour.py [FOLDER]

Writes into docs/tour/: a picture of each stage, tour.csv (what was done, what the kernel then said, seconds), and
tour.png, the animated picture of the README.
"""

import os
import shutil
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
from playwright.sync_api import Browser, expect

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
    cells = Path(tempfile.gettempdir()) / "ali-data" / "blood-cells.npz"  # a path that may stand in a picture
    cells.parent.mkdir(exist_ok=True)
    shutil.copyfile(Path(data) / "pbc_dev_features" / "densenet121_160px.npz", cells)
    path = str(cells)
    images = str(Path(data) / "pbc_dev" / "labels.csv")
    rows, frames = [], []
    with open_browser(executable) as browser:
        for theme, cell, walk in (
            ("Light", OPEN.format(path=path, images=images), walk_light),
            ("Light", None, walk_training),
            ("Dark", OPEN.format(path=path, images=images), walk_dark),
            ("Light", OPEN.format(path=path, images=images), walk_small),
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


def walk_light(tour: Tour) -> None:
    """Look, let Ω work, work by hand, understand, go back, export."""
    page, cursor = tour.page, "studio.session.cursor"
    tour.stage("01-start", "opened the app", lambda: None, cursor)
    tour.stage("02-step", "clicked Step", lambda: (page.button("Step").click(), page.wait_for(cursor, 1)), cursor)
    tour.stage("03-run", "clicked Run 25", lambda: (page.button("Run 25").click(), page.wait_for(cursor, 26)), cursor)
    tour.stage("04-t-sne", "chose t-SNE", lambda: view(page, "t-SNE"), "studio.view")
    tour.stage("05-supervised", "chose supervised t-SNE", lambda: view(page, "Supervised t-SNE"), "studio.view")
    tour.stage(
        "06-shuffled", "shuffled the labels", lambda: view(page, "shuffled labels"), "studio.view", animated=False
    )
    tour.stage("07-lasso", "Manual, PCA, a lasso", lambda: lasso(page), "studio.selected")
    tour.stage("08-by-hand", "clicked Apply", lambda: apply(page, 27), "studio.session.steps[-1].source")
    tour.stage("09-drag", "dragged the ring of a class", lambda: drag(page), "studio.mode")
    tour.stage(
        "10-dragged", "clicked Apply", lambda: apply(page, 28), "studio.session.steps[-1].displacement is not None"
    )
    tour.stage("11-effect", "tab Effect, Score this state", lambda: score(page), "studio.score().n_steps")
    tour.stage(
        "12-confusion", "tab Confusion", lambda: tab(page, "Confusion"), "round(studio.score().transfer.macro_f1, 4)"
    )
    tour.stage("13-cells", "tab Cells", lambda: tab(page, "Cells"), "len(studio.selected_ids)")
    tour.stage("14-branch", "Undo, Undo, Automatic, Step", lambda: branch(page), "studio.session.branches")
    tour.stage("15-code", "tab Code", lambda: tab(page, "Code"), "len(studio.as_code())", animated=False)
    tour.stage(
        "16-export",
        "clicked Export",
        lambda: export(page, tour.out),
        "len(list(__import__('pathlib').Path(__import__('tempfile').gettempdir(), 'ali-tour').iterdir()))",
    )
    difference = (
        "(lambda s, np, S: float(np.abs(S.load(__import__('tempfile').gettempdir() + '/ali-tour/session.json', "
        "s.session.embedding).after.vectors - s.session.after.vectors).max()))"
        "(studio, __import__('numpy'), type(studio.session))"
    )
    tour.stage("17-replayed", "replayed the saved session", lambda: None, difference, animated=False)


def walk_training(tour: Tour) -> None:
    """Train three epochs, step in, go on, go back."""
    page, epoch = tour.page, "studio.training.state.epoch"
    rested = "[studio.training.running, studio.training.state.epoch]"
    tour.stage("20-training", "opened a training", lambda: None, epoch)
    tour.stage(
        "21-epoch",
        "clicked Train 1 epoch",
        lambda: (page.button("Train 1 epoch").click(), page.wait_for(rested, [False, 1], 90)),
        epoch,
    )
    tour.stage(
        "22-own-steps", "Reset, then two Steps of the next epoch", lambda: own_steps(page), "studio.session.cursor"
    )
    tour.stage(
        "23-followed",
        "clicked Train 1 epoch",
        lambda: (page.button("Train 1 epoch").click(), page.wait_for(rested, [False, 2], 90)),
        "studio.training.history.rows[-1]['n_steps']",
    )


def walk_small(tour: Tour) -> None:
    """The same in a small window."""
    page, cursor = tour.page, "studio.session.cursor"
    page.page.set_viewport_size({"width": 1000, "height": 700})
    page.button("Run 25").click()
    tour.stage("40-small", "1000 × 700, clicked Run 25", lambda: page.wait_for(cursor, 25), cursor, animated=False)
    tour.stage("41-small-manual", "Manual, a lasso", lambda: lasso(page), "studio.selected", animated=False)
    tour.stage("42-small-effect", "tab Effect", lambda: tab(page, "Effect"), cursor, animated=False)


def walk_dark(tour: Tour) -> None:
    """The same in the dark theme."""
    page, cursor = tour.page, "studio.session.cursor"
    page.button("Run 25").click()
    tour.stage("30-dark", "clicked Run 25", lambda: page.wait_for(cursor, 25), cursor)
    tour.stage("31-dark-manual", "Manual, a lasso", lambda: lasso(page), "studio.selected")


def view(page: NotebookPage, name: str) -> None:
    page.button(name).click()
    page.wait_for("studio.wait(0.1)", True, 120)


def lasso(page: NotebookPage) -> None:
    page.button("Manual").click()
    page.button("PCA").click()
    page.wait_for("studio.view", "pca")
    page.page.wait_for_timeout(1500)
    box = page.pane(1).bounding_box()
    assert box is not None
    width, height = box["width"], box["height"]
    page.drag_around({"x": box["x"] + 0.5 * width, "y": box["y"] + 6, "width": 0.48 * width, "height": 0.5 * height})
    page.page.get_by_role("status").filter(has_text="Lasso of").wait_for(timeout=30_000)


def apply(page: NotebookPage, cursor: int) -> None:
    page.button("Apply to selected classes").click()
    page.wait_for("studio.session.cursor", cursor)


def drag(page: NotebookPage) -> None:
    ring = page.page.locator(".ali-picture [data-ring]").last.bounding_box()
    assert ring is not None
    x, y = ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x - 60, y + 70, steps=12)
    page.page.mouse.up()
    expect(page.button("Undrag")).to_be_enabled(timeout=30_000)


def tab(page: NotebookPage, name: str) -> None:
    page.page.get_by_role("tab", name=name, exact=True).last.click()
    page.page.wait_for_timeout(700)


def score(page: NotebookPage) -> None:
    tab(page, "Effect")
    page.button("Score this state").click()
    page.page.get_by_role("status").filter(has_text="Scored: ").wait_for(timeout=120_000)


def branch(page: NotebookPage) -> None:
    page.button("Undo").click()
    page.button("Undo").click()
    page.wait_for("studio.session.cursor", 26)
    page.button("Automatic").click()
    page.button("Step").click()
    page.wait_for("studio.session.cursor", 27)


def export(page: NotebookPage, out: Path) -> None:
    folder = Path(tempfile.gettempdir()) / "ali-tour"
    page.button("Files ▾").click()
    page.page.get_by_label("folder", exact=True).fill(str(folder))
    page.page.keyboard.press("Tab")
    page.button("Export").click()
    page.page.get_by_role("status").filter(has_text="Wrote ").wait_for(timeout=120_000)
    with Image.open(folder / "screen.png") as picture:
        picture.convert("RGB").resize((picture.width // 2, picture.height // 2)).quantize(128).save(
            out / "16-screen.png"
        )


def own_steps(page: NotebookPage) -> None:
    page.button("Reset").click()
    page.wait_for("studio.session.cursor", 0)
    for cursor in (1, 2):
        page.button("Step").click()
        page.wait_for("studio.session.cursor", cursor)


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
        page.page.locator(".ali-class").first.wait_for(timeout=60_000)
        page.button("Step").scroll_into_view_if_needed()
        yield page
    finally:
        page.close()
        lab.stop()


def keep(page: NotebookPage, path: Path) -> Path:
    """Keep a picture, the app at its top, as a palette PNG that a repository can carry."""
    page.page.locator(".ali-studio").last.evaluate("app => app.scrollIntoView({block: 'start'})")
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
