"""How much of our code one step, click, epoch and dry-run configuration pass through, counted by ``sys.setprofile``.

    uv run python -m benchmarks.traces            # a line each
    uv run python -m benchmarks.traces --names    # and which functions

Counted are the files and the different functions of ali_core and ali_viz that are called: a method once for all its
objects, properties among them; comprehensions and lambdas belong to the function that they stand in. ``step`` is one
automatic step of a session; ``click`` one click on Step in the Studio, PCA view, until everything is shown; ``epoch``
the way of a training on features from one state to the next, with interventions, an epoch of batches, and scores;
``configuration`` the curve of one dry-run configuration over five interventions.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from ipywidgets import Button
from ipywidgets.widgets.widget import _instances

import ali_core
import ali_viz
from ali_core import LabelledEmbedding, Session, preset
from ali_core.experiments.fold_scorer import DryRunFold, FoldScorer
from ali_core.training import TrainSettings, epochs
from ali_viz import Studio

ROOTS = tuple(str(Path(package.__file__).parent) for package in (ali_core, ali_viz))


def called(work):
    """Return the functions of ours that ``work()`` calls, as (file, name)."""
    found = set()

    def heard(frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(ROOTS) and not code.co_name.startswith("<"):
            found.add((str(Path(code.co_filename).relative_to(Path(ROOTS[0]).parent)), code.co_qualname))

    sys.setprofile(heard)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


def cases():
    """Return what is traced, by name."""
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 6
    vectors = rng.normal(size=(600, 16)) + 2.0 * rng.normal(size=(6, 16))[labels]
    embedding, settings = LabelledEmbedding(vectors, labels), preset("c,s", dim=16)
    training = epochs(embedding, TrainSettings(max_epochs=2, evaluate_every=1, width=8, batch_size=64, device="cpu"))
    next(training)
    fold = DryRunFold(
        fold=0,
        train_vectors=vectors[:400],
        train_labels=labels[:400],
        validation_vectors=vectors[400:],
        validation_labels=labels[400:],
        n_classes=6,
    )
    scorer = FoldScorer.of(fold)
    Studio(embedding, view="pca")  # its widgets keep it
    (button,) = (one for one in _instances.values() if isinstance(one, Button) and one.description == "Step")
    button.click()
    return {
        "step": Session(embedding, settings).step,
        "click": button.click,
        "epoch": lambda: next(training),
        "configuration": lambda: scorer.curves([settings], longest=[5], hold=None),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", action="store_true", help="list the functions")
    names = parser.parse_args().names
    for case, work in cases().items():
        found = called(work)
        print(f"{case}: {len({file for file, _ in found})} files, {len(found)} functions")
        if names:
            print(*(f"  {file}: {name}" for file, name in sorted(found)), sep="\n")


if __name__ == "__main__":
    main()
