"""From a click to the picture: the Studio in JupyterLab in a headless Chromium.

    uv run python -m benchmarks.studio_latency [--sizes 5000 20000 100000] [--clicks 30] [--out FOLDER]

Every embedding has 15 long-tailed classes in 256 dimensions. A click is timed in the browser, from its event to the
second frame after the picture has drawn the scene, without a glide (reduced motion); the same click is timed in the
kernel, from the callback to the last message queued. Chromium draws in software, slower than any graphics card.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from ali_core import LabelledEmbedding
from benchmarks.planning import long_tailed
from tests.browser.jupyter import JupyterLab, NotebookPage, find_chromium, open_browser, write_notebook

SIZES = (5_000, 20_000, 100_000)
LIMITS = (None, 5_000)  # max_points: the default, and few
SETTLED = 400  # ms without another plot

PREPARE = """import time
import ipywidgets
from ali_viz import Studio
import ali_viz.export, ali_viz.studio
seconds = []
plain = ipywidgets.Button.click
def click(self):
    start = time.perf_counter()
    plain(self)
    seconds.append(time.perf_counter() - start)
ipywidgets.Button.click = click"""
CALL = """called = time.time()
studio = Studio({path!r}{limit})
made = time.time()
studio"""
FIRST = """new Promise(resolve => {
  const look = () => {
    if (Number(document.querySelector('.ali-picture')?.dataset.drawn)) resolve(Date.now());
    else setTimeout(() => requestAnimationFrame(look), 20);
  };
  look();
})"""
WATCH = """() => {
  const picture = document.querySelector('.ali-picture'), seen = window.seen = {start: 0, plots: [], told: []};
  const began = event => Object.assign(seen, {start: event.timeStamp, plots: [], told: []});
  document.addEventListener('click', event => event.target.closest('button') && began(event), true);
  document.addEventListener('pointerup', event => event.target.closest('button') || began(event), true);
  const shown = list => requestAnimationFrame(() => requestAnimationFrame(() => list.push(performance.now())));
  new MutationObserver(() => shown(seen.plots)).observe(picture, {attributes: true, attributeFilter: ['data-version']});
  for (const line of document.querySelectorAll('.ali-studio [role=status]'))
    new MutationObserver(() => shown(seen.told)).observe(line.closest('.jupyter-widgets') ?? line,
      {childList: true, subtree: true, characterData: true});
  const gl = document.createElement('canvas').getContext('webgl2');
  return gl.getParameter(gl.getExtension('WEBGL_debug_renderer_info').UNMASKED_RENDERER_WEBGL);
}"""
DONE = f"what => seen[what].length > 0 && performance.now() - seen[what].at(-1) > {SETTLED}"


def main():
    options = arguments()
    executable = find_chromium()
    if executable is None:
        sys.exit("install Chromium or Chrome, or name it in ALI_CHROMIUM")
    rows = []
    with open_browser(executable) as browser:
        for size in options.sizes:
            for limit in LIMITS:
                if limit is None or size >= limit:
                    rows.append(measured(browser, size, limit, options.clicks))
                    print(rows[-1], file=sys.stderr, flush=True)
        told = circumstances(browser, rows[0].pop("renderer"))
    table = pd.DataFrame(rows).drop(columns="renderer", errors="ignore")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        table.assign(commit=commit()).to_csv(options.out / "studio_latency.csv", index=False, float_format="%.4g")
    print(f"{told}\n\n{markdown(table)}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--clicks", type=int, default=30)
    parser.add_argument("--out", type=Path, help="folder for the table as CSV")
    return parser.parse_args()


def measured(browser, size, limit, clicks):
    """Return one row of the table: one embedding, one limit on the points drawn."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_embedding(Path(folder) / "cells.npz", size)
        with opened(browser, Path(folder), path, limit) as page:
            row = {"N": size, "max_points": limit or 200_000, "first picture (s)": first_picture(page)}
            row["of it Studio() (s)"] = page.ask("made - called")
            renderer = page.page.evaluate(WATCH)
            times = [step(page) for _ in range(clicks)]
            kernel = 1000 * np.array(page.ask("seconds"))[-clicks:]
            row |= quantiles("click to picture", [settled for _, settled in times])
            row |= quantiles("kernel", kernel)
            row |= {"first plot p50 (ms)": float(np.median([first for first, _ in times]))}
            row |= {"lasso to told (ms)": lasso(page), "points drawn": points(page), "renderer": renderer}
            assert (page.strangers, page.errors) == ([], []), (page.strangers, page.errors)
            return row


def write_embedding(path, size):
    vectors, labels = long_tailed(size)
    return LabelledEmbedding(vectors.astype(np.float32), [f"class {code:02d}" for code in labels]).save(path)


@contextmanager
def opened(browser, folder, path, limit):
    """Open a notebook that has imported everything and is about to call Studio."""
    call = CALL.format(path=str(path), limit="" if limit is None else f", max_points={limit}")
    notebook = write_notebook(folder / "work" / "notebooks" / "app.ipynb", [PREPARE, call])
    lab = JupyterLab(folder, notebook)
    page = NotebookPage(browser, lab)
    try:
        page.page.emulate_media(reduced_motion="reduce")
        page.open()
        page.hide_sidebar()
        page.run_all()
        yield page
    finally:
        page.close()
        lab.stop()


def first_picture(page):
    """Return the seconds from the call to the first painted pixel; clocks of kernel and browser are the same."""
    painted = page.page.evaluate(FIRST)
    page.plot().scroll_into_view_if_needed()
    page.page.wait_for_timeout(2000)
    return painted / 1000 - page.ask("called")


def step(page):
    """Click Step and return the ms to the first and to the last plot."""
    page.button("Step").click()
    page.page.wait_for_function(DONE, arg="plots", timeout=60_000)
    start, plots = page.page.evaluate("[seen.start, seen.plots]")
    return plots[0] - start, plots[-1] - start


def lasso(page):
    """Draw a lasso around everything and return the ms until the app says what is selected."""
    plot = page.pane(0).bounding_box()
    page.drag_around({"x": plot["x"] + 4, "y": plot["y"] + 4, "width": plot["width"] - 8, "height": plot["height"] - 8})
    page.page.wait_for_function(DONE, arg="told", timeout=120_000)
    return page.page.evaluate("seen.told[0] - seen.start")


def points(page):
    """Return how many points the browser holds."""
    return page.page.evaluate(
        "Number(document.querySelector('.ali-picture').dataset.drawn) * "
        "document.querySelectorAll('.ali-picture [data-pane]').length"
    )


def quantiles(name, milliseconds):
    return {f"{name} p{q} (ms)": float(np.quantile(milliseconds, q / 100)) for q in (50, 95)}


def circumstances(browser, renderer):
    """Say where and with what this was measured."""
    names = ("ipywidgets", "anywidget", "jupyterlab", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"{datetime.now(UTC):%d %B %Y}, commit {commit()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Chromium {browser.version}, {renderer}, {versions}"
    )


def commit():
    """Return the short commit, marked when files differ from it."""
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def markdown(table):
    """Return the table as Markdown."""

    def cell(value):
        if isinstance(value, str):
            return value
        return f"{value:,.0f}" if isinstance(value, int) or value >= 100 else f"{value:.3g}"

    lines = [
        table.columns.tolist(),
        ["---"] * len(table.columns),
        *(map(cell, row) for row in table.itertuples(index=False)),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
