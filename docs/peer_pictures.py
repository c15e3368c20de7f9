"""Draw docs/peers/*.png: other tools on the embedding that the Studio's tour shows, each in a real browser.

    uv venv peers
    uv pip install --python peers -e . --group dev jupyter-scatter==1.0.1 embedding-atlas==0.26.0 emblaze==0.11.0
    peers/bin/python -m docs.peer_pictures cells.npz
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from ali_core import LabelledEmbedding
from ali_core.projection import layout
from tests.browser.jupyter import JupyterLab, NotebookPage, find_chromium, open_browser, write_notebook

PORT, SECONDS = 6123, 12  # until pictures stand still
DATA = """import numpy as np, pandas as pd
cells = np.load({data!r})
frame = pd.DataFrame({{"x": cells["x"], "y": cells["y"], "label": pd.Categorical(cells["label"])}})
"""
IN_JUPYTERLAB = {
    "jupyter-scatter": """import jscatter
jscatter.Scatter(data=frame, x="x", y="y", color_by="label", legend=True, height=520).show()""",
    "embedding-atlas": """from embedding_atlas.widget import EmbeddingAtlasWidget
EmbeddingAtlasWidget(frame, x="x", y="y")""",
    "emblaze": """import emblaze
from emblaze.utils import Field
places = emblaze.Embedding({Field.POSITION: frame[["x", "y"]].values, Field.COLOR: frame.label.values}, label="cells")
emblaze.Viewer(embeddings=emblaze.EmbeddingSet([places, places]), thumbnails=emblaze.TextThumbnails(frame.label))""",
}


def jupyterlab(browser, folder, name, cell):
    notebook = write_notebook(folder / name / "work" / "notebooks" / f"{name}.ipynb", [cell])
    lab = JupyterLab(folder / name, notebook)
    try:
        page = NotebookPage(browser, lab, width=1200, height=800)
        page.open()
        page.hide_sidebar()
        page.run_all()
        page.page.locator(".jp-OutputArea-output").first.wait_for(timeout=120_000)
        yield page.page
        print(name, "asked for", page.strangers)
    finally:
        lab.stop()


def projector(browser, folder, vectors, labels):
    np.savetxt(folder / "vectors.tsv", vectors, delimiter="\t", fmt="%.4g")
    (folder / "labels.tsv").write_text("\n".join(labels) + "\n")
    (folder / "projector_config.pbtxt").write_text(
        'embeddings { tensor_name: "cells" tensor_path: "vectors.tsv" metadata_path: "labels.tsv" }'
    )
    server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", str(PORT)])
    try:
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        time.sleep(SECONDS)
        page.goto(f"http://localhost:{PORT}/#projector")
        yield page
    finally:
        server.terminate()


def main(file):
    embedding = LabelledEmbedding.load(file)
    places = layout(embedding.vectors, "pca").positions
    labels = np.asarray(embedding.class_names)[embedding.labels]
    out = Path(__file__).with_name("peers")
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_browser(find_chromium()) as browser:
        folder = Path(folder)
        data = folder / "cells.npz"
        np.savez(data, x=places[:, 0], y=places[:, 1], label=labels)
        pages = {
            name: jupyterlab(browser, folder, name, DATA.format(data=str(data)) + cell)
            for name, cell in IN_JUPYTERLAB.items()
        }
        pages["tensorboard-projector"] = projector(browser, folder, embedding.vectors, labels)
        for name, pages_of in pages.items():
            for page in pages_of:
                page.wait_for_timeout(1000 * SECONDS)
                page.screenshot(path=out / f"{name}.png")
                Image.open(out / f"{name}.png").quantize(64).save(out / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
