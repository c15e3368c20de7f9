"""Large embeddings: seconds and memory of loading, saving, moving, exporting, beside numpy's own in the same run.

``python -m benchmarks.scale [N] [D] [C]`` prints a table in Markdown; by default 1,000,000 × 128 float32, 200 classes.
Memory is the growth of the most that was in use, as a multiple of the array.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ali_core import LabelledEmbedding, Session, preset
from ali_viz import Studio

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def in_use(name):
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith(name)]
    return 1024 * int(line.split()[1])


def measured(call):
    """Return what ``call`` returns, its seconds, and by how much memory in use grew at most."""
    CLEAR.write_text("5")
    before, start = in_use("VmRSS"), time.perf_counter()
    found = call()
    return found, time.perf_counter() - start, in_use("VmHWM") - before


def main():
    n, dim, n_classes = (int(word) for word in (*sys.argv[1:], *(1_000_000, 128, 200)[len(sys.argv) - 1 :]))
    rng = np.random.default_rng(0)
    labels = np.arange(n) % n_classes
    vectors = rng.standard_normal((n, dim), dtype=np.float32)
    vectors.flags.writeable = False
    embedding = LabelledEmbedding(vectors, labels)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        plain, ours, table = (Path(folder) / name for name in ("plain.npz", "ours.npz", "ours.parquet"))
        for path in (ours, table):
            LabelledEmbedding.load(embedding.subset(np.arange(4 * n_classes)).save(path))  # late imports are there
        _, numpy_save, _ = measured(lambda: np.savez(plain, vectors=vectors, labels=labels))
        _, numpy_load, _ = measured(lambda: [np.load(plain)[name] for name in ("vectors", "labels")])
        for name, call, peer in (
            (".npz save", lambda: embedding.save(ours), numpy_save),
            (".npz load", lambda: LabelledEmbedding.load(ours), numpy_load),
            (".parquet save", lambda: embedding.save(table), numpy_save),
            (".parquet load", lambda: LabelledEmbedding.load(table), numpy_load),
        ):
            _, seconds, memory = measured(call)
            rows.append((name, seconds, f"{seconds / peer:.2f} × numpy", memory))
    session = Session(embedding, preset("c,s", dim))
    _, seconds, memory = measured(lambda: session.run(10))
    rows.append(("10 steps", seconds, "", memory))
    _, copied, _ = measured(vectors.copy)
    _, seconds, memory = measured(lambda: session.after)
    rows.append(("after", seconds, f"{seconds / copied:.1f} × a copy", memory))
    studio = Studio(session)  # 200,000 points a side are drawn, 5,000 printed
    with tempfile.TemporaryDirectory() as folder:
        _, seconds, memory = measured(lambda: studio.export(folder))
    studio.close()
    rows.append(("export of the Studio's screen", seconds, "", memory))
    print(f"{n:,} × {dim} float32, {n_classes} classes\n\n| | seconds | beside | memory |\n|---|---|---|---|")
    for name, seconds, beside, memory in rows:
        print(f"| {name} | {seconds:.2f} | {beside} | {memory / vectors.nbytes:.2f} × the array |")


if __name__ == "__main__":
    main()
