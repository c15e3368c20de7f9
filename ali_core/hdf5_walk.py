"""Look through an HDF5 file in a process of its own: ``python hdf5_walk.py FILE MOST SECONDS``.

Every part is visited and its first row read, all of it in files of at most :data:`ALL_OF_IT` bytes. It fails when the
arrays take more than MOST bytes together, and the system ends it when it has kept a processor busy for SECONDS.
"""

import os
import sys
from typing import Any

ALL_OF_IT = 1 << 26
BLOCK = 1 << 24


def walk(path: str, most: int) -> None:
    """Visit all; raises whatever the library raises."""
    import h5py  # noqa: PLC0415  # comes with anndata, and after the limit is set
    import numpy as np  # noqa: PLC0415

    whole, n_bytes = os.stat(path).st_size <= ALL_OF_IT, 0  # noqa: PTH116  # nothing is imported that is not needed

    def visit(_: str, item: Any) -> None:  # noqa: ANN401  # group or dataset
        nonlocal n_bytes
        for key in item.attrs:
            np.asarray(item.attrs[key])
        if not isinstance(item, h5py.Dataset) or item.size is None:
            return
        n_bytes += item.size * max(item.dtype.itemsize, 1)
        if n_bytes > most:
            raise ValueError(f"it would take {n_bytes:.3g} bytes, but at most {most:.3g} are let in (ALI_MOST_BYTES)")
        if not item.shape:
            item[()]
            return
        a_row = max(item.size // max(len(item), 1) * item.dtype.itemsize, 1)
        rows = max(1, BLOCK // a_row) if whole else 1
        for start in range(0, len(item) if whole else min(len(item), 1), rows):
            item[start : start + rows]

    with h5py.File(path, "r") as file:
        file.visititems(visit)


def walk_within(path: str, most: int, seconds: int) -> str:
    """Set the limit of this process and walk; return what the library said, or nothing when all is well."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:  # a system without it: whoever waits has a clock
        resource = None  # type: ignore[assignment]
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    try:
        walk(path, most)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    sys.exit(walk_within(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])) or 0)
