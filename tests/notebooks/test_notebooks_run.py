"""Notebooks run from top to bottom, and are stored without outputs."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ali_core import LabelledEmbedding, ManualStep, Session
from tests.ali_viz.studio.clouds import cloud

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 240  # a cell; the whole takes one to two minutes on two free cores


def executed(notebook, folder, monkeypatch, path=None):
    if path is None:
        monkeypatch.delenv("ALI_PATH", raising=False)
    else:
        monkeypatch.setenv("ALI_PATH", str(path))
    root = str(FOLDER.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    client = NotebookClient(
        nbformat.read(notebook, as_version=4),
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
    )
    return client.execute()


def printed(notebook):
    return "".join(
        output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_without_outputs_and_with_a_kernel(notebook):
    stored = nbformat.read(notebook, as_version=4)
    assert stored.metadata.kernelspec.name == "python3"
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_on_synthetic_cells(notebook, tmp_path, monkeypatch):
    done = executed(notebook, tmp_path, monkeypatch)
    text = printed(done)
    assert "SYNTHETIC marrow: drawings, not cells" in text
    assert "oracle" in text
    assert text.rstrip().endswith("True")
    assert {path.suffix for path in (tmp_path / "ali-export").iterdir()} >= {".pdf", ".svg", ".png", ".csv", ".json"}


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_on_real_features(notebook, tmp_path, monkeypatch, real_data):
    done = executed(notebook, tmp_path, monkeypatch, real_data / "pbc_dev_features" / "densenet121_160px.npz")
    text = printed(done)
    assert "5,964 cells, 1,024 dimensions, 13 classes" in text
    assert text.rstrip().endswith("True")


@pytest.mark.notebook
@pytest.mark.slow
def test_recorded_steps_are_shown_in_the_app(tmp_path, monkeypatch):
    embedding = cloud()
    embedding.save(tmp_path / "embedding.npz")
    session = Session(LabelledEmbedding.load(tmp_path / "embedding.npz"))
    session.apply(ManualStep(classes=("monocyte",), contract=0.3))
    session.save(tmp_path / "session.json")
    executed(NOTEBOOKS[0], tmp_path, monkeypatch, tmp_path)
    shown = Session.load(tmp_path / "ali-export" / "session.json", session.embedding)
    assert shown.steps == session.steps
