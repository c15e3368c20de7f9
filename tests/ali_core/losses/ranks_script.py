"""One of two processes that plan together; started by torch.distributed.run.

python -m torch.distributed.run --nproc-per-node 2 ranks_script.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch

from ali_core import AliError, preset
from ali_core.losses import InterventionLoss
from tests.ali_core.losses.test_ranks import samples


def main():
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    loss = InterventionLoss(preset("all", 6), margin=0.2)
    vectors, labels = samples()
    half = slice(60 * rank, 60 * rank + 60)
    rest = (labels < 2) == (rank == 0)

    def told(*arguments):
        try:
            loss.plan(*arguments)
        except AliError as error:
            return str(error)
        return "nothing was raised"

    broken = vectors[half].clone()
    broken[5, 0] = torch.nan if rank == 1 else 0.0
    kept = {
        "halves": loss.plan(vectors[half], labels[half]).transforms.offsets,
        "alone": loss.plan(vectors[half], labels[half], over_ranks=False).transforms.offsets,
        "all to each": loss.plan(vectors, labels).transforms.offsets,
        "nothing on one": loss.plan(vectors[: 120 * rank], labels[: 120 * rank]).transforms.offsets,
        "classes on one": loss.plan(vectors[rest], labels[rest]).transforms.offsets,
        "fault": told(broken, labels[half]),
        "dims": told(vectors[half, : 6 - rank], labels[half]),
    }
    np.savez(Path(sys.argv[1]) / f"rank{rank}.npz", **kept)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
