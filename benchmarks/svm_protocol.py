"""Which RBF-SVM scores an embedding: dimensions standardised or as they are, C and gamma fixed or chosen.

    ALI_DATA=… uv run python -m benchmarks.svm_protocol

Real cells thinned to a long tail, six folds; C and gamma are chosen on the validation part of a fold, and every
protocol is scored on its test part. Beside the features themselves: the same after a random rotation, which changes
no distance, and after the dimensions have been scaled by what a network may give them (1 to 10).
"""

import numpy as np
import pandas as pd
from scipy.stats import ortho_group
from sklearn.preprocessing import StandardScaler

from ali_core.data import grouped_folds
from ali_core.evaluation import SvmGrid, search_svm
from benchmarks.svm_search import thinned_cells

PROTOCOLS = {
    "standardised, fixed": (True, SvmGrid(Cs=(10.0,), gammas=(1.0,))),
    "standardised, chosen": (True, SvmGrid()),
    "as it is, fixed": (False, SvmGrid(Cs=(10.0,), gammas=(0.25,))),
    "as it is, chosen": (False, SvmGrid()),
}


def spaces(vectors, seed=0):
    """Return the spaces that are scored, by name."""
    rng = np.random.default_rng(seed)
    turned = vectors @ ortho_group(vectors.shape[1], seed=rng).rvs()
    return {"features": vectors, "rotated": turned, "scaled": vectors * rng.uniform(1.0, 10.0, vectors.shape[1])}


def scores(cells):
    """Return one row a space, protocol and fold."""
    rows = []
    for name, vectors in spaces(cells.vectors.astype(np.float64)).items():
        for number, fold in enumerate(grouped_folds(cells.labels)):
            for protocol, (standardised, grid) in PROTOCOLS.items():
                scaler = StandardScaler(with_mean=standardised, with_std=standardised).fit(vectors[fold.train])
                parts = [scaler.transform(vectors[part]) for part in (fold.train, fold.validation, fold.test)]
                found = search_svm(
                    parts[0],
                    cells.labels[fold.train],
                    parts[1],
                    cells.labels[fold.validation],
                    n_classes=cells.n_classes,
                    grid=grid,
                )
                macro_f1 = found.score(parts[2], cells.labels[fold.test]).macro_f1
                rows.append({"space": name, "protocol": protocol, "fold": number, "macro_f1": macro_f1})
    return pd.DataFrame(rows)


def main() -> None:
    """Print mean and standard deviation over folds, and the paired difference to "as it is, chosen"."""
    table = scores(thinned_cells()).pivot(index=["space", "fold"], columns="protocol", values="macro_f1")[[*PROTOCOLS]]
    paired = table.sub(table["as it is, chosen"], axis=0)
    for what, frame in (("macro F1 (%)", table), ("minus 'as it is, chosen'", paired)):
        print(what, (100 * frame).groupby("space").agg(["mean", "std"]).round(1).to_string(), sep="\n")


if __name__ == "__main__":
    main()
