"""The Studio and jupyter-scatter, side by side: from a click to the last frame that changed, and what that takes.

    uv run --with jupyter-scatter==1.0.1 python -m benchmarks.studio_peer [--sizes 5000 20000 100000] [--clicks 30]
    uv run python -m benchmarks.studio_peer --million

In both, a button moves one of 15 classes in the right one of two pictures, not animated. jupyter-scatter is given
positions; the Studio also plans the intervention, scores all classes, and shows the next step. Both stand open at the
same time and are clicked in turn. ``--million`` tells what the Studio can still do with 1,000,000 points a side.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ali_core import LabelledEmbedding
from benchmarks.planning import long_tailed
from benchmarks.studio_latency import circumstances, markdown, quantiles, write_embedding
from tests.browser.jupyter import JupyterLab, NotebookPage, find_chromium, open_browser, write_notebook

SETTLED = 600  # ms without a change in the pictures
MILLION, MILLION_DIM = 1_000_000, 32
LASSOS = 8
VIEWS = ("pca", "dims")

STUDIO = """import time, ipywidgets
from ali_viz import Studio
seconds = []
plain = ipywidgets.Button.click
def click(self):
    start = time.process_time()
    plain(self)
    seconds.append(time.process_time() - start)
ipywidgets.Button.click = click
studio = Studio({path!r}, view={view!r}, max_points={size})
studio"""
SCATTER = """import time, jscatter, ipywidgets, numpy as np, pandas as pd
from ali_core import LabelledEmbedding
from ali_core.projection import layout
embedding = LabelledEmbedding.load({path!r})
places = layout(embedding.vectors, {view!r}).positions.copy()
labels = np.asarray(embedding.labels)
def frame():
    return pd.DataFrame({{"x": places[:, 0], "y": places[:, 1], "label": pd.Categorical(labels.astype(str))}})
left, right = (jscatter.Scatter(data=frame(), x="x", y="y", color_by="label", width=470, height=480) for _ in "12")
button, said = ipywidgets.Button(description="Step"), ipywidgets.Label("", layout={{"width": "300px"}})
said.add_class("said")
clicks, seconds = 0, []
def move(_):
    global clicks
    start = time.process_time()
    mine = labels == clicks % embedding.n_classes
    places[mine] += 0.5 * (places[mine].mean(axis=0) - places[mine]) + 0.3
    right.data(frame())
    clicks += 1
    seconds.append(time.process_time() - start)
def chosen(change):
    said.value = f"{{len(change['new'])}} selected"
