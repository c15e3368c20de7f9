"""What it costs to read an embedding, next to the library whose format it is.

Aim: for 200,000 samples of 256 dimensions, :meth:`LabelledEmbedding.load` takes at most 1.3 times as long as pandas,
pyarrow, anndata and numpy need for the same file, and at most twice the memory of its array. ``benchmarks/README.md``
says which formats miss it, and why.

Each reading is a process of its own, which first reads a small file of the format, so that all is imported; ours and
theirs take turns, and what is told is the ratio of the medians. Memory is the peak of the process above what it held
before, the largest of all turns.

    uv run python -m benchmarks.reading                       # all of it; about 1 GB of disk
    uv run python -m benchmarks.reading --n 20000 --repeats 1 --formats csv parquet
"""

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from ali_core import LabelledEmbedding
from benchmarks.scale import measured

FORMATS = ("csv", "parquet", "lists", "h5ad", "npz")
PEERS = {"csv": "pandas", "parquet": "pandas", "lists": "pyarrow", "h5ad": "anndata", "npz": "numpy"}
SUFFIX = {"lists": "parquet"}


def write(kind: str, folder: Path, n: int, dim: int) -> Path:
    """Write a file of n samples, each with a class, a donor and an id."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(n, dim)).astype(np.float32)
    classes = np.array([f"class {code}" for code in range(15)])[np.arange(n) % 15]
    about = pd.DataFrame({"label": classes, "group": [f"D{i % 50}" for i in range(n)]})
    names = np.array([f"cell-{i:06d}" for i in range(n)])
    path = folder / f"{kind}.{SUFFIX.get(kind, kind)}"
    if kind == "npz":
        np.savez(path, vectors=vectors, labels=classes, ids=names, groups=about["group"].to_numpy().astype(str))
    elif kind == "h5ad":
        import anndata

        data = anndata.AnnData(obs=about.set_axis(pd.Index(names)))
        data.obsm["X_pca"] = vectors
        data.write_h5ad(path)
    else:
        import pyarrow as pa
        from pyarrow import csv, parquet

        columns = {"id": names, **{name: about[name].to_numpy() for name in about}}
        if kind == "lists":
            columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dim)
        else:
            columns |= {f"f{axis}": vectors[:, axis].astype(np.float64) for axis in range(dim)}
        table = pa.table(columns)
        (csv.write_csv if kind == "csv" else parquet.write_table)(table, path)
    return path


def read_theirs(kind: str, path: Path) -> object:
    """Read a file as people do with the library of its format."""
    if kind == "csv":
        return pd.read_csv(path)
    if kind == "parquet":
        return pd.read_parquet(path)
    if kind == "lists":
        from pyarrow import parquet

        return parquet.read_table(path)
    if kind == "h5ad":
        import anndata

        return anndata.read_h5ad(path)
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def measure(who: str, kind: str, path: Path) -> None:
    """Read once, in this process, and print seconds and bytes."""
    read = LabelledEmbedding.load if who == "ours" else partial(read_theirs, kind)
    with tempfile.TemporaryDirectory() as folder:
        read(write(kind, Path(folder), 400, 256))
    found, seconds, peak = measured(partial(read, path))
    size = found.vectors.nbytes if who == "ours" else 0
    print(json.dumps({"seconds": seconds, "peak": peak, "array": size}))


def run(who: str, kind: str, path: Path) -> dict[str, float]:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.reading", "--measure", who, kind, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=200_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        who, kind, path = options.measure
        measure(who, kind, Path(path))
        return
    print(f"{options.n:,} × {options.dim}, median of {options.repeats}")
    print("| format | peer | theirs, s | ours, s | ours / theirs | our peak / array |\n|---|---|---|---|---|---|")
    for kind in options.formats:
        with tempfile.TemporaryDirectory() as folder:
            path = write(kind, Path(folder), options.n, options.dim)
            turns = [(run("theirs", kind, path), run("ours", kind, path)) for _ in range(options.repeats)]
        theirs, ours = (median(turn[side]["seconds"] for turn in turns) for side in (0, 1))
        memory = max(own["peak"] / own["array"] for _, own in turns)
        print(
            f"| {kind} | {PEERS[kind]} | {theirs:.2f} | {ours:.2f} | {ours / theirs:.2f} | {memory:.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
