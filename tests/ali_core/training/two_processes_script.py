"""One of the processes that share a training fold; started by torch.distributed.run.

python -m torch.distributed.run --nproc-per-node 2 two_processes_script.py FOLDER METHOD
"""

import sys
from pathlib import Path

import numpy as np
import torch

from ali_core.training.run import Run
from tests.ali_core.training.samples import features, small


def main():
    folder, method = Path(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    settings = small(method=method, devices=2, evaluate_every=1, max_epochs=2)
    run = Run.open(features(), settings, out=folder / "run", resume=False, loggers=(), progress=None)
    rank, kept = run.worker.fabric.global_rank, {}
    for epoch in range(2):
        embed = run.embedder()
        run.record(run.evaluate(embed()))
        run.follow(run.propose(embed), embed)
        if run.intervener is not None:
            transforms = run.worker.learner.objective.pull.loss.transforms
            kept |= {f"offsets {epoch}": transforms.offsets, f"scales {epoch}": transforms.scales}
            kept[f"classes {epoch}"] = np.array([step.classes[0] for step in run._steps])
        kept[f"n {epoch}"] = np.array(len(embed()))
        run.train_epoch()
    run.record(run.evaluate(run.embedder()()))
    _, scores, whole = run.end()
    kept |= {"weight": run.worker.learner.net.linear.weight.detach().numpy(), "whole": whole.vectors}
    kept["test_f1"] = np.array(scores.test.macro_f1)
    np.savez(folder / f"rank{rank}.npz", **kept)
    run.close()


if __name__ == "__main__":
    main()