button.on_click(move)
right.mouse("lasso")
right.widget.observe(chosen, "selection")
ipywidgets.VBox([ipywidgets.HBox([button, said]), ipywidgets.HBox([left.show(), right.show()])])"""

# So that pictures can be read back after they were shown, whoever draws them.
READABLE = """const plain = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, options) {
  return plain.call(this, kind, kind.startsWith('webgl') ? {...options, preserveDrawingBuffer: true} : options);
};"""
WATCH = """said => {
  const seen = window.seen = {start: 0, changes: [], told: 0, on: true}, small = document.createElement('canvas');
  [small.width, small.height] = [96, 48];
  const pen = small.getContext('2d', {willReadFrequently: true});
  const words = () => [...document.querySelectorAll(said)].map(one => one.textContent).join();
  let last = null, before = words();
  const began = event => seen.start ||= event.timeStamp;
  for (const name of ['click', 'pointerup', 'wheel'])
    document.addEventListener(name, began, {capture: true, once: true});
  const observer = new MutationObserver(() => {
    if (seen.start && !seen.told && words() !== before) seen.told = performance.now();
  });
  observer.observe(document.body, {childList: true, subtree: true, characterData: true});
  const look = () => {
    let sums = '';
    for (const canvas of document.querySelectorAll('.jp-OutputArea canvas')) {
      if (!canvas.width || !canvas.isConnected) continue;
      pen.clearRect(0, 0, small.width, small.height);
      pen.drawImage(canvas, 0, 0, small.width, small.height);
      sums += pen.getImageData(0, 0, small.width, small.height).data.reduce((a, b) => (31 * a + b) | 0, 0) + ' ';
    }
    if (last !== null && sums !== last && seen.start) seen.changes.push(performance.now());
    last = sums;
    seen.ready = true;
    if (seen.on) requestAnimationFrame(look); else observer.disconnect();
  };
  requestAnimationFrame(look);
}"""
DRAWN = f"() => seen.changes.length > 0 && performance.now() - seen.changes.at(-1) > {SETTLED}"
TOLD = "() => seen.told > 0"


def right_picture(page):
    """Return the box of the right one of the two largest canvases; jupyter-scatter has smaller ones beside."""
    boxes = [box for canvas in page.locator(".jp-OutputArea canvas").all() if (box := canvas.bounding_box())]
    return max(sorted(boxes, key=lambda box: box["width"] * box["height"])[-2:], key=lambda box: box["x"])


@dataclass(frozen=True, kw_only=True)
class Tool:
    """What is compared: its notebook cell, where it is lassoed, where it says how much that chose, how nothing is."""

    name: str
    cell: str
    said: str
    lassoed: Callable
    none: str


TOOLS = (
    Tool(
        name="Studio",
        cell=STUDIO,
        said=".ali-studio [role=status]:not(.ali-picture-tip)",
        lassoed=lambda page: page.locator(".ali-picture [data-pane='1']").bounding_box(),
        none="studio.select([])",
    ),
    Tool(
        name="jupyter-scatter",
        cell=SCATTER,
        said=".said",
        lassoed=right_picture,
        none="right.selection([]) and None",
    ),
)


class Opened:
    """A tool in a JupyterLab of its own."""

    def __init__(self, browser, folder, tool, cell):
        self.tool, self.bytes = tool, 0
        self.lab = JupyterLab(folder, write_notebook(folder / "work" / "notebooks" / "app.ipynb", [cell]))
        self.notebook = NotebookPage(browser, self.lab)
        self.page = self.notebook.page
        self.page.emulate_media(reduced_motion="reduce")
        self.page.add_init_script(READABLE)
        self.notebook.open()
        self.notebook.hide_sidebar()
        self.devtools = self.notebook.context.new_cdp_session(self.page)
        self.devtools.send("Network.enable")
        self.devtools.on("Network.webSocketFrameReceived", self._received)
        start = time.perf_counter()
        self.notebook.run_all()
        self.page.locator(".jp-OutputArea canvas").first.wait_for(timeout=300_000)
        self.page.locator(".jp-OutputArea canvas").first.scroll_into_view_if_needed()
        self.first = time.perf_counter() - start
        self.page.wait_for_timeout(4000)

    def _received(self, event):
        self.bytes += len(event["response"]["payloadData"]) * (3 / 4 if event["response"]["opcode"] == 2 else 1)

    def close(self):
        """End the page and its server."""
        self.notebook.close()
        self.lab.stop()

    def watched(self, act, done, timeout=120_000):
        """Do something and return ms from its event to the first and the last change of a picture, and to the words."""
        self.page.bring_to_front()
        self.page.evaluate(WATCH, self.tool.said)
        self.page.wait_for_function("() => seen.ready")
        self.page.wait_for_timeout(200)
        act()
        self.page.wait_for_function(done, timeout=timeout)
        start, changes, told = self.page.evaluate("[seen.start, seen.changes, seen.told]")
        self.page.evaluate("seen.on = false")
        return [(changes[0] if changes else np.nan) - start, (changes[-1] if changes else np.nan) - start, told - start]

    def step(self):
        """Click the button that moves a class."""
        return self.watched(self.notebook.button("Step").first.click, DRAWN)

    def box(self):
        """Return where the picture that is lassoed lies in the window, once it is there."""
        picture = self.page.locator(".jp-OutputArea canvas").first
        picture.evaluate("picture => picture.scrollIntoView({block: 'center'})")
        self.page.wait_for_timeout(500)
        return self.tool.lassoed(self.page)

    def lasso(self, share):
        """Draw a lasso around the left part of a picture; return ms until the words of what was chosen, or NaN."""
        self.notebook.ask(self.tool.none)  # so that the words change, whatever was chosen before
        box = self.box()
        left, top, width, height = box["x"] + 14, box["y"] + 40, (box["width"] - 28) * share, box["height"] - 60
        inner = {"x": left, "y": top, "width": width, "height": height}
        try:
            return self.watched(lambda: self.notebook.drag_around(inner), TOLD, timeout=30_000)[2]
        except PlaywrightTimeout:
            print(f"{self.tool.name} told nothing of a lasso within 30 s", file=sys.stderr, flush=True)
            return np.nan

    def heap(self):
        """Return the megabytes that JavaScript holds, typed arrays included."""
        self.devtools.send("HeapProfiler.collectGarbage")
        used = self.devtools.send("Runtime.getHeapUsage")
        return (used["usedSize"] + used.get("backingStorageSize", 0)) / 1e6


def main():
    options = arguments()
    executable = find_chromium()
    if executable is None:
        sys.exit("install Chromium or Chrome, or name it in ALI_CHROMIUM")
    # The labextensions lie where the project's own environment is, also when uv has put another one on top of it.
    os.environ["JUPYTER_PATH"] = str(Path(np.__file__).parents[4] / "share" / "jupyter")
    rows = []
    with open_browser(executable) as browser:
        told = circumstances(browser, "software rendering")
        if options.million:
            print(f"{told}\n\n{markdown(million(browser))}")
            return
        for size in options.sizes:
            for view in options.views:
                rows += compared(browser, size, view, options.clicks)
                print(pd.DataFrame(rows).tail(2).to_string(), file=sys.stderr, flush=True)
    print(f"{told}\n\n{markdown(pd.DataFrame(rows))}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=(5_000, 20_000, 100_000))
    parser.add_argument("--views", nargs="+", choices=VIEWS, default=VIEWS)
    parser.add_argument("--clicks", type=int, default=30)
    parser.add_argument("--million", action="store_true", help="what can be done with 1,000,000 points a side")
    return parser.parse_args()


@contextmanager
def opened(browser, tools, **values):
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        found = []
        for tool in tools:
            found.append(Opened(browser, Path(folder) / tool.name, tool, tool.cell.format(**values)))
            stack.callback(found[-1].close)
        yield found


def compared(browser, size, view, clicks):
    """Return a row of the table for each tool."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_embedding(Path(folder) / "cells.npz", size)
        with opened(browser, TOOLS, path=str(path), size=size, view=view) as both:
            for one in both:  # the first click of each is not measured
                one.step()
            received = [one.bytes for one in both]
            times = [[one.step() for one in both] for _ in range(clicks)]
            received = [(one.bytes - before) / clicks for one, before in zip(both, received, strict=True)]
            lassos = [[one.lasso(share) for one in both] for share in (0.9, 0.5) * (LASSOS // 2)]
            rows = []
            for place, one in enumerate(both):
                mine = np.array(times)[:, place]
                row = {"points a side": size, "view": view, "tool": one.tool.name}
                row |= quantiles("last change", mine[:, 1]) | {"first change p50 (ms)": float(np.median(mine[:, 0]))}
                row |= {"lasso to told p50 (ms)": float(np.nanmedian(np.array(lassos)[:, place]))}
                kernel = 1000 * np.array(one.notebook.ask("seconds"))[-clicks:]
                row |= {"kernel CPU p50 (ms)": float(np.median(kernel)), "received a step (kB)": received[place] / 1000}
                rows.append(row | {"JS heap (MB)": one.heap()})
            return rows


def million(browser):
    """Return what takes how long in the Studio with 1,000,000 points a side."""
    with tempfile.TemporaryDirectory() as folder:
        vectors, labels = long_tailed(MILLION, dim=MILLION_DIM)
        names = [f"class {code:02d}" for code in labels]
        path = LabelledEmbedding(vectors.astype(np.float32), names).save(Path(folder) / "cells.npz")
        with opened(browser, TOOLS[:1], path=str(path), size=MILLION, view="pca") as (studio,):

            def wheel():
                studio.page.mouse.move(*middle)
                studio.page.mouse.wheel(0, -200)

            steps = np.array([studio.step() for _ in range(4)])[1:]
            box = studio.box()
            middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            zooms = np.array([studio.watched(wheel, DRAWN) for _ in range(3)])
            rows = {
                "cell run to first picture (s)": studio.first,
                "step to first change (ms)": float(np.median(steps[:, 0])),
                "step to last change (ms)": float(np.median(steps[:, 1])),
                "wheel to first change (ms)": float(np.median(zooms[:, 0])),
                "wheel to all points drawn (ms)": float(np.median(zooms[:, 1])),
                "lasso to told (ms)": studio.lasso(0.5),
                "JS heap (MB)": studio.heap(),
            }
    return pd.DataFrame({"1,000,000 points a side": rows.keys(), "": rows.values()})


if __name__ == "__main__":
    main()
