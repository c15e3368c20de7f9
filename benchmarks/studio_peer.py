"""The Studio and jupyter-scatter, side by side: from a click to the last frame that changed.

    uv run --with jupyter-scatter==1.0.1 python -m benchmarks.studio_peer [--sizes 5000 20000] [--clicks 20]

In both, a button moves one of 15 classes in the right one of two pictures, not animated. jupyter-scatter is given
positions; the Studio also plans the intervention, moves the embedding, scores all classes, and shows the next step.
"""

import argparse
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.studio_latency import CALL, circumstances, markdown, quantiles, write_embedding
from tests.browser.jupyter import JupyterLab, NotebookPage, find_chromium, open_browser, write_notebook

SETTLED = 800  # ms without a change in the pictures
STUDIO = "import time\nfrom ali_viz import Studio"
SCATTER = """import jscatter, ipywidgets, numpy as np, pandas as pd
from ali_core import LabelledEmbedding
embedding = LabelledEmbedding.load({path!r})
places = np.asarray(embedding.vectors)[:, :2].copy()
labels = np.asarray(embedding.labels)
def frame():
    return pd.DataFrame({{"x": places[:, 0], "y": places[:, 1], "label": pd.Categorical(labels.astype(str))}})
left, right = (jscatter.Scatter(data=frame(), x="x", y="y", color_by="label", width=420, height=400) for _ in "12")
button = ipywidgets.Button(description="Step")
clicks = 0
def move(_):
    global clicks
    mine = labels == clicks % embedding.n_classes
    places[mine] += 0.5 * (places[mine].mean(axis=0) - places[mine]) + 0.3
    right.data(frame())
    clicks += 1
button.on_click(move)
ipywidgets.VBox([button, ipywidgets.HBox([left.show(), right.show()])])"""
WATCH = """() => {
  const seen = window.seen = {start: 0, changes: []}, small = document.createElement('canvas');
  [small.width, small.height] = [96, 48];
  const pen = small.getContext('2d', {willReadFrequently: true});
  let last = '';
  document.addEventListener('click', event => event.target.closest('button') &&
    Object.assign(seen, {start: event.timeStamp, changes: []}), true);
  const look = now => {
    let sums = '';
    for (const canvas of document.querySelectorAll('.jp-OutputArea canvas')) {
      if (!canvas.width) continue;
      pen.clearRect(0, 0, small.width, small.height);
      pen.drawImage(canvas, 0, 0, small.width, small.height);
      sums += pen.getImageData(0, 0, small.width, small.height).data.reduce((a, b) => (31 * a + b) | 0, 0) + ' ';
    }
    if (sums !== last) seen.changes.push(performance.now());
    last = sums;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
DONE = f"() => seen.changes.length > 0 && performance.now() - seen.changes.at(-1) > {SETTLED}"


def main():
    options = arguments()
    executable = find_chromium()
    if executable is None:
        sys.exit("install Chromium or Chrome, or name it in ALI_CHROMIUM")
    # The labextensions lie where the project's own environment is, also when uv has put another one on top of it.
    os.environ["JUPYTER_PATH"] = str(Path(np.__file__).parents[4] / "share" / "jupyter")
    rows = []
    with open_browser(executable) as browser:
        for size in options.sizes:
            for tool in ("Studio", "jupyter-scatter"):
                rows.append(measured(browser, tool, size, options.clicks))
                print(rows[-1], file=sys.stderr, flush=True)
        print(f"{circumstances(browser, 'software rendering')}\n\n{markdown(pd.DataFrame(rows))}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=(5_000, 20_000))
    parser.add_argument("--clicks", type=int, default=20)
    return parser.parse_args()


def measured(browser, tool, size, clicks):
    """Return one row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_embedding(Path(folder) / "cells.npz", size)
        studio = [STUDIO, CALL.format(path=str(path), limit=f", max_points={size}, view='dims'")]
        cells = studio if tool == "Studio" else [SCATTER.format(path=str(path))]
        with opened(browser, Path(folder), cells) as page:
            page.page.locator(".jp-OutputArea canvas").first.wait_for(timeout=120_000)
            page.page.wait_for_timeout(4000)
            page.page.evaluate(WATCH)
            times = [click(page) for _ in range(clicks)]
    row = {"points a side": size, "tool": tool}
    return row | quantiles("first change", [a for a, _ in times]) | quantiles("last change", [b for _, b in times])


@contextmanager
def opened(browser, folder, cells):
    notebook = write_notebook(folder / "work" / "notebooks" / "app.ipynb", cells)
    lab = JupyterLab(folder, notebook)
    page = NotebookPage(browser, lab)
    try:
        page.open()
        page.hide_sidebar()
        page.run_all()
        yield page
    finally:
        page.close()
        lab.stop()


def click(page):
    """Click Step and return the ms to the first and to the last change of a picture."""
    page.page.wait_for_timeout(300)
    page.button("Step").click()
    page.page.wait_for_function(DONE, timeout=60_000)
    start, changes = page.page.evaluate("[seen.start, seen.changes]")
    return changes[0] - start, changes[-1] - start


if __name__ == "__main__":
    main()
