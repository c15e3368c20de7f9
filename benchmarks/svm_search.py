"""Grid search of an RBF-SVM: shared kernels against a plain loop over scikit-learn's SVC, side by side in one process.

    uv run python -m benchmarks.svm_search            # 3,800 training and 760 validation samples, 256 dimensions

With scikit-learn-intelex installed, its SVC is a third column; it is not a dependency. The macro F1 of every
combination must be the same before a time is reported. With ALI_DATA set, the features of real cells, projected to 256
dimensions by PCA, are searched too (fewer training samples: the data are thinned to a long tail).
"""

import os
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.metrics import f1_score
from sklearn.svm import SVC

from ali_core import LabelledEmbedding
from ali_core.data import grouped_folds, long_tail
from ali_core.evaluation import SvmGrid, search_svm

N_TRAIN, N_VALIDATION, DIM = 3_800, 760, 256
GRID = SvmGrid()


def synthetic(n_classes, seed=0):
    """Return training and validation vectors and labels of overlapping classes, sizes falling off 20 : 1."""
    rng = np.random.default_rng(seed)
    centers = 0.25 * rng.normal(size=(n_classes, DIM))
    share = np.geomspace(20, 1, n_classes) / np.geomspace(20, 1, n_classes).sum()
    parts = []
    for n in (N_TRAIN, N_VALIDATION):
        labels = rng.permutation(np.repeat(np.arange(n_classes), rng.multinomial(n - 2 * n_classes, share) + 2))
        parts += [centers[labels] + rng.normal(size=(n, DIM)), labels]
    return parts


def all_cells():
    """Return the features under ALI_DATA, without the classes that name no kind of cell."""
    with np.load(Path(os.environ["ALI_DATA"]) / "pbc_dev_features/densenet121_160px.npz", allow_pickle=True) as file:
        cells = LabelledEmbedding(file["X"].astype(np.float32), file["y"].astype(str))
    return cells.without_classes([name for name in cells.class_names if "unspecified" in name])


def thinned_cells():
    """Return the same, thinned to a long tail and projected to 256 dimensions without labels."""
    cells = long_tail(all_cells())
    return cells.with_vectors(PCA(DIM, random_state=0).fit_transform(cells.vectors))


def real_cells(thinned):
    """Return the first fold of the features under ALI_DATA, projected to 256 dimensions."""
    cells = long_tail(all_cells()) if thinned else all_cells()
    split = grouped_folds(cells.labels)[0]
    pca = PCA(DIM, random_state=0).fit(cells.vectors[split.train])
    parts = []
    for rows in (split.train, split.validation):
        parts += [pca.transform(cells.vectors[rows]), cells.labels[rows]]
    return parts


def plain_search(train, labels, validation, true, svc=SVC):
    """Return macro F1 of every combination, each trained from the vectors as scikit-learn's users do."""
    unit = 1 / (train.shape[1] * train.var(axis=0).mean())
    return [
        f1_score(
            true,
            svc(C=c, gamma=multiple * unit, class_weight=GRID.class_weight).fit(train, labels).predict(validation),
            average="macro",
            zero_division=0.0,
        )
        for c in GRID.Cs
        for multiple in GRID.gammas
    ]


def timed(function, *arguments):
    """Return CPU seconds, all threads together, and the result."""
    start = time.process_time()
    result = function(*arguments)
    return time.process_time() - start, result


def shared_search(*parts):
    return search_svm(*parts, n_classes=int(max(parts[1].max(), parts[3].max())) + 1, grid=GRID)


def measured(name, parts):
    """Return one row of the table; every search sees float64 vectors."""
    parts = [part.astype(np.float64) if part.ndim == 2 else part for part in parts]
    seconds_plain, plain = timed(plain_search, *parts)
    seconds_shared, shared = timed(shared_search, *parts)
    row = {
        "data": name,
        "N": len(parts[1]),
        "classes": len(np.unique(parts[1])),
        "plain SVC (CPU s)": seconds_plain,
        "shared kernels (CPU s)": seconds_shared,
        "plain / shared": seconds_plain / seconds_shared,
        "largest difference of F1": np.abs(np.array(plain) - shared.table.macro_f1).max(),
        "best F1": shared.macro_f1,
    }
    if find_spec("sklearnex"):
        from sklearnex import svm as intelex

        seconds_intel, intel = timed(plain_search, *parts, intelex.SVC)
        row |= {"intelex SVC (CPU s)": seconds_intel, "intelex: difference": np.abs(np.array(intel) - plain).max()}
    return row, shared.table


def main():
    cases = {"synthetic, 11": synthetic(11), "synthetic, 15": synthetic(15)}
    if os.environ.get("ALI_DATA"):
        cases |= {"cells, thinned": real_cells(thinned=True), "cells, all": real_cells(thinned=False)}
    rows = []
    for name, parts in cases.items():
        row, table = measured(name, parts)
        rows.append(row)
        print(name, table.pivot(index="C", columns="gamma_multiple", values="macro_f1").round(3), sep="\n")
    combinations = len(GRID.Cs) * len(GRID.gammas)
    print(
        f"{combinations} combinations, D = {DIM}, {os.cpu_count()} cores, {os.environ.get('OMP_NUM_THREADS')} threads"
    )
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda x: f"{x:.3g}", na_rep=""))


if __name__ == "__main__":
    main()
