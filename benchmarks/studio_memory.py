"""What a Studio keeps: over 200 steps, over 20 Studios opened and closed, and in the saved notebook.

    uv run python -m benchmarks.studio_memory [--steps 200] [--studios 20] [--no-browser] [--out FOLDER]

Steps and Studios are measured in this process (resident memory after a collection of garbage, objects, widgets); the
page and the notebook in JupyterLab in a headless Chromium.
"""

import argparse
import gc
import json
import sys
import tempfile
from pathlib import Path

import ipywidgets
import pandas as pd
import psutil

from ali_viz import Studio
from ali_viz.picture import Picture
from benchmarks.studio_latency import WATCH, circumstances, markdown, opened, step, write_embedding
from tests.browser.jupyter import find_chromium, open_browser

N, MARKS = 5_000, 4
MB = 1e6
SAVE_STATE = Path("settings/@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings")


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        path = write_embedding(Path(folder) / "cells.npz", N)
        rows = [*over_steps(path, options.steps), *over_studios(path, options.studios)]
    tables = {"studio_memory": pd.DataFrame(rows)}
    executable = find_chromium()
    if executable is not None and options.browser:
        with open_browser(executable) as browser:
            pages = [in_the_page(browser, options.steps, saved) for saved in (False, True)]
            print(circumstances(browser, "software rendering"))
        tables["studio_page"] = pd.DataFrame([row for page, _ in pages for row in page])
        tables["studio_notebook"] = pd.DataFrame([notebook for _, notebook in pages])
    for name, table in tables.items():
        print(f"\n{markdown(table)}")
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            table.to_csv(options.out / f"{name}.csv", index=False, float_format="%.4g")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--studios", type=int, default=20)
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="measure this process only")
    parser.add_argument("--out", type=Path, help="folder for the tables as CSV")
    return parser.parse_args()


def kept(what, count):
    """Return what the process keeps now."""
    gc.collect()
    objects = gc.get_objects()
    return {
        "what": what,
        "count": count,
        "resident (MB)": psutil.Process().memory_info().rss / MB,
        "objects": len(objects),
        "widgets": sum(issubclass(type(thing), ipywidgets.Widget) for thing in objects),
        "pictures": sum(issubclass(type(thing), Picture) for thing in objects),
    }


def over_steps(path, steps):
    """Yield what is kept while steps are added, and then undone and redone as often."""
    studio = Studio(path)
    studio.step()
    studio.undo()
    yield kept("steps", 0)
    for mark in range(1, MARKS + 1):
        studio.run(steps * mark // MARKS - studio.session.cursor)
        yield kept("steps", studio.session.cursor)
    for mark in range(1, MARKS + 1):
        for _ in range(steps // MARKS):
            studio.undo()
            studio.redo()
        yield kept("undo and redo", steps * mark // MARKS)
    studio.close()


def over_studios(path, studios):
    """Yield what is kept while Studios are opened, stepped and closed."""
    for number in range(studios + 1):
        if number % max(studios // MARKS, 1) == 0:
            yield kept("Studios closed", number)
        studio = Studio(path)
        studio._repr_mimebundle_()
        studio.step()
        studio.close()
        del studio


def in_the_page(browser, steps, saved):
    """Return what the page keeps over the steps, and the size of the notebook, with or without widget state."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if saved:
            (folder / SAVE_STATE).parent.mkdir(parents=True)
            (folder / SAVE_STATE).write_text(json.dumps({"saveState": True}))
        path = write_embedding(folder / "cells.npz", N)
        with opened(browser, folder, path, None) as page:
            page.plot().wait_for(timeout=120_000)
            page.page.wait_for_timeout(3000)
            page.page.evaluate(WATCH)
            rows = [] if saved else list(page_over_steps(page, steps))
            page.page.keyboard.press("Control+s")
            page.page.wait_for_timeout(5000)
            size = (folder / "work" / "notebooks" / "app.ipynb").stat().st_size
    return rows, {"widget state saved": str(saved), "notebook (kB)": size / 1000}


def page_over_steps(page, steps):
    session = page.context.new_cdp_session(page.page)
    session.send("Performance.enable")
    for count in range(steps + 1):
        if count % (steps // MARKS) == 0:
            session.send("HeapProfiler.collectGarbage")
            metrics = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
            heap, nodes = metrics["JSHeapUsedSize"] / MB, int(metrics["Nodes"])
            yield {"steps": count, "heap of the page (MB)": heap, "nodes": nodes}
        if count < steps:
            step(page)


if __name__ == "__main__":
    sys.exit(main())
