"""Notebooks run from top to bottom, and are stored without outputs."""

import os
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from ali_core import LabelledEmbedding, ManualStep, Session

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 240  # a cell; the whole takes less than a minute on two free cores
FEATURES = Path("pbc_dev_features", "densenet121_160px.npz")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a notebook prints on synthetic and on real data, and files that it leaves, as patterns.

    One without words on real data is not run on them: it makes its own, or opens them as the others do.
    """

    synthetic: tuple[str, ...]
    files: tuple[str, ...]
    real: tuple[str, ...] = ()


EXPECTED = {
    "01-step-through-interventions": Expected(
        synthetic=(
            "SYNTHETIC marrow: drawings, not cells",
            "oracle",
            "largest difference of the replayed session: 0.0",
        ),
        files=tuple(f"ali-export/*.{suffix}" for suffix in ("pdf", "svg", "png", "csv", "json")),
    ),
    # 120 samples down to 24 in equal ratios: 120 + 107 + 95 + … = 909 in 15 classes, 120 + 102 + 87 + … = 670 in 11
    "02-training": Expected(
        synthetic=(
            "SYNTHETIC features: random numbers",
            "909 samples of 4,500, 64 features, 15 classes",
            "no groups",
        ),
        files=(
            *(
                f"ali-training/*/{run}/result.json"
                for run in ("tml", "ali", "control", "by-hand", "stopped", "fold-2/ali")
            ),
            *("ali-training/*/logged/csv/metrics.csv", "ali-training/*/figures/one-epoch.pdf"),
        ),
    ),
    "06-live-training": Expected(
        synthetic=(
            "SYNTHETIC features: random numbers",
            "909 samples of 4,500, 64 features, 15 classes",
            "the same loss in epoch 2: True",
            "all 7 epochs are done",
        ),
        real=("670 samples of 5,900, 1,024 features, 11 classes", "the same loss in epoch 2: True"),
        files=(
            *("ali-live/*/run/result.json", "ali-live/*/control/result.json"),
            *("ali-live/*/figures/screen.pdf", "ali-live/*/figures/selection.csv"),
        ),
    ),
    # 60 samples down to 18 in equal ratios: 60 + 51 + 43 + … = 284 in 8 classes
    "03-dry-run": Expected(
        synthetic=(
            "SYNTHETIC features: random numbers",
            "284 samples of 2,400, 64 features, 8 classes",
            "both recommend the same: True",
            "method: pali",
        ),
        files=(
            *(f"ali-dry-run/*/dry-run/{name}" for name in ("curves.csv", "table1.csv", "recommended/nd-c.toml")),
            *("ali-dry-run/*/recommended/result.json", "ali-dry-run/*/dry-run-2d/recommended.toml"),
            "ali-dry-run/*/figures/fig4.pdf",
        ),
    ),
    "04-experiment": Expected(
        synthetic=(
            "4,500 samples, 64 features, 15 classes, 0 groups",
            "37 methods × 6 folds × 1 seed",
            "stopped",
            "9 of 9: ali c,s +cw, fold 2",
            "tml, fast, fold 0, failed: ",
            "over 3 pairs; p = ",
        ),
        real=("5,964 samples, 1,024 features, 13 classes, 2 groups", "9 of 9: ali c,s +cw, fold 2"),
        files=(
            *(
                f"ali-experiment/*/small/runs/{run}/result.json"
                for run in ("tml/2-0", "ali_c,s/0-0", "ali_c,s_+cw/1-0")
            ),
            *(f"ali-experiment/*/small/{name}" for name in ("results.csv", "comparison.csv", "table2.tex")),
            "ali-experiment/*/failing/failures.csv",
        ),
    ),
    "05-figures": Expected(
        synthetic=(
            "284 samples of 2,400, 64 features, 8 classes",
            "fig1 is not made: ",
            "Example cells of Synthetic marrow: drawings, not cells",
            "181 mm wide",
        ),
        files=(
            *(f"ali-figures/*/figures/fig{number}.pdf" for number in range(2, 8)),
            *(f"ali-figures/*/mine/fig{number}.{kind}" for number in range(1, 8) for kind in ("svg", "csv", "txt")),
        ),
    ),
    "07-your-own-data": Expected(
        synthetic=(
            "has no column label or labels; it has cell_type",
            "13 cells picked, 10 steps",
            "to mend: 1 of 90 images cannot be used",
            "89 of 90 images, 32 dimensions; kept as metadata: ['reader']",
        ),
        files=("ali-own-data/*/cells-with-picked.h5ad", "ali-own-data/*/images.npz"),
    ),
    "08-figures-of-your-run": Expected(
        synthetic=("fig1: example cells of each class", "includegraphics{fig2.pdf}"),
        files=(
            *(f"ali-paper/*/figures/fig{number}.{kind}" for number in range(1, 8) for kind in ("pdf", "csv", "txt")),
            "ali-paper/*/figures/figures.tex",
        ),
    ),
}
ALL = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


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


@ALL
def test_stored_without_outputs_and_with_a_kernel(notebook):
    stored = nbformat.read(notebook, as_version=4)
    assert stored.metadata.kernelspec.name == "python3"
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


@pytest.mark.notebook
@pytest.mark.slow
@ALL
def test_runs_on_synthetic_data(notebook, tmp_path, monkeypatch):
    expected = EXPECTED[notebook.stem]
    text = printed(executed(notebook, tmp_path, monkeypatch))
    assert [words for words in expected.synthetic if words not in text] == []
    assert [pattern for pattern in expected.files if not list(tmp_path.glob(pattern))] == []
    assert text.rstrip().endswith("True")


@pytest.mark.notebook
@pytest.mark.slow
@pytest.mark.parametrize(
    "notebook", [path for path in NOTEBOOKS if EXPECTED[path.stem].real], ids=lambda path: path.stem
)
def test_runs_on_real_features(notebook, tmp_path, monkeypatch, real_data):
    text = printed(executed(notebook, tmp_path, monkeypatch, real_data / FEATURES))
    assert [words for words in EXPECTED[notebook.stem].real if words not in text] == []
    assert text.rstrip().endswith("True")


@pytest.mark.notebook
@pytest.mark.slow
def test_recorded_steps_on_real_features_are_shown_in_the_app(tmp_path, monkeypatch, real_data):
    whole = LabelledEmbedding.load(real_data / FEATURES)
    whole.subset(np.arange(0, len(whole), 8)).save(tmp_path / "embedding.npz")
    session = Session(LabelledEmbedding.load(tmp_path / "embedding.npz"))
    session.apply(ManualStep(classes=("monocyte",), contract=0.3))
    session.save(tmp_path / "session.json")
    text = printed(executed(NOTEBOOKS[0], tmp_path, monkeypatch, tmp_path))
    assert "746 cells, 1,024 dimensions, 13 classes" in text
    assert "largest difference of the replayed session: 0.0" in text
    shown = Session.load(tmp_path / "ali-export" / "session.json", session.embedding)
    assert shown.steps[0] == session.steps[0]
    assert len(shown.steps) > 1  # the tour goes on from there
